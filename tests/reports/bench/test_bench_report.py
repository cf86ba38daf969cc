from __future__ import annotations

import re

import pytest
from benched import MACHINE, bench_record, bench_row, timed, together

from harness.spec import BadInput, Deviation
from reports.bench import to_markdown, write_bench
from reports.bench.found import bench_of
from reports.bench.front import Point, front
from reports.bench.notes import refused, warnings
from reports.bench.stages import parts
from reports.bench.unrounded import csv_of
from reports.bench.words import decimals, three_digits

STAGES = {"read": 0.25, "forward": 0.75}


def both_routes(name: str, clips: list[float], **given) -> list:
    ends = timed(name, [2 * ms for ms in clips], route="end_to_end", stages=STAGES, **given)
    return [ends, timed(name, clips, **given)]


def two_rows(**given):
    """`slow` takes three times what `text` takes, on two clips in two processes."""
    rows = (bench_row("text"), bench_row("slow", role="teacher"))
    samples = [
        one
        for process in (0, 1)
        for name, factor in (("text", 1.0), ("slow", 3.0))
        for one in both_routes(name, [factor, 2 * factor], process=process)
    ]
    return bench_record(*rows, **given), together(*samples)


def cells(markdown: str, title: str, row: str) -> dict[str, str]:
    """A row of the table below a title."""
    lines = markdown.split(f"### {title}")[1].split("###", maxsplit=1)[0].splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line[:1] == "|"]
    return next(dict(zip(table[0], own, strict=True)) for own in table[2:] if own[0].startswith(row))


def test_a_small_table_is_as_counted_by_hand():
    found = to_markdown(*two_rows())
    assert cells(found, "Model only", "slow") == {
        "row": "slow",
        "median": "4.50",
        "p90": "6.00",
        "p95": "6.00",
        "p99": "–",
        "mean ± sd": "4.50 ± 1.73",
        "medians of processes": "4.50 to 4.50",
        "samples (calls)": "4 (4)",
        "times text [95% interval]": "3.00 [3.00, 3.00]",
    }
    assert cells(found, "End to end", "slow")["median"] == "9.00"
    assert cells(found, "End to end", "text (reference)")["times text [95% interval]"] == "1"


def test_the_two_numbers_are_told_apart_and_speech_recognition_is_spoken_of():
    found = to_markdown(*two_rows())
    assert "END TO END and MODEL ONLY are two numbers" in found
    assert "Speech recognition is not counted: transcripts are given." in found
    assert "speech recognition not counted" in found
    heard = to_markdown(*two_rows(settings={"asr": "whisper-tiny"}))
    assert "Speech recognition is counted, end to end: whisper-tiny" in heard


def test_clips_machine_and_methods_are_said():
    found = to_markdown(*two_rows())
    assert "1 / 2 / 3 seconds (min / median / max), 4 / 8 / 12 words (min / median / max)" in found
    assert "rendered (frames 8)" in found
    for said in (
        "2 intra-op, 1 inter-op",
        "cores allowed: 0 1",
        "method 'linear'",
        "10,000 draws",
        "0.200 µs",
    ):
        assert said in found


def test_what_others_used_before_and_meanwhile_is_said_or_not_known():
    seen = MACHINE.model_copy(update={"others_share_meanwhile": 0.05})
    found = to_markdown(*two_rows(machines=(MACHINE, seen)))
    assert "others' share of the cores, before: 2%, meanwhile: not known, 5%;" in found


def test_processes_with_clips_of_their_own_are_said_to_differ_by_them():
    few = to_markdown(*two_rows(settings={"calls": 1}))
    assert "Rounds are fewer than there are at 1 a call" in few
    assert "Rounds are fewer" not in to_markdown(*two_rows(settings={"calls": 2}))


def test_stages_sum_to_the_mean_of_the_whole():
    record, samples = two_rows()
    for name, found in parts(bench_of(record, samples)).items():
        own = samples[(samples["row"] == name) & (samples["route"] == "end_to_end")]
        assert found.sum == pytest.approx(own["total_ms"].mean())
        assert found.is_whole
    assert cells(to_markdown(record, samples), "Stages", "slow")["sum"] == "9.000"


def test_a_stage_that_some_samples_lack_took_no_time_in_them():
    record = bench_record(bench_row("text"))
    one = timed("text", [4.0], route="end_to_end", stages={"read": 0.5, "forward": 0.5})
    other = timed("text", [2.0], route="end_to_end", stages={"forward": 1.0}, process=1)
    found = parts(bench_of(record, together(one, other)))["text"]
    assert found.means == {"read": 1.0, "forward": 2.0}
    assert found.is_whole


def test_time_between_stages_is_not_passed_over():
    samples = timed("text", [4.0], route="end_to_end", stages={"forward": 0.5})
    assert "the parts of text sum to 2 ms, and its calls took 4 ms" in to_markdown(
        bench_record(bench_row("text")), samples
    )


def test_batches_have_throughput_of_their_own():
    record = bench_record(bench_row("text"), settings={"batches": (1, 2), "routes": ("model_only",)})
    samples = together(timed("text", [3.0]), timed("text", [4.0], batch=2))
    found = cells(to_markdown(record, samples), "Model only, 2 clips a call", "text")
    assert (found["median"], found["ms a clip"], found["clips/s"]) == ("4.00", "2.00", "500")
    assert "End to end," not in to_markdown(record, samples)


