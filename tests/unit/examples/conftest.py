"""Puts the folders of example plugins on the import path, as their authors would while writing tests for them."""

import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

for plugin in ("digits_annotate", "digits_train", "image_report", "qa_report_export"):
    sys.path.insert(0, str(Path(__file__).parents[3] / "examples" / plugin))


type DiskFull = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def disk_full() -> DiskFull:
    """Return a context manager within which writing fails after 30,000 bytes of a file, as on a full disk."""

    @contextmanager
    def limited() -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited
