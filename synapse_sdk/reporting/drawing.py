"""What a run looks like on a terminal of a given width, as lines of rich text."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from synapse_sdk.reporting.step_view import RollbackView, StepState, StepView
from synapse_sdk.reporting.text import clean, duration
from synapse_sdk.reporting.view import RunView
from synapse_sdk.reporting.wording import (
    Mood,
    ending,
    failures,
    interrupt_note,
    position,
    reason_text,
    side_work,
    work,
)

__all__ = ["STYLES", "draw_run", "draw_summary"]

STYLES: Mapping[Mood, str] = {
    Mood.PLAIN: "",
    Mood.GOOD: "green",
    Mood.BAD: "red",
    Mood.WARNING: "yellow",
    Mood.FAINT: "dim",
}
SHORTEST_BAR = 10
"""Cells below which a bar says less than the words it would push out."""
LONGEST_BAR = 50
SHORTEST_NAME = 12
"""Cells of a name that are worth more than a rate."""
LONGEST_LISTED_NAME = 40
MOST_LISTED = 20
"""Steps that a summary lists one by one."""
MARKS = {
    StepState.DONE: ("✓", Mood.GOOD),
    StepState.SKIPPED: ("-", Mood.FAINT),
    StepState.FAILED: ("✗", Mood.BAD),
    StepState.UNDONE: ("↶", Mood.WARNING),
    StepState.NOT_UNDONE: ("!", Mood.BAD),
}
OPEN_END = ("?", Mood.WARNING)
"""For a step whose end is not known."""


def draw_run(run: RunView, columns: int) -> list[Text]:
    """Return the lines that show a run as it stands, none of them wider than `columns` cells."""
    view = run.innermost
    lines = [run_bar(run, columns)]
    if view.rollback is None:
        name = " > ".join(clean(view.busy_with or "...") for view in views(run))
        lines.append(with_details(name, view, columns))
    else:
        lines += draw_rollback(view, view.rollback, columns)
    lines += [Text(f"    {text}", "dim") for text in side_work(view)]
    if failed := failures(view):
        lines.append(Text(f"  {failed}", STYLES[Mood.BAD]))
    if view.interrupt is not None:
        lines += wrapped(interrupt_note(view.interrupt), "bold yellow", columns, indent="  ")
    for line in lines:
        line.truncate(columns, overflow="ellipsis")
    return lines


def views(run: RunView) -> Iterator[RunView]:
    """Yield a run, the run inside its current step, and so on."""
    yield run
    if run.inner is not None:
        yield from views(run.inner)


def run_bar(run: RunView, columns: int) -> Text:
    """Return the bar of the whole run; it stays where it is while the run is undone."""
    style = "cyan" if run.rollback is None else STYLES[Mood.BAD]
    words = [f"step {len(run.steps)} of {run.total}", duration(run.elapsed)]
    return bar_line(f"{run.percent:>5} %", run.percent / 100, style, words, columns)


def draw_rollback(view: RunView, rollback: RollbackView, columns: int) -> Iterator[Text]:
    """Yield why the run is undone, a bar that shrinks with what is left to undo, and the step being undone."""
    failed = next((step for step in view.steps.values() if step.has_failed), None)
    why = clean(rollback.reason) if failed is None else f"{clean(failed.name)}: {reason_text(failed)}"
    yield Text(f"  {why}", STYLES[Mood.BAD])
    if rollback.steps:
        total = len(rollback.steps)
        yield bar_line(
            "   undo", rollback.left / total, STYLES[Mood.WARNING], [f"{rollback.left} of {total} left"], columns
        )
        yield with_details(position(view), view, columns)


def bar_line(label: str, share: float, style: str, words: Sequence[str], columns: int) -> Text:
    """Return a label, a bar of which `share` (0.0 to 1.0) is filled, and as many of the words as leave room for it."""
    while words and columns - cell_len(label) - len("  ".join(words)) - 3 < SHORTEST_BAR:
        words = words[1:]
    ending_words = "".join(f"  {word}" for word in words)
    width = max(0, min(LONGEST_BAR, columns - cell_len(label) - len(ending_words) - 1))
    filled = round(width * share)
    return Text.assemble(label, " ", ("━" * filled, style), ("─" * (width - filled), "dim"), ending_words)


def with_details(name: str, view: RunView, columns: int) -> Text:
    """Return what is being done and how far it has come, details being dropped from the end where there is no room."""
    details = [] if view.work is None else list(work(view.work, view.now))
    room = columns - 4
    while len(details) > 1 and room - cell_len(" · ".join(details)) < min(cell_len(name), SHORTEST_NAME):
        details.pop()
    words = " · ".join(details)
    shown = Text(name, "bold")
    shown.truncate(max(1, room - cell_len(words)), overflow="ellipsis")
    return Text.assemble("  ", shown, f"  {words}" if words else "")


def draw_summary(view: RunView, columns: int) -> list[Text]:
    """Return a line for each step of a finished run (of many, those that went wrong), and one for the whole."""
    steps = list(view.steps.values())
    if len(steps) > MOST_LISTED:
        wrong = [step for step in steps if step.has_failed or step.state not in {StepState.DONE, StepState.SKIPPED}]
        unclean = [step for step in wrong if step.has_failed or step.state is not StepState.UNDONE]
        steps = unclean[:MOST_LISTED]
    longest_name = max((cell_len(clean(step.name)) for step in steps), default=0)
    width = min(longest_name, LONGEST_LISTED_NAME, max(8, columns - 26))
    lines = [line for step in steps for line in step_lines(step, view.failed.get(step.name, 0), width, columns)]
    lines += others(view, steps)
    text, mood = ending(view)
    lines += wrapped(text, f"bold {STYLES[mood]}", columns)
    lines += wrapped(failures(view, besides={step.name for step in steps}), STYLES[Mood.BAD], columns)
    return lines


def step_lines(step: StepView, losses: int, width: int, columns: int) -> Iterator[Text]:
    """Yield a step's name, outcome and time, and below it what went wrong."""
    mark, mood = MARKS.get(step.state, OPEN_END)
    outcome, notes = str(step.state), [f"{losses:,} failed"] if losses else []
    if step.has_failed:
        mark, mood = MARKS[StepState.FAILED]
        outcome = "stopped" if step.stopped_by else "failed"
        notes += ["undone"] if step.state is StepState.UNDONE else []
    name = clean(step.name)
    name = set_cell_size(name, width) if cell_len(name) <= width else f"{set_cell_size(name, width - 1)}…"
    time = "" if step.state is StepState.SKIPPED else duration(step.elapsed)
    line = Text.assemble((f"{mark} {name}  {outcome:<10}", STYLES[mood]), f"{time:>11}")
    line.rstrip()
    more = Text(f"  {', '.join(notes)}" if notes else "", STYLES[Mood.BAD])
    if line.cell_len + more.cell_len < columns:
        yield line + more
    else:
        yield from (line, Text("  ") + more) if notes else (line,)
    problems = [reason_text(step)] if step.has_failed else []
    if step.undo_error is not None:
        problems.append(f"not undone: {clean(step.undo_error)}")
    for problem in problems:
        yield from wrapped(problem, STYLES[Mood.BAD], columns, indent="    ")


def wrapped(text: str, style: str, columns: int, indent: str = "") -> list[Text]:
    """Return the text in lines that break between words where they can."""
    lines = textwrap.wrap(text, max(20, columns - 1), initial_indent=indent, subsequent_indent=indent)
    return [Text(line, style) for line in lines]


def others(view: RunView, listed: Sequence[StepView]) -> Iterator[Text]:
    """Yield how many steps are not listed, by what became of them."""
    names = {step.name for step in listed}
    counts = Counter(str(step.state) for step in view.steps.values() if step.name not in names)
    counts["not run"] = view.total - len(view.steps)
    words = [f"{count:,} {state}" for state, count in counts.items() if count > 0]
    if words:
        yield Text(f"  {', '.join(words)}", STYLES[Mood.FAINT])
