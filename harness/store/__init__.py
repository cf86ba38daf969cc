"""Where results live: MLflow for users, memory for tests, one contract for both.

A finished trial gets there in two steps: its worker commits it to an `Outbox` on disk, and a
`Courier` carries it to the store, now or when the store answers again.
"""

from harness.store.base import ResultStore, StoreFault
from harness.store.buffered import BufferedStore
from harness.store.courier import Courier
from harness.store.memory import MemoryStore
from harness.store.open import open_store
from harness.store.outbox import Outbox

__all__ = [
    "BufferedStore",
    "Courier",
    "MemoryStore",
    "Outbox",
    "ResultStore",
    "StoreFault",
    "open_store",
]
