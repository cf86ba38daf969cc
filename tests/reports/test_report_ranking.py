"""Tables of retrieval: what is compared, what chance gives, and what a model costs in use."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pytest
from report_samples import Study, efficiency, result, spec

from harness.spec import VariantRef
from reports import Table, build_table, collect, write_report
from reports.claims import better_than_reference, not_better_than_reference
from reports.layout import load_layout

LAYOUT = load_layout("retrieval")


class Retrieval(Study):
    """A study of retrieval; an arm's clips are four, of two videos and two classes."""

    def __init__(self, arms: Sequence[str], seeds: Sequence[int]) -> None:
        super().__init__(arms, seeds)
        for arm in arms:
            self.trains(arm, lambda seed, arm=arm: self.trial(arm, seed))

    def trial(self, arm: str, seed: int):
        model = VariantRef.model_validate({"name": "two_tower", "width": 32})
        return spec(seed, protocol="full", model=model)

    def finds(self, arm: str, seed: int, a2v: Sequence[float], **more: object) -> None:
        table = pd.DataFrame(
            {
                "split": "test",
                "id": list("abcd"),
                "video_id": ["u", "u", "v", "v"],
                "target": [0.0, 1.0, 0.0, 1.0],
                "ap_a2v": list(a2v),
                "ap_v2a": [0.5] * 4,
            }
        )
        found = (float(table["ap_a2v"].mean()) + 0.5) / 2
        metrics = {"map": found, "map_tie": found, **more.pop("metrics", {})}  # type: ignore[dict-item]
        self.kept.append((result(f"{arm}-{seed}", self.specs[arm, seed], metrics, **more), table))


def table(study: Retrieval) -> Table:
    return build_table(collect(study.store(), "small"), LAYOUT)


def two(taught: Sequence[float] = (0.9, 0.8, 0.7, 0.8)) -> Retrieval:
    study = Retrieval(["plain", "taught"], [0, 1])
    for seed in (0, 1):
        study.finds("plain", seed, [0.5, 0.5, 0.5, 0.5], efficiency=efficiency(9, 2.0 + seed))
        study.finds("taught", seed, taught, efficiency=efficiency(9, 4.0 + seed))
    return study


def test_the_difference_is_of_mean_average_precision_and_more_is_better() -> None:
    found = table(two())
    difference = found.row("taught").difference
    assert difference is not None
    assert difference.estimate == pytest.approx((0.8 - 0.5) / 2)
    assert difference.is_better
    assert better_than_reference(found, "taught").holds
    assert "higher mAP" in better_than_reference(found, "taught").statement
    assert any("positive is better" in note for note in found.notes)
    # Queries are drawn anew with their videos, the gallery that they are ranked against is not.
    assert any("seeds and what is searched held fixed" in note for note in found.notes)


def test_a_lower_mean_average_precision_is_not_better() -> None:
    found = table(two([0.1, 0.2, 0.3, 0.2]))
    assert not better_than_reference(found, "taught").holds
    assert not_better_than_reference(found, "taught").holds


def test_twins_show_one_latency_to_the_last_digit_and_the_note_names_them() -> None:
    found = table(two())
    cells = [found.cell(arm, "latency_ms").summary for arm in ("plain", "taught")]
    # Seed 0: calls of 2 and 4 ms, seed 1: of 3 and 5 ms; the medians are 3 and 4.
    assert cells[0] == cells[1]
    assert cells[0].mean == 3.5
    assert any("share its latency" in note and "plain, taught" in note for note in found.notes)


def test_models_of_other_parameters_keep_their_own_latency() -> None:
    study = two()
    wider = VariantRef.model_validate({"name": "two_tower", "width": 64})
    study.kept = [
        (one.model_copy(update={"spec": one.spec.model_copy(update={"model": wider})}), clips)
        if one.trial_id.startswith("taught")
        else (one, clips)
        for one, clips in study.kept
    ]
    found = table(study)
    assert found.cell("plain", "latency_ms").summary.mean == 2.5
    assert found.cell("taught", "latency_ms").summary.mean == 4.5


