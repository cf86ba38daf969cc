"""What a table says of tuning, epochs, sizes, what arms read, and models that collapsed."""

from __future__ import annotations

import pytest
from report_samples import Study, advised, efficiency, spec
from search_samples import Searched, one_objective
from test_report_table import LAYOUT

from harness.spec import EpochRecord, Missing, Optimisation, Tuning
from reports import Table, build_table, collect


def table(study: Study | Searched, name: str = "small") -> Table:
    return build_table(collect(study.store(), name), LAYOUT)


def note(study: Study | Searched, start: str, name: str = "small") -> str:
    (found,) = [one for one in table(study, name).notes if one.startswith(start)]
    return found


def ran(epochs: int) -> tuple[EpochRecord, ...]:
    return tuple(EpochRecord(epoch=number, metrics={}) for number in range(epochs))


def filled(*arms: str, seeds: tuple[int, ...] = (0,), **more: object) -> Study:
    study = Study(arms, seeds, reference=arms[0])
    for arm in arms:
        for seed in seeds:
            study.gives(arm, seed, [1, 2, 1, 2], **more)
    return study


def test_arms_without_any_tuning_are_said_to_be_untuned():
    found = note(filled("plain", "other"), "Tuning of every arm")
    assert "untuned, values of the study file and defaults of the code" in found
    assert not any("TUNING DIFFERS" in one for one in table(filled("plain", "other")).notes)


def test_values_of_a_file_are_named_with_their_source_and_different_budgets_are_loud():
    study = filled("plain", "tfn", "lmf")
    study.tuning["tfn"] = Tuning(data="mosi", source="a table.", trials=30)
    study.tuning["lmf"] = Tuning(data="sims", source="a package", trials=None)
    assert note(study, "TUNING DIFFERS") == (
        "TUNING DIFFERS: search trials behind the values of the arms: none (plain); 30 (tfn); "
        "not known (lmf)."
    )
    assert "its model's values for mosi: 30 search trials; a table." in note(study, "Tuning of tfn")
    assert "for sims: search trials not known; a package." in note(study, "Tuning of lmf")


def test_arms_of_as_many_trials_from_one_source_are_one_line_and_their_batches_no_other_budget():
    study = Study(("plain", "tfn"), (0,), reference="plain")
    for arm, size in (("plain", 16), ("tfn", 64)):
        optimisation = Optimisation(batch_size=size)
        study.trains(arm, lambda seed, given=optimisation: spec(seed, optimisation=given))
        study.tuning[arm] = Tuning(data="mosi", source="a search", trials=12)
        study.gives(arm, 0, [1, 2, 1, 2])
    found = note(study, "Tuning of every arm")
    assert found == "Tuning of every arm: its model's values for mosi: 12 search trials; a search."
    assert "batch as tuning chose" in note(study, "Every arm has the same budget")


def test_trials_of_the_studys_own_search_are_counted_beside_those_of_a_file():
    found = note(one_objective(), "Tuning of every arm", "tuned")
    assert found == "Tuning of every arm: a search of its own in this study (4 trials in all)."
    unequal = one_objective()
    unequal.tries("taught", 4, 0.5)
    assert "4 (plain); 5 (taught)" in note(unequal, "TUNING DIFFERS", "tuned")


def test_epochs_that_ran_stand_beside_those_that_may():
    study = Study(["plain", "short"], [0, 1, 2], reference="plain")
    study.trains("short", lambda seed: spec(seed, optimisation=Optimisation(max_epochs=5)))
    for seed in (0, 1, 2):
        study.gives("plain", seed, [1] * 4, epochs=ran(10 + seed**2))
        study.gives("short", seed, [1] * 4, epochs=ran(5))
    assert note(study, "Epochs trained, of at most 30") == (
        "Epochs trained, of at most 30: 10–14, median 11 (plain)."
    )
    assert note(study, "Epochs trained, of at most 5: ").endswith(": 5 (short).")


