"""What a conversion has done, for people."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from synapse_sdk.cli.errors import ExitCode
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.formats.report import Account, ConversionReport, LossSummary

__all__ = ["show_conversion"]

MOST_SHOWN = 8
"""Reasons, and classes, that are shown one by one."""


def show_conversion(report: "ConversionReport", target: Path, session: Session) -> int:
    """Say what a conversion has done, and return the exit code."""
    import sys  # noqa: PLC0415  # beside the others

    import msgspec  # noqa: PLC0415  # help needs none of these

    from synapse_sdk.cli.rendering import echo_json, write  # noqa: PLC0415

    if session.wants_json:
        echo_json({"target": str(target), "loss_count": report.loss_count, **msgspec.to_builtins(report)})
    else:
        for line in _lines(report, target):
            write(sys.stdout, line)
    return ExitCode.LOSSES if report.loss_count else ExitCode.DONE


def _lines(report: "ConversionReport", target: Path) -> Iterator[str]:
    from synapse_sdk.cli.rendering import clean, table  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.reporting.text import plural  # noqa: PLC0415

    written = report.items.written + report.items.changed
    yield f"{plural(written, 'item')} from {report.source_format} to {report.target_format} in {clean(str(target))}"
    yield ""
    rows = [_row("items", report.items), _row("annotations", report.annotations)]
    yield table(("", "read", "as they are", "changed", "dropped", "unreadable"), rows)
    if report.annotations.left_out:
        yield f"Not wanted, and left out: {plural(report.annotations.left_out, 'annotation')}."
    yield ""
    yield from _classes(report)
    if report.losses:
        yield ""
        yield from _losses(report.losses)
    if report.loss_count:
        yield f"\nEvery loss is in {clean(str(target / 'losses.csv'))}"


def _row(name: str, account: "Account") -> tuple[str, ...]:
    counts = (account.seen, account.written, account.changed, account.dropped, account.failed)
    return (name, *(f"{count:,}" for count in counts))


def _classes(report: "ConversionReport") -> Iterator[str]:
    from synapse_sdk.cli.rendering import table  # noqa: PLC0415  # as above

    read, written = _totals(report.classes_in), _totals(report.classes_out)
    names = sorted(read | written, key=lambda name: (-read[name], name))
    rows = [(name or "(no class)", f"{read[name]:,}", f"{written[name]:,}") for name in names[:MOST_SHOWN]]
    if len(names) > MOST_SHOWN:
        rest = names[MOST_SHOWN:]
        rows.append(
            (
                f"{len(rest):,} more",
                f"{sum(read[name] for name in rest):,}",
                f"{sum(written[name] for name in rest):,}",
            )
        )
    if rows:
        yield table(("class", "shapes read", "shapes written"), rows)


def _totals(classes: dict[str, dict[str, int]]) -> Counter[str]:
    return Counter({name: sum(tools.values()) for name, tools in classes.items()})


def _losses(losses: "list[LossSummary]") -> Iterator[str]:
    import sys  # noqa: PLC0415  # as above

    from synapse_sdk.cli.rendering import table, terminal_width  # noqa: PLC0415  # as above
    from synapse_sdk.reporting.text import plural  # noqa: PLC0415  # as above

    rows = [(f"{each.count:,}", each.outcome, each.code, each.words) for each in losses[:MOST_SHOWN]]
    yield table(("how many", "are", "code", "because"), rows, width=terminal_width(sys.stdout))
    if len(losses) > MOST_SHOWN:
        yield f"and {plural(len(losses) - MOST_SHOWN, 'more reason')}"
