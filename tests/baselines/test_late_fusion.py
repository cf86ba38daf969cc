"""Late fusion: which vector stands where, and what the head makes of them."""

from dataclasses import replace

import pytest
import torch
from toy import Toy, ToyConfig

from baselines.sentiment.late_fusion import LateFusion, LateFusionConfig

DATA = Toy(ToyConfig()).load()
WIDTHS = {"text": 6, "vision": 5, "audio": 3}


@pytest.fixture
def model():
    torch.manual_seed(0)
    sizes = {f"{name}_width": width for name, width in WIDTHS.items()}
    return LateFusion(LateFusionConfig(**sizes, head_width=4), DATA.info).eval()


def test_text_vision_and_audio_stand_side_by_side_in_that_order(model):
    text, vision, audio = model(DATA.test).embedding.split(tuple(WIDTHS.values()), dim=1)
    assert text.equal(model.text(DATA.test))
    assert vision.equal(model.vision(DATA.test.vision))
    assert audio.equal(model.audio(DATA.test.audio))


@pytest.mark.parametrize("view", WIDTHS)
def test_a_modality_moves_its_own_part_only(model, view):
    sequence = getattr(DATA.test, view)
    moved = replace(
        DATA.test, **{view: replace(sequence, values=sequence.values + sequence.mask.unsqueeze(2))}
    )
    before, after = (
        model(batch).embedding.split(tuple(WIDTHS.values()), dim=1) for batch in (DATA.test, moved)
    )
    assert [
        name for name, old, new in zip(WIDTHS, before, after, strict=True) if not old.equal(new)
    ] == [view]


def test_the_score_is_read_from_the_fused_vector(model):
    outputs = model(DATA.test)
    assert model.head(outputs.embedding).squeeze(1).equal(outputs.score)
    weights = [tuple(value.shape) for value in model.head.parameters() if value.ndim == 2]
    assert weights == [(4, 14), (4, 4), (1, 4)]


def test_data_without_a_modality_are_refused_by_name():
    deaf = replace(DATA.info, audio_width=None, views=DATA.info.views - {"audio"})
    with pytest.raises(ValueError, match="no audio features"):
        LateFusion(LateFusionConfig(), deaf)
