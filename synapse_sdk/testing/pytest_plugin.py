"""Fixtures for authors of plugins; pytest finds them by itself where the package is installed (`-p no:synapse`)."""

import functools
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # every pytest of an environment loads this module: the rest comes with the first use of a fixture
    from collections.abc import Callable, Iterator

    from synapse_sdk.journal import Journal
    from synapse_sdk.testing.crash_safety import CrashReport
    from synapse_sdk.testing.fault_proxy import FaultProxy

__all__ = ["crash_safe", "fault_proxy", "synapse_journal"]


@pytest.fixture
def synapse_journal() -> "Iterator[Journal]":
    """A journal in memory, for `run_plugin(..., journal=synapse_journal)`."""
    from synapse_sdk.journal import MemoryJournal  # noqa: PLC0415  # as above

    with MemoryJournal() as journal:
        yield journal


@pytest.fixture
def crash_safe(tmp_path: Path) -> "Callable[..., CrashReport]":
    """`assert_crash_safe`, working in the test's own folder, where its world is to be seen after a failure."""
    from synapse_sdk.testing.crash_safety import assert_crash_safe  # noqa: PLC0415  # as above

    return functools.partial(assert_crash_safe, sandbox=tmp_path / "crash")


@pytest.fixture
def fault_proxy() -> "Iterator[Callable[..., FaultProxy]]":
    """Make proxies that let requests fail: `fault_proxy(host, port)` has one listen until the test ends."""
    from synapse_sdk.testing.fault_proxy import FaultProxy  # noqa: PLC0415  # as above

    with ExitStack() as stack:
        yield lambda host, port, **rest: stack.enter_context(FaultProxy(host, port, **rest))
