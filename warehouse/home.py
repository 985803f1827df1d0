"""Where everything lies: one home directory, fixed places for people and scripts."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigurationError

MARK = ".nyckeltal-home"
"""The file that says that a directory is a home."""
PREPARED = {"inbox", "registry", "truth", "service"}
"""What may lie in a directory before it becomes a home: deliveries, registers, what samples say of themselves,
Prefect's own home where its server starts first."""


@dataclass(frozen=True)
class Home:
    """The paths below one home directory. `create` makes the directories; landing, lake, work and receipts are readable by their
    owner only.

    `base`, of a scratch home (warehouse/overlay): the home whose inbox it reads, taking nothing away, and whose files its links
    lead to.
    """

    root: Path
    base: Path | None = None

    @property
    def inbox(self) -> Path:
        return (self.base or self.root) / "inbox"

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    @property
    def lakes(self) -> list[Path]:
        """Where the files of the lake really lie."""
        return [self.lake, *([self.base / "lake"] if self.base else [])]

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def receipts(self) -> Path:
        return self.root / "receipts"

    @property
    def registry(self) -> Path:
        return self.root / "registry"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def journal(self) -> Path:
        """What every publication changed and the newest state of the ledger: the warehouse is made anew from it. Readable by its
        owner only, never pruned."""
        return self.root / "journal"

    @property
    def writer_lock(self) -> Path:
        return self.root / "warehouse.lock"

    @property
    def landing_lock(self) -> Path:
        return self.root / "landing.lock"

    @property
    def service(self) -> Path:
        """What `nyckeltal up` keeps: secret, logs, run locks, Prefect's own home. Readable by its owner only."""
        return self.root / "service"

    @property
    def published(self) -> Path:
        return self.root / "published"

    @property
    def generations(self) -> Path:
        return self.published / "generations"

    @property
    def published_file(self) -> Path:
        return self.published / "nyckeltal.duckdb"

    @property
    def restricted(self) -> Path:
        """What only its owner may see, a directory per organisation."""
        return self.published / "restricted"

    def create(self) -> None:
        """Make the directories. Raises ConfigurationError for a directory that holds other people's things: a home is swept,
        emptied and pruned, so it must be ours alone."""
        self.require_ours()
        own = () if self.base else (self.inbox,)
        for path in (*own, self.lake, self.work, self.receipts, self.registry, self.generations):
            path.mkdir(parents=True, exist_ok=True)
        self.landing.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (self.landing, self.lake, self.work, self.receipts):  # METHOD 55, whatever the umask
            if path.stat().st_mode & 0o077:
                path.chmod(0o700)
        (self.root / MARK).touch()

    def require_ours(self) -> None:
        """Raises ConfigurationError for a directory that holds other people's things."""
        if not self.root.is_dir() or (self.root / MARK).exists():
            return
        foreign = sorted({entry.name for entry in self.root.iterdir()} - PREPARED)
        if foreign:
            raise ConfigurationError(
                f"{self.root} is no home of nyckeltal and holds other things ({', '.join(foreign[:3])}); name an empty directory, "
                f"or, if it is one, make an empty file {MARK} in it"
            )


def prepared(root: Path) -> Home:
    """The home in a directory, made when missing. Raises ConfigurationError when that place cannot be one."""
    home = Home(root.resolve())
    try:
        home.create()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise ConfigurationError(f"{home.root} cannot be used as home directory: {error}") from error
    return home


def sync_file(path: Path) -> None:
    """Make what was written into a file durable."""
    _sync(path, os.O_RDONLY)


def sync_directory(path: Path) -> None:
    """Make renames inside `path` durable."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def digest(path: Path) -> tuple[str, int]:
    """SHA-256 of a file and its size."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        return found, file.tell()


def write_durably(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write `path` so that after a crash it is either absent or whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


FEW = 20
"""So many files are made durable one by one."""


def write_together(files: Sequence[tuple[Path, bytes]], mode: int = 0o600) -> None:
    """Write files, durable when this returns. Of many, one flush of the disks takes a tenth of the time of one for each; what a
    crash leaves meanwhile may be empty, so it is for what is then written again."""
    if len(files) <= FEW:
        for path, data in files:
            write_durably(path, data, mode)
        return
    for path, data in files:
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(data)
        temporary.replace(path)
    os.sync()
