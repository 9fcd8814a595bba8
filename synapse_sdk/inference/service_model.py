"""A model behind an HTTP service: it gets images as they are, and returns results.

The agreement: `POST` of `application/json`, `{"inputs": [{"name": ..., "content": ..., "params": {...}}, ...]}`, where
the content of the file is in Base64 (RFC 4648). The answer is 200 and `application/json`,
`{"results": [...]}`, with a result for each input in their order: a DM document, a list of predictions, or
`{"error": "why"}`. No inputs make no results; with that a service is greeted. It may be asked the same twice.
"""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from synapse_sdk.downloads import HttpPoster
from synapse_sdk.errors import DownloadError, ModelOutputError, ModelServiceError
from synapse_sdk.inference.inputs import ModelInput

__all__ = ["ServiceModel"]

JSON = "application/json"
MOST_REQUEST, MOST_ANSWER = 32 * 1024**2, 64 * 1024**2
"""Bytes of a request with several inputs; of an answer."""
HOPELESS = 8
"""Requests in a row that failed though trying again might help: then it is not the images."""
FIX = "See whether the service is there, and answers as docs/reference/actions.md says"


class ServiceModel:
    """Asks a service, which is greeted when this is made.

    Args:
        url: Where it is: `http://` or `https://`; also on this machine or in a private network: the user has named it.
        poster: Makes what posts to a URL.

    Raises:
        UnsafeUrlError: It is no URL of the web, or one of a metadata service or the like.
        ModelServiceError: It cannot be reached, or does not answer as agreed.
    """

    def __init__(
        self, url: str, *, poster: Callable[[str], HttpPoster] = lambda url: HttpPoster(url, allows_private=True)
    ) -> None:
        self._poster = poster(url)
        self._url = url.partition("?")[0]  # what follows may be secret
        self._failed_in_a_row = 0
        try:
            self._ask([])
        except BaseException:
            self.close()
            raise

    def prepare(self, asked: ModelInput) -> bytes:
        """Return an input as it is sent.

        Raises:
            TypeError, ValueError: Its params are no JSON.
        """
        content = base64.b64encode(asked.content).decode("ascii")
        whole = {"name": asked.name, "content": content, "params": asked.params}
        return json.dumps(whole, allow_nan=False).encode()

    def answer(self, prepared: Sequence[bytes]) -> list[Any]:
        """Return a result for each input, or the error that there is instead.

        Raises:
            ModelServiceError: It fails for a whole batch; transient, if it fails all the time.
        """
        return [result for some in _requests(prepared) for result in self._ask(some)]

    def __call__(self, inputs: Sequence[ModelInput]) -> list[Any]:
        """Return a result for each input, or the error that there is instead."""
        return self.answer([self.prepare(each) for each in inputs])

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()

    def _ask(self, inputs: Sequence[bytes]) -> list[Any]:
        request = b'{"inputs": [' + b", ".join(inputs) + b"]}"
        try:
            answer = self._poster.post(request, kind=JSON, most_bytes=MOST_ANSWER)
        except DownloadError as error:
            self._failed_in_a_row += error.transient
            msg = f"The model {self._url!r} does not answer"
            is_gone = error.transient and (not inputs or self._failed_in_a_row >= HOPELESS)
            raise ModelServiceError(msg, why=error.why, fix=FIX, transient=is_gone) from error
        self._failed_in_a_row = 0
        try:
            results = json.loads(answer)["results"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            results = error
        if not isinstance(results, list) or len(results) != len(inputs):
            found = f"{len(results)} results" if isinstance(results, list) else "no list of results"
            msg = f"The model {self._url!r} has returned {found} for {len(inputs)} inputs"
            raise ModelServiceError(msg, fix=FIX)
        return [_result(each) for each in results]


def _requests(prepared: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Yield inputs in their order, as many at a time as a request may have; one alone may be larger."""
    some, size = list[bytes](), 0
    for each in prepared:
        if some and size + len(each) > MOST_REQUEST:
            yield some
            some, size = [], 0
        some.append(each)
        size += len(each)
    if some:
        yield some


def _result(found: object) -> Any:  # noqa: ANN401  # whatever the service returns
    if isinstance(found, dict) and found.keys() == {"error"}:
        return ModelOutputError(f"The model has found an error: {str(found['error'])[:500]}")
    return found
