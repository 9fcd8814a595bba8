"""Formats of datasets: read one, write another, and say exactly what did not fit."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.formats.base import (
        BoundsPolicy,
        DatasetFormat,
        ExifPolicy,
        FormatOptions,
        ImageTransfer,
        Reader,
        Writer,
    )
    from synapse_sdk.formats.check import (
        DatasetCheck,
        check_dataset,
    )
    from synapse_sdk.formats.compare import (
        DatasetDifference,
        Difference,
        compare_datasets,
    )
    from synapse_sdk.formats.conversion import (
        ConversionOptions,
        convert,
    )
    from synapse_sdk.formats.describe import (
        ClassCount,
        DatasetDescription,
        Size,
        describe_dataset,
    )
    from synapse_sdk.formats.losses import (
        Loss,
        LossLog,
        Outcome,
        Reason,
    )
    from synapse_sdk.formats.model import (
        Annotation,
        Box,
        ClassSpec,
        DatasetInfo,
        Item,
        Keypoints,
        Mask,
        Polygon,
        Polyline,
        Relation,
        RotatedBox,
        Tool,
        Verbatim,
    )
    from synapse_sdk.formats.partition import (
        read_split_ratios,
    )
    from synapse_sdk.formats.preview import (
        Preview,
        draw_preview,
    )
    from synapse_sdk.formats.registry import (
        FORMATS,
        find_format,
        format_named,
    )
    from synapse_sdk.formats.report import (
        Account,
        ConversionReport,
        LossSummary,
        read_report,
    )
    from synapse_sdk.formats.sources import (
        open_dataset,
        open_datasets,
    )

__all__ = [
    "FORMATS",
    "Account",
    "Annotation",
    "BoundsPolicy",
    "Box",
    "ClassCount",
    "ClassSpec",
    "ConversionOptions",
    "ConversionReport",
    "DatasetCheck",
    "DatasetDescription",
    "DatasetDifference",
    "DatasetFormat",
    "DatasetInfo",
    "Difference",
    "ExifPolicy",
    "FormatOptions",
    "ImageTransfer",
    "Item",
    "Keypoints",
    "Loss",
    "LossLog",
    "LossSummary",
    "Mask",
    "Outcome",
    "Polygon",
    "Polyline",
    "Preview",
    "Reader",
    "Reason",
    "Relation",
    "RotatedBox",
    "Size",
    "Tool",
    "Verbatim",
    "Writer",
    "check_dataset",
    "compare_datasets",
    "convert",
    "describe_dataset",
    "draw_preview",
    "find_format",
    "format_named",
    "open_dataset",
    "open_datasets",
    "read_report",
    "read_split_ratios",
]

HOMES = {
    "base": ("BoundsPolicy", "DatasetFormat", "ExifPolicy", "FormatOptions", "ImageTransfer", "Reader", "Writer"),
    "check": ("DatasetCheck", "check_dataset"),
    "compare": ("DatasetDifference", "Difference", "compare_datasets"),
    "conversion": ("ConversionOptions", "convert"),
    "describe": ("ClassCount", "DatasetDescription", "Size", "describe_dataset"),
    "losses": ("Loss", "LossLog", "Outcome", "Reason"),
    "model": (
        "Annotation",
        "Box",
        "ClassSpec",
        "DatasetInfo",
        "Item",
        "Keypoints",
        "Mask",
        "Polygon",
        "Polyline",
        "Relation",
        "RotatedBox",
        "Tool",
        "Verbatim",
    ),
    "partition": ("read_split_ratios",),
    "preview": ("Preview", "draw_preview"),
    "registry": ("FORMATS", "find_format", "format_named"),
    "report": ("Account", "ConversionReport", "LossSummary", "read_report"),
    "sources": ("open_dataset", "open_datasets"),
}
"""Modules, and what they define."""

__getattr__ = lazy_exports(
    __name__, {name: f"{__name__}.{module}" for module, names in HOMES.items() for name in names}
)
