"""What is left of clips when a modality, or some of its steps, are missing."""

from dataclasses import replace

import pytest
import torch
from toy import Toy, ToyConfig

from harness.robustness.absence import thinned, without
from harness.robustness.draws import ByClip
from harness.types import Padded

CLIPS = Toy(ToyConfig()).load().test
VIEWS = {"text": ("text",), "vision": ("vision", "frames"), "audio": ("audio",)}
ALL = ("token_ids", "text", "vision", "audio", "frames")
ODD = torch.arange(16) % 2 == 1


@pytest.mark.parametrize("modality", ["text", "vision", "audio"])
def test_a_missing_modality_is_zero_in_place_in_every_view_of_it_and_others_stay(modality):
    found = without(CLIPS, {modality: ODD})
    for view in ("text", "vision", "audio", "frames"):
        before, after = getattr(CLIPS, view), getattr(found, view)
        assert after.mask.equal(before.mask)
        assert after.values[~ODD].equal(before.values[~ODD])
        assert after.values[ODD].any() == (view not in VIEWS[modality])


def test_a_missing_text_is_an_empty_transcript_and_the_ends_of_its_tokens():
    found = without(CLIPS, {"text": ODD})
    kept = [text for text, gone in zip(CLIPS.transcripts, ODD.tolist(), strict=True) if not gone]
    assert [text for text in found.transcripts if text] == kept
    assert found.transcripts.count("") == 8
    for row in range(16):
        length = int(CLIPS.token_ids.lengths[row])
        ids = found.token_ids.values[row, :length].tolist()
        assert (ids[0], ids[-1]) == (1, 2)
        assert any(ids[1:-1]) == (row % 2 == 0)


def test_nothing_that_is_left_tells_what_was_there():
    gone = dict.fromkeys(VIEWS, torch.ones(16, dtype=torch.bool))
    shuffled = replace(CLIPS, **{view: other(getattr(CLIPS, view)) for view in ALL})
    assert without(CLIPS, gone).text.values.equal(without(shuffled, gone).text.values)
    for view in ALL[1:]:
        assert not getattr(without(shuffled, gone), view).values.any()


def other(sequence):
    ends = sequence.values if sequence.values.ndim == 2 else sequence.values.flip(2)
    return Padded(ends * sequence.mask.view(*sequence.mask.shape, *[1] * (ends.ndim - 2)), sequence.mask)


def test_words_are_left_out_and_the_others_keep_their_order():
    found = thinned(CLIPS, 0.5, ("text",), ByClip())
    assert found.transcripts != CLIPS.transcripts
    for before, after in zip(CLIPS.transcripts, found.transcripts, strict=True):
        words = iter(before.split())
        assert all(word in words for word in after.split())


def test_the_share_of_lost_steps_is_the_rate():
    many = replace(CLIPS, ids=tuple(f"clip{n}" for n in range(2000)), transcripts=("a b c d e",) * 2000)
    many = replace(many, **dict.fromkeys((*ALL, "tokens")))
    left = sum(len(text.split()) for text in thinned(many, 0.3, ("text",), ByClip()).transcripts)
    assert left / 10_000 == pytest.approx(0.7, abs=0.015)


def test_text_features_and_their_token_ids_lose_the_same_steps():
    ids = torch.arange(1, 9).repeat(16, 1)
    mask = torch.ones(16, 8, dtype=torch.bool)
    paired = replace(
        CLIPS, token_ids=Padded(ids, mask), text=Padded(torch.ones(16, 8, 3), mask), transcripts=None
    )
    found = thinned(paired, 0.5, ("text",), ByClip())
    lost = found.text.values.sum(2) == 0
    assert (found.token_ids.values[:, 1:-1] == 0).equal(lost[:, 1:-1])
    assert found.token_ids.values[:, [0, -1]].equal(ids[:, [0, -1]])


def test_steps_that_do_not_exist_stay_as_they_are():
    found = thinned(CLIPS, 0.9, ("vision", "audio"), ByClip())
    for view in ("vision", "audio", "frames"):
        before, after = getattr(CLIPS, view), getattr(found, view)
        assert after.mask.equal(before.mask)
        assert not after.values[~after.mask].any()
        untouched = (after.values == before.values).flatten(2).all(2)
        assert (untouched | (after.values == 0).flatten(2).all(2)).all()
