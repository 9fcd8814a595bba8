"""When, how often and with which pauses to try something again."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.errors import ConfigurationError

__all__ = ["RetryPolicy", "is_transient", "retry"]


def is_transient(error: Exception) -> bool:
    """Whether an exception says of itself that trying again may help; a question for `RetryPolicy.retry_on`."""
    return bool(getattr(error, "transient", False))


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How to try again: exponential backoff with jitter.

    Example:
        >>> list(RetryPolicy(max_attempts=4, delay=1.0, jitter=0.0).delays())
        [1.0, 2.0, 4.0, None]
    """

    max_attempts: int = 3
    """Tries in all, the first included."""
    delay: float = 0.5
    """Seconds before the second try."""
    factor: float = 2.0
    """How many times longer each further pause is."""
    max_delay: float = 30.0
    """Seconds that no pause exceeds."""
    jitter: float = 0.1
    """Share of a pause (0.0 to 1.0) by which it is shortened at random; keeps workers from coming back all at once."""
    retry_on: type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool] | None = None
    """Exceptions worth another try, as types or as a question; None: all but those that know they are not transient."""
    rng: random.Random = field(default_factory=random.Random, repr=False, compare=False)  # noqa: S311  # only spreads load
    """Where the jitter comes from."""

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense, by name."""
        wrong = {
            "max_attempts": self.max_attempts < 1,
            "delay": not self.delay >= 0,
            "factor": not self.factor >= 1,
            "max_delay": not self.max_delay >= 0,
            "jitter": not 0 <= self.jitter <= 1,
        }
        for name in (name for name, is_wrong in wrong.items() if is_wrong):
            msg = f"RetryPolicy got {name}={getattr(self, name)!r}"
            fix = "Use max_attempts >= 1, delay >= 0, factor >= 1, max_delay >= 0 and jitter from 0 to 1"
            raise ConfigurationError(msg, fix=fix)

    def should_retry(self, error: Exception) -> bool:
        """Whether this exception is worth another try."""
        if self.retry_on is None:
            return bool(getattr(error, "transient", True))
        if isinstance(self.retry_on, (type, tuple)):
            return isinstance(error, self.retry_on)
        return self.retry_on(error)

    def delays(self) -> Iterator[float | None]:
        """Yield, for each try, the seconds to wait if it fails; None for the last, after which there is no other."""
        delay = self.delay
        for _ in range(self.max_attempts - 1):
            yield min(delay, self.max_delay) * (1 - self.jitter * self.rng.random())
            delay = min(delay * self.factor, self.max_delay)
        yield None


def retry[T](call: Callable[[], T], policy: RetryPolicy, *, clock: Clock = SYSTEM_CLOCK) -> T:
    """Call until it returns, and return that.

    Raises:
        Exception: What the last try raised, or the first exception that the policy does not retry.
    """
    delays = policy.delays()
    while True:
        delay = next(delays)
        try:
            return call()
        except Exception as error:
            if delay is None or not policy.should_retry(error):
                raise
            clock.sleep(delay)
