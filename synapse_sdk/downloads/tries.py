"""Whether something is asked for again that could not be had, and when."""

from synapse_sdk.clock import Clock
from synapse_sdk.downloads.deadline import Deadline
from synapse_sdk.errors import DownloadUnavailableError
from synapse_sdk.retry import RetryPolicy

__all__ = ["RETRIES", "pause"]

RETRIES = RetryPolicy(max_attempts=4, delay=0.5, max_delay=60.0, jitter=0.5)
"""How often by default."""


def pause(
    error: DownloadUnavailableError, delay: float | None, *, retries: RetryPolicy, deadline: Deadline, clock: Clock
) -> bool:
    """Wait before the next try, and return whether there is one.

    A server that asks for a longer pause than the policy allows is not asked again: it would be too early.

    Args:
        error: Why the last try was in vain.
        delay: The pause that the policy wants; None if there were enough tries.
        retries: The policy.
        deadline: When all has to be over.
        clock: Where the time comes from.
    """
    asked = error.retry_after or 0.0
    if delay is None or asked > retries.max_delay or not retries.should_retry(error):
        return False
    longest = max(delay, asked)
    if longest >= deadline.left():
        return False
    with deadline.running():
        clock.sleep(longest)
    return True
