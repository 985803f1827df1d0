"""The one exception hierarchy of nyckeltal.

`NyckeltalError` is what a person did, delivered or configured: shown without a traceback, with the exit code of its
class. Anything else that escapes is a defect of ours and keeps its traceback.
"""

from __future__ import annotations

from dataclasses import dataclass


class NyckeltalError(Exception):
    """Base class; `exit_code` is the documented exit code of the command line."""

    exit_code = 1


class UsageError(NyckeltalError):
    """A command was called with words that do not fit (unknown delivery, unknown figure)."""

    exit_code = 2


class ConfigurationError(NyckeltalError):
    """Settings or reference data are wrong: the message names the file, the row and the column."""

    exit_code = 3


class WarehouseLost(ConfigurationError):
    """There is no warehouse though there was one, or an older one; what it left can make it anew."""


class DeliveryRefused(NyckeltalError):
    """A delivered file cannot be taken as it is; `reasons` says why and what to do."""

    exit_code = 4

    def __init__(self, *reasons: Reason) -> None:
        super().__init__("; ".join(str(reason) for reason in reasons))
        self.reasons = reasons

    def __reduce__(self) -> tuple[type[DeliveryRefused], tuple[Reason, ...]]:
        return DeliveryRefused, self.reasons  # as it travels between processes


class InvariantBroken(NyckeltalError):
    """A check before publication failed; the former publication stays in force."""

    exit_code = 5


class StorageFailed(NyckeltalError):
    """The disk is full or a file cannot be written; nothing was half-loaded."""

    exit_code = 6


class Damaged(NyckeltalError):
    """Files of the home are lost or not what was written; `damage` says which, and what heals them. Nothing was changed."""

    exit_code = 7

    def __init__(self, *damage: Damage) -> None:
        super().__init__("; ".join(str(item) for item in damage))
        self.damage = damage


class MemoryShort(NyckeltalError):
    """What is allowed of memory (NYCKELTAL_MEMORY_MB), or what the machine has, is not enough; nothing was half-loaded."""

    exit_code = 8


class ServiceUnavailable(NyckeltalError):
    """Prefect's API does not answer or refuses us (exit code 69 is EX_UNAVAILABLE). Nothing is lost: landing is the truth."""

    exit_code = 69


class Busy(NyckeltalError):
    """Another process holds the writer lock (exit code 75 is EX_TEMPFAIL: try again)."""

    exit_code = 75


@dataclass(frozen=True)
class Damage:
    """One file or directory of a home that is not what it should be.

    `path` names it (below the home directory where it lies there), `text` says what is wrong, `cure` what heals it, with the
    command. `is_healed`: this run has healed it already.
    """

    path: str
    text: str
    cure: str
    is_healed: bool = False

    def __str__(self) -> str:
        return f"{self.path} {self.text}; {self.cure}"


@dataclass(frozen=True)
class Reason:
    """One reason why a delivery, table or row was not taken.

    `code` is stable and machine-readable (snake_case), `text` is for the data owner and ends with what to do.
    `file`, `row` (1-based line or record), `column`, `value` are given where known; never put personal data in `value`.
    """

    code: str
    text: str
    file: str | None = None
    row: int | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        where = [
            part
            for part in (
                self.file,
                f"row {self.row}" if self.row is not None else None,
                f"column {self.column!r}" if self.column else None,
                f"value {self.value!r}" if self.value is not None else None,
            )
            if part
        ]
        prefix = f"{', '.join(where)}: " if where else ""
        return f"{prefix}{self.text} [{self.code}]"


def is_panic(error: BaseException) -> bool:
    """Whether a library's Rust code gave up: no Exception, of a class that each such library makes for itself."""
    return type(error).__name__ == "PanicException"


def speaks_of_content(error: BaseException) -> bool:
    """Whether an error that came out of reading a delivery speaks of what was delivered.

    Readers and the libraries below them raise anything on hostile bytes; only a lack of memory or disk, and what we say
    ourselves of other things than the delivery, is no matter of the file.
    """
    if is_panic(error) or isinstance(error, DeliveryRefused):
        return True
    return isinstance(error, Exception) and not isinstance(error, OSError | MemoryError | NyckeltalError)
