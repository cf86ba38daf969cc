"""The CLIP teacher: what it computes, against NumPy and against its parts put together by hand."""

import socket
from dataclasses import replace

import numpy as np
import pytest
import torch
from teacher_samples import DATA, PLAIN, build, configure, film
from torch.testing import assert_close

from harness.spec import BadInput
from harness.teachers.clip_video.config import PROMPTS
from harness.types import Padded

THREE = {"levels": 3, "prompts": ("bad", "so so", "good")}


def cosines(left, right):
    left, right = (part.detach().double().numpy() for part in (left, right))
    lengths = np.linalg.norm(left, axis=1)[:, None] * np.linalg.norm(right, axis=1)
    return left @ right.T / lengths


def test_class_logits_are_scaled_cosines_between_clip_and_prompts():
    model = build(**PLAIN, text_layers_trained=None)
    found = model(film())
    prompts = model.tower.text_vectors(model.tower.tokens(PROMPTS))
    scale = np.exp(model.tower.logit_scale.item())
    assert scale == pytest.approx(1 / 0.07, rel=1e-5)
    expected = scale * cosines(found.embedding, prompts)
    np.testing.assert_allclose(found.class_logits.detach().numpy(), expected, rtol=1e-4, atol=1e-4)


def test_with_enhanced_prompts_each_clip_is_compared_with_its_own():
    model, batch = build(cross_frame=False), film(lengths=(4, 4, 4))
    found = model(batch)
    scale = np.exp(model.tower.logit_scale.item())
    for row in range(3):
        _, patches = model.tower.image_parts(batch.frames.values[row])
        centred = patches - patches.mean(2, keepdim=True)
        seen = centred / (centred.square().mean(2, keepdim=True) + 1e-5).sqrt()
        everyone = torch.ones(1, seen.shape[1], dtype=torch.bool)
        prompts = model.video_prompts(model.prompts, Padded(seen.mean(0, keepdim=True), everyone))
        expected = scale * cosines(found.embedding[row : row + 1], prompts[0])
        logits = found.class_logits[row : row + 1].detach().numpy()
        np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)


def test_the_clip_vector_is_the_mean_over_the_integrated_frames():
    model, batch = build(), film()
    mask, outputs = batch.frames.mask, model(batch)
    vectors, _ = model.tower.communicating_parts(
        batch.frames.values[mask], mask, model.route.cross_frame
    )
    first = Padded(vectors[:4].unsqueeze(0), mask[:1])
    assert_close(outputs.hidden.values[0], model.integration(first).values[0])
    assert_close(outputs.embedding, outputs.hidden.mean())


def test_prompts_that_are_not_trained_are_what_the_text_tower_said_of_them():
    fixed, trained = build()(film()), build(text_layers_trained=None)(film())
    assert_close(fixed.class_logits, trained.class_logits)


@pytest.mark.parametrize("parts", [PLAIN, {}])
def test_a_class_logit_belongs_to_its_prompt(parts):
    as_given, turned = build(**parts), build(**parts, prompts=PROMPTS[::-1])
    assert_close(turned(film()).class_logits, as_given(film()).class_logits.flip(1))


def test_there_is_a_class_logit_a_level():
    assert build(**THREE)(film()).class_logits.shape == (3, 3)


def test_without_integration_the_clip_vector_is_the_mean_over_existing_frames():
    model, batch = build(**PLAIN), film()
    found = model(batch).embedding
    for row, length in enumerate(batch.frames.lengths):
        vectors = model.tower.image_vectors(batch.frames.values[row, :length]).detach().numpy()
        np.testing.assert_allclose(found[row].detach().numpy(), vectors.mean(0), atol=1e-5)


@pytest.mark.parametrize("source", ["logits", "embedding", "both"])
def test_the_score_is_read_from_what_was_asked_for(source):
    model = build(regression_from=source)
    outputs = model(film())
    logits, embedding = outputs.class_logits, outputs.embedding
    read = {"logits": logits, "embedding": embedding, "both": torch.cat((logits, embedding), dim=1)}
    assert model.head(read[source]).squeeze(1).equal(outputs.score)


def test_the_frames_used_are_the_middles_of_even_stretches():
    batch = film(steps=8, lengths=(8, 6, 4))
    chosen = [[int((i + 0.5) * n / 4) for i in range(4)] for n in (8, 6, 4)]
    values = torch.stack([row[index] for row, index in zip(batch.frames.values, chosen, strict=True)])
    cut = replace(batch, frames=Padded(values, torch.ones(3, 4, dtype=torch.bool)))
    assert_close(build(frames_used=4)(batch).score, build(frames_used=4)(cut).score)


def test_more_frames_than_a_clip_has_are_refused():
    with pytest.raises(BadInput, match=r"frames_used: .*at least 2 frames a clip, found 1 in 'train0"):
        build(frames_used=2)(film())


