"""Describe a run for people (`report.md`) and for programs (`report.json`)."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from image_report.outcome import ImageOutcome, Size, count_outcomes

__all__ = ["REPORT_NAMES", "render_json", "render_markdown"]

REPORT_NAMES = ("report.json", "report.md")
"""The files that a run adds to the copies."""


def render_json(outcomes: Sequence[ImageOutcome]) -> str:
    """Return the figures and every image as a JSON document."""
    images = [asdict(outcome) | {"bytes_saved": outcome.bytes_saved} for outcome in outcomes]
    document: dict[str, Any] = count_outcomes(outcomes) | {"images": images}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def render_markdown(outcomes: Sequence[ImageOutcome]) -> str:
    """Return the figures and a table with a line for every image, as Markdown."""
    counts = count_outcomes(outcomes)
    saved = f"{abs(counts['bytes_saved']):,} bytes {'saved' if counts['bytes_saved'] >= 0 else 'added'}"
    lines = [
        "# Image report",
        "",
        f"{counts['discovered']} images: {counts['processed']} resized, {counts['failed']} failed, {saved}.",
        "",
        "| File | Original (px) | New (px) | Original (bytes) | New (bytes) | Saved (bytes) | Note |",
        "|---|---:|---:|---:|---:|---:|---|",
        *(_table_row(outcome) for outcome in outcomes),
    ]
    return "\n".join(lines) + "\n"


def _table_row(outcome: ImageOutcome) -> str:
    if outcome.error is not None:
        cells = [outcome.file, *[""] * 5, f"failed: {outcome.error}"]
    else:
        sizes = [_size(outcome.original_size), _size(outcome.new_size)]
        figures = [f"{value:,}" for value in (outcome.original_bytes, outcome.new_bytes, outcome.bytes_saved)]
        cells = [outcome.file, *sizes, *figures, ", ".join(outcome.notes)]
    return f"| {' | '.join(_escape(cell) for cell in cells)} |"


def _size(size: Size | None) -> str:
    return "" if size is None else f"{size[0]}x{size[1]}"


def _escape(cell: str) -> str:
    """Keep a file name from becoming a column, a line or markup of its own."""
    text = "".join(character if character.isprintable() else " " for character in cell)
    return "".join(f"\\{character}" if character in "\\|`*_<[" else character for character in text)
