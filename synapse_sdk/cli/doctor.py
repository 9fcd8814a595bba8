"""`synapse doctor`: whether this machine is ready, and what to do where it is not."""

import sys
from collections import Counter
from collections.abc import Sequence

import click

from synapse_sdk.cli.checks import Finding, Health, examine
from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.rendering import echo_json, hanging, terminal_width, uses_color, write
from synapse_sdk.cli.session import Session

__all__ = ["doctor"]

COLORS = {Health.OK: "green", Health.WARN: "yellow", Health.FAIL: "red"}


@click.command("doctor", cls=SynapseCommand, examples=("synapse doctor", "synapse doctor --json"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def doctor(session: Session, /, *, as_json: bool) -> int:
    """Check that this machine is ready: Python, packages, settings, plugins, journal, backend, disk, terminal, clock.

    Ends with 1 if something has to be mended, else with 0.
    """
    findings = list(examine(session))
    counts = Counter(finding.health for finding in findings)
    if as_json:
        checks = [{"name": each.name, "health": each.health, "found": each.found, "fix": each.fix} for each in findings]
        echo_json({"healthy": not counts[Health.FAIL], "checks": checks})
    else:
        _show(findings, counts, color=uses_color(sys.stdout, session.color))
    return int(counts[Health.FAIL] > 0)


def _show(findings: Sequence[Finding], counts: Counter[Health], *, color: bool) -> None:
    width, columns = max(len(finding.name) for finding in findings), terminal_width(sys.stdout)
    for finding in findings:
        word = f"{finding.health:<4}"
        shown = click.style(word, fg=COLORS[finding.health], bold=finding.health is not Health.OK) if color else word
        write(sys.stdout, f"{shown}  {finding.name:<{width}}  {hanging(finding.found, columns, width + 8)}")
        if finding.fix is not None:
            write(sys.stdout, f"{'':<{width + 8}}{hanging(finding.fix, columns, width + 8)}")
    bad, doubtful = counts[Health.FAIL], counts[Health.WARN]
    words = [f"{bad} to mend"] * bool(bad) + [f"{doubtful} to look at"] * bool(doubtful)
    write(sys.stdout, f"\n{', '.join(words) or 'Everything is ready'}.")
