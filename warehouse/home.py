"""Where everything lies: one home directory, fixed places for people and scripts."""

from __future__ import annotations

import errno
import os
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
    """The paths below one home directory. `create` makes the directories; landing is readable by its owner only."""

    root: Path

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def lake(self) -> Path:
        return self.root / "lake"

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
        self._require_ours()
        for path in (self.inbox, self.lake, self.work, self.receipts, self.registry, self.generations):
            path.mkdir(parents=True, exist_ok=True)
        self.landing.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.root / MARK).touch()

    def _require_ours(self) -> None:
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


def sync_directory(path: Path) -> None:
    """Make renames inside `path` durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
