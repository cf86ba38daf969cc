"""MFN: what its score is read from, its bad inputs, and where it departs from the peer."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close
from toy import Toy, ToyConfig

from baselines.sentiment.mfn import MFN, MFNConfig
from harness.spec import BadInput
from harness.types import Padded

DATA = Toy(ToyConfig()).load()
SMALL = {"text_width": 4, "vision_width": 3, "audio_width": 2, "memory": 5}


def one_step(batch):
    """The same clips with one step in every modality, as utterance-level features have it."""
    views = {view: getattr(batch, view) for view in ("text", "vision", "audio")}
    return replace(
        batch, **{view: Padded(found.values[:, :1], found.mask[:, :1]) for view, found in views.items()}
    )


def model(**params):
    torch.manual_seed(0)
    info = replace(DATA.info, is_aligned=True)
    return MFN(MFNConfig(**SMALL, **params), info).eval()


def test_the_score_is_read_from_the_last_states_and_the_memory():
    found = model(align="pool")
    outputs = found(DATA.test)
    assert outputs.embedding.shape == (16, 4 + 3 + 2 + 5)
    assert found.head(outputs.embedding).squeeze(1).equal(outputs.score)


def test_of_a_single_step_the_cells_before_it_are_zero():
    found, batch = model(), one_step(DATA.test)
    hidden, cells = found.fusion.lstms(found.named(batch))
    now = torch.cat(cells, dim=2)[:, 0]
    change = torch.cat((torch.zeros_like(now), now), dim=1)
    attended = found.fusion.attention(change).softmax(1) * change
    memory = found.fusion.memory
    kept = memory.update(attended).sigmoid() * memory.proposal(attended).tanh()
    assert_close(found(batch).embedding, torch.cat((*(each[:, 0] for each in hidden), kept), dim=1))


def test_gates_that_read_the_memory_cost_weights_and_change_nothing_before_there_is_a_memory():
    paper, peer = model(), model(gates="peer")
    counts = [sum(p.numel() for p in each.parameters()) for each in (paper, peer)]
    hidden = MFNConfig().retain_width + MFNConfig().update_width
    assert counts[1] - counts[0] == hidden * SMALL["memory"]
    state = peer.state_dict()
    for gate in ("retain", "update"):
        name = f"fusion.memory.{gate}.0.weight"
        state[name] = state[name][:, : -SMALL["memory"]]
    paper.load_state_dict(state)
    batch = one_step(DATA.test)
    assert_close(paper(batch).score, peer(batch).score)
    assert not paper.train()(batch).score.equal(peer(batch).score)


def test_unaligned_data_are_refused_before_training():
    with pytest.raises(BadInput, match=r"aligned word by word.*align: pool"):
        MFN(MFNConfig(), DATA.info)


def test_other_steps_beside_the_text_are_refused_in_a_batch_too():
    batch = one_step(DATA.test)
    with pytest.raises(ValueError, match="steps of vision beside 1 of text"):
        model()(replace(batch, vision=DATA.test.vision))


def test_a_modality_may_end_before_the_others():
    found, batch = model(), one_step(DATA.test)
    gone = Padded(torch.zeros_like(batch.text.values), torch.zeros_like(batch.text.mask))
    score = found(replace(batch, text=gone)).score
    assert score.isfinite().all()
    # A step that one modality lacks is one of zeros, as where a modality is missing with its mask kept.
    assert score.equal(found(replace(batch, text=Padded(gone.values, batch.text.mask))).score)