def test_the_level_of_chance_is_that_of_the_classes_of_the_clips() -> None:
    # Two relevant of four: (2 - 1) / 3 + H_4 / 4 · 2 / 3.
    expected = 1 / 3 + (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4 * 2 / 3
    assert any(f"expected mAP of {expected:.4f}" in note for note in table(two()).notes)


def test_ties_that_decide_are_warned_of() -> None:
    study = two()
    assert not any("ties decide" in warning for warning in table(study).warnings)
    study.kept = [
        (one.model_copy(update={"metrics": {**one.metrics, "test/map_tie": 0.4}}), clips)
        for one, clips in study.kept
    ]
    assert any("ties decide" in warning for warning in table(study).warnings)


def test_a_teacher_has_no_difference_to_a_student_and_the_table_says_why() -> None:
    study = two()
    study.kept = [
        (one, clips.drop(columns=["ap_a2v", "ap_v2a"]).assign(match_ap=0.5))
        if one.trial_id.startswith("taught")
        else (one, clips)
        for one, clips in study.kept
    ]
    found = table(study)
    assert found.row("taught").difference is None
    assert "no mAP of its clips" in found.row("taught").unpaired


def test_a_study_of_retrieval_is_reported_in_its_own_columns(tmp_path) -> None:
    found = write_report(two().store(), "small", tmp_path)
    assert "mAP A→V" in found.markdown
    assert "MAE" not in found.markdown
    assert "Text-only" not in found.markdown.replace("text-only", "Text-only")
    assert (tmp_path / "table.csv").read_text().count("difference_map_mean") == 1


def test_published_rows_of_vegas_are_marked_and_a_note_says_what_they_are_worth() -> None:
    study = two()
    study.asks["published"] = ("vegas", "ave")
    found = build_table(collect(study.store(), "small"), LAYOUT)
    by_method = {row.method: row for row in found.published}
    assert by_method["VideoAdviser"].numbers["map"].verified is False
    assert by_method["CCA"].dataset == "VEGAS"
    assert any(row.numbers["map_a2v"].verified for row in found.published if "map_a2v" in row.numbers)
    assert any("Tables of different groups differ by more" in note for note in found.published_notes)


def test_seeds_that_are_folds_are_said_to_be_and_their_means_are_those_of_the_cells() -> None:
    study = two()
    study.kept = [
        (one, clips.assign(id=clips["id"] + one.trial_id[-1]) if clips is not None else None)
        for one, clips in study.kept
    ]
    # The second fold is smaller.
    study.kept = [
        (one, clips.head(2) if one.spec.seed == 1 else clips)
        for one, clips in study.kept
        if clips is not None
    ]
    found = table(study)
    assert any("the seeds are folds" in note for note in found.notes)
    assert not any("the seeds are folds" in note for note in table(two()).notes)
    difference = found.row("taught").difference
    assert difference is not None
    assert difference.clips == 6
    assert difference.arm_value == pytest.approx(((0.8 + 0.5) / 2 + (0.85 + 0.5) / 2) / 2)


def test_a_teacher_of_retrieval_is_compared_with_nobody_and_nobody_is_warned() -> None:
    study = two()
    study.trains("taught", lambda seed: spec(seed, protocol="full", role="teacher"))
    study.kept = [
        (one.model_copy(update={"spec": study.specs["taught", one.spec.seed]}), clips)
        if one.trial_id.startswith("taught")
        else (one, clips)
        for one, clips in study.kept
    ]
    found = table(study)
    assert found.row("taught").difference is None
    assert not any("taught" in warning for warning in found.warnings)


def test_chance_of_match_scores_leaves_a_clip_out_of_its_own_gallery() -> None:
    study = two()
    assert not any("match mAP 0." in note for note in table(study).notes)
    study.kept = [
        (one.model_copy(update={"metrics": {**one.metrics, "test/match_map": 0.4}}), clips)
        for one, clips in study.kept
    ]
    # One relevant of three, at any rank: (1 + 1/2 + 1/3) / 3.
    assert any(f"and of match mAP {11 / 18:.4f}." in note for note in table(study).notes)


def test_where_arms_are_selected_by_different_metrics_the_note_says_whose_is_which() -> None:
    study = Retrieval(["teacher", "plain", "taught"], [0])
    seen = study.specs["teacher", 0]
    study.specs["teacher", 0] = seen.model_copy(update={"role": "teacher"})
    for arm in ("teacher", "plain", "taught"):
        study.finds(arm, 0, [0.5] * 4)
    said = " ".join(table(study).notes)
    assert "the best val/match_map (teacher) or val/map (the others), chosen" in said


def test_clips_of_no_known_video_are_not_counted_as_videos() -> None:
    study = two()
    study.kept = [(one, clips.assign(video_id=clips["id"])) for one, clips in study.kept]
    assert "split test: 4 clips, each taken for a video of its own." in table(study).notes[0]


def test_arms_without_epochs_are_named() -> None:
    study = two()
    for seed in (0, 1):
        seen = study.specs["plain", seed]
        no_epochs = seen.optimisation.model_copy(update={"max_epochs": 0})
        study.specs["plain", seed] = seen.model_copy(update={"losses": {}, "optimisation": no_epochs})
    (said,) = [note for note in table(study).notes if "without epochs" in note]
    assert said == "plain: without epochs; what they learn is from all training clips at once."
