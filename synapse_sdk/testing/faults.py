"""What may become of a request on its way, as a `FaultProxy` is told, and what became of it."""

from dataclasses import KW_ONLY, dataclass
from http import HTTPStatus

__all__ = [
    "OK",
    "Blackhole",
    "CutDownload",
    "CutUpload",
    "Duplicate",
    "Fault",
    "Latency",
    "LostReply",
    "Ok",
    "ProxiedRequest",
    "Reset",
    "Slow",
    "Status",
]


def _at_least(least: float, **values: float) -> None:
    for name, value in values.items():
        if not value >= least:  # NaN is refused as well
            msg = f"{name} is {value!r}: give {least:g} or more"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Ok:
    """Nothing goes wrong; `OK` is the one to write."""


OK = Ok()


@dataclass(frozen=True, slots=True)
class Reset:
    """The client's connection is reset when the request's head has come; the server hears nothing."""


@dataclass(frozen=True, slots=True)
class Blackhole:
    """The request is taken in and never answered; the server hears nothing.

    The connection ends when the client hangs up, or with the proxy.
    """


@dataclass(frozen=True, slots=True)
class Status:
    """The proxy answers in the server's stead, after it has read the request; the server hears nothing."""

    code: int
    """An error, 400 to 599."""
    _: KW_ONLY
    html: bool = True
    """Whether the answer is a page, as gateways send it, which no client should take for JSON; otherwise it is JSON."""
    retry_after: float | None = None
    """Whole seconds in `Retry-After`: HTTP knows no fractions."""

    def __post_init__(self) -> None:
        if not HTTPStatus.BAD_REQUEST <= self.code <= 599:  # noqa: PLR2004  the last number HTTP calls an error
            msg = f"code is {self.code!r}: give an error, 400 to 599"
            raise ValueError(msg)
        if self.retry_after is not None and not (self.retry_after >= 0 and float(self.retry_after).is_integer()):
            msg = f"retry_after is {self.retry_after!r}: HTTP has whole seconds only, 0 or more"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Latency:
    """The request reaches the server late."""

    seconds: float

    def __post_init__(self) -> None:
        _at_least(0, seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class CutDownload:
    """The connection ends in the middle of the reply's body, as if all had been said.

    A reply whose length is not stated, neither by `Content-Length` nor in chunks, therefore looks whole to the client.
    """

    after: int
    """Bytes of the body that still arrive; a body that has no more than that is not cut."""

    def __post_init__(self) -> None:
        _at_least(0, after=self.after)


@dataclass(frozen=True, slots=True)
class CutUpload:
    """The connection breaks in the middle of the request's body: the server sees an early end, the client a reset."""

    after: int
    """Bytes of the body that still reach the server; a body that has no more than that is not cut."""

    def __post_init__(self) -> None:
        _at_least(0, after=self.after)


@dataclass(frozen=True, slots=True)
class Slow:
    """Everything dribbles, heads and bodies, both ways."""

    bytes_per_second: int

    def __post_init__(self) -> None:
        _at_least(1, bytes_per_second=self.bytes_per_second)


@dataclass(frozen=True, slots=True)
class LostReply:
    """The server acts and answers; instead of the first byte of the answer the client gets a reset."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The server gets the request twice, one after the other; the client gets the first answer.

    The second is dropped. Both have been given before the last bytes of the first reach the client.
    """

    limit: int = 1024 * 1024
    """Bytes of body the proxy keeps for the second time; a longer one is refused with 413 and not delivered at all."""

    def __post_init__(self) -> None:
        _at_least(0, limit=self.limit)


type Fault = Ok | Reset | Blackhole | Status | Latency | CutDownload | CutUpload | Slow | LostReply | Duplicate
"""What may become of one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxiedRequest:
    """What is known of one request that arrived."""

    method: str
    path: str
    """As the client wrote it, with its query."""
    fault: Fault
    deliveries: int = 0
    """How often the whole request was handed to the server."""
    body_bytes: int = 0
    """Bytes of body that were handed to the server, all deliveries together."""
