"""The plain student of retrieval: a tower for the sound, a tower for the pictures."""

from __future__ import annotations

from torch import nn

from harness.nn.retrieval.told import LABELS, labels, told
from harness.nn.retrieval.towers import Towers, TowersConfig
from harness.registry import STUDENTS
from harness.spec import FloatSpace, IntSpace, OutputName
from harness.types import Batch, DataInfo, Outputs


class TwoTowerConfig(TowersConfig):
    """Sizes of the towers."""

    def gives(self) -> frozenset[OutputName]:
        """Also the clip as a whole, for losses that compare clips with a teacher's."""
        return super().gives() | {"embedding"}

    def parts(self) -> frozenset[str]:
        """Class logits of each modality."""
        return LABELS


@STUDENTS.register(
    "two_tower",
    config=TwoTowerConfig,
    paper="ours; two towers as in Huang et al., CIKM 2013, doi 10.1145/2505515.2505665",
    tiny={"width": 4, "hidden": 8},
    space={
        "width": IntSpace(low=16, high=128, log=True),
        "hidden": IntSpace(low=64, high=512, log=True),
        "layers": IntSpace(low=1, high=3),
        "dropout": FloatSpace(low=0, high=0.5),
    },
)
class TwoTower(nn.Module):
    """A vector of the sound and one of the pictures, by a multilayer perceptron each.

    While it is trained one linear layer tells the class from either vector.
    """

    def __init__(self, config: TwoTowerConfig, info: DataInfo) -> None:
        super().__init__()
        self.towers = Towers(config, info)
        self.classifier = nn.Linear(config.width, len(info.classes))

    def forward(self, batch: Batch) -> Outputs:
        """Both vectors (B, D), the clip (B, 2 D) and, in training, class logits of each (B, K)."""
        audio, vision = self.towers(batch)
        return told(audio, vision, labels(self.classifier, audio, vision) if self.training else {})
