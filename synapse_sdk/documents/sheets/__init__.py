"""Reading metadata sheets (.xlsx, .xls, .csv) from people who may be clumsy or hostile, and finding the row of a file.

A sheet is a header and rows of plain JSON values, streamed. Workbooks are parsed in a child process with bounds.
"""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.documents.sheets.limits import SheetLimits
    from synapse_sdk.documents.sheets.matching import AmbiguousMatch, MatchReport, SheetIndex
    from synapse_sdk.documents.sheets.reading import read_sheet
    from synapse_sdk.documents.sheets.sheet import Sheet, SheetKind, SheetNote, SheetRow

__all__ = [
    "AmbiguousMatch",
    "MatchReport",
    "Sheet",
    "SheetIndex",
    "SheetKind",
    "SheetLimits",
    "SheetNote",
    "SheetRow",
    "read_sheet",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "AmbiguousMatch": "synapse_sdk.documents.sheets.matching",
        "MatchReport": "synapse_sdk.documents.sheets.matching",
        "Sheet": "synapse_sdk.documents.sheets.sheet",
        "SheetIndex": "synapse_sdk.documents.sheets.matching",
        "SheetKind": "synapse_sdk.documents.sheets.sheet",
        "SheetLimits": "synapse_sdk.documents.sheets.limits",
        "SheetNote": "synapse_sdk.documents.sheets.sheet",
        "SheetRow": "synapse_sdk.documents.sheets.sheet",
        "read_sheet": "synapse_sdk.documents.sheets.reading",
    },
)
