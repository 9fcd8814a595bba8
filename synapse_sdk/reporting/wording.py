"""The words for what happens in a run; plain lines and the terminal say the same."""

from collections.abc import Container, Iterator
from enum import StrEnum
from typing import assert_never

from synapse_sdk.reporting.events import InterruptHeld, LogLevel, LogsShed, RunStatus
from synapse_sdk.reporting.pace import WorkProgress
from synapse_sdk.reporting.step_view import StepView
from synapse_sdk.reporting.text import clean, duration, figure, pace, plural, size
from synapse_sdk.reporting.view import RunView

__all__ = [
    "Mood",
    "ending",
    "failures",
    "interrupt_note",
    "is_shown",
    "mood_of_level",
    "position",
    "reason_text",
    "shed_note",
    "side_work",
    "work",
]

MOST_SIDE_WORK = 4
"""Categories beside the step's own that are listed; the rest is counted."""


class Mood(StrEnum):
    """What a text is about, for those who can colour it; the words say it, too."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    WARNING = "warning"
    FAINT = "faint"


def mood_of_level(level: LogLevel) -> Mood:
    """Return the mood of a log line."""
    match level:
        case LogLevel.DEBUG:
            return Mood.FAINT
        case LogLevel.INFO:
            return Mood.PLAIN
        case LogLevel.SUCCESS:
            return Mood.GOOD
        case LogLevel.WARNING:
            return Mood.WARNING
        case LogLevel.ERROR | LogLevel.CRITICAL:
            return Mood.BAD
        case _:
            assert_never(level)


def is_shown(level: LogLevel, least: LogLevel) -> bool:
    """Whether a log line of this level matters as much as the least that is shown."""
    order = list(LogLevel)
    return order.index(level) >= order.index(least)


def position(view: RunView) -> str:
    """Return which step runs, or is being undone, and which of how many it is."""
    name = clean(view.busy_with or "between two steps")
    if view.rollback is not None:
        return f"undoing {name} ({view.rollback.number} of {len(view.rollback.steps)})"
    return f"{name} (step {len(view.steps)} of {view.total})"


def work(progress: WorkProgress, now: float, category: str | None = None) -> Iterator[str]:
    """Yield how far some work has come, how fast it goes and how long it will take, as far as that is known.

    A category named `bytes`, or `..._bytes`, is shown in kB, MB and so on.
    """
    is_bytes = category is not None and category.rpartition("_")[2] == "bytes"
    amount = size if is_bytes else figure
    yield f"{amount(progress.current)}/{amount(progress.total)}"
    rate, time_left = progress.rate(now), progress.time_left(now)
    if rate is not None and not progress.is_done:
        yield f"{size(rate)}/s" if is_bytes else pace(rate)
    if time_left is not None:
        yield f"{duration(time_left)} left"


def side_work(view: RunView) -> list[str]:
    """Return a text for each of the last changed categories beside the step's own, and for the rest together."""
    others = view.side_work()
    texts = [f"{clean(name)} {' · '.join(work(each, view.now, name))}" for name, each in others[:MOST_SIDE_WORK]]
    more = len(others) - MOST_SIDE_WORK
    return [*texts, f"and {more:,} more"] if more > 0 else texts


def failures(view: RunView, *, besides: Container[str] = ()) -> str:
    """Return how many things failed and where, besides some steps that say so themselves; empty when none did."""
    counts = {where or "the run": count for where, count in view.failed.items() if where not in besides}
    return ", ".join(f"{count:,} failed in {clean(where)}" for where, count in counts.items())


def reason_text(step: StepView) -> str:
    """Return why a step failed."""
    return f"stopped by {step.stopped_by}" if step.stopped_by else clean(step.error or "it gave no reason")


def interrupt_note(event: InterruptHeld) -> str:
    """Return what a person who pressed Ctrl-C during a rollback should know."""
    times = "once more" if event.presses_left == 1 else f"{event.presses_left} more times"
    return f"interrupt received: the rollback goes on; press Ctrl-C {times} to leave it unfinished"


def shed_note(event: LogsShed) -> str:
    """Return how many log lines are missing."""
    return f"{plural(event.count, 'log line')} not shown: they came faster than they could be written"


def ending(view: RunView) -> tuple[str, Mood]:
    """Return how a run ended, in one line."""
    time = duration(view.elapsed)
    end = "stopped" if view.is_stopped else "failed"
    match view.status:
        case RunStatus.SUCCEEDED:
            skipped = f", {view.skipped:,} skipped" if view.skipped else ""
            return f"succeeded in {time}: {plural(view.total, 'step')}{skipped}", Mood.GOOD
        case RunStatus.FAILED | RunStatus.CANCELLED:
            return f"{end} after {time}; there was nothing to undo", Mood.BAD
        case RunStatus.ROLLED_BACK:
            return f"{end} and rolled back after {time}: {plural(view.undone, 'step')} undone", Mood.BAD
        case RunStatus.ROLLBACK_INCOMPLETE:
            left = ", ".join(f"{clean(name)}{'' if why else ' (not tried)'}" for name, why in view.leftovers())
            return f"{end}, and the rollback is incomplete after {time}; not undone: {left}", Mood.BAD
        case RunStatus.PENDING | RunStatus.RUNNING | RunStatus.ROLLING_BACK:
            return f"left at {view.percent} % after {time}: the report ends before the run", Mood.WARNING
        case _:
            assert_never(view.status)
