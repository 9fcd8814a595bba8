"""Acting as somebody whom permissions bind."""

import os
import shutil

import pytest

__all__ = ["obeying_permissions"]


def obeying_permissions() -> tuple[str, ...]:
    """Return what makes a command obey permissions, to be put before it; nothing where the tests do not run as root.

    It is still run by root, who owns the files and the interpreter, but without the right to pass over permissions.
    """
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        missing = "root needs setpriv to act like an ordinary user"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    given_up = "-dac_override,-dac_read_search"
    return (setpriv, f"--bounding-set={given_up}", f"--inh-caps={given_up}")
