"""Rows of a bench in this process: what one alone says of itself, and all of them side by side."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from benches import clip_study, one_row, order, settings, toy_study, untrained

from harness.contracts import Unsupported
from harness.engine.bench import loaded as loading
from harness.engine.bench.alone import alone
from harness.engine.bench.loaded import load
from harness.engine.bench.together import together
from harness.registry import BACKENDS
from harness.spec import SAMPLE_COLUMNS, BackendConfig, VariantRef

IN_ORDER = (
    "read",
    "decode",
    "sample",
    "audio",
    "visual_features",
    "acoustic_features",
    "tokenise",
    "copy",
    "forward",
    "post",
)


@pytest.fixture(scope="module", autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """An order for all arms on rendered clips, from their files."""
    folder = tmp_path_factory.mktemp("bench")
    chosen = settings(arms=("teacher", "alone", "both_steps", "fusion"))
    return order(untrained(clip_study(folder / "clips")), chosen, folder)


@pytest.fixture(scope="module")
def answers(clips):
    return {row.name: alone(one_row(clips, row.name), imports=1.5) for row in clips.entrants}


@pytest.fixture(scope="module")
def samples(clips):
    return together(clips).samples


def test_end_to_end_says_what_the_model_says_of_tensors(clips):
    groups = clips.groups(2)
    for entrant in clips.entrants:
        row = load(entrant, clips, threads=1)
        said = []
        spy = replace(
            row, runner=lambda batch, row=row, said=said: said.append(row.model(batch)) or said[-1]
        )
        with torch.inference_mode():
            spy.end_to_end(groups)(0)
            expected = row.says(row.ready(groups[0]))
        assert torch.equal(said[0].tensor("score"), expected.tensor("score")), entrant.name


def test_laps_are_the_stages_that_a_row_has_and_sum_to_the_whole(clips, samples):
    end_to_end = samples[samples.route == "end_to_end"]
    stages = [name for name in IN_ORDER if name in end_to_end]
    assert (end_to_end[stages].fillna(0).sum(axis=1) - end_to_end.total_ms).abs().max() < 1e-9

    def of(row):
        found = end_to_end[end_to_end.row == row]
        return [name for name in stages if found[name].notna().any()]

    assert of("fusion") == list(IN_ORDER)
    assert of("alone") == ["read", "tokenise", "copy", "forward", "post"]
    model_only = samples[samples.route == "model_only"]
    assert model_only[stages].isna().all(axis=None)


def test_every_row_has_every_route_and_batch_on_the_same_clips_in_the_same_order(clips, samples):
    assert tuple(samples.columns[: len(SAMPLE_COLUMNS)]) == SAMPLE_COLUMNS
    names = [row.name for row in clips.entrants]
    for _, cell in samples.groupby(["route", "batch", "round"]):
        assert set(cell.row) == set(names)
        assert cell.group.nunique() == 1
    assert samples.groupby(["route", "batch"]).ngroups == 4


def test_another_process_goes_on_where_one_left_off(clips):
    one = replace(clips, entrants=clips.entrants[1:2])
    both = [together(replace(one, number=number)).samples for number in (0, 1)]
    at_one = [set(found[found.batch == 1].group) for found in both]
    assert at_one == [{0, 1}, {2, 0}]


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="the kernel counts no ticks")
def test_who_else_is_at_work_is_watched_while_rows_are_timed(clips):
    one = replace(clips, entrants=clips.entrants[1:2], settings=settings(seconds=0.1))
    assert 0 <= together(one).machine.others_share_meanwhile <= 1
    brief = replace(one, settings=settings(seconds=0.001, batches=(1,), routes=("model_only",)))
    assert together(brief).machine.others_share_meanwhile is None


def test_groups_hold_every_clip_once_and_none_is_smaller_than_the_others(clips):
    assert sorted(place for group in clips.groups(1) for place in group) == [0, 1, 2]
    assert [len(group) for group in clips.groups(2)] == [2]


def test_clips_are_evenly_over_their_lengths(clips, tmp_path):
    from harness.data.rendered_sentiment import RenderedSentiment
    from harness.registry import DATASETS

    material = next(iter(clips.material.values()))
    reader = DATASETS.build(clips.entrants[0].spec.data)
    assert isinstance(reader, RenderedSentiment)
    seconds = [reader.clip_seconds(name) for name in material.data.test.ids]
    every = sorted(reader.clip_seconds(name) for name in material.check.ids)
    assert sorted(seconds) == [every[0], every[round(5 / 2)], every[-1]]


def test_twins_have_equal_parameters_operations_and_size(answers):
    alone_, taught = answers["alone"].row, answers["both_steps"].row
    for name in ("parameters", "needed_parameters", "flops", "end_to_end_flops", "file_bytes"):
        assert getattr(alone_, name) == getattr(taught, name) > 0
    assert alone_.components == taught.components


def test_a_row_says_what_it_is_and_what_its_first_use_took(answers):
    row = answers["teacher"].row
    assert (row.weights, row.quality, row.deviation, row.refused) == ("random", {}, None, "")
    assert row.views == ("audio", "frames", "transcript")
    assert sum(row.components.values()) == row.parameters >= row.needed_parameters
    assert row.cold.imports == 1.5
    assert min(row.cold.load, row.cold.first_call, row.cold.second_call) > 0
    assert row.memory.peak_rss >= row.memory.baseline_rss > 0
    assert any("decod" in note.lower() or "pyav" in note.lower() for note in answers["teacher"].notes)


def test_features_are_charged_end_to_end_and_not_from_tensors(clips, answers):
    row = answers["fusion"].row
    assert row.views == ("audio", "transcript", "vision")
    # Colours and band energies are no networks.
    assert (row.extractor_parameters, row.end_to_end_flops) == (0, row.flops)


class FarConfig(BackendConfig):
    """Nothing to choose."""


class Far:
    """The model's outputs, and one more."""

    def __init__(self, config):
        pass

    def ready(self, model, batches, threads):
        if {len(batch) for batch in batches} != {1, 2}:
            raise Unsupported("wants two sizes")
        return FarRunner(model)


