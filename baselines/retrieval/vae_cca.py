"""VAE-CCA: two variational autoencoders whose latent spaces correlate."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import relu

from harness.nn.retrieval.gaussian import drawn
from harness.nn.retrieval.told import LABELS, labels
from harness.nn.retrieval.towers import VIEWS, PairConfig, pooled
from harness.registry import BASELINES
from harness.spec import IntSpace
from harness.types import Batch, DataInfo, Outputs

WHAT = ("features", "reconstruction", "translation", "mean", "log_variance")
"""The parts of each modality that `variational_bound` reads."""


class VAECCAConfig(PairConfig):
    """Sizes as in the authors' code."""

    hidden: int = Field(512, ge=2, le=16384, description="units of an encoder, and of the decoder")

    def parts(self) -> frozenset[str]:
        """What the bound reads of both modalities, and predicted labels of each."""
        return LABELS | {f"{view}_{what}" for view in VIEWS for what in WHAT}


@BASELINES.register(
    "vae_cca",
    config=VAECCAConfig,
    paper="Zhang, Yu, Tang, Wu and Li 2023, Variational Autoencoder with CCA for Audio-Visual "
    "Cross-Modal Retrieval, ACM TOMM, arXiv 2112.02601 (abstract read); layers as in their public code",
    tiny={"width": 3, "hidden": 6},
    space={
        "width": IntSpace(low=16, high=256, log=True),
        "hidden": IntSpace(low=64, high=1024, log=True),
    },
)
class VAECCA(nn.Module):
    """An encoder a modality, one latent space, one decoder but for its last layer, one classifier.

    Clips are found by the means of their latent distributions. In training the embeddings are draws, so
    that noise is in every loss, and the decoder and the classifier are asked too; these are parameters
    of the model, though no search needs them. The authors' code trains on `variational_bound`,
    `label_regression`, `pairwise_likelihood`, `pair_distance` and a pull to class centres, and has no
    CCA. The abstract correlates latent spaces by clip and by class: `cca_correlation` and
    `cluster_correlation`, which no linear map of either space changes, so that cosines mean something
    only with a loss beside them that brings sounds to their pictures. The code's decoder is linear,
    here its hidden layer is rectified; translation to the other modality is ours.
    """

    def __init__(self, config: VAECCAConfig, info: DataInfo) -> None:
        super().__init__()
        widths = {view: info.width(view) for view in VIEWS}
        hidden, width = config.hidden, config.width
        self.encoders = nn.ModuleDict({view: nn.Linear(widths[view], hidden) for view in VIEWS})
        self.latent = nn.Linear(hidden, width)
        self.mean = nn.Linear(width, width)
        self.log_variance = nn.Linear(width, width)
        self.decoder = nn.Linear(width, hidden)
        self.rebuilt = nn.ModuleDict({view: nn.Linear(hidden, widths[view]) for view in VIEWS})
        self.classifier = nn.Linear(width, len(info.classes))

    def forward(self, batch: Batch) -> Outputs:
        """Latent means (B, D) of sound and pictures; in training a draw of each, and the parts."""
        features = {"audio": pooled(batch.audio), "vision": pooled(batch.vision)}
        codes = {view: self.latent(relu(self.encoders[view](features[view]))) for view in VIEWS}
        means = {view: self.mean(codes[view]) for view in VIEWS}
        if not self.training:
            return Outputs(audio_embedding=means["audio"], vision_embedding=means["vision"])
        spreads = {view: self.log_variance(codes[view]) for view in VIEWS}
        draws = {view: drawn(means[view], spreads[view]) for view in VIEWS}
        parts = labels(self.classifier, draws["audio"], draws["vision"])
        for view, other in (VIEWS, VIEWS[::-1]):
            said = (
                features[view],
                self._rebuilt(draws[view], view),
                self._rebuilt(draws[other], view),
                means[view],
                spreads[view],
            )
            parts |= {f"{view}_{what}": tensor for what, tensor in zip(WHAT, said, strict=True)}
        return Outputs(audio_embedding=draws["audio"], vision_embedding=draws["vision"], parts=parts)

    def _rebuilt(self, draw: Tensor, view: str) -> Tensor:
        """(B, D) features of a modality from a latent vector of either."""
        found: Tensor = self.rebuilt[view](relu(self.decoder(draw)))
        return found
