"""What no archive may exceed, the count of what really comes out, and the errors that say so."""

from dataclasses import dataclass, fields
from typing import NoReturn

from synapse_sdk.errors import UnsafeArchiveError

__all__ = ["ArchiveLimits", "Budget", "refusal"]

GIB = 1024**3
FREE_BYTES = 16 * 1024 * 1024
"""Up to here nobody is harmed, however small the archive is: the ratio does not count yet."""
FIXES = {
    "total_bytes": "Unpack it in parts",
    "file_bytes": "Leave the file out",
    "ratio": "If it is to be trusted, unpack it yourself, or allow a higher ratio",
    "entries": "Unpack it in parts",
    "depth": "Pack it with fewer folders within one another",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """How much may come out of an archive. Bytes are counted as they come, whatever the archive says about them.

    What is beyond a limit is refused with an error whose `where` has `violation_type` (the name of the limit), `limit`
    and `actual`.
    """

    total_bytes: int = 64 * GIB
    """Bytes in all."""
    file_bytes: int = 8 * GIB
    """Bytes of one file."""
    ratio: float = 200.0
    """Bytes that come out for one of the archive, once 16 MiB are out; zeros reach 1,000."""
    entries: int = 200_000
    """Files and folders."""
    depth: int = 32
    """Folders within one another, the file itself included."""

    def __post_init__(self) -> None:
        """Refuse a limit that nothing could keep.

        Raises:
            ValueError: A limit is not greater than zero.
        """
        for field in fields(self):
            limit = getattr(self, field.name)
            if not limit > 0:
                msg = f"{field.name} is {limit}, and must be greater than 0"
                raise ValueError(msg)


def refusal(archive: str, why: str, fix: str, *, member: str | None = None, **where: object) -> UnsafeArchiveError:
    """Return the error that says why an archive is not unpacked.

    Args:
        archive: Its path.
        why: What was found.
        fix: The way out.
        member: The member in which it was found, if it was in one.
        where: Further particulars.
    """
    why = why[:1].upper() + why[1:]
    message = f"Cannot unpack {archive!r}"
    if member is not None:
        message += f" because of its member {ascii(member) if not member.isprintable() else repr(member)}"
        where["member"] = member
    return UnsafeArchiveError(message, why=why, fix=fix, archive=archive, **where)


class Budget:
    """What may still come out of an archive.

    Args:
        archive: Path of the archive, for errors.
        size: Its size in bytes.
        limits: What is allowed.
    """

    def __init__(self, archive: str, size: int, limits: ArchiveLimits) -> None:
        self.archive = archive
        self.limits = limits
        self._size = max(size, 1)
        self._total = 0
        self._entries = 0

    def again(self) -> "Budget":
        """Return the same budget, of which nothing is spent yet."""
        return Budget(self.archive, self._size, self.limits)

    def spend(self, count: int, member: str | None = None) -> None:
        """Count bytes that came out.

        Raises:
            UnsafeArchiveError: They are too many.
        """
        self._total += count
        self.check_total(self._total, member)

    def check_total(self, total: int, member: str | None = None) -> None:
        """Refuse a number of bytes that is too much, in all or for an archive of this size.

        Raises:
            UnsafeArchiveError: It is.
        """
        self.check_stream(total, 0, member)

    def check_stream(self, total: int, slack: int, member: str | None = None) -> None:
        """Refuse a number of bytes that is too much even if `slack` of them are not content.

        Raises:
            UnsafeArchiveError: It is.
        """
        if total - slack > self.limits.total_bytes:
            self.refuse("total_bytes", self.limits.total_bytes, total, "{actual} bytes or more come out", member)
        if total > FREE_BYTES and total / self._size > self.limits.ratio:
            ratio = round(total / self._size)
            self.refuse(
                "ratio", self.limits.ratio, ratio, "{actual} bytes or more come out for each of its own", member
            )

    def count_member(self, name: str, size: int) -> None:
        """Count a file or folder, and the bytes that it says it has.

        Args:
            name: Its path in the archive.
            size: Bytes, as the archive says; 0 for a folder.

        Raises:
            UnsafeArchiveError: There are too many, or this one lies too deep or is too large.
        """
        self._entries += 1
        if self._entries > self.limits.entries:
            self.refuse("entries", self.limits.entries, self._entries, "it has {actual} entries or more", None)
        depth = name.count("/") + 1
        if depth > self.limits.depth:
            self.refuse("depth", self.limits.depth, depth, "it lies {actual} levels deep", name)
        self.check_file(size, name)
        self.spend(size, name)

    def check_file(self, size: int, member: str) -> None:
        """Refuse a file that is too large.

        Raises:
            UnsafeArchiveError: It is.
        """
        if size > self.limits.file_bytes:
            self.refuse("file_bytes", self.limits.file_bytes, size, "it has {actual} bytes or more", member)

    def refuse(self, violation: str, limit: float, actual: float, why: str, member: str | None) -> NoReturn:
        """Raise the error for a limit that is exceeded."""
        why = f"{why.format(actual=f'{actual:,}')}, and {limit:,.12g} are allowed"
        raise refusal(
            self.archive, why, FIXES[violation], member=member, violation_type=violation, limit=limit, actual=actual
        )
