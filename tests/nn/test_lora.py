"""Low-rank adapters against their formula and peft's own merging."""

import sys
from copy import deepcopy

import pytest
import torch
from peft.tuners.lora import LoraLayer
from torch import nn
from torch.testing import assert_close
from transformers import BertConfig, BertModel

from harness.nn.text.lora import add_adapters, check_adapters
from harness.spec import BadInput

IDS = torch.arange(1, 9).view(2, 4)


def encoder():
    torch.manual_seed(0)
    sizes = BertConfig(
        vocab_size=20,
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        hidden_dropout_prob=0,
        attention_probs_dropout_prob=0,
    )
    return BertModel(sizes, add_pooling_layer=False)


def adapted(rank=2, alpha=8.0):
    model = encoder()
    add_adapters(model, rank, alpha)
    return model


def trained(model):
    """After two steps on random numbers."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=0.05, weight_decay=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        model(IDS).last_hidden_state[..., 0].sum().backward()
        optimiser.step()
    return model


def test_adapters_say_nothing_at_first():
    assert_close(adapted()(IDS).last_hidden_state, encoder()(IDS).last_hidden_state)


def test_training_leaves_every_bit_of_the_encoder_and_moves_the_adapters():
    start = adapted()
    before = {name: value.clone() for name, value in start.named_parameters()}
    after = dict(trained(start).named_parameters())
    moved = {name for name, value in after.items() if not value.equal(before[name])}
    assert moved == {name for name in before if ".lora_" in name}
    original = encoder().state_dict()
    kept = {name.replace(".base_layer", ""): value for name, value in after.items() if name not in moved}
    assert kept.keys() == original.keys()
    assert all(value.equal(original[name]) for name, value in kept.items())


def test_every_linear_layer_has_one():
    linear = sum(isinstance(part, nn.Linear) for part in encoder().modules())
    assert sum(isinstance(part, LoraLayer) for part in adapted().modules()) == linear == 12


def test_merged_adapters_say_the_same():
    model = trained(adapted()).eval()
    apart = model(IDS).last_hidden_state
    merged = deepcopy(model)
    for part in merged.modules():
        if isinstance(part, LoraLayer):
            part.merge()
    assert_close(merged(IDS).last_hidden_state, apart)
    assert not torch.allclose(apart, encoder().eval()(IDS).last_hidden_state, atol=1e-3)


def test_a_layer_is_the_papers_third_equation():
    part = trained(adapted(rank=2, alpha=8.0)).encoder.layer[0].intermediate.dense
    x = torch.randn(3, 8)
    down, up = part.lora_A["default"].weight, part.lora_B["default"].weight
    assert_close(part(x), part.base_layer(x) + 8 / 2 * x @ down.T @ up.T)


def test_without_peft_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "meta_path", [])
    for name in [name for name in sys.modules if name.partition(".")[0] == "peft"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(BadInput, match=r"lora_rank: .*peft is not installed.*'adviserbench\[lora\]'"):
        check_adapters()
