"""The frame around a durable run: where it is recorded, what of it is, and that it has an end."""

from pathlib import Path
from typing import Any, TypedDict

import pytest
from pydantic import BaseModel, SecretStr

from synapse_sdk.errors import ConfigurationError, InvalidParamsError, JournalError, WorkerLostError
from synapse_sdk.journal import MemoryJournal, Owner, SqliteJournal, read_state
from synapse_sdk.plugins import BaseAction, RuntimeContext
from synapse_sdk.plugins.journalling import (
    create_run,
    decode_params,
    ends_unbegun,
    journal_url,
    journalled,
    opened_journal,
    shared_journal_url,
)
from synapse_sdk.reporting.events import RunFinished, RunStatus
from tests.unit.plugins.durable_runs import RUN


class Params(TypedDict, total=False):
    """Anything."""

    value: Any


class Login(BaseModel):
    """Parameters with a secret."""

    user: str = ""
    password: SecretStr = SecretStr("")


class GreetAction(BaseAction[Params]):
    """Does nothing."""


class LoginAction(BaseAction[Login]):
    """Does nothing, in secret."""


@pytest.fixture
def journal() -> MemoryJournal:
    """A journal with one run."""
    journal = MemoryJournal()
    create_run(journal, RUN, GreetAction, {})
    return journal


def test_a_journal_may_be_an_object_a_path_a_url_the_settings_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was opened here is closed here, what was handed in stays open."""
    path = tmp_path / "one.db"
    monkeypatch.setenv("SYNAPSE_JOURNAL", str(path))
    memory = MemoryJournal()
    seen = []
    for choice in (path, str(path), f"sqlite://{path}", True):
        with opened_journal(choice) as opened:
            assert opened is not None
            seen.append(opened.url)
        with pytest.raises(JournalError):
            opened.runs()

    assert set(seen) == {f"sqlite://{path}"}
    with opened_journal(memory) as opened:
        assert opened is memory
    with opened_journal(False) as opened:  # noqa: FBT003  # as it is written by users
        assert opened is None


def test_a_journal_that_only_this_process_has_cannot_be_shared(tmp_path: Path) -> None:
    """It is refused before a run is created."""
    with SqliteJournal(tmp_path / "one.db") as file:
        assert shared_journal_url(file) == file.url
    assert journal_url("memory:") == "memory:"
    for choice in (MemoryJournal(), "memory:"):
        with pytest.raises(ConfigurationError, match="memory: cannot be handed"):
            shared_journal_url(choice)


def test_parameters_are_written_as_they_were_given(journal: MemoryJournal) -> None:
    """With their types."""
    given = {"value": [Path("a"), (1, 2), {3: b"x"}]}

    run = create_run(journal, "000000000001", GreetAction, given)

    assert decode_params(run) == given
    assert decode_params(run, {"value": 1}) == {"value": 1}


def test_a_parameter_that_cannot_be_written_is_refused(journal: MemoryJournal) -> None:
    """By its place."""
    with pytest.raises(InvalidParamsError, match=r"params\['value'\]|params\.value"):
        create_run(journal, "000000000001", GreetAction, {"value": object()})


def test_a_secret_parameter_is_left_out_and_has_to_be_given_again(journal: MemoryJournal) -> None:
    """Only its name is written."""
    run = create_run(journal, "000000000001", LoginAction, {"user": "ada", "password": "canary"})

    assert run.source.hidden == ("password",)
    assert "canary" not in run.source.to_text()
    with pytest.raises(InvalidParamsError, match="needs password again"):
        decode_params(run)
    assert decode_params(run, {"password": "canary"}) == {"user": "ada", "password": "canary"}


def test_settings_are_written_by_name_only(journal: MemoryJournal) -> None:
    """Their values may be secret."""
    run = create_run(journal, "000000000001", GreetAction, {}, env={"TOKEN": "canary"})

    assert run.source.env == ("TOKEN",)
    assert "canary" not in run.source.to_text()
    assert Path(run.source.directory) == Path.cwd()


def test_an_id_is_used_once(journal: MemoryJournal) -> None:
    """The message says what to do instead."""
    with pytest.raises(JournalError, match=f"already a run '{RUN}'.*runs resume"):
        create_run(journal, RUN, GreetAction, {})


def test_a_run_without_steps_succeeds(journal: MemoryJournal) -> None:
    """Its frame writes beginning and end."""
    with journalled(journal, RUN):
        pass

    assert journal.run(RUN).status == "succeeded"
    assert journal.run(RUN).owner is None


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError("boom"), "failed"), (KeyboardInterrupt(), "cancelled"), (SystemExit(3), "cancelled")],
    ids=["an error", "Ctrl-C", "an exit"],
)
def test_a_run_that_could_not_begin_has_an_end(journal: MemoryJournal, error: BaseException, status: str) -> None:
    """And the error goes on as itself."""
    with pytest.raises(type(error)), journalled(journal, RUN):
        raise error

    assert journal.run(RUN).status == status


@pytest.mark.parametrize(
    ("error", "taken", "status"),
    [
        (ValueError("boom"), False, "failed"),
        (KeyboardInterrupt(), False, "cancelled"),
        (KeyboardInterrupt(), True, "pending"),
        (WorkerLostError("killed"), False, "pending"),
    ],
    ids=["an error", "Ctrl-C", "a worker has it", "the worker died"],
)
def test_a_run_that_no_worker_began_with_has_an_end(
    journal: MemoryJournal, error: BaseException, *, taken: bool, status: str
) -> None:
    """Unless a worker has taken it, or could still do so."""
    if taken:
        journal.acquire_lease(RUN, Owner(host="lab", pid=1))

    with pytest.raises(type(error)), ends_unbegun(journal, RUN):
        raise error

    assert journal.run(RUN).status == status


def test_a_run_whose_end_cannot_be_written_goes_its_way_nevertheless(tmp_path: Path) -> None:
    """With a note."""
    error = ValueError("boom")

    with pytest.raises(ValueError, match="boom"), ends_unbegun(tmp_path, RUN):
        raise error

    assert "could not be recorded" in error.__notes__[0]


def test_a_run_that_is_undone_is_never_taken_for_done(journal: MemoryJournal) -> None:
    """Also when its end could not be written, and then the journal works again."""
    context = RuntimeContext()
    with journalled(journal, RUN) as durable:
        durable.is_taken = True
        context.journal = durable

    assert journal.run(RUN).status == "pending"
    assert not durable.has_ended


def test_an_end_is_final(journal: MemoryJournal) -> None:
    """Whatever comes after it."""
    with journalled(journal, RUN) as durable:
        durable.observe(RunFinished(RunStatus.FAILED, 0.0, "no"))

    assert journal.run(RUN).status == "failed"
    assert read_state(journal, RUN).error == "no"
