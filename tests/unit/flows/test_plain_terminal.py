"""No delivered name or value steers a terminal or a log, and none that is no text ends a command as a defect of ours."""

from __future__ import annotations

import errno
import json
import logging
import re
import sys

import pytest

from flows import cli, console
from flows.settings import Settings
from schemas.errors import Reason
from schemas.plain import plain, plain_line
from tests.unit.flows.inbox_files import put
from warehouse.publication.receipts import as_text

HOSTILE = "a\x1b[2Jb\x9b31mc\u202ed\x07e\rf\udc80g[red]h"
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def test_what_steers_is_written_out_and_the_rest_stays() -> None:
    assert plain("Å\nä\t€ 1\u00a0000") == "Å\nä\t€ 1\u00a0000"
    assert plain_line("a\nb") == "a\\u000ab"
    assert plain(HOSTILE) == "a\\u001b[2Jb\\u009b31mc\\u202ed\\u0007e\\u000df\\udc80g[red]h"


@pytest.mark.parametrize("output", ["table", "csv", "json"])
def test_rows_of_commands(capsys: pytest.CaptureFixture[str], output: console.Output) -> None:
    console.print_rows([{"file_name": HOSTILE, "why": f"x\n{HOSTILE}"}], output, ("file_name", "why"))
    text = capsys.readouterr().out
    assert not STEERING.search(text)
    assert "[red]" in text.replace("\n", "")
    if output == "json":
        assert json.loads(text)[0]["file_name"] == HOSTILE


def test_reasons_logs_and_receipts(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_reasons(HOSTILE, [Reason("x", HOSTILE)])
    record = logging.LogRecord("n", logging.ERROR, "", 0, "%s", (HOSTILE,), None)
    content = {"delivery_id": "", "file_name": f"{HOSTILE}\nStatus: loaded", "source": "", "agency": "", "status": "refused", "is_held": False}
    receipt = as_text(content | {"tables": [], "rules": [], "read_as": {}, "reasons": [{"code": "x", "text": HOSTILE}]}, "en")
    for text in (capsys.readouterr().err, console.PlainFormatter().format(record), receipt):
        assert "\\u001b" in text
        assert not STEERING.search(text)
    assert "\nStatus: loaded" not in receipt


@pytest.mark.parametrize("command", [["receive", "{file}"], ["check", "{file}"], ["status"]])
def test_hostile_names_in_commands(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], command: list[str]
) -> None:
    file = put(settings, f"kaarina/purchase_invoices/{HOSTILE}.csv", b"nothing;of;ours\n1;2;3\n")
    words = [word.format(file=file) for word in command]
    monkeypatch.setattr(sys, "argv", ["nyckeltal", "--home", str(settings.home), *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capfd.readouterr()
    assert ended.value.code in (0, 4)
    assert not STEERING.search(told.out + told.err)


@pytest.mark.parametrize(
    ("error", "code"),
    [(OSError(errno.EIO, "Input/output error", "x\x1b[2J"), 6), (UnicodeEncodeError("utf-8", "\udc80", 0, 1, "surrogates"), 2)],
)
def test_a_disk_or_a_surrogate_is_no_defect(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capfd.readouterr().err
    assert ended.value.code == code
    assert "defect" not in told
    assert not STEERING.search(told)
