"""Graph-MFN with the peer's linear graph, whose inner vertices no optimiser knows."""

from __future__ import annotations

from MMSA.models.singleTask.Graph_MFN import Graph_MFN as PeerGraphMFN
from pairing import Pair, clips, info
from torch import nn

from baselines.sentiment.graph_mfn import JOINED, GraphMFN, GraphMFNConfig
from pairs.mfn import DROPOUTS, HEAD, LETTERS, SIZES, inner, layers, lstms, memory, peer_arguments

VERTEX = 7


def pair() -> Pair:
    """The pair at small sizes, with the peer's hidden layers of 100."""
    batch = clips()
    switches = {"gates": "peer", "efficacies": "peer", "networks": "peer", "vertices": "peer"}
    port = GraphMFN(GraphMFNConfig(vertex=VERTEX, **switches, **SIZES, **DROPOUTS, **HEAD), info(batch))
    arguments = peer_arguments()
    arguments.inner_node_dim, arguments.NNConfig = VERTEX, inner(SIZES["proposal_width"])
    peer = PeerGraphMFN(arguments)
    showing_what_it_hides(peer.graph_mfn)

    def score():
        return peer(batch.text.values, batch.audio.values, batch.vision.values)["M"].squeeze(1)

    return Pair(
        port, peer, {**lstms("", ""), **graph(), **memory("", ""), **layers("head", "out")}, batch, score
    )


def showing_what_it_hides(peer: nn.Module) -> None:
    """Registers the networks that the peer keeps in a dict, as buffers: nothing trains them."""
    peer.hidden = nn.ModuleList(peer.networks[vertex] for vertex in JOINED)
    for layer in peer.hidden.modules():
        for name, value in list(layer.named_parameters(recurse=False)):
            delattr(layer, name)
            layer.register_buffer(name, value.detach())


def graph() -> dict[str, str]:
    """Weights of the graph and of its single vertices."""
    places = {f"singles.{view}": f"{letter}_transform" for view, letter in LETTERS.items()}
    for row in range(len(JOINED)):
        places |= {
            f"graph.networks.{row}.0": f"graph_mfn.hidden.{row}.0",
            f"graph.networks.{row}.2": f"graph_mfn.hidden.{row}.1.0",
        }
    places |= {"graph.output.0": "graph_mfn.t_network.0", "graph.output.2": "graph_mfn.t_network.1.0"}
    for ours, theirs in ((0, "0"), (2, "1.0"), (4, "2")):
        places[f"graph.efficacy.{ours}"] = f"graph_mfn.efficacy_model.{theirs}"
    return {
        f"{ours}.{kind}": f"{theirs}.{kind}"
        for ours, theirs in places.items()
        for kind in ("weight", "bias")
    }
