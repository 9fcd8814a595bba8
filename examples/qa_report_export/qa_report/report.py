"""Describe what the boxes of an export are like, as Markdown."""

from collections.abc import Iterator

from qa_report.figures import Figures

__all__ = ["REPORT", "render_markdown"]

REPORT = "qa_report.md"
"""The file that the export has besides the usual ones."""


def render_markdown(figures: Figures, title: str) -> str:
    """Return the report: boxes by class, items without boxes, and the smallest boxes."""
    return "\n".join(_lines(figures, title)) + "\n"


def _lines(figures: Figures, title: str) -> Iterator[str]:
    yield f"# Boxes of {_escape(title)}"
    yield ""
    yield f"Items: {figures.items:,}, without a box: {figures.unlabelled_count:,}. Boxes: {figures.boxes.total():,}."
    if figures.boxes:
        yield from ("", "| Class | Boxes |", "|---|---:|")
        yield from (f"| {_escape(label)} | {count:,} |" for label, count in figures.boxes.most_common())
    if figures.unlabelled:
        yield from ("", "## Items without a box", "")
        yield from (f"- {_escape(name)}" for name in figures.unlabelled)
        if rest := figures.unlabelled_count - len(figures.unlabelled):
            yield f"- and {rest:,} more"
    if figures.smallest:
        yield from ("", "## Smallest boxes", "", "| Item | Class | Width (px) | Height (px) |", "|---|---|---:|---:|")
        for name, box in figures.smallest:
            yield f"| {_escape(name)} | {_escape(box.label)} | {box.width:g} | {box.height:g} |"


def _escape(text: str) -> str:
    """Keep a name from becoming a column, a line or markup of its own."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return "".join(f"\\{character}" if character in "\\|`*_<[" else character for character in shown)
