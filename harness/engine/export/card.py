"""The model card: what left, what it is worth, what it costs, and how it is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from harness.engine.export.formats import ONNX_FILE, PROGRAM_FILE, Format, Written
from harness.engine.trained import TrainedModel
from harness.spec import TrialSpec

OUR_VIDEO_ADVISER = "clip_video"

_LIBRARY: dict[Format, str] = {"hf": "transformers", "onnx": "onnx", "torch": "pytorch"}

_HUB = """\
from transformers import AutoModel, AutoTokenizer
model = AutoModel.from_pretrained(folder, trust_remote_code=True).eval()
tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
model.score(["what a film"], tokenizer)"""

_ONNX = f"""\
import onnxruntime
session = onnxruntime.InferenceSession(f"{{folder}}/{ONNX_FILE}")
session.run(None, inputs)"""

_TORCH = f"""\
import torch
model = torch.export.load(f"{{folder}}/{PROGRAM_FILE}").module()
outputs = model(*inputs)"""

_LOAD: dict[Format, str] = {"hf": _HUB, "onnx": _ONNX, "torch": _TORCH}

_WORDS = """\
from tokenizers import Tokenizer
encoded = Tokenizer.from_file(f"{folder}/tokenizer.json").encode_batch(texts)
tokens = [one.ids for one in encoded]  # int64
tokens_mask = [[bool(is_there) for is_there in one.attention_mask] for one in encoded]"""


@dataclass(frozen=True)
class Departure:
    """A model that leaves, and in which form."""

    trained: TrainedModel
    to: Format
    written: Written


def card(left: Departure) -> str:
    """The text of ``README.md``, with the front matter that Hugging Face reads."""
    front = yaml.safe_dump(_front(left), sort_keys=False, allow_unicode=True)
    parts = "\n".join(line for part in _PARTS for line in part(left))
    return f"---\n{front}---\n\n{parts}"


def title(spec: TrialSpec) -> str:
    """What the model is called."""
    if spec.teacher is None:
        return f"{spec.model.name} ({spec.role}, without a teacher)"
    is_ours = spec.role == "student" and spec.teacher.model.name == OUR_VIDEO_ADVISER
    method = "VideoAdviser (our reading)" if is_ours else f"advised by {spec.teacher.model.name}"
    return f"{spec.model.name}: {method}"


def _front(left: Departure) -> dict[str, Any]:
    trained, spec = left.trained, left.trained.spec
    is_of_words = trained.views == {"transcript"} and spec.task.name == "sentiment"
    found: dict[str, Any] = {"library_name": _LIBRARY[left.to]}
    if is_of_words:
        found["pipeline_tag"] = "text-classification"
    tags = ["adviserbench", spec.task.name, spec.model.name]
    found["tags"] = [*tags, *(["knowledge-distillation"] if spec.teacher else [])]
    metrics = {name: value for name, value in trained.result.metrics.items() if name.startswith("test/")}
    found["metrics"] = sorted(name.removeprefix("test/") for name in metrics)
    result = {
        "task": {"type": "text-classification" if is_of_words else "other", "name": spec.task.name},
        "dataset": {"type": spec.data.name, "name": spec.data.name, "split": "test"},
        "metrics": [
            {"type": name.removeprefix("test/"), "name": f"{name} ({spec.protocol})", "value": value}
            for name, value in metrics.items()
        ],
    }
    # The hub takes no result without a metric.
    return found | ({"model-index": [{"name": title(spec), "results": [result]}]} if metrics else {})


def _about(left: Departure) -> Iterator[str]:
    spec, result = left.trained.spec, left.trained.result
    yield f"# {title(spec)}\n"
    yield f"A {spec.role} of {spec.task.name}, trained by AdviserBench.\n"
    if spec.teacher is not None:
        yield (
            f"- Teacher: `{spec.teacher.model.name}` advised it in training; using the model needs no "
            "teacher."
        )
    else:
        yield "- Teacher: none."
    if spec.control != "none":
        yield f"- **Control `{spec.control}`: in place of a teacher's advice; no method.**"
    yield f"- Data: `{spec.data.name}`, fingerprint `{result.data_fingerprint}`."
    if left.trained.views != {"transcript"} and result.features:
        yield f"- Features: {result.features}."
    yield f"- Trial `{result.trial_id}`, seed {spec.seed}, precision {spec.precision} (here: float32)."
    yield f"- Code revision `{result.environment.code_revision}`."
    yield from (f"- {note[:1].upper()}{note[1:]}." for note in result.notes)


def _quality(left: Departure) -> Iterator[str]:
    result = left.trained.result
    yield f"\n## What it is worth\n\nUnder the protocol `{result.spec.protocol}`, of this one seed:\n"
    yield "| split | metric | value |\n| --- | --- | --- |"
    for name, value in result.metrics.items():
        split, _, metric = name.partition("/")
        yield f"| {split} | {metric} | {value!r} |"


def _cost(left: Departure) -> Iterator[str]:
    result = left.trained.result
    cost = result.efficiency
    if cost is None:
        return
    latency = cost.latency
    yield "\n## What it costs\n\nOf a forward pass in torch from ready tensors, not of this file:\n"
    yield f"- {cost.parameters} parameters needed at inference."
    yield f"- {'Unknown' if cost.flops is None else cost.flops} floating-point operations a clip."
    yield (
        f"- {latency.median_ms:.3g} ms a call of {latency.batch_size}, the median of "
        f"{len(latency.samples_ms)}, threads: {latency.intra_threads}, on {result.environment.cpu} "
        f"({latency.device})."
    )


def _loading(left: Departure) -> Iterator[str]:
    yield f"\n## How to load it\n\n```python\n{_LOAD[left.to]}\n```\n"
    if left.to == "hf":
        yield "The code is in the folder. `score` reads texts as in training; a forward pass of"
        yield "ids, of texts that are all capitals, needs `model.cased` before the tokenizer."
        return
    kind = "a dictionary by name" if left.to == "onnx" else "a tuple in this order"
    yield f"`inputs` are {kind}, clips and steps as many as there are:\n"
    yield from (f"- `{line}`" for line in left.written.inputs)
    yield f"\nThe outputs: {', '.join(f'`{name}`' for name in left.written.outputs)}. A mask is true"
    yield "where a step exists, and steps that exist come first."
    if any(line.startswith("tokens:") for line in left.written.inputs):
        yield f"\n```python\n{_WORDS}\n```\n"
        yield "If `lowercase_capitals` in `config.json` is true, lower-case each text that has no"
        yield "lower-case letter first."


def _checked(left: Departure) -> Iterator[str]:
    yield (
        f"\n## What was checked\n\nThe files were read back and compared with the model on "
        f"{left.written.compared}: the largest difference of an output is "
        f"{left.written.difference:.2g}, where the largest output is {left.written.largest:.3g}."
    )
    yield ""


_PARTS = (_about, _quality, _cost, _loading, _checked)
