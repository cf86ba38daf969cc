"""Video-enhanced prompts, against transformers' X-CLIP."""

import numpy as np
import torch
from torch.nn.functional import layer_norm, linear
from torch.testing import assert_close
from transformers import XCLIPConfig
from transformers.models.x_clip.modeling_x_clip import XCLIPPromptGenerator

from harness.nn.clip.video_prompts import VideoPrompts, standardised
from harness.types import Padded

CLIPS, FRAMES, PATCHES, WIDTH_IN, WIDTH, LEVELS = 2, 3, 4, 24, 128, 7


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def peer():
    torch.manual_seed(0)
    config = XCLIPConfig(
        projection_dim=WIDTH,
        prompt_layers=2,
        prompt_num_attention_heads=2,
        prompt_hidden_act="gelu",
        attn_implementation="eager",
    )
    found = XCLIPPromptGenerator(config).eval()
    for value in found.parameters():
        torch.nn.init.normal_(value, std=0.2)
    return found


def copied(theirs):
    torch.manual_seed(1)
    ours = VideoPrompts(WIDTH_IN, WIDTH, 0.1)
    for value in (ours.gain, ours.bias):
        torch.nn.init.normal_(value)
    ours.norm.load_state_dict(theirs.layernorm.state_dict())
    ours.alpha.data.copy_(theirs.alpha)
    for mine, other in zip(ours.layers, theirs.decoder, strict=True):
        mine.norm_attention.load_state_dict(other.norm1.state_dict())
        mine.norm_mlp.load_state_dict(other.norm3.state_dict())
        mine.mlp.load_state_dict(other.mlp.state_dict())
        for part, name in (("query", "q"), ("key", "k"), ("value", "v")):
            getattr(mine.attention, part).load_state_dict(
                getattr(other.cross_attn, f"{name}_proj").state_dict()
            )
        mine.attention.outer.load_state_dict(other.cross_attn.proj.state_dict())
    return ours.eval()


def test_enhanced_prompts_are_x_clips():
    theirs = peer()
    ours, prompts, patches = (
        copied(theirs),
        drawn(LEVELS, WIDTH),
        drawn(CLIPS, FRAMES, PATCHES, WIDTH_IN),
    )
    normed = layer_norm(patches, (WIDTH_IN,), ours.gain, ours.bias)
    visual = (normed @ ours.projection.weight.T).mean(1)
    each = prompts.expand(CLIPS, -1, -1)
    expected = each + theirs(each, visual)
    seen = Padded(standardised(patches).mean(1), torch.ones(CLIPS, PATCHES, dtype=torch.bool))
    assert_close(ours(prompts, seen), expected, atol=1e-5, rtol=1e-5)


def test_the_mean_over_frames_can_be_taken_before_gain_bias_and_map():
    torch.manual_seed(0)
    patches, gain, bias = (
        drawn(FRAMES, PATCHES, WIDTH_IN).double(),
        torch.randn(WIDTH_IN),
        torch.randn(WIDTH_IN),
    )
    weight = torch.randn(WIDTH, WIDTH_IN).double()
    gain, bias = gain.double(), bias.double()
    after = linear(layer_norm(patches, (WIDTH_IN,), gain, bias), weight).mean(0)
    before = linear(standardised(patches).mean(0) * gain + bias, weight)
    np.testing.assert_allclose(before.numpy(), after.numpy(), atol=1e-12)


def test_alpha_starts_at_a_tenth_and_at_zero_the_prompts_stay_as_they_are():
    model, prompts = VideoPrompts(WIDTH_IN, WIDTH, 0.1), drawn(LEVELS, WIDTH)
    assert model.alpha.equal(torch.full((WIDTH,), 0.1))
    torch.nn.init.zeros_(model.alpha)
    seen = Padded(drawn(CLIPS, PATCHES, WIDTH_IN), torch.ones(CLIPS, PATCHES, dtype=torch.bool))
    assert model(prompts, seen).equal(prompts.expand(CLIPS, -1, -1))


def test_steps_that_do_not_exist_are_not_looked_at():
    torch.manual_seed(0)
    model, prompts, values = (
        VideoPrompts(WIDTH_IN, WIDTH, 0.1),
        drawn(LEVELS, WIDTH),
        drawn(1, 4, WIDTH_IN),
    )
    mask = torch.tensor([[True, True, False, False]])
    short = Padded(values[:, :2], mask[:, :2])
    assert_close(model(prompts, Padded(values, mask)), model(prompts, short))
