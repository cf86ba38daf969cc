"""What holds of every student and baseline alike: it can be trained, and kept."""

from dataclasses import replace

import pytest
from contract import build, clips, ready, ways
from safetensors.torch import load_model, save_model

from harness.contracts import Tokenises
from harness.registry import BASELINES, STUDENTS
from harness.types import Batch, Outputs

every_model = pytest.mark.parametrize(("entry", "config"), [*ways(STUDENTS), *ways(BASELINES)])


@every_model
def test_its_weights_can_be_kept_in_a_file(entry, config, tmp_path):
    model, other = build(entry, config), build(entry, config, seed=1)
    before = other(ready(other, clips())).score
    save_model(model, str(tmp_path / "model.safetensors"))
    load_model(other, str(tmp_path / "model.safetensors"))
    found = other(ready(other, clips())).score
    assert found.equal(model(ready(model, clips())).score)
    assert not found.equal(before)


@every_model
@pytest.mark.parametrize("count", [1, 8])
def test_it_can_be_trained_on_a_batch_of_any_size(entry, config, count):
    model = build(entry, config).train()
    batch = ready(model, clips(count))
    outputs = model(replace(batch, intact=batch))
    told = [outputs.score, *outputs.parts.values()]
    sum(value.square().sum() for value in told if value.requires_grad).backward()
    trained = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
    assert [name for name, value in trained if value.grad is None] == []


def test_a_plug_in_that_keeps_no_tokenizer_is_tokenised_all_the_same():
    class Plain:
        def tokenise(self, batch: Batch) -> Batch:
            return batch

        def __call__(self, batch: Batch) -> Outputs:
            return Outputs(batch.target)

    assert isinstance(Plain(), Tokenises)
