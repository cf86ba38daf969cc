"""The shrunken study is the same study with smaller variants."""

import toy
from studies import ablation

from harness.registry import STUDENTS, discover
from harness.study.expand import expand
from harness.study.load import parse_study
from harness.study.tiny import shrink

assert toy
discover()


def test_arms_and_losses_stay_and_variants_shrink():
    study = parse_study(ablation("seeds=[0,1,2]", "base.student.model.width=64"))
    small = shrink(study)
    cells, small_cells = expand(study), expand(small)
    assert [cell.arm for cell in small_cells[::2]] == [cell.arm for cell in cells[::3]]
    assert [c.spec.losses for c in small_cells[::2]] == [c.spec.losses for c in cells[::3]]
    widths = {c.spec.model.params["width"] for c in small_cells if c.spec.role == "student"}
    assert widths == {STUDENTS.get("text_encoder").tiny["width"]}
    assert all(cell.spec.optimisation.max_epochs == 2 for cell in small_cells)


def test_its_name_says_that_it_is_tiny():
    assert shrink(parse_study(ablation())).name == "toy-tiny"


def test_what_an_arm_says_of_sizes_is_shrunk_and_the_rest_of_it_kept():
    content = ablation("arms.wide.student.model.width=128", "arms.wide.student.model.pooling=cls")
    small = shrink(parse_study(content)).arms["wide"].student.model
    assert small.model_extra == {"width": STUDENTS.get("text_encoder").tiny["width"], "pooling": "cls"}