def test_records_without_epochs_say_so_and_a_model_that_may_not_train_has_none():
    assert note(filled("plain"), "Epochs") == "Epochs trained, of at most 30: not recorded."
    study = Study(["plain"], [0], reference=None)
    study.trains("plain", lambda seed: spec(seed, optimisation=Optimisation(max_epochs=0)))
    study.gives("plain", 0, [1] * 4)
    assert note(study, "Epochs") == "Epochs trained, of at most 0: 0."


def test_the_smallest_and_the_largest_arm_are_named():
    study = Study(["plain", "large"], [0])
    study.gives("plain", 0, [1] * 4, efficiency=efficiency(10_000, 1.0))
    study.gives("large", 0, [1] * 4, efficiency=efficiency(2_500_000, 1.0))
    assert note(study, "Parameters") == "Parameters: from 0.010 M (plain) to 2.500 M (large)."
    assert note(filled("plain", "other"), "Parameters").startswith("Parameters: 1.500 M in every arm")


def test_what_arms_read_and_whose_features_is_said_once_for_all_or_for_each():
    study = Study(["plain", "fusion", "old"], [0])
    study.gives("plain", 0, [1] * 4, views=("token_ids", "transcript"), features="BERT")
    study.gives("fusion", 0, [1] * 4, views=("audio", "frames", "text"), features="BERT")
    study.gives("old", 0, [1] * 4)
    assert note(study, "Modalities read") == (
        "Modalities read: not recorded (old); text (plain); text, vision, audio (fusion)."
    )
    assert note(study, "Features") == "Features: BERT (plain, fusion); not recorded (old)."
    shared = filled("plain", "other", views=("text",), features="BERT")
    assert note(shared, "Features") == "Features: BERT."


def test_a_text_only_control_is_named_or_loudly_absent():
    assert note(filled("plain", views=("text",)), "Text-only") == "Text-only control: plain."
    assert note(filled("plain"), "Text-only") == "Text-only control: not recorded."
    fusion = filled("fusion", views=("audio", "text"))
    assert note(fusion, "NO TEXT-ONLY CONTROL").startswith("NO TEXT-ONLY CONTROL: fusion read")


def test_a_distilled_student_is_no_control_for_what_reads_more():
    study = Study(["taught", "fusion"], [0], reference=None)
    study.trains("taught", advised)
    study.gives("taught", 0, [1] * 4, views=("text",))
    study.gives("fusion", 0, [1] * 4, views=("text", "vision"))
    assert note(study, "NO TEXT-ONLY CONTROL")


def test_what_is_missing_from_training_clips_is_said_of_its_arms():
    study = Study(["plain", "dropped", "steps"], [0])
    study.trains("dropped", lambda seed: spec(seed, missing=Missing(rate=0.3)))
    some = Missing(kind="temporal", rate=0.5, modalities=("vision",))
    study.trains("steps", lambda seed: spec(seed, missing=some))
    notes = table(study).notes
    assert "dropped: modality dropout 0.3 of text, vision, audio in training." in notes
    assert "steps: dropout of single steps 0.5 of vision in training." in notes


@pytest.mark.parametrize(("scale", "collapsed"), [(0.0, True), (0.049, True), (0.051, False)])
def test_predictions_without_spread_are_a_collapse(scale: float, collapsed: bool):
    study = Study(["plain", "flat"], [0, 1, 2])
    labels = [-1.0, 1.0, -1.0, 1.0]
    for seed in (0, 1, 2):
        study.gives("plain", seed, labels)
        study.gives("flat", seed, [0.5 + scale * one for one in labels] if seed else labels)
    study.kept = [(record, shown.assign(target=labels)) for record, shown in study.kept]
    found = [one for one in table(study).warnings if "collapsed" in one]
    assert len(found) == collapsed
    assert all(one.startswith("flat collapsed under seeds 1, 2: it predicts (nearly)") for one in found)


def test_validation_clips_are_no_witness_of_a_collapse_on_test():
    study = filled("plain")
    ((record, shown),) = study.kept
    study.kept = [(record, shown.assign(split="val", score=0.0, target=[1.0, 2.0, 3.0, 4.0]))]
    assert not any("collapsed" in one for one in table(study).warnings)
