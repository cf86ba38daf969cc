"""What rankings that know nothing reach."""

from __future__ import annotations


def chance_ap(relevant: int, total: int) -> float:
    """The expected average precision, over the whole ranking, of a uniformly random one.

    With R relevant of N items, AP is 1/R times the sum over ranks k of r_k · h_k / k, where r_k says
    whether rank k is relevant and h_k counts the relevant up to it. Given r_k = 1, each of the k - 1
    items before it is relevant with probability (R - 1) / (N - 1), so that
    E[AP] = 1/N · sum over k of (1 + (k - 1) (R - 1) / (N - 1)) / k
    = (R - 1) / (N - 1) + H_N / N · (N - R) / (N - 1), H_N the N-th harmonic number.

    Raises:
        ValueError: `relevant` is not in [1, `total`].
    """
    if not 1 <= relevant <= total:
        raise ValueError(f"expected 1 to {total} relevant items of {total}, given {relevant}")
    if total == 1:
        return 1.0
    harmonic = sum(1 / rank for rank in range(1, total + 1))
    share = (relevant - 1) / (total - 1)
    return share + harmonic / total * (total - relevant) / (total - 1)
