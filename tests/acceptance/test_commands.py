"""Every command through the command line: what it says, what it changes, and its exit code."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from flows.cli import EXIT_CODES
from schemas.errors import NyckeltalError
from tests.acceptance.support import COMMAND_LINE, KEY, ROOT, assert_same, environment, fingerprint, ledger, published, run

Nyckeltal = Callable[..., Any]


def deliveries(nyckeltal: Nyckeltal, home: Path) -> dict[str, dict[str, Any]]:
    """`status` by file name."""
    told = nyckeltal(home, "status", "--format", "json")
    assert told.code == 0
    return {row["file_name"]: row for row in json.loads(told.out)}


def test_status_tells_what_became_of_every_delivery(nyckeltal: Nyckeltal, home: Path) -> None:
    rows = deliveries(nyckeltal, home)
    row = rows["koela_ostolaskut_2024.csv"]
    assert (row["status"], row["agency"], row["source"]) == ("loaded", "sample-koela", "purchase_invoices")
    assert row["rows_read"] > row["rows_accepted"] > 0
    in_table = nyckeltal(home, "status")
    assert in_table.code == 0
    assert row["delivery_id"] in in_table.out
    as_csv = list(csv.DictReader(io.StringIO(nyckeltal(home, "status", "--format", "csv").out)))
    assert {item["file_name"] for item in as_csv} == set(rows)


def test_a_received_file_waits_for_the_nightly(nyckeltal: Nyckeltal, home: Path, tiny_sample: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sample-koela"
    folder.mkdir()
    text = (tiny_sample / "inbox/sample-koela/purchase_invoices/koela_ostolaskut_2024.csv").read_bytes()
    (folder / "koela_ostolaskut_2025.csv").write_bytes(text.replace(b".2024;", b".2025;"))
    told = nyckeltal(home, "receive", folder, "--agency", "sample-koela", "--source", "purchase_invoices")
    assert told.code == 0
    assert told.out.startswith("received  ")
    assert deliveries(nyckeltal, home)["koela_ostolaskut_2025.csv"]["status"] == "received"
    assert (folder / "koela_ostolaskut_2025.csv").exists(), "a named file stays where it is"
    before = fingerprint(home)
    assert nyckeltal(home, "nightly").code == 0
    assert deliveries(nyckeltal, home)["koela_ostolaskut_2025.csv"]["status"] == "loaded"
    assert fingerprint(home) != before
    again = nyckeltal(home, "receive", folder, "--agency", "sample-koela", "--source", "purchase_invoices")
    assert (again.code, again.out.split("  ")[0]) == (0, "received before")


def test_withdraw_and_deliver_again(nyckeltal: Nyckeltal, home: Path, tiny_home: Path, tiny_sample: Path) -> None:
    row = deliveries(nyckeltal, home)["koela_ostolaskut_2024.csv"]
    told = nyckeltal(home, "withdraw", row["delivery_id"][:10], "--reason", "wrong year")
    assert told.code == 0
    assert "nightly" in told.out
    assert nyckeltal(home, "nightly").code == 0
    assert deliveries(nyckeltal, home)["koela_ostolaskut_2024.csv"]["status"] == "withdrawn"
    assert fingerprint(home) != fingerprint(tiny_home)
    for command in ("reprocess", "release", "withdraw"):
        assert nyckeltal(home, command, row["delivery_id"]).code == 2, "a withdrawn delivery only comes back by being received"
    file = tiny_sample / "inbox/sample-koela/purchase_invoices/koela_ostolaskut_2024.csv"
    assert nyckeltal(home, "receive", file, "--agency", "sample-koela", "--source", "purchase_invoices").code == 0
    assert nyckeltal(home, "nightly").code == 0
    assert_same(home, tiny_home)


def test_withdrawing_everything_is_withdrawing_its_figures(nyckeltal: Nyckeltal, home: Path) -> None:
    for row in deliveries(nyckeltal, home).values():
        assert nyckeltal(home, "withdraw", row["delivery_id"]).code == 0
    assert nyckeltal(home, "nightly").code == 0
    assert published(home, "SELECT count(*) FROM mart.key_figure WHERE value IS NOT NULL AND value <> 0").item() == 0
    assert nyckeltal(home, "figures").code == 0


def test_the_shrink_guard_holds_until_released(nyckeltal: Nyckeltal, home: Path, tiny_home: Path, tmp_path: Path) -> None:
    name = "koela_ostolaskut_2024.csv"
    original = next((home / "landing").glob("purchase_invoices/sample-koela/*/manifest.json"))
    lines = next(
        path.with_name("file").read_bytes()
        for path in original.parent.parent.glob("*/manifest.json")
        if json.loads(path.read_text("utf-8"))["file_name"] == name
    ).splitlines(keepends=True)
    (tmp_path / name).write_bytes(b"".join(lines[:6]))
    assert nyckeltal(home, "receive", tmp_path / name, "--agency", "sample-koela", "--source", "purchase_invoices").code == 0
    assert nyckeltal(home, "nightly").code == 0
    assert_same(home, tiny_home)
    held = [row for row in json.loads(nyckeltal(home, "status", "--format", "json").out) if row["is_held"]]
    assert [row["file_name"] for row in held] == [name]
    assert "release" in held[0]["why"]
    receipt = home / "receipts" / "sample-koela" / "purchase_invoices" / f"{held[0]['delivery_id']}.json"
    assert json.loads(receipt.read_text("utf-8"))["is_held"] is True
    assert nyckeltal(home, "release", held[0]["delivery_id"], "--reason", "the year was cut short").code == 0
    assert nyckeltal(home, "nightly").code == 0
    assert fingerprint(home) != fingerprint(tiny_home)
    assert json.loads(receipt.read_text("utf-8"))["is_held"] is False
    assert nyckeltal(home, "withdraw", held[0]["delivery_id"]).code == 0
    assert nyckeltal(home, "nightly").code == 0
    assert_same(home, tiny_home)


def test_reprocess_reads_again_and_changes_nothing_by_itself(nyckeltal: Nyckeltal, home: Path, tiny_home: Path) -> None:
    row = deliveries(nyckeltal, home)["th_data_2024.csv"]
    assert nyckeltal(home, "reprocess", row["delivery_id"]).code == 0
    assert nyckeltal(home, "nightly").code == 0
    assert_same(home, tiny_home)
    after = ledger(home, "SELECT status, attempt FROM ledger.delivery WHERE delivery_id = ?", [row["delivery_id"]])
    assert after.row(0) == ("loaded", 2)
    files = ledger(home, "SELECT path FROM ledger.batch_file")["path"].to_list()
    assert all((home / "lake" / path).is_file() for path in files)


def test_quarantine_names_row_column_and_rule(nyckeltal: Nyckeltal, home: Path) -> None:
    row = deliveries(nyckeltal, home)["koela_ostolaskut_2024.csv"]
    told = nyckeltal(home, "quarantine", row["delivery_id"][:12], "--format", "json")
    assert told.code == 0
    rows = json.loads(told.out)
    assert rows
    assert {item["delivery_id"] for item in rows} == {row["delivery_id"]}
    assert all(item["rule"] and item["table_name"] == "posting_line" for item in rows)
    assert nyckeltal(home, "quarantine", "--limit", "1", "--format", "csv").out.count("\n") == 2
    assert nyckeltal(home, "quarantine").code == 0


def test_figures_as_table_csv_and_json(nyckeltal: Nyckeltal, home: Path) -> None:
    words = ("--figure", "spend_total", "--level", "organisation", "--period", "2024-01-01")
    rows = json.loads(nyckeltal(home, "figures", *words, "--format", "json").out)
    truth = published(
        home,
        "SELECT level_id, value FROM mart.key_figure WHERE figure_id = 'spend_total' AND level = 'organisation' "
        "AND period_kind = 'year' AND period_start = DATE '2024-01-01'",
    )
    assert {row["level_id"]: Decimal(row["value"]) for row in rows} == dict(truth.iter_rows())
    as_csv = list(csv.DictReader(io.StringIO(nyckeltal(home, "figures", *words, "--format", "csv").out)))
    assert {row["level_id"]: Decimal(row["value"]) for row in as_csv} == dict(truth.iter_rows())
    table = nyckeltal(home, "figures")
    assert table.code == 0
    assert "Procurement spend" in table.out
    for language in ("fi", "sv"):
        assert nyckeltal(home, "figures", "--language", language).code == 0


def test_rows_of_a_breakdown_say_which_part_they_are(nyckeltal: Nyckeltal, home: Path) -> None:
    of_part = published(
        home,
        "SELECT any_value(figure_id) FROM mart.key_figure WHERE breakdown_kind <> '' AND level = 'organisation' AND is_latest",
    )
    words = ("figures", "--figure", of_part.item(), "--level", "organisation", "--period-kind", "all")
    told = {row["breakdown"] for row in json.loads(nyckeltal(home, *words, "--format", "json").out)}
    parts = published(
        home,
        f"SELECT DISTINCT breakdown_kind, breakdown_id FROM mart.key_figure WHERE figure_id = '{of_part.item()}' "
        "AND level = 'organisation' AND is_latest",
    )
    assert told == {f"{kind} {part}".strip() for kind, part in parts.iter_rows()}
    assert "breakdown" in nyckeltal(home, *words).out
    assert "breakdown" not in nyckeltal(home, "figures").out


@pytest.mark.long
def test_a_past_publication_is_shown_exactly_as_it_was(nyckeltal: Nyckeltal, home: Path) -> None:
    """QUALITY_PROMISES R6: after a correction the former figures can still be had, to the last digit."""
    words = ("figures", "--level", "all", "--period-kind", "all", "--period", "all", "--format", "json")
    names = [*KEY, "value", "numerator", "denominator", "n", "coverage", "status", "reason", "revision_no", "is_latest", "light"]

    def told(*more: str) -> list[tuple[object, ...]]:
        return sorted(tuple(row[name] for name in names) for row in json.loads(nyckeltal(home, *words, *more).out))

    number, published_at = published(home, "SELECT publication_no, published_at FROM meta.publication").row(0)
    before = told()
    assert told("--published", str(number)) == before
    row = deliveries(nyckeltal, home)["koela_ostolaskut_2024.csv"]
    assert nyckeltal(home, "withdraw", row["delivery_id"], "--reason", "wrong file").code == 0
    assert nyckeltal(home, "nightly").code == 0
    after = told()
    assert after != before
    assert told("--published", str(number)) == before
    assert told("--published", str(number + 1)) == after
    assert told("--published", f"{published_at + timedelta(days=1):%Y-%m-%d}") == after
    assert nyckeltal(home, *words, "--published", "2001-01-01").code == 2
    assert nyckeltal(home, *words, "--published", str(number + 2)).code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("figures", "--figure", "no_such_figure"),
        ("figures", "--language", "de"),
        ("figures", "--format", "xml"),
        ("figures", "--level", "galaxy"),
        ("figures", "--period-kind", "decade"),
        ("figures", "--period", "2024-13-45"),
        ("status", "--format", "xml"),
        ("quarantine", "--limit", "-1"),
        ("withdraw", "ffffffffffffffff"),
        ("release", "no-such-delivery"),
        ("reprocess", ""),
        ("receive",),
        ("no-such-command",),
    ],
)
def test_wrong_words_end_with_two(nyckeltal: Nyckeltal, home: Path, words: tuple[str, ...]) -> None:
    told = nyckeltal(home, *words)
    assert told.code == 2
    assert told.err.strip()


def test_a_wrong_day_ends_with_two(nyckeltal: Nyckeltal, home: Path) -> None:
    assert nyckeltal(home, "nightly", as_of="2025-13-40").code == 2


def test_nothing_published_yet(nyckeltal: Nyckeltal, tmp_path: Path) -> None:
    for word in ("figures", "fingerprint"):
        told = nyckeltal(tmp_path / "new", word)
        assert told.code == 2
        assert "nightly" in told.err
    for word in ("status", "quarantine", "doctor"):
        assert nyckeltal(tmp_path / "new", word).code == 0


def test_a_nightly_without_deliveries(nyckeltal: Nyckeltal, tmp_path: Path) -> None:
    assert nyckeltal(tmp_path / "new", "nightly").code == 0
    assert nyckeltal(tmp_path / "new", "figures").code == 0


def test_fingerprint_is_the_published_one(nyckeltal: Nyckeltal, home: Path) -> None:
    told = nyckeltal(home, "fingerprint")
    assert told.code == 0
    assert told.out.split() == [fingerprint(home)]


def test_doctor_finds_what_waits(nyckeltal: Nyckeltal, home: Path, tmp_path: Path, tiny_sample: Path) -> None:
    told = nyckeltal(home, "doctor")
    assert told.code == 0
    assert "publication" in told.out
    file = tmp_path / "koela_ostolaskut_2024.csv"
    file.write_bytes((tiny_sample / "inbox/sample-koela/purchase_invoices" / file.name).read_bytes() + b"\r\n")
    assert nyckeltal(home, "receive", file, "--agency", "sample-koela", "--source", "purchase_invoices").code == 0
    assert "1 deliveries wait" in nyckeltal(home, "doctor").out


def test_check_tells_an_agency_and_keeps_nothing(nyckeltal: Nyckeltal, home: Path, tiny_sample: Path, tmp_path: Path) -> None:
    before = sorted(path for path in home.rglob("*") if path.is_file())
    good = tiny_sample / "inbox/sample-koela/purchase_invoices/koela_ostolaskut_2024.csv"
    told = nyckeltal(home, "check", good, "--agency", "sample-koela", "--source", "purchase_invoices", "--language", "fi")
    assert told.code == 0
    assert "Toimituskuitti" in told.out
    bad = tmp_path / "empty.csv"
    bad.write_bytes(b"")
    assert nyckeltal(home, "check", bad, "--agency", "sample-koela", "--source", "purchase_invoices").code == 4
    assert nyckeltal(home, "check", tmp_path / "missing.csv", "--agency", "sample-koela").code == 4
    bad.write_bytes(b"Kunnan nimi;Tositenumero\r\nA;1\r\n")
    told = nyckeltal(home, "check", bad, "--agency", "sample-koela", "--source", "purchase_invoices")
    assert told.code == 4
    assert "refused" in told.out
    after = sorted(path for path in home.rglob("*") if path.is_file())
    assert [path for path in after if path.suffix != ".lock"] == [path for path in before if path.suffix != ".lock"]


def test_another_run_is_writing(nyckeltal: Nyckeltal, home: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, filelock; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); print('held', flush=True); sys.stdin.read()",
            str(home / "warehouse.lock"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        told = nyckeltal(home, "--wait", "0", "nightly")
        assert told.code == 75
        assert "another run" in told.err
        since = time.monotonic()
        assert "a run is writing now" in nyckeltal(home, "doctor").out
        assert time.monotonic() - since < 10, "monitoring does not wait for a run"
        assert nyckeltal(home, "figures").code == 0, "readers of the published file never wait"
    finally:
        holder.communicate("")
    assert nyckeltal(home, "nightly").code == 0


def test_a_night_waits_until_a_short_reader_has_gone(nyckeltal: Nyckeltal, home: Path) -> None:
    lock = FileLock(str(home / "warehouse.lock"), thread_local=False)
    lock.acquire()
    reader = threading.Timer(1.5, lock.release, kwargs={"force": True})
    reader.start()
    assert nyckeltal(home, "nightly").code == 0
    reader.join()


def test_registers_that_cannot_be_read_end_with_three(nyckeltal: Nyckeltal, home: Path) -> None:
    (home / "registry" / "agencies.csv").write_text("agency,name\nonly-one-cell\n", "utf-8")
    told = nyckeltal(home, "nightly")
    assert told.code == 3
    assert "agencies.csv" in told.err
    (home / "registry" / "agencies.csv").write_bytes("agency\nÄ\n".encode("latin-1"))
    assert nyckeltal(home, "nightly").code == 3


def test_a_home_that_is_a_file_ends_with_three(nyckeltal: Nyckeltal, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory", "utf-8")
    told = nyckeltal(tmp_path / "file", "nightly")
    assert told.code == 3
    assert str(tmp_path / "file") in told.err


@pytest.mark.slow
def test_settings_that_make_no_sense_end_with_three(tmp_path: Path) -> None:
    done = run(tmp_path, "status", NYCKELTAL_WAIT_SECONDS="soon")
    assert done.returncode == 3
    assert "NYCKELTAL_WAIT_SECONDS" in done.stderr.upper()
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_commands_of_a_process_of_their_own(tiny_sample: Path, tiny_home: Path, tmp_path: Path) -> None:
    """From an empty directory by the environment alone, as a newcomer's shell would."""
    home = tmp_path / "home"
    shutil.copytree(tiny_sample, home)
    done = subprocess.run(
        [sys.executable, "-c", COMMAND_LINE, "nightly"],
        env=environment(NYCKELTAL_HOME=str(home), NYCKELTAL_AS_OF="2025-11-21"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(home / "published" / "nyckeltal.duckdb") in done.stdout
    assert_same(home, tiny_home)
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    told = run(home, "--help")
    assert told.returncode == 0
    assert "Exit codes" in told.stdout


def test_help_and_readme_tell_the_same_exit_codes() -> None:
    told = {int(code) for code in re.findall(r"(?:^|[,:] )(\d+) [a-zA-Z`]", " ".join(EXIT_CODES.split()))}
    rows = {int(code) for code in re.findall(r"^\| (\d+) \|", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)}
    classes = {error.exit_code for error in NyckeltalError.__subclasses__()}
    assert told == rows
    assert told == classes | {0, 1, 70}
