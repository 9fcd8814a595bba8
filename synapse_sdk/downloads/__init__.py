"""Reading files from the web whose addresses come from somebody else, who may be hostile, and asking services."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.downloads.poster import HttpPoster
    from synapse_sdk.downloads.reader import HttpReader

__all__ = ["HttpPoster", "HttpReader"]

__getattr__ = lazy_exports(
    __name__, {"HttpPoster": "synapse_sdk.downloads.poster", "HttpReader": "synapse_sdk.downloads.reader"}
)
