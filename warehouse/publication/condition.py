"""Whether what is published is what was built: links, files, sizes, hashes, and what the file in force says of itself."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import duckdb

from schemas.errors import Damage
from warehouse import journal
from warehouse.home import Home, digest
from warehouse.publication import generations
from warehouse.publication.generations import FILE_NAME
from warehouse.store import WAREHOUSE_CURE, Store

LINKS = ("published/current", f"published/{FILE_NAME}")
CURE = "`nyckeltal nightly` makes it again from the history"
DEEP_CURE = "`nyckeltal mend` makes it again from the history"
ANY = sys.maxsize
FORMER_CURE = "only who opened it reads it: it goes with the next publications, a backup holds it"


def of_published(store: Store, deep: bool = False) -> list[Damage]:
    """What is wrong with the publication in force: the newest that is out. `deep` reads the files whole."""
    number = _newest(store)
    if number is None:
        return []
    found = [*_links(store, number), *_in_force(store, number, deep)]
    return [*found, *_recorded(store, "restricted/%", CURE, deep)]


def of_former(store: Store) -> list[Damage]:
    """What is wrong with the generations kept beside the one in force."""
    number = _newest(store) or 0
    own = f"generations/{generations.directory(store.home, number).name}/"
    found = _recorded(store, "generations/%", FORMER_CURE, deep=True)
    return [item for item in found if not item.path.startswith(f"{store.home.published.name}/{own}")]


def of_warehouse_age(home: Home, known: int) -> list[Damage]:
    """An empty or an older warehouse in the place of the one that made the publications: it knows `known` of them. It would number
    the next one, and tell its history, anew."""
    out = max([generations.newest_on_disk(home), *journal.numbers(home)])
    if out <= known:
        return []
    text = f"knows {known} publications, but number {out} is out: it was lost, or an older one stands in its place"
    return [Damage(home.warehouse.name, text, WAREHOUSE_CURE)]


def is_sound(store: Store, number: int, deep: bool = True) -> bool:
    """Whether a generation is what was built, `deep` to the byte where its hash was kept: the next one may start as its copy."""
    return not _in_force(store, number, deep)


def record(store: Store, files: Iterable[Path], owners: Collection[Path], before: int) -> None:
    """Keep size and hash of published files; forget those of owners who have none any more (`owners`: the directories of those who
    have one), and of generations up to number `before`. Inside the caller's transaction."""
    home = store.home
    gone = [
        [row["path"]]
        for row in store.rows("SELECT path FROM ledger.published_file")
        if _generation(row["path"]) <= before or (_generation(row["path"]) == ANY and (home.published / row["path"]).parent not in owners)
    ]
    if gone:
        store.con.executemany("DELETE FROM ledger.published_file WHERE path = ?", gone)
    rows = [(str(path.relative_to(home.published)), *reversed(digest(path))) for path in files]
    store.con.executemany("INSERT OR REPLACE INTO ledger.published_file VALUES (?, ?, ?)", rows)


def hashes(store: Store) -> dict[str, str]:
    """Published files, from the home on, and the hash kept of each."""
    rows = store.rows("SELECT path, sha256 FROM ledger.published_file ORDER BY path")
    return {f"{store.home.published.name}/{row['path']}": row["sha256"] for row in rows}


def _generation(path: str) -> int:
    """The number of the generation that a file below published/ belongs to; ANY for an owner's."""
    kind, name, *_ = Path(path).parts
    return int(name) if kind == "generations" else ANY


def _newest(store: Store) -> int | None:
    found: int | None = store.scalar("SELECT max(publication_no) FROM ledger.publication WHERE is_out")
    return found


def _links(store: Store, number: int) -> list[Damage]:
    """The two links by which readers open the file."""
    home, wrong = store.home, []
    begun = store.scalar("SELECT max(publication_no) FROM ledger.publication WHERE NOT is_out")  # a crash may have left it in force
    if generations.in_force(home) not in (number, begun or number):
        wrong.append(Damage(LINKS[0], f"does not lead to publication {number}", CURE))
    if not home.published_file.is_symlink():
        wrong.append(Damage(LINKS[1], "is not the link to the publication in force", CURE))
    return wrong


def _in_force(store: Store, number: int, deep: bool) -> list[Damage]:
    """The open file of a publication: what was recorded of it, and that it opens and speaks of this publication."""
    home = store.home
    path = generations.directory(home, number) / FILE_NAME
    below = str(path.relative_to(home.published))
    found = _recorded(store, below, CURE, deep)
    if found:
        return found
    text = _says_otherwise(path, store.rows("SELECT * FROM ledger.publication WHERE publication_no = ?", [number])[0]["fingerprint"], number)
    return [Damage(str(path.relative_to(home.root)), text, CURE)] if text else []


def _says_otherwise(path: Path, fingerprint: str, number: int) -> str | None:
    if not path.is_file():
        return "is missing"
    try:
        con = duckdb.connect(str(path), read_only=True)
        try:
            rows = con.execute("SELECT publication_no, fingerprint FROM meta.publication").fetchall()
        finally:
            con.close()
    except duckdb.Error as error:
        return f"cannot be opened ({type(error).__name__})"
    return None if rows == [(number, fingerprint)] else f"does not hold publication {number}"


def _recorded(store: Store, pattern: str, cure: str, deep: bool) -> list[Damage]:
    """Files whose path below published/ is LIKE `pattern`, against what was kept of them when they were built."""
    rows = store.rows("SELECT * FROM ledger.published_file WHERE path LIKE ? ORDER BY path", [pattern])
    found = []
    for row in rows:
        path = store.home.published / row["path"]
        below = f"{store.home.published.name}/{row['path']}"
        if text := _lacks(path, row["size_bytes"]):
            found.append(Damage(below, text, cure))
        elif deep and digest(path)[0] != row["sha256"]:
            found.append(Damage(below, "is not what was built (another sha256)", DEEP_CURE if cure == CURE else cure))
    return found


def _lacks(path: Path, size: int) -> str | None:
    if not path.is_file():
        return "is missing"
    there = path.stat().st_size
    return None if there == size else f"has {there} bytes instead of {size}"


def only_links(damage: Sequence[Damage]) -> bool:
    """Whether nothing but links is wrong."""
    return all(item.path in LINKS for item in damage)
