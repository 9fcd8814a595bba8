"""Exports that are killed again and again, at work and while they are undone, come to a clean end nevertheless: F1, F3.

The tests by lot print their seed; `SYNAPSE_SEED=... pytest tests/faults/test_export_recovery.py` plays it again.
"""

import random
from collections.abc import Iterator, Sequence

import pytest

from tests.conformance.s3_server import LOGIN, S3Server
from tests.faults.exporting import CrashExport, look_at, make_world
from tests.faults.laboratory import Laboratory, Verb

PARAMS = {
    "name": "birds",
    "path": "exports",
    "target": "task",
    "filter": {"project": "birds"},
    "download_max_retries": 0,
}
rounds = pytest.mark.parametrize(
    "number", [0, 1, *(pytest.param(number, marks=pytest.mark.full) for number in range(2, 8))]
)
ENDS = ("rolled_back", "failed", "succeeded")


@pytest.fixture(
    scope="module",
    params=["folder", *(pytest.param(other, marks=pytest.mark.full) for other in ("new folder", "bucket"))],
)
def laboratory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """Beside other exports, in a folder that the run has to make, and in a storage that has no folders."""
    place, url = tmp_path_factory.mktemp("export").resolve(), ""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "bucket":
            patch.setenv("AWS_ACCESS_KEY_ID", LOGIN["access_key_id"])
            patch.setenv("AWS_SECRET_ACCESS_KEY", LOGIN["secret_access_key"])
            server: S3Server = request.getfixturevalue("s3_server")
            url = f"s3://{server.make_bucket()}/root?endpoint={server.endpoint}&region=us-east-1"
        params = {**PARAMS, "storage": url or ("./out" if request.param == "folder" else "./out/new/deep")}
        fill, look = make_world(url, place / "template"), look_at(url)
        with Laboratory.set_up(CrashExport, params, place / "sandbox", fill, look) as made:
            yield made


@rounds
def test_a_resumed_export_converges(laboratory: Laboratory, lot: random.Random, number: int) -> None:  # noqa: ARG001  # part of the seed
    """F3: however often it is killed, the export is the one that it would have been."""
    run_id = laboratory.begin_and_kill(lot)

    laboratory.check(laboratory.recover(run_id, lot, "resume"), "succeeded")


@rounds
def test_an_undone_export_converges(laboratory: Laboratory, lot: random.Random, number: int) -> None:  # noqa: ARG001  # as above
    """F3: however often undoing is killed, nothing is left of it in the end; unless it was over before."""
    run_id = laboratory.begin_and_kill(lot)

    laboratory.check(laboratory.recover(run_id, lot, "rollback"), *ENDS)


@rounds
def test_resumed_and_undone_in_turns_an_export_is_whole_or_gone(
    laboratory: Laboratory,
    lot: random.Random,
    number: int,  # noqa: ARG001  # as above
) -> None:
    """F3: and nothing in between."""
    run_id = laboratory.begin_and_kill(lot)

    laboratory.check(laboratory.recover(run_id, lot, "resume", "rollback"), *ENDS)


# At every single write of the journal


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """An export of one item."""
    place = tmp_path_factory.mktemp("small").resolve()
    fill = make_world("", place / "template", {"a.jpg": b"a" * 100})
    params = {**PARAMS, "storage": "./out"}
    with Laboratory.set_up(CrashExport, params, place / "sandbox", fill, look_at("")) as made:
        yield made


def writes(trace: Sequence[str], start: int = 0) -> list[tuple[str, int]]:
    """Return the moments right before and right after every write of the journal, from a position on."""
    found = [(name, trace[: at + 1].count(name)) for at, name in enumerate(trace)]
    return [moment for moment in found[start:] if moment[0].startswith("journal.")]


@pytest.mark.parametrize("verb", ["resume", pytest.param("rollback", marks=pytest.mark.full)])
def test_an_export_survives_a_kill_at_every_write_of_its_journal(small: Laboratory, verb: Verb) -> None:
    """F1: it is finished or undone, from the first write to the last."""
    assert small.kill_at_every_write(verb, *ENDS) >= 14


@pytest.mark.full
def test_undoing_an_export_survives_a_kill_at_every_write_of_its_journal(small: Laboratory) -> None:
    """F1, F3: of a run that fails when all is written; then the recovery dies as early, and another one ends it."""
    last = small.process.steps[-1]
    small.reset()
    trace = small.process.do("run", small.process.new_run(), inject_failure=last).trace
    begun = trace.index("rollback.step")
    moments = writes(trace, begun)
    for moment in moments:
        small.reset()
        run_id = small.process.new_run()
        assert small.process.do("run", run_id, dies_at=moment, inject_failure=last).is_killed, moment
        small.process.do("rollback", run_id, dies_at=("rollback.step", 1))

        outcome = small.process.do("rollback", run_id)

        small.progress(run_id)
        small.check(outcome.status, "rolled_back", "failed")
    assert len(moments) >= 16
