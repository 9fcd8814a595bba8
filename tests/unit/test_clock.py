from datetime import UTC, datetime

from synapse_sdk.clock import SYSTEM_CLOCK, Clock, SystemClock
from synapse_sdk.testing import FakeClock
from tests.unit.steps.scripted import HeldClock


def test_now_is_an_aware_instant_in_utc() -> None:
    """Whatever zone the machine is in."""
    before = datetime.now(UTC)
    now = SYSTEM_CLOCK.now()

    assert now.tzinfo is UTC
    assert before <= now <= datetime.now(UTC)


def test_monotonic_never_goes_back() -> None:
    """That is what durations are measured with."""
    readings = [SYSTEM_CLOCK.monotonic() for _ in range(1000)]

    assert readings == sorted(readings)


def test_sleeping_for_no_time_returns() -> None:
    """The real clock really waits; the rest is the operating system's."""
    begin = SYSTEM_CLOCK.monotonic()
    SYSTEM_CLOCK.sleep(0.0)

    assert SYSTEM_CLOCK.monotonic() >= begin


def test_every_clock_we_have_is_a_clock() -> None:
    """Checked by mypy, which reads the annotation."""
    clocks: list[Clock] = [SystemClock(), FakeClock(), HeldClock()]

    assert all(clock.now().utcoffset() is not None for clock in clocks)
