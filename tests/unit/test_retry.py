import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_sdk.errors import ConfigurationError, SynapseError, WorkerLostError
from synapse_sdk.retry import RetryPolicy, retry
from tests.unit.steps.scripted import HeldClock


def _failing(*errors: Exception) -> Callable[[], str]:
    """Return a function that raises these, one a call, and then returns `done`."""
    left = list(errors)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return call


def test_pauses_grow_to_a_limit() -> None:
    """And there is none after the last try."""
    policy = RetryPolicy(max_attempts=6, delay=1.0, factor=3.0, max_delay=10.0, jitter=0.0)

    assert list(policy.delays()) == [1.0, 3.0, 9.0, 10.0, 10.0, None]


def test_one_attempt_has_no_pause() -> None:
    """Trying once is a policy, too."""
    assert list(RetryPolicy(max_attempts=1).delays()) == [None]


def test_many_attempts_do_not_overflow() -> None:
    """A worker that waits for weeks."""
    *pauses, last = RetryPolicy(max_attempts=5000, jitter=0.0).delays()

    assert pauses[-1] == 30.0
    assert last is None


@given(
    attempts=st.integers(1, 8),
    delay=st.just(0.0) | st.floats(1e-6, 100),
    factor=st.floats(1, 10),
    max_delay=st.floats(0, 100),
    jitter=st.floats(0, 1),
)
def test_every_pause_is_within_its_bounds(
    attempts: int, delay: float, factor: float, max_delay: float, jitter: float
) -> None:
    """Jitter only shortens; a try more than pauses."""
    policy = RetryPolicy(max_attempts=attempts, delay=delay, factor=factor, max_delay=max_delay, jitter=jitter)

    *pauses, last = policy.delays()

    assert last is None
    assert len(pauses) == attempts - 1
    for number, pause in enumerate(pauses):
        assert pause is not None
        whole = min(delay * factor**number, max_delay)
        assert whole * (1 - jitter) * (1 - 1e-9) <= pause <= whole * (1 + 1e-9)


def test_jitter_comes_from_the_given_source() -> None:
    """A test can hold chance still."""
    first = RetryPolicy(jitter=0.5, rng=random.Random(7))  # noqa: S311  # only spreads load
    second = RetryPolicy(jitter=0.5, rng=random.Random(7))  # noqa: S311  # only spreads load

    assert list(first.delays()) == list(second.delays())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_attempts", 0),
        ("delay", -1.0),
        ("delay", float("nan")),
        ("factor", 0.5),
        ("max_delay", -1.0),
        ("jitter", 1.1),
        ("jitter", float("nan")),
    ],
)
def test_numbers_that_make_no_sense_are_refused_by_name(name: str, value: float) -> None:
    """When the policy is made, not in the middle of the night."""
    options: dict[str, Any] = {name: value}

    with pytest.raises(ConfigurationError, match=f"RetryPolicy got {name}="):
        RetryPolicy(**options)


class _FinalError(SynapseError):
    """Trying again does not help."""


@pytest.mark.parametrize(
    ("retry_on", "error", "expected"),
    [
        (None, OSError(), True),
        (None, WorkerLostError("lost"), True),
        (None, _FinalError("no"), False),
        (OSError, FileNotFoundError(), True),
        (OSError, ValueError(), False),
        ((OSError, ValueError), ValueError(), True),
        ((), ValueError(), False),
        (lambda error: "busy" in str(error), OSError("busy"), True),
        (lambda error: "busy" in str(error), OSError("gone"), False),
    ],
)
def test_what_is_worth_another_try(retry_on: Any, error: Exception, expected: bool) -> None:  # noqa: ANN401, FBT001  # parameters of the test
    """By type, by question, or as the error itself knows."""
    assert RetryPolicy(retry_on=retry_on).should_retry(error) is expected


def test_a_call_is_retried_until_it_returns() -> None:
    """With the policy's pauses."""
    clock = HeldClock()

    assert retry(_failing(OSError(), OSError()), RetryPolicy(delay=1.0, jitter=0.0), clock=clock) == "done"
    assert clock.pauses == [1.0, 2.0]


def test_the_last_exception_goes_on_as_it_is() -> None:
    """Not wrapped, and without a pause after it."""
    clock, last = HeldClock(), OSError("last")

    with pytest.raises(OSError, match="last") as caught:
        retry(_failing(OSError("first"), last), RetryPolicy(max_attempts=2, jitter=0.0), clock=clock)

    assert caught.value is last
    assert len(clock.pauses) == 1


def test_what_is_not_retried_goes_on_at_once() -> None:
    """No pause."""
    clock = HeldClock()

    with pytest.raises(ValueError, match="wrong"):
        retry(_failing(ValueError("wrong")), RetryPolicy(retry_on=OSError), clock=clock)

    assert clock.pauses == []


def test_an_interruption_is_never_retried() -> None:
    """Ctrl-C means now."""
    clock = HeldClock()

    def call() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retry(call, RetryPolicy(), clock=clock)

    assert clock.pauses == []