def test_a_refused_row_is_listed_with_its_reason_and_in_every_table():
    record, samples = two_rows()
    rows = (*record.rows, bench_row("text · onnx", refused="onnx is 0.2 from eager", parameters=0))
    record = record.model_copy(update={"rows": rows})
    assert list(refused(bench_of(record, samples))) == ["Not timed: text · onnx: onnx is 0.2 from eager"]
    assert cells(to_markdown(record, samples), "Model only", "text · onnx")["median"] == "–"
    assert "onnx is 0.2 from eager" in csv_of(bench_of(record, samples))


def test_a_row_without_an_end_to_end_route_is_said_to_have_none():
    record, samples = two_rows()
    kept = samples[(samples["row"] != "slow") | (samples["route"] != "end_to_end")]
    said = list(refused(bench_of(record, kept)))
    assert said == ["Not timed: slow (end to end, one clip a call): no sample was taken"]


@pytest.mark.parametrize("when", ["others_share", "others_share_meanwhile"])
def test_a_busy_machine_is_loud(when):
    busy = MACHINE.model_copy(update={when: 0.4})
    record, samples = two_rows(machines=(MACHINE, busy))
    (said,) = warnings(bench_of(record, samples))
    assert said.startswith(
        "BUSY MACHINE: just before 1 of 2 processes, or while they measured, others used up to 40% of"
    )
    assert len(re.findall("###.*BUSY MACHINE", to_markdown(record, samples))) == 2
    assert not list(warnings(bench_of(*two_rows())))


def test_random_weights_are_loud():
    record, samples = two_rows()
    rows = (record.rows[0], bench_row("slow", weights="random"))
    found = to_markdown(record.model_copy(update={"rows": rows}), samples)
    assert "**RANDOM WEIGHTS (slow): only cost means anything, there is no quality.**" in found
    assert "slow (RANDOM WEIGHTS)" in found


def test_threads_that_were_not_given_are_warned_of():
    record, samples = two_rows(settings={"threads": 1})
    assert list(warnings(bench_of(record, samples))) == ["1 threads were asked for, and 2 read back."]


def test_quality_stands_beside_the_time_where_there_is_any():
    record, samples = two_rows()
    assert "MAE" not in to_markdown(record, samples)
    rows = (bench_row("text", quality={"test/mae": 0.7126}), record.rows[1])
    found = to_markdown(record.model_copy(update={"rows": rows}), samples)
    assert cells(found, "Model only", "text")["test MAE ↓"] == "0.713"
    assert cells(found, "Model only", "slow")["test MAE ↓"] == "–"


def test_back_ends_show_what_they_change():
    apart = Deviation(clips=64, largest=2e-5, metric="mae", eager=0.7, found=0.702)
    record = bench_record(bench_row("text"), bench_row("text · int8", deviation=apart))
    samples = together(timed("text", [2.0]), timed("text · int8", [1.0]))
    found = cells(to_markdown(record, samples), "Back ends", "text · int8")
    assert (found["largest difference"], found["change"]) == ("2e-05", "+0.002")
    little = bench_row("text · int8", deviation=apart.model_copy(update={"found": 0.70000123}))
    record = bench_record(bench_row("text"), little)
    found = cells(to_markdown(record, samples), "Back ends", "text · int8")
    assert (found["here"], found["change"]) == ("0.700", "+1.2e-06")


def test_one_process_with_one_clip_says_that_it_has_no_interval():
    record = bench_record(bench_row("a"), bench_row("b"), settings={"routes": ("model_only",)})
    found = to_markdown(record, together(timed("a", [2.0]), timed("b", [4.0])))
    assert cells(found, "Model only", "b")["times a [95% interval]"] == "2.00 (no interval)"
    assert "one process with one clip or batch has no interval" in found


def test_what_could_not_be_read_is_a_dash_or_no_column():
    record = bench_record(
        bench_row("text", memory=None, cold=None, flops=None, file_bytes=None), machines=(MACHINE,)
    )
    found = to_markdown(record, timed("text", [1.0]))
    assert "Peak memory" not in found
    assert "Cold start:" not in found
    sizes = cells(found, "Size", "text")
    assert (sizes["GFLOPs forward"], sizes["file (MiB)"]) == ("–", "–")
    assert "J a clip" not in to_markdown(*two_rows())


def test_the_front_has_what_nothing_beats():
    fast, good = Point("fast", "student", 1.0, 0.9), Point("good", "teacher", 9.0, 0.7)
    beaten, twin = Point("beaten", "student", 9.0, 0.8), Point("twin", "student", 1.0, 0.9)
    assert front([good, beaten, fast, twin], lower_is_better=True) == [fast, twin, good]
    assert front([good, beaten, fast], lower_is_better=False) == [fast]


@pytest.mark.parametrize(
    ("number", "words"),
    [(12345.6, "12,346"), (123.4, "123"), (0.9996, "1.00"), (0.01234, "0.0123"), (0, "0")],
)
def test_three_digits_count(number: float, words: str):
    assert three_digits(number) == words
    assert decimals(number) <= 6


def test_a_folder_that_cannot_be_written_is_bad_input(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="cannot be written"):
        write_bench(*two_rows(), tmp_path / "file")
