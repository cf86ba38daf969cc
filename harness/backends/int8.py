"""Weights of eight bits, by torch."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence

import torch
from pydantic import Field
from torch import nn

from harness.backends.refusal import refusing
from harness.contracts import Runner, Unsupported
from harness.nn.tensors import twin
from harness.registry import BACKENDS
from harness.spec import BackendConfig
from harness.types import Batch, Outputs

QUANTISED = (nn.Linear, nn.LSTM, nn.GRU)


class Int8Config(BackendConfig):
    """Nothing to choose but how far it may be from eager."""

    tolerance: float = Field(
        0.2,
        gt=0,
        description="largest difference to eager that it is timed with, in label units; 256 levels a "
        "tensor",
    )


@BACKENDS.register(
    "int8",
    config=Int8Config,
    paper="Jacob et al. 2018, arXiv 1712.05877; ranges found at each call",
    tiny={},
)
class Int8:
    """Linear and recurrent layers with weights of eight bits; activations are rounded at each call.

    Embeddings, convolutions and norms stay in float32. Products are of integers, on CPUs only.
    """

    def __init__(self, config: Int8Config) -> None:
        self.config = config

    def ready(self, model: nn.Module, batches: Sequence[Batch], threads: int) -> Runner:
        """A twin of the model with other layers in their places; what is not quantised is shared.

        Raises:
            Unsupported: there is nothing to quantise, or the model looks into a layer that was.
        """
        device = batches[0].target.device
        if device.type != "cpu":
            raise Unsupported(f"int8 is of CPUs only; the model is on {device}")
        replaced = _layers(model)
        if not replaced:
            raise Unsupported("no linear and no recurrent layer to quantise")
        with refusing("dynamic quantisation"):
            runner = _Int8Runner(_quantised(model), replaced)
            for batch in batches:
                runner(batch)
        return runner


class _Int8Runner:
    def __init__(self, model: nn.Module, layers: int) -> None:
        self._model = model
        self._layers = layers

    @torch.inference_mode()
    def __call__(self, batch: Batch) -> Outputs:
        outputs: Outputs = self._model(batch)
        return outputs

    def file_bytes(self) -> int:
        """Of its state as torch.save stores it."""
        with tempfile.TemporaryFile() as file:
            torch.save(self._model.state_dict(), file)
            return file.tell()

    def notes(self) -> tuple[str, ...]:
        engine = torch.backends.quantized.engine
        return (f"torch {torch.__version__}, {self._layers} layers in int8 by {engine}",)


def _layers(model: nn.Module) -> int:
    # By their very type, as torch replaces them: a subclass stays as it is.
    return sum(type(part) in QUANTISED for part in model.modules())


def _quantised(model: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        # Its successor is another package, and is for graphs; these are layers.
        warnings.filterwarnings("ignore", "torch.ao.quantization is deprecated", DeprecationWarning)
        warnings.filterwarnings("ignore", "torch.quantize_per_tensor, .* are deprecated", UserWarning)
        quantised: nn.Module = torch.ao.quantization.quantize_dynamic(
            twin(model), set(QUANTISED), dtype=torch.qint8, inplace=True
        )
    return quantised
