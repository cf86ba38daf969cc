"""Where results live: MLflow for users, memory for tests, one contract for both."""

from harness.store.base import ResultStore
from harness.store.memory import MemoryStore
from harness.store.open import open_store

__all__ = ["MemoryStore", "ResultStore", "open_store"]
