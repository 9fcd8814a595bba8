"""Reading YAML, JSON and TOML documents from people who may be clumsy or hostile.

Whatever the format, a document is JSON data here: text keys, each once, no dates, no NaN, bounded size and depth.
"""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.documents.files import read_document
    from synapse_sdk.documents.json import parse_json
    from synapse_sdk.documents.toml import parse_toml
    from synapse_sdk.documents.yaml import parse_yaml

__all__ = ["parse_json", "parse_toml", "parse_yaml", "read_document"]

__getattr__ = lazy_exports(
    __name__,
    {
        "parse_json": "synapse_sdk.documents.json",
        "parse_toml": "synapse_sdk.documents.toml",
        "parse_yaml": "synapse_sdk.documents.yaml",
        "read_document": "synapse_sdk.documents.files",
    },
)
