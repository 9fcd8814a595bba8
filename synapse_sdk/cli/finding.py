"""What a check of `synapse doctor` has found."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["LITTLE_SPACE", "MEBIBYTE", "NO_SPACE", "Finding", "Health"]

MEBIBYTE = 1024**2
LITTLE_SPACE, NO_SPACE = 1024 * MEBIBYTE, 64 * MEBIBYTE
"""Bytes below which a disk is worth a look, and below which runs will fail."""


class Health(StrEnum):
    """How well something is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    name: str
    health: Health
    found: str
    fix: str | None = None
    """What to do about it."""
