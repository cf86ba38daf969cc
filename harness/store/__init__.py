"""Where results live: MLflow for users, memory for tests, one contract for both."""

from harness.store.base import ResultStore

__all__ = ["ResultStore"]
