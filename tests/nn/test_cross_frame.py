"""Cross-frame communication through open_clip's own blocks, against transformers' X-CLIP."""

import pytest
import torch
from open_clip.transformer import VisionTransformer
from torch.testing import assert_close
from transformers import XCLIPVisionConfig, XCLIPVisionModel

from harness.nn.clip.cross_frame import CrossFrame

WIDTH, HEADS, LAYERS, FRAMES, SIZE, PATCH = 128, 4, 2, 3, 16, 8


def pixels(clips=2, frames=FRAMES):
    return torch.randn(clips * frames, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


def tower(**changes):
    torch.manual_seed(0)
    return VisionTransformer(SIZE, PATCH, WIDTH, LAYERS, HEADS, 4.0, output_dim=WIDTH, **changes).eval()


def everyone(clips=2, frames=FRAMES):
    return torch.ones(clips, frames, dtype=torch.bool)


def states(cross_frame, visual, images, mask):
    return cross_frame(visual._embeds(images), visual.transformer.resblocks, mask)


def peer():
    """X-CLIP's vision model; the message's heads are the layer's there, and d / 64 in the method."""
    torch.manual_seed(0)
    config = XCLIPVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        image_size=SIZE,
        patch_size=PATCH,
        num_frames=FRAMES,
        hidden_act="gelu",
        attn_implementation="eager",
    )
    found = XCLIPVisionModel(config).eval()
    for value in found.parameters():
        torch.nn.init.normal_(value, std=0.1)
    return found


def joined(attention, kind):
    return torch.cat([getattr(attention, f"{part}_proj").get_parameter(kind) for part in "qkv"])


@torch.no_grad()
def copied(theirs):
    torch.manual_seed(1)
    visual = VisionTransformer(SIZE, PATCH, WIDTH, LAYERS, 2, 4.0, output_dim=WIDTH).eval()
    embeddings = theirs.embeddings
    visual.class_embedding.copy_(embeddings.class_embedding)
    visual.conv1.load_state_dict(embeddings.patch_embedding.state_dict())
    visual.positional_embedding.copy_(embeddings.position_embedding.weight)
    visual.ln_pre.load_state_dict(theirs.pre_layernorm.state_dict())
    visual.ln_post.load_state_dict(theirs.post_layernorm.state_dict())
    cross_frame = CrossFrame(WIDTH, LAYERS)
    layers = theirs.encoder.layers
    for block, message, layer in zip(
        visual.transformer.resblocks, cross_frame.messages, layers, strict=True
    ):
        block.attn.in_proj_weight.copy_(joined(layer.self_attn, "weight"))
        block.attn.in_proj_bias.copy_(joined(layer.self_attn, "bias"))
        block.attn.out_proj.load_state_dict(layer.self_attn.out_proj.state_dict())
        block.ln_1.load_state_dict(layer.layer_norm1.state_dict())
        block.ln_2.load_state_dict(layer.layer_norm2.state_dict())
        block.mlp.c_fc.load_state_dict(layer.mlp.fc1.state_dict())
        block.mlp.c_proj.load_state_dict(layer.mlp.fc2.state_dict())
        message.make.load_state_dict(layer.message_fc.state_dict())
        message.norm.load_state_dict(layer.message_ln.state_dict())
        message.attention.inner.weight.copy_(joined(layer.message_attn, "weight"))
        message.attention.inner.bias.copy_(joined(layer.message_attn, "bias"))
        message.attention.outer.load_state_dict(layer.message_attn.out_proj.state_dict())
    return visual, cross_frame


def test_a_whole_encoder_gives_x_clips_tokens_and_vectors():
    theirs = peer()
    visual, cross_frame = copied(theirs)
    expected = theirs(pixels())
    found = states(cross_frame, visual, pixels(), everyone())
    assert_close(found, expected.last_hidden_state, atol=1e-5, rtol=1e-5)
    assert_close(visual.ln_post(found[:, 0]), expected.pooler_output, atol=1e-5, rtol=1e-5)


def test_frames_that_are_not_there_neither_send_nor_receive():
    torch.manual_seed(1)
    visual, cross_frame, images = tower(), CrossFrame(WIDTH, LAYERS), pixels()
    mask = torch.tensor([[True, True, True, False, False], [True, True, False, False, False]])
    found = states(cross_frame, visual, images[:5], mask)
    assert_close(found[:3], states(cross_frame, visual, images[:3], everyone(1)))
    assert_close(found[3:], states(cross_frame, visual, images[3:5], everyone(1, 2)))


def test_a_frame_hears_of_the_others_of_its_clip_and_of_no_other_clip():
    torch.manual_seed(1)
    visual, cross_frame, images = tower(), CrossFrame(WIDTH, LAYERS), pixels()
    changed = images.clone()
    changed[0] += 1
    before, after = (states(cross_frame, visual, each, everyone()) for each in (images, changed))
    assert not torch.allclose(before[1:3], after[1:3], atol=1e-4)
    assert_close(before[3:], after[3:])


def test_messages_have_no_positions():
    torch.manual_seed(1)
    visual, cross_frame, images = tower(), CrossFrame(WIDTH, LAYERS), pixels(clips=1)
    found = states(cross_frame, visual, images.flip(0), everyone(1))
    assert_close(found.flip(0), states(cross_frame, visual, images, everyone(1)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("changes", [{"ls_init_value": 0.5}, {"scale_attn": True, "qk_norm": True}])
def test_the_message_joins_for_attention_alone_in_every_kind_of_block(changes):
    torch.manual_seed(1)
    visual, cross_frame = tower(**changes), CrossFrame(WIDTH, LAYERS)
    tokens = visual._embeds(pixels())
    message, block = cross_frame.messages[0], visual.transformer.resblocks[0]
    said = message(tokens[:, 0], everyone()).unsqueeze(1)
    # The block itself on all tokens at once: only its attention mixes them, so the rest can be cut.
    expected = block(torch.cat((tokens, said), dim=1))[:, :-1]
    one = CrossFrame(WIDTH, 1)
    one.messages[0] = message
    assert_close(one(tokens, [block], everyone()), expected)


def test_a_clip_without_frames_spoils_no_gradient():
    torch.manual_seed(1)
    visual, cross_frame = tower(), CrossFrame(WIDTH, LAYERS)
    mask = torch.tensor([[True, True, True], [False, False, False]])
    states(cross_frame, visual, pixels(1), mask).square().sum().backward()
    assert all(value.grad.isfinite().all() for value in cross_frame.parameters())
