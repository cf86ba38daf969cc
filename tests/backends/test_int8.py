"""Dynamic quantisation: linear and recurrent layers take a quarter of the bytes."""

import warnings

import pytest
import torch
from backing import apart, on, tiny
from contract import DATA
from torch import nn

from harness.contracts import Unsupported
from harness.registry import STUDENTS, discover
from harness.types import Batch, Outputs, Padded

discover()


class Wide(nn.Module):
    """An LSTM and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(64, 128, batch_first=True)
        self.linear = nn.Linear(128, 1)

    def forward(self, batch: Batch) -> Outputs:
        return Outputs(self.linear(self.lstm(batch.text.values)[0][:, -1]).squeeze(1))


def heard(count=3):
    torch.manual_seed(0)
    text = Padded(torch.randn(count, 5, 64), torch.ones(count, 5, dtype=torch.bool))
    return Batch(("",) * count, ("",) * count, torch.zeros(count), text=text)


def test_a_wide_encoder_takes_less_than_a_third_of_its_bytes():
    entry = STUDENTS.get("text_encoder")
    wide = entry.configure({**entry.tiny, "width": 256, "layers": 2})
    torch.manual_seed(0)
    model = entry.builder(wide, DATA.info).eval()
    _, clips = tiny(entry)
    runner = on("int8", model, clips(1))
    assert runner.file_bytes() < on("eager", model, clips(1)).file_bytes() / 3


def test_an_lstm_is_quantised_as_a_linear_layer_is():
    torch.manual_seed(0)
    model = Wide().eval()
    runner = on("int8", model, heard())
    assert runner.file_bytes() < on("eager", model, heard()).file_bytes() / 3
    assert 0 < apart(runner, model, heard()) < 0.02
    assert runner.notes()[0].endswith(f", 2 layers in int8 by {torch.backends.quantized.engine}")


def test_the_deprecation_of_its_package_is_no_news():
    model, clips = tiny(STUDENTS.get("text_encoder"))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        on("int8", model, clips(1))
    assert told == []


def test_a_model_without_such_layers_is_refused():
    with pytest.raises(Unsupported, match="no linear and no recurrent layer"):
        on("int8", nn.Embedding(3, 4).eval(), heard())


def test_a_model_on_an_accelerator_is_refused():
    with pytest.raises(Unsupported, match="CPUs only; the model is on meta"):
        on("int8", Wide().eval().to("meta"), heard().to(torch.device("meta")))
