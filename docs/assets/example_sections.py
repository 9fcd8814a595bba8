# ruff: noqa: INP001  # loaded by mkdocs.yml, not imported
"""Shows the `Example:` of a docstring as code.

The tool that reads docstrings for the site knows the heading `Examples:` only; it takes `>>>` for a quotation
otherwise.
"""

import re
from typing import Any

import griffe

HEADING = re.compile(r"^( *)Example:$", re.MULTILINE)


class ExampleSections(griffe.Extension):
    """Gives the heading the name that is understood."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:  # noqa: ANN401  # what later versions may add
        """Look at one class, function, attribute or module."""
        if obj.docstring is not None:
            obj.docstring.value = HEADING.sub(r"\1Examples:", obj.docstring.value)
