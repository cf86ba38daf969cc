"""MISA against its equations, clip by clip."""

from dataclasses import replace

import pytest
import torch
from contract import DATA, clips
from torch.testing import assert_close

from baselines.sentiment.misa import MISA, MISAConfig, reversed_gradient
from harness.registry import BASELINES
from harness.spec import BadInput
from harness.types import Padded

MODALITIES = ("text", "vision", "audio")
SIZES = {"width": 6, "feedforward": 5, "dropout": 0.0, "fusion_dropout": 0.0}


def model(**config):
    torch.manual_seed(0)
    return MISA(MISAConfig(**{**SIZES, **config}), DATA.info)


def lstm_ends(lstm, steps):
    """Last states of both directions, step by step from the gates, and the states of all steps."""
    ends, states = [], []
    for suffix, order in (("", steps), ("_reverse", steps.flip(0))):
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        inner, outer, *biases = (getattr(lstm, f"{name}_l0{suffix}") for name in names)
        hidden = cell = torch.zeros(lstm.hidden_size)
        found = []
        for step in order:
            enters, stays, new, leaves = (inner @ step + outer @ hidden + sum(biases)).chunk(4)
            cell = stays.sigmoid() * cell + enters.sigmoid() * new.tanh()
            hidden = leaves.sigmoid() * cell.tanh()
            found.append(hidden)
        ends.append(hidden)
        states.append(torch.stack(found if suffix == "" else found[::-1]))
    return ends, torch.cat(states, dim=1)


def utterance(port, view, steps):
    stacked = port.recurrent[view]
    early, states = lstm_ends(stacked.first, steps)
    late, _ = lstm_ends(stacked.second, stacked.norm(states))
    return torch.cat([early[0], late[0], early[1], late[1]])


def projected(port, name, vector):
    linear, _, norm = port.projections[name]
    return norm((linear.weight @ vector + linear.bias).clamp(min=0))


def attended(fusion, rows):
    """One post-norm transformer layer over rows (6, D), every head on its own."""
    attention, width = fusion.self_attn, rows.shape[1]
    queries, keys, values = (rows @ attention.in_proj_weight.T + attention.in_proj_bias).split(width, 1)
    heads = []
    for part in torch.arange(width).chunk(attention.num_heads):
        shares = (queries[:, part] @ keys[:, part].T / len(part) ** 0.5).softmax(1)
        heads.append(shares @ values[:, part])
    states = fusion.norm1(rows + attention.out_proj(torch.cat(heads, dim=1)))
    return fusion.norm2(states + fusion.linear2(fusion.linear1(states).clamp(min=0)))


def naive(port, clip):
    """Equations 1 to 7 of the paper for one clip without padding: the score, and h of each kind."""
    found = {"text": clip["text"].mean(0)}
    found |= {view: utterance(port, view, clip[view]) for view in ("vision", "audio")}
    h = {name: projected(port, name, vector) for name, vector in found.items()}
    shared = {name: torch.sigmoid(port.shared(h[name])) for name in MODALITIES}
    private = {name: torch.sigmoid(port.private[name](h[name])) for name in MODALITIES}
    rebuilt = {name: port.rebuild[name](shared[name] + private[name]) for name in MODALITIES}
    rows = torch.stack([*private.values(), *shared.values()])
    fused = attended(port.fusion, rows).flatten()
    inner, _, _, outer = port.head
    score = outer.weight @ (inner.weight @ fused + inner.bias).clamp(min=0) + outer.bias
    parts = {"projected": h, "shared": shared, "private": private, "rebuilt": rebuilt}
    return score.squeeze(0), fused, parts


def alone(batch, row):
    """The existing steps of one clip."""
    views = {view: getattr(batch, view) for view in MODALITIES}
    return {view: padded.values[row, padded.mask[row]] for view, padded in views.items()}


@torch.no_grad()
def test_it_is_the_equations_of_the_paper_clip_by_clip():
    port, batch = model().train(), clips(4)
    outputs = port(batch)
    for row in range(len(batch)):
        score, fused, parts = naive(port, alone(batch, row))
        assert_close(outputs.score[row], score)
        assert_close(outputs.embedding[row], fused)
        for kind, values in parts.items():
            for name, value in values.items():
                assert_close(outputs.part(f"{name}_{kind}")[row], value)


def test_the_order_of_the_words_does_not_count_and_that_of_frames_does():
    port, batch = model().eval(), clips()
    assert int(batch.text.lengths.min()) < int(batch.text.lengths.max())

    def turned(padded):
        rows = [padded.values[row, : int(length)].flip(0) for row, length in enumerate(padded.lengths)]
        return Padded(
            torch.stack([torch.cat((r, p[len(r) :])) for r, p in zip(rows, padded.values, strict=True)]),
            padded.mask,
        )

    score = port(batch).score
    assert_close(port(replace(batch, text=turned(batch.text))).score, score)
    assert not torch.allclose(port(replace(batch, vision=turned(batch.vision))).score, score)


def test_a_sequence_without_a_step_counts_as_one_zero_step():
    port, batch = model().eval(), clips(2)

    def changed(steps):
        mask = torch.zeros_like(batch.audio.mask)
        mask[:, :steps] = True
        return replace(batch, audio=Padded(torch.zeros_like(batch.audio.values), mask))

    assert port(changed(0)).score.equal(port(changed(1)).score)


def test_the_peer_reads_no_more_frames_than_there_are_words():
    batch = clips()
    short = Padded(batch.text.values[:, :1], batch.text.mask[:, :1])
    cut = {
        view: Padded(getattr(batch, view).values[:, :1], getattr(batch, view).mask[:, :1])
        for view in ("vision", "audio")
    }
    found = {
        steps: model(steps=steps).eval()(replace(batch, text=short)).score for steps in ("paper", "peer")
    }
    assert_close(found["peer"], model().eval()(replace(batch, text=short, **cut)).score)
    assert not torch.allclose(found["paper"], found["peer"])


def test_a_reversed_gradient_is_the_values_forwards_and_the_turned_slope_backwards():
    values = torch.tensor([1.0, -2.0], requires_grad=True)
    found = reversed_gradient(values, 0.5)
    (found * torch.tensor([3.0, 4.0])).sum().backward()
    assert found.tolist() == [1, -2]
    assert values.grad.tolist() == [-1.5, -2]


def test_the_discriminator_learns_what_the_codes_unlearn():
    port, batch = model(similarity="adversarial", reversal=0.5).train(), clips()
    domain = torch.cat([port(batch).part(f"{name}_domain") for name in MODALITIES])
    shared = torch.cat([port(batch).part(f"{name}_shared") for name in MODALITIES])
    assert_close(domain, port.discriminator(shared))
    weights = (port.discriminator[0].weight, port.shared.weight)
    ours = torch.autograd.grad(domain.square().sum(), weights)
    plain = torch.autograd.grad(port.discriminator(shared).square().sum(), weights)
    assert_close(ours[0], plain[0])
    assert_close(ours[1], -0.5 * plain[1])


def test_without_a_discriminator_there_are_no_weights_of_one():
    counts = {
        way: sum(p.numel() for p in model(similarity=way).parameters()) for way in ("cmd", "adversarial")
    }
    assert counts["adversarial"] - counts["cmd"] == 6 * 6 + 6 + 3 * 6 + 3


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(BadInput, match="width 5 is not a multiple of heads 2"):
        BASELINES.get("misa").configure({"width": 5})
