"""Uploads of files that their user may not read (F23): a process that permissions bind."""

import signal
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import COMMAND, Shell
from tests.faults.privileges import obeying_permissions
from tests.unit.plugins.actions.upload.world import World

UPLOAD = ("upload", "data", "--collection", "things", "--storage", "./store", "--on-error")


@pytest.fixture
def shell(world: World) -> Iterator[Shell]:
    """A shell in the project."""
    shell = Shell(world.folder)
    yield shell
    shell.clean_up()


@pytest.fixture
def _shut(world: World) -> Iterator[None]:
    """A file and a folder that may not be read, beside a file that may."""
    world.write("images/cat.jpg", b"cat")
    paths = [world.write("images/secret.jpg", b"secret"), world.write("images/deep/inner.jpg", b"inner").parent]
    for path in paths:
        path.chmod(0o000)
    yield
    for path in paths:
        path.chmod(0o700)


@pytest.mark.usefixtures("_shut")
def test_what_may_not_be_read_fails_the_upload_before_anything_is_sent(world: World, shell: Shell) -> None:
    """F23: each is named, with its permissions."""
    ended = shell.run_program(*obeying_permissions(), *COMMAND, *UPLOAD, "stop")

    assert ended.code == 1, ended.err
    said = " ".join(ended.err.split())
    assert "2 files cannot be uploaded" in said
    assert "images/deep/: the folder cannot be read: Permission denied" in said
    assert "images/secret.jpg: its permissions (----------) forbid it" in said
    assert world.objects() == set()
    world.check()


@pytest.mark.usefixtures("_shut")
def test_an_upload_may_go_on_without_what_may_not_be_read(world: World, shell: Shell) -> None:
    """F23: it says so by its exit code, and in the report."""
    ended = shell.run_program(*obeying_permissions(), *COMMAND, *UPLOAD, "continue", "--json")

    assert ended.code == 3, ended.err
    failures = {each["file"]: each["code"] for each in ended.result["result"]["failures"]}
    assert failures == {"images/deep/": "UNREADABLE", "images/secret.jpg": "UNREADABLE"}
    assert world.units().keys() == {"cat"}
    world.check()


@pytest.mark.parametrize(("on_error", "code", "units"), [("stop", 1, set()), ("continue", 3, {"dog"})])
def test_a_file_that_may_not_be_read_any_more_fails_when_it_is_read(
    world: World, shell: Shell, on_error: str, code: int, units: set[str]
) -> None:
    """F23: it was shut after it was checked."""
    cat = world.write("images/cat.jpg", b"cat")
    world.write("images/dog.jpg", b"dog")
    running = shell.stopped(*UPLOAD, on_error, at="step.executed=stop@2", prefix=obeying_permissions())
    cat.chmod(0o000)
    running.signal(signal.SIGCONT)

    ended = running.end()

    assert ended.code == code, ended.err
    assert "Permission denied" in ended.out + ended.err
    assert world.units().keys() == units
    world.check()


def test_a_root_that_may_not_be_read_is_not_permitted(world: World, shell: Shell) -> None:
    """F23: 77 says that it is a matter of permissions; the message, where to look."""
    data = world.write("images/cat.jpg", b"cat").parent.parent
    data.chmod(0o000)

    ended = shell.run_program(*obeying_permissions(), *COMMAND, *UPLOAD, "continue")
    data.chmod(0o700)

    assert ended.code == 77, ended.err
    assert "Cannot read 'data'. Permission denied. Check its permissions: ls -ld data" in " ".join(ended.err.split())
    world.check()
