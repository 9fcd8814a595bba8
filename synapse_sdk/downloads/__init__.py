"""Reading files from the web whose addresses come from somebody else, who may be careless or hostile."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.downloads.reader import HttpReader

__all__ = ["HttpReader"]

__getattr__ = lazy_exports(__name__, {"HttpReader": "synapse_sdk.downloads.reader"})
