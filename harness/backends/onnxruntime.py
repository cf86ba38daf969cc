"""The model as an ONNX file, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from harness.backends.refusal import refusing
from harness.contracts import Runner, Unsupported
from harness.nn.extras import find_extra
from harness.nn.onnx_file import OPSET, write_onnx
from harness.nn.tensors import TensorModel
from harness.registry import BACKENDS
from harness.spec import BackendConfig
from harness.types import Batch, Outputs

INT8_TOLERANCE = 0.2


class OnnxruntimeConfig(BackendConfig):
    """How the file is written."""

    tolerance: float = Field(
        1e-3,
        gt=0,
        description="largest difference to eager that it is timed with, in label units; "
        f"{INT8_TOLERANCE} with int8 if it is not given",
    )
    int8: bool = Field(
        False, description="weights of matrix products in eight bits, activations rounded at each call"
    )
    opset: int = Field(OPSET, ge=18, le=23, description="version of ONNX's operators")

    @model_validator(mode="before")
    @classmethod
    def _looser_in_int8(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and given.get("int8"):
            return {"tolerance": INT8_TOLERANCE, **given}
        return given

    def check(self) -> None:
        """Whether ONNX Runtime and what writes its files are installed."""
        for module in ("onnxruntime", "onnx", "onnxscript"):
            find_extra(module, extra="onnx", key="backend")


@BACKENDS.register(
    "onnxruntime",
    config=OnnxruntimeConfig,
    paper="ONNX Runtime, github.com/microsoft/onnxruntime; exported by torch.export",
    tiny={},
)
class Onnxruntime:
    """The graph that torch exports, optimised and called by ONNX Runtime.

    On an accelerator its tensors take the way through the memory of the host.
    """

    def __init__(self, config: OnnxruntimeConfig) -> None:
        self.config = config

    def ready(self, model: nn.Module, batches: Sequence[Batch], threads: int) -> Runner:
        """A session with `threads` threads, called on every batch.

        Raises:
            Unsupported: the model asks what is in a tensor before it goes on, or has an operation that
                ONNX has not.
        """
        provider = _provider(batches[0].target.device)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            with refusing("export to ONNX"):
                told = write_onnx(model, batches, path, self.config.opset)
                if self.config.int8:
                    path = _quantised(path)
            with refusing("ONNX Runtime"):
                runner = _OnnxRunner(told, _session(path, provider, threads), _size(path), self.config)
        with refusing("ONNX Runtime"):
            for batch in batches:
                runner(batch)
        return runner


class _OnnxRunner:
    def __init__(self, told: TensorModel, session: Any, size: int, config: OnnxruntimeConfig) -> None:
        # From here on for its names: the weights are the session's.
        del told.model
        self._told = told
        self._session = session
        self._size = size
        self._config = config
        # What the model never reads is no input of the file.
        self._read = {each.name for each in session.get_inputs()}

    @torch.inference_mode()
    def __call__(self, batch: Batch) -> Outputs:
        tensors = zip(self._told.input_names, self._told.unpack(batch), strict=True)
        feed = {name: tensor.cpu().numpy() for name, tensor in tensors if name in self._read}
        found: list[Tensor] = [
            torch.from_numpy(each).to(batch.target.device)
            for each in self._session.run(list(self._told.output_names), feed)
        ]
        return self._told.pack(found)

    def file_bytes(self) -> int:
        """Of the ONNX file, with the one beside it if there is one."""
        return self._size

    def notes(self) -> tuple[str, ...]:
        import onnxruntime

        options = self._session.get_session_options()
        precision = "int8" if self._config.int8 else "float32"
        return (
            f"onnxruntime {onnxruntime.__version__}, {precision}, opset {self._config.opset}, "
            f"{options.intra_op_num_threads} threads, by {self._session.get_providers()[0]}",
        )


def _provider(device: torch.device) -> str:
    import onnxruntime

    wanted = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}.get(device.type, "")
    there = onnxruntime.get_available_providers()
    if wanted not in there:
        raise Unsupported(f"the model is on {device}; ONNX Runtime here has {', '.join(there)}")
    return wanted


def _session(path: Path, provider: str, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that wait busily for the next call would slow down whoever is called in between.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(path, options, providers=[provider])


def _quantised(path: Path) -> Path:
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    plain, small = path.with_name("plain.onnx"), path.parent / "int8" / path.name
    small.parent.mkdir()
    # The shapes came with the file; the symbolic search for more asks for another package.
    quant_pre_process(path, plain, skip_symbolic_shape=True)
    quantize_dynamic(plain, small, weight_type=QuantType.QInt8)
    return small


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.parent.iterdir() if file.is_file())
