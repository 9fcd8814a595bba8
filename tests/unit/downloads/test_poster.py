"""Asking a service: when it is asked again, and when not."""

import pytest

from synapse_sdk.downloads import HttpPoster
from synapse_sdk.errors import DownloadError, DownloadUnavailableError, UnsafeUrlError
from synapse_sdk.retry import RetryPolicy
from synapse_sdk.testing import FakeClock
from tests.unit.inference.service import serving

KIND = "application/json"
NOTHING = b'{"inputs": []}'
STEADY = RetryPolicy(max_attempts=4, delay=0.5, max_delay=60.0, jitter=0.0)


def test_a_pause_is_as_long_as_the_service_wants() -> None:
    """Or as the policy says, if that is longer."""
    clock = FakeClock()
    with serving() as service, HttpPoster(service.url, allows_private=True, clock=clock, retries=STEADY) as poster:
        service.script = ["429", "503"]
        begun = clock.now()

        assert poster.post(NOTHING, kind=KIND, most_bytes=100) == b'{"results": []}'

    assert (clock.now() - begun).total_seconds() == 3 + 1


@pytest.mark.parametrize(
    ("retries", "total"), [(RetryPolicy(max_attempts=9, max_delay=2.0), 600.0), (RetryPolicy(max_attempts=9), 2.0)]
)
def test_a_pause_that_is_too_long_is_not_made(retries: RetryPolicy, total: float) -> None:
    """Longer than the policy allows, or than there is time."""
    with (
        serving() as service,
        HttpPoster(service.url, allows_private=True, clock=FakeClock(), retries=retries, total_timeout=total) as poster,
    ):
        service.script = ["429!"]

        with pytest.raises(DownloadUnavailableError, match="The server answered 429"):
            poster.post(NOTHING, kind=KIND, most_bytes=100)

    assert len(service.asked) == 1


def test_an_answer_has_a_size_and_a_kind() -> None:
    """What is larger, or something else, is refused; the connection is of no more use then, and another one is made."""
    with serving() as service, HttpPoster(service.url, allows_private=True) as poster:
        for kind, most, words in (("text/plain", 100, "and not 'text/plain'"), (KIND, 5, "more than 5 bytes")):
            with pytest.raises(DownloadError, match=words):
                poster.post(NOTHING, kind=kind, most_bytes=most)
        assert poster.post(NOTHING, kind=KIND, most_bytes=100) == b'{"results": []}'


def test_this_machine_is_asked_only_where_that_is_allowed() -> None:
    """As for files of the web."""
    with serving() as service, HttpPoster(service.url) as poster, pytest.raises(UnsafeUrlError, match="loopback"):
        poster.post(NOTHING, kind=KIND, most_bytes=100)
    assert service.asked == []
