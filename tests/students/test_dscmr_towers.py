"""The student with DSCMR's architecture: which of its parts are whose."""

import torch
from schooling import EVENTS, array, fresh, linear, mean_average_precision, schooled

from harness.registry import BASELINES, STUDENTS

CLIPS = EVENTS.test


def build(**params):
    return fresh(STUDENTS, "dscmr_towers", **params)


def reached(model, output):
    """Names of the parts that an output is computed by."""
    model.zero_grad(set_to_none=True)
    output.square().sum().backward()
    return {name.rpartition(".")[0] for name, p in model.named_parameters() if p.grad is not None}


def test_the_last_layer_is_one_for_both_modalities_and_those_before_are_each_ones_own():
    model = build(layers=2)
    audio = reached(model, model(CLIPS).audio_embedding)
    vision = reached(model, model(CLIPS).vision_embedding)
    assert audio & vision == {"common"}
    assert audio - vision == {"own.audio.0", "own.audio.3"}
    assert vision - audio == {"own.vision.0", "own.vision.3"}


def test_labels_are_predicted_by_one_linear_map():
    model = build().train()
    outputs = model(CLIPS)
    for view in ("audio", "vision"):
        labels = linear(model.classifier, array(getattr(outputs, f"{view}_embedding")))
        assert abs(array(outputs.part(f"{view}_class_logits")) - labels).max() < 1e-5


def test_it_is_the_baseline_with_another_role():
    student, baseline = build(), fresh(BASELINES, "dscmr", seed=1)
    baseline.load_state_dict(student.state_dict())
    for name in ("audio_embedding", "vision_embedding", "embedding"):
        assert getattr(student(CLIPS), name).equal(getattr(baseline(CLIPS), name))


def test_half_of_it_has_half_the_hidden_units_and_half_the_width():
    half = STUDENTS.get("dscmr_towers").config(width=8, hidden=16).halved()
    assert (half.width, half.hidden, half.layers) == (4, 8, 1)


def test_taught_by_triplets_it_finds_clips_of_a_class():
    model = build()
    before = mean_average_precision(model)
    model = schooled(model, {"cross_triplet": {}, "modal_ce": {}})
    assert mean_average_precision(model) > max(0.8, before + 0.2)
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    assert isinstance(model.common, torch.nn.Linear)
