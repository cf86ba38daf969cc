"""Multi-frame integration, against transformers' X-CLIP."""

import pytest
import torch
from torch.testing import assert_close
from transformers import XCLIPVisionConfig
from transformers.models.x_clip.modeling_x_clip import XCLIPMultiframeIntegrationTransformer

from harness.nn.clip.integration import Integration
from harness.spec import BadInput
from harness.types import Padded

WIDTH, FRAMES = 128, 5


def frames(count=FRAMES, clips=3):
    values = torch.randn(clips, count, WIDTH, generator=torch.Generator().manual_seed(0))
    return Padded(values, torch.ones(clips, count, dtype=torch.bool))


def peer():
    """X-CLIP's own, with biases and norms that are not where they start."""
    torch.manual_seed(0)
    config = XCLIPVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_frames=FRAMES,
        hidden_act="gelu",
        attn_implementation="eager",
    )
    found = XCLIPMultiframeIntegrationTransformer(config).eval()
    for value in found.parameters():
        torch.nn.init.normal_(value, std=0.3)
    return found


def copied(theirs):
    ours, layer = Integration(WIDTH, FRAMES), theirs.encoder.layers[0]
    attention = layer.self_attn
    inner = [attention.q_proj, attention.k_proj, attention.v_proj]
    with torch.no_grad():
        ours.positions.copy_(theirs.position_embedding[0])
        ours.attention.inner.weight.copy_(torch.cat([part.weight for part in inner]))
        ours.attention.inner.bias.copy_(torch.cat([part.bias for part in inner]))
    ours.attention.outer.load_state_dict(attention.out_proj.state_dict())
    ours.norm_attention.load_state_dict(layer.layer_norm1.state_dict())
    ours.norm_mlp.load_state_dict(layer.layer_norm2.state_dict())
    ours.mlp[0].load_state_dict(layer.mlp.fc1.state_dict())
    ours.mlp[3].load_state_dict(layer.mlp.fc2.state_dict())
    return ours.eval()


def test_states_and_their_mean_are_x_clips():
    theirs, given = peer(), frames()
    expected, found = theirs(given.values), copied(theirs)(given)
    assert_close(found.values, expected.last_hidden_state, atol=1e-5, rtol=1e-5)
    assert_close(found.mean(), expected.pooler_output, atol=1e-5, rtol=1e-5)


def test_a_short_clip_is_integrated_as_if_it_were_alone():
    torch.manual_seed(0)
    layer, given = Integration(WIDTH, 8), frames()
    mask = torch.arange(FRAMES) < torch.tensor([[5], [2], [0]])
    found = layer(Padded(given.values * mask.unsqueeze(2), mask))
    alone = layer(Padded(given.values[1:2, :2], mask[1:2, :2]))
    assert_close(found.values[1, :2], alone.values[0])
    assert not found.values[~mask].any()
    assert found.mean()[2].equal(torch.zeros(WIDTH))


def test_the_order_of_the_frames_counts_through_the_positions_alone():
    torch.manual_seed(0)
    layer, given = Integration(WIDTH, FRAMES), frames()
    turned = Padded(given.values.flip(1), given.mask)
    assert not torch.allclose(layer(given).mean(), layer(turned).mean(), atol=1e-4)
    torch.nn.init.zeros_(layer.positions)
    assert_close(layer(given).mean(), layer(turned).mean())


def test_more_steps_than_positions_are_refused_with_both_numbers():
    with pytest.raises(BadInput, match=r"max_frames: expected at most 3 steps.* found 5"):
        Integration(WIDTH, 3)(frames())
