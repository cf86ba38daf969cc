"""What each worker gets of a machine."""

from hypothesis import given
from hypothesis import strategies as st

from harness.spec import Runtime
from harness.study.launch.machine import Share, cores_here, deal, gpus_here


def test_cores_are_shared_by_the_workers():
    assert deal(3, Runtime(), 8) == (Share(2),) * 3
    assert deal(None, Runtime(), 8) == (Share(1),) * 8


def test_threads_of_the_study_are_kept_whatever_the_number_of_workers():
    assert deal(6, Runtime(threads=4), 8) == (Share(4),) * 6
    assert deal(None, Runtime(threads=4), 8) == (Share(4),) * 2


def test_gpus_are_dealt_out_in_turn():
    four = ("0", "1", "2", "3")
    shares = deal(None, Runtime(devices=2), 8, four)
    assert [share.gpus for share in shares] == [("0", "1"), ("2", "3")]
    assert [share.gpus for share in deal(5, Runtime(), 8, four[:2])] == [
        ("0",), ("1",), ("0",), ("1",), ("0",),
    ]  # fmt: skip


def test_a_study_on_the_processor_leaves_gpus_alone():
    assert gpus_here(Runtime(accelerator="cpu")) == ()
    assert "CUDA_VISIBLE_DEVICES" not in Share(1).variables()
    assert Share(1, ("2", "GPU-a")).variables()["CUDA_VISIBLE_DEVICES"] == "2,GPU-a"


@given(st.integers(1, 9) | st.none(), st.integers(1, 64), st.integers(0, 8), st.integers(1, 4))
def test_there_is_always_a_worker_with_a_thread_and_as_many_gpus_as_a_trial_takes(
    workers, cores, gpus, devices
):
    shares = deal(workers, Runtime(devices=devices), cores, tuple(map(str, range(gpus))))
    assert len(shares) == workers or (workers is None and shares)
    assert all(share.threads >= 1 and len(share.gpus) == (devices if gpus else 0) for share in shares)
    # Workers without a GPU of their own together ask for no more threads than there are cores.
    if workers is None and not gpus and devices <= cores:
        assert len(shares) * devices * shares[0].threads <= cores


def test_this_process_may_use_a_core():
    assert cores_here() >= 1
