from datetime import UTC, datetime

import pytest

from synapse_sdk.testing.clock import FakeClock


def test_time_passes_only_by_hand() -> None:
    """Advancing and sleeping are the same."""
    clock = FakeClock(datetime(2025, 11, 24, tzinfo=UTC))
    clock.advance(1.5)
    clock.sleep(0.5)

    assert clock.now() == datetime(2025, 11, 24, 0, 0, 2, tzinfo=UTC)
    assert clock.monotonic() == 2.0


def test_time_does_not_go_back() -> None:
    """A negative step is a mistake of the test."""
    with pytest.raises(ValueError, match="does not go back"):
        FakeClock().advance(-1.0)
