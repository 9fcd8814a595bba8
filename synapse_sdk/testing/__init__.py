"""For authors of plugins: run an action inside a test, and prove that a failed run leaves nothing behind."""

from synapse_sdk.testing.clock import FakeClock
from synapse_sdk.testing.run import run_in_memory
from synapse_sdk.testing.trees import snapshot_tree

__all__ = ["FakeClock", "run_in_memory", "snapshot_tree"]
