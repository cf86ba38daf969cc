import gc
import json
import time
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.benchmark import Timer

from harness.efficiency.latency import Sampling, measure_latency, model_latency, summarise
from harness.spec import Latency

ORACLES = json.loads((Path(__file__).parent / "oracles.json").read_text())
QUICK = Sampling(max_warmup_calls=10, min_calls=3, max_calls=20, min_seconds=0, max_seconds=0.2)


@pytest.fixture
def one_thread():
    """Two threads that wait for each other on a busy machine measure the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("vector", ORACLES["latency_summary"], ids=lambda vector: vector["id"])
def test_median_and_p90_are_the_published_ones(vector):
    expected = vector["median"], vector["percentile_linear"]["90"]
    assert summarise(vector["latencies_ms"]) == pytest.approx(expected, abs=ORACLES["tolerance_abs"])


def test_a_call_is_never_faster_than_what_it_waits_for():
    found = measure_latency(lambda: time.sleep(0.002), sampling=QUICK)
    assert min(found.samples_ms) >= 2
    assert found.median_ms <= found.p90_ms <= max(found.samples_ms)


def test_every_call_is_either_warm_up_or_a_sample():
    calls = []
    found = measure_latency(lambda: calls.append(1), sampling=QUICK)
    assert len(calls) == found.warmup_calls + len(found.samples_ms)


def test_a_slow_first_call_is_no_sample():
    pauses = iter([0.05])
    found = measure_latency(lambda: time.sleep(next(pauses, 0)), sampling=QUICK)
    assert max(found.samples_ms) < 50


def test_warm_up_goes_on_while_calls_get_faster():
    pauses = iter([0.02 * 0.8**call for call in range(20)])
    slow_to_warm = Sampling(max_warmup_calls=40, max_warmup_seconds=5, min_calls=1, max_calls=1)
    found = measure_latency(lambda: time.sleep(next(pauses, 0)), sampling=slow_to_warm)
    assert 20 < found.warmup_calls <= 40


def test_warm_up_is_bounded_in_calls():
    assert measure_latency(lambda: None, sampling=Sampling(max_warmup_calls=4)).warmup_calls == 4


def test_a_call_longer_than_the_bounds_is_measured_once():
    slow = Sampling(max_warmup_seconds=0.001, max_seconds=0.001)
    found = measure_latency(lambda: time.sleep(0.01), sampling=slow)
    assert (found.warmup_calls, len(found.samples_ms)) == (1, 1)


def test_a_measurement_takes_about_a_second_at_most():
    started = time.perf_counter()
    found = measure_latency(lambda: time.sleep(0.02))
    assert time.perf_counter() - started < 1.5
    assert len(found.samples_ms) >= 15


@pytest.mark.usefixtures("one_thread")
def test_threads_are_read_back():
    found = measure_latency(lambda: None, sampling=QUICK)
    assert (found.intra_threads, found.inter_threads) == (1, torch.get_num_interop_threads())


def test_calls_run_in_inference_mode_and_without_garbage_collection():
    seen = []
    measure_latency(
        lambda: seen.append((torch.is_inference_mode_enabled(), gc.isenabled())), sampling=QUICK
    )
    assert set(seen) == {(True, False)}
    assert (torch.is_inference_mode_enabled(), gc.isenabled()) == (False, True)


def test_a_failing_call_leaves_garbage_collection_on():
    with pytest.raises(ZeroDivisionError):
        measure_latency(lambda: 1 / 0)
    assert gc.isenabled()


class Mode(nn.Module):
    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, batch):
        self.seen.append(self.training)


@pytest.mark.parametrize("was_training", [True, False])
def test_a_model_is_timed_in_eval_mode_and_gets_its_mode_back(was_training):
    model = Mode().train(was_training)
    found = model_latency(model, torch.zeros(4, 2), sampling=QUICK)
    assert set(model.seen) == {False}
    assert model.training is was_training
    assert (found.batch_size, found.device) == (4, "cpu")


def test_the_record_survives_json():
    found = measure_latency(lambda: None, sampling=QUICK)
    assert Latency.model_validate_json(found.model_dump_json()) == found


@pytest.mark.usefixtures("one_thread")
def test_the_timer_of_torch_agrees():
    # Best times, taken in turns, within wide bounds: this is about units and blunders, not precision.
    weight, rows = torch.randn(256, 256), torch.randn(256, 256)
    timer = Timer("rows @ weight", globals={"rows": rows, "weight": weight}, num_threads=1)
    ours, theirs = [], []
    for _ in range(10):
        ours += measure_latency(lambda: rows @ weight, sampling=QUICK).samples_ms
        theirs += [timer.timeit(5).median * 1e3]
    assert 0.5 < min(ours) / min(theirs) < 2
