"""Graph-MFN: a gated memory of what a dynamic graph makes of one, two and three modalities."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from baselines.sentiment.mfn import MEMORY_SPACE, TINY_MEMORY, MemoryBaseline, MemoryConfig
from harness.nn.memory import GatedMemory, Inner, SystemOfLSTMs, at_end, deltas, existing, two_layers
from harness.registry import BASELINES
from harness.spec import FloatSpace, IntSpace
from harness.types import Batch, DataInfo, Outputs

Vertex = tuple[int, ...]
"""Which modalities a vertex of the graph is made of."""

SINGLES: tuple[Vertex, ...] = ((0,), (1,), (2,))
JOINED: tuple[Vertex, ...] = ((0, 1), (0, 2), (1, 2), (0, 1, 2))


class GraphMFNConfig(MemoryConfig):
    """Sizes of the graph and of the head, and how the graph's networks are built."""

    memory: int = Field(300, ge=1, description="width of the memory")
    vertex: int = Field(64, ge=1, description="width of the vertices of several modalities")
    graph_width: int = Field(100, ge=1, description="hidden layer of the graph's networks")
    proposal_width: int = Field(32, ge=1, description="hidden layer of the network of new memories")
    retain_width: int = Field(128, ge=1, description="hidden layer of the retain gate")
    retain_dropout: float = Field(0.5, ge=0, lt=1, description="dropout of the retain gate")
    update_width: int = Field(64, ge=1, description="hidden layer of the update gate")
    head_width: int = Field(256, ge=1, description="hidden layer of the head")
    head_dropout: float = Field(0.0, ge=0, lt=1, description="dropout of the head")
    efficacies: Literal["paper", "peer"] = Field(
        "paper", description="how much an edge counts: paper = 0 to 1 (logistic), peer = any number"
    )
    networks: Literal["paper", "peer"] = Field(
        "paper", description="the graph's networks: paper = ReLU between layers, peer = linear"
    )
    vertices: Literal["paper", "peer"] = Field(
        "paper",
        description="networks of the vertices of several modalities: paper = trained, "
        "peer = random for ever (its optimiser is not told of them)",
    )


class DynamicFusionGraph(nn.Module):
    """The vertices of one, two and three modalities, and an output that all of them lead to.

    Section 4.1: a vertex is a network of all vertices of some of its modalities, each multiplied by
    the efficacy of its edge. A network of the three single vertices gives all nineteen efficacies.
    """

    def __init__(self, widths: Sequence[int], config: GraphMFNConfig) -> None:
        super().__init__()
        size = {**dict(zip(SINGLES, widths, strict=True)), **dict.fromkeys(JOINED, config.vertex)}
        inner, is_deep = config.graph_width, config.networks == "paper"
        edges = sum(len(_below(vertex)) for vertex in JOINED) + len(size)
        self.networks = nn.ModuleList(
            _network([sum(size[part] for part in _below(vertex)), inner, config.vertex], is_deep)
            for vertex in JOINED
        )
        if config.vertices == "peer":
            _untrained(self.networks)
        self.output = _network([sum(size.values()), inner, config.vertex], is_deep)
        self.efficacy = _network([sum(widths), inner, config.vertex, edges], is_deep)
        self.are_shares = config.efficacies == "paper"

    def forward(self, singles: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """The output vertex (..., D), and the efficacies (..., 19).

        The efficacies of the edges into (0, 1), (0, 2), (1, 2), (0, 1, 2), and of those into the output.
        """
        efficacies = self.efficacy(torch.cat(list(singles), dim=-1))
        if self.are_shares:
            efficacies = efficacies.sigmoid()
        edges = iter(efficacies.split(1, dim=-1))
        found: dict[Vertex, Tensor] = dict(zip(SINGLES, singles, strict=True))
        for vertex, network in zip(JOINED, self.networks, strict=True):
            found[vertex] = network(torch.cat([found[p] * next(edges) for p in _below(vertex)], dim=-1))
        everything = torch.cat([value * next(edges) for value in found.values()], dim=-1)
        return self.output(everything), efficacies


@BASELINES.register(
    "graph_mfn",
    config=GraphMFNConfig,
    paper="Zadeh et al. 2018, Multimodal Language Analysis in the Wild, doi 10.18653/v1/P18-1208, "
    "section 4 (Dynamic Fusion Graph, Graph-MFN)",
    tiny={**TINY_MEMORY, "vertex": 3, "graph_width": 4, "head_width": 4},
    space={
        **MEMORY_SPACE,
        "vertex": IntSpace(low=16, high=128, log=True),
        "head_width": IntSpace(low=32, high=256, log=True),
        "head_dropout": FloatSpace(low=0, high=0.7),
    },
)
class GraphMFN(MemoryBaseline):
    """An MFN whose attention is replaced by a graph over the LSTMs' states at steps t-1 and t.

    The paper also mentions a network from the graph's output back to the LSTMs, without an equation;
    neither the peer nor this port has it.
    """

    def __init__(self, config: GraphMFNConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        states = config.states()
        self.lstms = SystemOfLSTMs(self.widths_in, states)
        self.singles = nn.ModuleDict(
            {view: nn.Linear(2 * width, width) for view, width in states.items()}
        )
        self.graph = DynamicFusionGraph(list(states.values()), config)
        self.memory = GatedMemory(config.vertex, config.sizes())
        fused = sum(states.values()) + config.memory
        self.head = two_layers(fused, Inner(config.head_width, config.head_dropout), 1)

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,), and the last states of the LSTMs beside the memory (B, Ht + Ha + Hv + M)."""
        sequences = self.named(batch)
        hidden, _ = self.lstms(sequences)
        singles = [
            layer(deltas(states)).relu()
            for layer, states in zip(self.singles.values(), hidden, strict=True)
        ]
        joined, _ = self.graph(singles)
        states = torch.cat((*hidden, self.memory(joined)), dim=2)
        fused = at_end(states, existing(*sequences.values()))
        return Outputs(self.head(fused).squeeze(1), embedding=fused)


def _below(vertex: Vertex) -> list[Vertex]:
    """The vertices with an edge to this one: made of some of its modalities, and not of all."""
    return [part for size in range(1, len(vertex)) for part in combinations(vertex, size)]


def _network(widths: Sequence[int], is_deep: bool) -> nn.Sequential:
    """Linear layers, with a ReLU between them if it is deep."""
    layers: list[nn.Module] = []
    for inner, outer in pairwise(widths):
        layers += [nn.Linear(inner, outer), nn.ReLU() if is_deep else nn.Identity()]
    return nn.Sequential(*layers[:-1])


def _untrained(networks: nn.Module) -> None:
    """Makes buffers of all weights: kept with the model, and unknown to any optimiser."""
    for layer in networks.modules():
        for name, value in list(layer.named_parameters(recurse=False)):
            delattr(layer, name)
            layer.register_buffer(name, value.detach())
