"""ONNX Runtime: threads as asked, weights as a file, and what it cannot take named."""

import importlib.util
import os
from pathlib import Path

import pytest
import torch
from backing import apart, on, tiny
from contract import DATA

from harness.backends.onnxruntime import OnnxruntimeConfig
from harness.contracts import Unsupported
from harness.registry import BASELINES, BUILTIN_PACKAGES, STUDENTS, discover
from harness.spec import BadInput

discover()
MODELS = [
    pytest.param(entry, id=entry.name)
    for registry in (STUDENTS, BASELINES)
    for entry in registry
    if entry.builder.__module__.startswith(BUILTIN_PACKAGES)
]

# They ask what is in a tensor before they go on, as whether there is padding at all; pack sequences;
# take a step after the other in Python; or sort sequences by their lengths.
ASKING = {"ef_lstm", "lf_dnn", "lmf", "mag", "mmim", "random_embedding", "self_mm", "text_only", "tfn"}
PACKING = {"cubemlp", "gru", "misa"}
STEPPING = {"graph_mfn", "mfm", "mfn"}
SORTING = {"mult", "tfr_net"}
REFUSED = ASKING | PACKING | STEPPING | SORTING


def threads_of_this_process() -> int:
    return len(list(Path(f"/proc/{os.getpid()}/task").iterdir()))


def test_it_has_as_many_threads_as_it_is_asked_for_the_one_that_calls_among_them():
    model, clips = tiny(STUDENTS.get("bag_of_words"))
    runners, counts = [], [threads_of_this_process()]
    for threads in (1, 3):
        runners.append(on("onnxruntime", model, clips(1), threads=threads))
        counts.append(threads_of_this_process())
        assert f" {threads} threads, by CPUExecutionProvider" in runners[-1].notes()[0]
    if Path("/proc/self/task").is_dir():
        assert counts[2] - counts[1] == 2


def test_its_file_holds_the_weights_and_no_path_of_this_machine(tmp_path):
    from harness.nn.onnx_file import write_onnx

    model, clips = tiny(STUDENTS.get("text_encoder"))
    write_onnx(model, [clips(3)], tmp_path / "model.onnx")
    content = (tmp_path / "model.onnx").read_bytes()
    weights = on("eager", model, clips(1)).file_bytes()
    assert weights < len(content) == on("onnxruntime", model, clips(3)).file_bytes()
    assert b".py" not in content


def test_clips_and_steps_are_free_after_one_clip_was_seen():
    model, clips = tiny(STUDENTS.get("text_encoder"))
    runner = on("onnxruntime", model, clips(1))
    assert apart(runner, model, clips(5)) < 1e-5


def test_a_sequence_of_one_step_stays_one_step():
    model, clips = tiny(STUDENTS.get("bag_of_words"))
    single = clips(4).take(torch.arange(4))
    cut = type(single.tokens)(single.tokens.values[:, :1], single.tokens.mask[:, :1])
    short = type(single)(single.ids, single.video_ids, single.target, tokens=cut)
    assert apart(on("onnxruntime", model, short), model, short.take(torch.arange(1))) < 1e-5


def test_int8_takes_less_than_a_third_of_the_bytes_and_is_trusted_less():
    entry = STUDENTS.get("text_encoder")
    torch.manual_seed(0)
    model = entry.builder(entry.configure({**entry.tiny, "width": 256}), DATA.info).eval()
    _, clips = tiny(entry)
    runner = on("onnxruntime", model, clips(1), clips(3), int8=True)
    assert runner.file_bytes() < on("eager", model, clips(1)).file_bytes() / 3
    assert 0 < apart(runner, model, clips(3)) < OnnxruntimeConfig(int8=True).tolerance
    assert OnnxruntimeConfig().tolerance < OnnxruntimeConfig(int8=True).tolerance
    assert OnnxruntimeConfig(int8=True, tolerance=0.01).tolerance == 0.01


@pytest.mark.parametrize("missing", ["onnxruntime", "onnx", "onnxscript"])
def test_a_package_that_is_not_installed_is_named_with_the_extra_that_brings_it(monkeypatch, missing):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "harness.nn.extras.find_spec", lambda name: None if name == missing else found(name)
    )
    with pytest.raises(BadInput, match=rf"{missing} is not installed.*adviserbench\[onnx\]") as error:
        OnnxruntimeConfig().check()
    assert error.value.key == "backend"


def test_a_device_without_a_provider_is_refused_and_the_providers_named():
    model, clips = tiny(STUDENTS.get("bag_of_words"))
    with pytest.raises(Unsupported, match=r"model is on meta; ONNX Runtime here has .*CPUExecution"):
        on("onnxruntime", model, clips(1).to(torch.device("meta")))


@pytest.mark.slow
@pytest.mark.parametrize("entry", MODELS)
def test_every_model_says_what_eager_says_or_is_refused_with_a_reason(entry):
    model, clips = tiny(entry)
    if entry.name in REFUSED:
        with pytest.raises(Unsupported, match=r"^export to ONNX: \w+: .+"):
            on("onnxruntime", model, clips(1), clips(3))
    else:
        runner = on("onnxruntime", model, clips(1), clips(3))
        assert all(apart(runner, model, clips(count)) < 1e-3 for count in (1, 3, 5))
