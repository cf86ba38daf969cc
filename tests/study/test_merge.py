"""Laying one template over another."""

from harness.spec import Template
from harness.study.merge import merge, merge_templates, set_dotted


def template(**content):
    return Template.model_validate(content)


def test_deep_keys_are_replaced_and_their_neighbours_stay():
    assert merge({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}) == {"a": {"b": 3, "c": 2}}


def test_merging_changes_neither_argument():
    base, patch = {"a": {"b": 1}}, {"a": {"c": 2}}
    merge(base, patch)
    assert (base, patch) == ({"a": {"b": 1}}, {"a": {"c": 2}})


def test_another_variant_brings_none_of_the_old_ones_parameters():
    base = template(baseline={"model": {"name": "lf_dnn", "text_width": 7}})
    merged = merge_templates(base, template(baseline={"model": {"name": "tfn"}}))
    assert merged.baseline.model.model_dump() == {"name": "tfn"}


def test_the_same_variant_keeps_the_parameters_that_are_not_named():
    base = template(baseline={"model": {"name": "tfn", "text_width": 7, "dropout": 0.1}})
    merged = merge_templates(base, template(baseline={"model": {"name": "tfn", "dropout": 0.3}}))
    assert merged.baseline.model.model_dump() == {"name": "tfn", "text_width": 7, "dropout": 0.3}


def test_a_loss_set_to_null_is_gone():
    base = template(student={"losses": {"task_l1": {}, "step2": {"weight": 2}}})
    merged = merge_templates(base, template(student={"losses": {"step2": None}}))
    assert set(merged.student.losses) == {"task_l1"}


def test_a_dotted_path_nests():
    assert set_dotted("a.b.c", 1) == {"a": {"b": {"c": 1}}}