def test_more_frames_than_there_are_positions_for_are_refused():
    assert build(max_frames=4)(film()).score.isfinite().all()
    with pytest.raises(BadInput, match=r"max_frames: expected at most 3 steps a clip.* found 4"):
        build(max_frames=3)(film())


def test_only_existing_frames_go_through_the_tower():
    for parts in (PLAIN, {**PLAIN, "enhanced_prompts": True}, {}):
        model, seen = build(**parts), []
        model.tower.visual.conv1.register_forward_hook(
            lambda module, given, out, s=seen: s.append(len(out))
        )
        model(film())
        assert seen == [4 + 1 + 2]


def test_features_enter_as_stretches_of_vision_a_mean_of_audio_and_a_gated_mean_of_text():
    senses = ("video", "audio", "text")
    model = build(route="features", modalities=senses, feature_steps=2, integration=False)
    outputs = model(DATA.test)
    states = {view: model.route.entries[view](getattr(DATA.test, view).values) for view in
              ("vision", "audio", "text")}  # fmt: skip
    lengths = {view: getattr(DATA.test, view).lengths.tolist() for view in states}
    for row in range(4):
        sound, words = (states[view][row, : lengths[view][row]].mean(0) for view in ("audio", "text"))
        pictures, count = states["vision"][row], lengths["vision"][row]
        cuts = [list(range(count))[: -(-count // 2)], list(range(count))[-(-count // 2) :]]
        steps = [pictures[cut].mean(0) for cut in cuts if cut]
        sequence = torch.stack([sound, *steps])
        assert_close(outputs.hidden.values[row, : len(sequence)], sequence)
        expected = model.gate(sequence.mean(0, keepdim=True), words.unsqueeze(0))[0]
        assert_close(outputs.embedding[row], expected)


def test_data_without_a_feature_view_are_refused_by_name():
    deaf = replace(DATA.info, audio_width=None, views=DATA.info.views - {"audio"})
    for route in ("features", "frames"):
        with pytest.raises(ValueError, match="no audio features"):
            build(info=deaf, route=route, modalities=("audio",))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "frames route needs frames"),
        ({"modalities": ("audio",)}, "frames route needs audio"),
        ({"modalities": ("text",)}, "frames route needs tokens"),
        ({"route": "features"}, "feature route needs vision"),
    ],
)
def test_clips_without_what_the_teacher_sees_are_refused(changes, told):
    with pytest.raises(ValueError, match=told):
        build(**changes)(DATA.test.only(frozenset()))


@pytest.mark.parametrize("transcript", ["", " \n\t"])
def test_an_empty_transcript_is_refused_with_its_clip(transcript):
    batch = replace(film(), transcripts=("fine", transcript, "good"))
    with pytest.raises(BadInput, match=r"modalities: the transcript of 'train0\$_\$1' is empty"):
        build(modalities=("video", "text")).tokenise(batch)
    assert build().tokenise(batch).tokens is None


def test_frames_of_another_size_are_resized():
    large, model = film(size=48), build(**PLAIN)
    assert model(large).score.isfinite().all()
    grey = replace(large, frames=replace(large.frames, values=torch.full_like(large.frames.values, 99)))
    same = film(size=16)
    same = replace(same, frames=replace(same.frames, values=torch.full_like(same.frames.values, 99)))
    assert_close(model(grey).score, model(same).score, atol=1e-4, rtol=1e-4)


def test_a_small_tower_opens_no_connection(monkeypatch):
    def refuse(*address):
        raise AssertionError(f"a connection to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    assert build()(film()).score.isfinite().all()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"prompts": ("bad", "so so", "good")}, "prompts: .*each of 7 levels, given 3 prompts"),
        ({"levels": 5}, "prompts: .*each of 5 levels, given 7 prompts"),
        ({"levels": 2}, "levels: .*greater than or equal to 3"),
        ({"prompts": "a person"}, "prompts: "),
        ({"modalities": ()}, "modalities: .*at least 1"),
        ({"modalities": ("frames",)}, "modalities"),
        ({"modalities": ("text", "text")}, "modalities: .*each modality once, given text, text"),
        ({"route": "film"}, "route: "),
        ({"heads": 3}, "multiples of heads, given 3"),
        ({"patch": 64}, "patch: expected at most image_size 16, given 64"),
        ({"weights": "openai"}, "weights belong to a named tower"),
        ({"vision_layers_trained": 2}, "vision_layers_trained: .*at most the tower's 1 layers, given 2"),
        ({"text_layers_trained": 2}, "text_layers_trained: .*at most the tower's 1 layers, given 2"),
        ({"tower_rate": 0}, "tower_rate: .*greater than 0"),
        ({"features": ("vision",)}, "features: teacher 'clip_video' has no such parameter"),
    ],
)
def test_what_cannot_be_built_is_refused(changes, told):
    with pytest.raises(BadInput, match=told):
        configure(**changes)


def test_the_order_of_the_modalities_makes_no_other_teacher():
    assert configure(modalities=("text", "video")) == configure(modalities=("video", "text"))
