"""Journals to damage, and what is written into them."""

from pathlib import Path

from synapse_sdk.journal import Frame, Journal, Lease, Owner, RunId, RunSource, SqliteJournal

SOURCE = RunSource(plugin="/plugins/greeter", action="greet")
OWNER = Owner(host="lab", pid=1)


def started(number: int, step: str = "copy") -> str:
    """Return the event that a step was started."""
    return f'{{"type":"StepStarted","at":{number},"step":"{step}"}}'


def append(journal: Journal, lease: Lease, count: int = 1, padding: int = 0) -> None:
    """Append frames of one event each."""
    number, digest = journal.head(lease.run_id)
    for _ in range(count):
        text = f'[{{"type":"Tick","at":{number},"padding":"{"x" * padding}"}}]'
        frame = Frame.after(number, digest, text)
        journal.append(lease, frame)
        number, digest = frame.number, frame.digest


def fill(path: Path, runs: int = 3, frames: int = 40, padding: int = 400) -> list[str]:
    """Make a journal whose runs lie on pages of their own, and return their ids."""
    names = [f"{number:012x}" for number in range(1, runs + 1)]
    with SqliteJournal(path) as journal:
        for name in names:
            journal.create_run(RunId(name), SOURCE)
            append(journal, journal.acquire_lease(name, OWNER), frames, padding)
    return names
