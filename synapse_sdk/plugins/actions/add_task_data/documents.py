"""The annotations of a dataset, in any format, as DM documents."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from synapse_sdk.formats import FormatOptions, Item, LossLog, Reader, open_dataset
from synapse_sdk.formats.dm import Version
from synapse_sdk.formats.dm.rendering import Renderer
from synapse_sdk.formats.dm.versions import DocumentWriter

__all__ = ["Documents"]


class Documents:
    """The documents of a dataset, an image at a time. What is in DM already stays as it is.

    Args:
        path: The dataset, a folder or a file.
        format_name: Its format; None to find out.
        losses: Takes down what cannot be read.

    Raises:
        InvalidDatasetError: It is not there, or no dataset of the format.
        ConfigurationError: There is no such format, or it may be in several.
    """

    def __init__(self, path: Path, format_name: str | None, losses: LossLog) -> None:
        self._losses = losses
        self._reader, self.format = open_dataset(path, format_name, FormatOptions(), losses)

    def __iter__(self) -> Iterator[tuple[Item, bytes]]:
        """Yield every image that something is said about, and its document as JSON."""
        writer = _writer(self._reader, self._losses)
        for item in self._reader.items():
            if item.document is not None:
                yield item, item.document
            elif not self.format.startswith("dm"):  # there, nobody has said anything about an image without document
                yield item, writer.content(item, item.annotations)

    @property
    def count(self) -> int | None:
        """How many images there are, if that is known."""
        return self._reader.info.count

    def close(self) -> None:
        """Release what was opened."""
        self._reader.close()


def _writer(reader: Reader, losses: LossLog) -> DocumentWriter:
    joints = {spec.name: spec.joints for spec in reader.info.classes if spec.joints}
    written = Counter[tuple[str, str]]()
    return DocumentWriter(Version.V2, Renderer(joints, losses, written), losses, written)
