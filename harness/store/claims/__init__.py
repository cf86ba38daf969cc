"""Who works on which trial: so that several runners on one store share a study and repeat nothing."""

from harness.store.claims.base import BEAT_SECONDS, LIFETIME_SECONDS, Claim, Claims, Owner
from harness.store.claims.heart import Heart
from harness.store.claims.memory import MemoryClaims
from harness.store.claims.open import open_claims

__all__ = [
    "BEAT_SECONDS",
    "LIFETIME_SECONDS",
    "Claim",
    "Claims",
    "Heart",
    "MemoryClaims",
    "Owner",
    "open_claims",
]
