"""Which classes are wanted, and in which order they are numbered."""

from collections.abc import Sequence

from msgspec.structs import replace

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.extensions import one_of
from synapse_sdk.formats.model import ClassSpec, DatasetInfo, Item

__all__ = ["ClassChoice"]


class ClassChoice:
    """Keeps the classes that are wanted.

    Args:
        info: What there is.
        wanted: The names of the classes to keep, in the order in which to number them; empty for all.
        order: `source`, or `name` for the order of the alphabet. Of those named in `wanted` it changes nothing.

    Raises:
        ConfigurationError: There is no such class.
    """

    def __init__(self, info: DatasetInfo, wanted: Sequence[str] = (), order: str = "source") -> None:
        classes = {each.name: each for each in info.classes}
        for name in wanted:
            if name not in classes:
                msg = f"The dataset has no class {name!r}"
                raise ConfigurationError(msg, fix=one_of(name, list(classes)[:20]))
        kept: Sequence[ClassSpec] = [classes[name] for name in dict.fromkeys(wanted)] or list(classes.values())
        if order == "name" and not wanted:
            kept = sorted(kept, key=lambda each: each.name)
        self.info = replace(info, classes=tuple(kept))
        self._wanted = frozenset(wanted)
        self.left_out = 0
        """How many annotations were not wanted."""

    def apply(self, item: Item) -> None:
        """Take out of an item what is not wanted; annotations without a class stay."""
        if not self._wanted:
            return
        kept = [each for each in item.annotations if each.label in self._wanted or not each.label]
        if len(kept) != len(item.annotations):
            self.left_out += len(item.annotations) - len(kept)
            item.annotations = kept
            item.document = None
