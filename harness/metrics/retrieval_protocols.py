"""The published retrieval protocols as a table: what is compared, how deep, and what AP is divided by.

Papers print "mAP" for different numbers; each of their codes is a value of `RetrievalRules` here, and
`harness.metrics.ranking` is the one engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.spec import RetrievalProtocol


@dataclass(frozen=True)
class RetrievalRules:
    """One way of turning a query's ranking of the gallery into its average precision.

    With precision P_j = (relevant items among the first j) / j, AP is the sum of P_j over the ranks j of
    relevant items down to the depth, over the denominator.

    Attributes:
        similarity: what the gallery is ranked by, highest cosine or smallest distance first.
        depth: how many ranks count: a number, as many as there are queries, or None for all.
        denominator: all R relevant items of the gallery, the hits down to the depth, or the smaller of
            R and the depth.
        no_relevant: a query whose class the gallery does not have is refused, or its AP is 0.
        is_prefix_averaged: AP is the mean over j = 1 … depth of what it would be at depth j.
    """

    similarity: Literal["cosine", "euclidean"] = "cosine"
    depth: int | Literal["queries"] | None = None
    denominator: Literal["relevant", "hits", "min"] = "relevant"
    no_relevant: Literal["refuse", "zero"] = "refuse"
    is_prefix_averaged: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.depth, int) and self.depth < 1:
            raise ValueError(f"expected a depth of at least 1, given {self.depth}")
        if self.is_prefix_averaged and self.denominator != "hits":
            raise ValueError(f"prefixes are averaged over hits, given '{self.denominator}'")

    def ranks(self, queries: int, gallery: int) -> int:
        """How many ranks count for so many queries and items."""
        if self.depth is None:
            return gallery
        return min(queries if self.depth == "queries" else self.depth, gallery)


FULL = RetrievalRules()

TNN_C_CCA = RetrievalRules(no_relevant="zero")

# One vector of labels serves both sides there, and a depth of 0 means the number of queries.
DSCMR = RetrievalRules(depth="queries", denominator="hits", no_relevant="zero")

MRL_50 = RetrievalRules(depth=50, denominator="hits", no_relevant="zero")

ACMR_50 = RetrievalRules(similarity="euclidean", depth=50, denominator="hits", no_relevant="zero")

# Public code of one group (causalCMR) appends the AP so far after every rank, not after the last one,
# so that the mean is over prefixes too. Early ranks are the best ones of a learnt ranking and are in
# every prefix: the number is too high. For recognising such a number, never to be printed as mAP.
PREFIX = RetrievalRules(depth="queries", denominator="hits", no_relevant="zero", is_prefix_averaged=True)

RETRIEVAL_PROTOCOLS: dict[RetrievalProtocol, RetrievalRules] = {
    "full": FULL,
    "tnn_c_cca": TNN_C_CCA,
    "dscmr": DSCMR,
    "mrl_50": MRL_50,
    "acmr_50": ACMR_50,
    "prefix": PREFIX,
}
"""The protocols a study can name; "full" is the default."""