class FarRunner:
    def __init__(self, model):
        self.model = model

    def __call__(self, batch):
        outputs = self.model(batch)
        return replace(outputs, score=outputs.score + 1)

    def file_bytes(self):
        return 7

    def notes(self):
        return ("far off",)


@pytest.fixture
def far():
    with BACKENDS.temporary():
        BACKENDS.register("far", config=FarConfig, paper="made for a test", tiny={})(Far)
        yield


def row_on(whole, **params):
    eager = next(row for row in whole.entrants if row.name == "alone")
    ref = BACKENDS.resolve(VariantRef(name="far", **params))
    return replace(whole, entrants=(replace(eager, name="alone · far", backend=ref),))


def test_a_back_end_that_is_too_far_from_eager_is_refused_with_its_distance(clips, far):
    found = alone(row_on(clips), imports=0).row
    assert found.refused == "far is 1 from eager on one of 6 clips, 0.001 at most asked for"


def test_a_back_end_within_its_tolerance_says_how_far_it_is_and_what_that_does_to_the_metric(clips, far):
    found = alone(row_on(clips, tolerance=2.0), imports=0).row
    assert (found.refused, found.file_bytes) == ("", 7)
    assert (found.deviation.clips, found.deviation.metric) == (6, "mae")
    assert found.deviation.largest == pytest.approx(1, abs=1e-6)
    assert abs(found.deviation.change) <= 1 + 1e-6


def test_a_model_that_a_back_end_cannot_take_is_refused_in_one_line(clips, far):
    one_size = replace(clips, settings=settings(batches=(1,)))
    found = alone(row_on(one_size), imports=0).row
    assert found.refused == "far wants two sizes"


def test_words_have_an_end_to_end_cost_without_recordings_and_features_have_none(tmp_path):
    plan = untrained(toy_study())
    whole = order(plan, settings(arms=("alone",)), tmp_path)
    stages = together(whole).samples.dropna(axis=1, how="all").columns
    assert "forward" in stages
    assert "decode" not in stages
    fusion = next(plan.trials[one.trial_id] for one in plan.members if one.arm == "fusion")
    with pytest.raises(Exception, match="has no end-to-end cost; leave it out"):
        loading.check_end_to_end(fusion, "fusion")
