"""Conditions that test clips are put under, and what training batches lose."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from toy import Toy, ToyConfig

from harness.robustness.conditions import under, with_missing
from harness.robustness.draws import ByClip, FromStream
from harness.spec import MODALITIES, BadInput, Condition, Missing
from harness.types import Padded

DATA = Toy(ToyConfig()).load()
CLIPS = DATA.test
SCALE = {"audio": torch.ones(4)}
RATES = (0.1, 0.3, 0.5, 0.7, 0.9)


def condition(kind, level=0.0, modalities=MODALITIES):
    return Condition(kind=kind, level=level, modalities=modalities)


def many(count):
    """So many clips, a step of ones in every feature view."""
    ones = Padded(torch.ones(count, 1, 4), torch.ones(count, 1, dtype=torch.bool))
    ids = tuple(f"clip{n}" for n in range(count))
    none = dict.fromkeys(("frames", "token_ids", "transcripts"))
    return replace(CLIPS, ids=ids, video_ids=ids, target=torch.zeros(count), text=ones, vision=ones,
                   audio=ones, **none)  # fmt: skip


def missing(clips):
    """(B, 3) bool: which modalities are zero."""
    views = (clips.text, clips.vision, clips.audio)
    return torch.stack([(view.values == 0).flatten(1).all(1) for view in views], 1)


@pytest.mark.parametrize("kind", ["random", "temporal", "audio_noise", "frame_drop", "word_drop"])
def test_level_0_changes_nothing(kind):
    assert under(condition(kind), CLIPS, SCALE) is CLIPS


@pytest.mark.parametrize("present", [("text",), ("vision", "audio"), MODALITIES])
def test_of_a_subset_exactly_the_others_are_missing_from_every_clip(present):
    found = missing(under(condition("subsets", modalities=present), many(5), SCALE))
    assert found.tolist() == [[modality not in present for modality in MODALITIES]] * 5


def test_the_share_of_clips_without_a_modality_is_the_rate_for_each_modality_alone():
    gone = missing(under(condition("random", 0.3), many(4000), SCALE)).double()
    torch.testing.assert_close(gone.mean(0), torch.full((3,), 0.3).double(), atol=0.025, rtol=0)
    together = (gone[:, 0] * gone[:, 1]).mean().item()
    assert together == pytest.approx(0.09, abs=0.02)


def test_what_is_missing_at_a_rate_is_missing_at_every_higher_one():
    found = [missing(under(condition("random", rate), many(200), SCALE)) for rate in RATES]
    for fewer, more in pairwise(found):
        assert (fewer <= more).all()
        assert (fewer < more).any()


@pytest.mark.parametrize("kind", ["random", "temporal", "audio_noise"])
def test_what_happens_to_a_clip_does_not_depend_on_the_others(kind):
    order = torch.tensor([7, 3, 11])
    among = under(condition(kind, 0.5), CLIPS, SCALE).take(order)
    alone = under(condition(kind, 0.5), CLIPS.take(order), SCALE)
    assert among.transcripts == alone.transcripts
    for view in ("text", "vision", "audio", "frames"):
        assert getattr(among, view).values.equal(getattr(alone, view).values)


def test_the_noise_is_white_at_the_stated_sd_and_grows_with_the_level():
    sd = torch.tensor([1.0, 2.0, 0.5, 0.0])
    clips = many(3000)
    one, four = (
        under(condition("audio_noise", level, ("audio",)), clips, {"audio": sd}).audio.values - 1
        for level in (1.0, 4.0)
    )
    torch.testing.assert_close(one.std((0, 1)), sd, atol=0.05, rtol=0)
    torch.testing.assert_close(four, 4 * one, atol=1e-5, rtol=1e-5)
    correlations = torch.corrcoef(one[:, 0, :3].T) - torch.eye(3)
    assert correlations.abs().max() < 0.06


def test_features_cannot_be_blurred():
    with pytest.raises(BadInput, match="blur"):
        under(condition("blur", 1.0, ("vision",)), CLIPS, SCALE)


def stream(seed=0):
    return FromStream(torch.Generator().manual_seed(seed))


def test_in_training_every_clip_keeps_one_modality_at_least():
    found = missing(with_missing(Missing(rate=0.9), many(500), stream()))
    assert found.sum(1).max() == 2
    kept = (~found).double().sum(0) / 500
    assert kept.min() > 0.2


def test_a_model_that_sees_one_modality_keeps_it():
    clips = many(50).only(frozenset({"text"}))
    found = with_missing(Missing(rate=0.9, modalities=("text",)), clips, stream())
    assert found.text.values.equal(clips.text.values)


def test_training_batches_carry_themselves_with_nothing_missing():
    clips = many(20)
    found = with_missing(Missing(rate=0.5), clips, stream())
    assert found.intact is clips
    assert missing(found).any()
    assert not missing(found.intact).any()


def test_training_draws_anew_and_tests_do_not():
    draws, clips = stream(), many(50)
    first, second = (missing(with_missing(Missing(rate=0.5), clips, draws)) for _ in range(2))
    assert not first.equal(second)
    again = [missing(under(condition("random", 0.5), clips, SCALE)) for _ in range(2)]
    assert again[0].equal(again[1])


def test_numbers_of_a_clip_s_first_steps_do_not_depend_on_its_padding():
    for draw in (ByClip().steps, ByClip().normal):
        assert draw(("a", "b"), "p", 40)[:, :3].equal(draw(("a", "b"), "p", 3))
        assert not draw(("a",), "p", 5).equal(draw(("a",), "q", 5))
