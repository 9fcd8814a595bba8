"""What this export does otherwise with each item."""

from typing import Any

from qa_report.boxes import Box, boxes_of, with_boxes
from synapse_sdk.errors import ItemSkippedError
from synapse_sdk.plugins.actions.export import BaseExporter, ExportItem

__all__ = ["BoxExporter"]


class BoxExporter(BaseExporter):
    """Leaves out boxes that are too small, and items of which no box is left."""

    def convert_data(self, data: ExportItem) -> dict[str, Any]:
        """Return the item without its small boxes."""
        return {**data, "data": with_boxes(data["data"] or {}, self._is_large_enough)}

    def after_convert(self, data: ExportItem) -> ExportItem:
        """Return the item as it is, if there is something in it.

        Raises:
            ItemSkippedError: It has no box.
        """
        if not any(boxes_of(data["data"])):
            msg = "it has no box that is large enough"
            raise ItemSkippedError(msg)
        return data

    def _is_large_enough(self, box: Box) -> bool:
        return box.shorter_side >= float(self.params["min_side_px"])
