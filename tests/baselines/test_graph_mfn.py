"""The dynamic fusion graph against its definition, and where the port departs from the peer."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from toy import Toy, ToyConfig

from baselines.sentiment.graph_mfn import DynamicFusionGraph, GraphMFN, GraphMFNConfig

DATA = Toy(ToyConfig()).load()
SMALL = {"text_width": 4, "vision_width": 3, "audio_width": 2, "memory": 5, "vertex": 3}
WIDTHS = (4, 2, 3)


def graph(**params):
    torch.manual_seed(0)
    return DynamicFusionGraph(WIDTHS, GraphMFNConfig(**SMALL, graph_width=6, **params))


def model(**params):
    torch.manual_seed(0)
    return GraphMFN(GraphMFNConfig(**SMALL, align="pool", **params), DATA.info).eval()


def singles(clips=3):
    draw = torch.Generator().manual_seed(0)
    return [torch.randn(clips, width, generator=draw) for width in WIDTHS]


def by_hand(found, l, a, v):  # noqa: E741 - the letters of the paper
    """The output vertex, edge by edge."""
    e = found.efficacy(torch.cat((l, a, v), dim=1)).sigmoid().unsqueeze(2).unbind(1)
    la, lv, av, lav = found.networks
    l_a = la(torch.cat((e[0] * l, e[1] * a), dim=1))
    l_v = lv(torch.cat((e[2] * l, e[3] * v), dim=1))
    a_v = av(torch.cat((e[4] * a, e[5] * v), dim=1))
    joined = (e[6] * l, e[7] * a, e[8] * v, e[9] * l_a, e[10] * l_v, e[11] * a_v)
    l_a_v = lav(torch.cat(joined, dim=1))
    last = (e[12] * l, e[13] * a, e[14] * v, e[15] * l_a, e[16] * l_v, e[17] * a_v, e[18] * l_a_v)
    return found.output(torch.cat(last, dim=1))


def test_a_vertex_is_a_network_of_those_below_it_each_times_its_efficacy():
    found = graph()
    output, _ = found(singles())
    assert_close(output, by_hand(found, *singles()))


def test_there_are_nineteen_efficacies_between_zero_and_one():
    _, efficacies = graph()(singles())
    assert efficacies.shape == (3, 19)
    assert 0 < efficacies.min() < efficacies.max() < 1


def test_the_peers_efficacies_are_any_number():
    found = graph(efficacies="peer")
    nn.init.constant_(found.efficacy[-1].bias, -5.0)
    _, efficacies = found(singles())
    assert efficacies.max() < 0


def test_the_peers_networks_are_linear():
    found = graph(networks="peer")
    layer = found.output
    first, second = layer[0], layer[2]
    vertices = torch.randn(2, first.in_features)
    expected = vertices @ (second.weight @ first.weight).T + second.weight @ first.bias + second.bias
    assert_close(layer(vertices), expected)
    assert not torch.allclose(graph().output(vertices), expected, atol=1e-3)


def test_steps_do_not_see_each_other():
    found, each = graph(), singles(6)
    alone, _ = found(each)
    together, _ = found([single.view(2, 3, -1) for single in each])
    assert_close(together.reshape(6, -1), alone)


def test_the_peers_inner_vertices_are_kept_and_not_trained():
    paper, peer = model(), model(vertices="peer")
    names = {name for name in paper.state_dict() if name.startswith("graph.networks.")}
    assert len(names) == 4 * 2 * 2
    assert names <= dict(paper.named_parameters()).keys()
    assert names <= dict(peer.named_buffers()).keys()
    assert paper.state_dict().keys() == peer.state_dict().keys()
    assert paper(DATA.test).score.equal(peer(DATA.test).score)


def test_the_score_is_read_from_the_last_states_and_the_memory():
    found = model()
    outputs = found(DATA.test)
    assert outputs.embedding.shape == (16, 4 + 3 + 2 + 5)
    assert found.head(outputs.embedding).squeeze(1).equal(outputs.score)


def test_single_vertices_are_made_of_the_states_at_two_steps():
    found, seen = model(), []
    found.graph.register_forward_hook(lambda module, inputs, output: seen.extend(inputs[0]))
    found(DATA.test)
    hidden, _ = found.lstms(found.named(DATA.test))
    for single, states, layer in zip(seen, hidden, found.singles.values(), strict=True):
        first = torch.cat((torch.zeros_like(states[:, 0]), states[:, 0]), dim=1)
        second = torch.cat((states[:, 0], states[:, 1]), dim=1)
        assert_close(single[:, 0], layer(first).relu())
        assert_close(single[:, 1], layer(second).relu())


@pytest.mark.parametrize("gates", ["paper", "peer"])
def test_clips_without_a_step_have_the_score_of_an_empty_memory(gates):
    found = model(gates=gates)
    views = {view: getattr(DATA.test, view) for view in ("text", "vision", "audio")}
    silent = {
        view: replace(each, values=0 * each.values, mask=torch.zeros_like(each.mask))
        for view, each in views.items()
    }
    outputs = found(replace(DATA.test, **silent))
    assert not outputs.embedding.any()
    assert outputs.score.equal(found.head(torch.zeros(16, 14)).squeeze(1))
