"""Who works on which trial: so that several runners on one store share a study and repeat nothing."""

from harness.store.claims.base import Claim, Claims, Owner
from harness.store.claims.memory import MemoryClaims

__all__ = ["Claim", "Claims", "MemoryClaims", "Owner"]
