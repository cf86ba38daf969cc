"""Settings of the test run; fixtures live beside the tests that use them."""

from hypothesis import settings

# Shared machines stall for longer than any deadline, and a run must find the same things twice.
settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("repeatable")
