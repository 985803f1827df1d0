"""Lines that do not fit the way the first lines of a file are written, and files whose every line is one quoted cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.transforms.invoice_files import HEADER, accepted, balance, failures, put, rows, run

LATE = 400
"""Lines beyond those that tell how a file is written."""


def names(path: Path) -> list[str]:
    return accepted(run(path)[0])["supplier_name"].to_list()


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('"Rakennus; Kiinteistö Oy"', "Rakennus; Kiinteistö Oy"),
        ('"Kahvila ""Pulla"" Oy"', 'Kahvila "Pulla" Oy'),
        ('"Yhtiö\nOy"', "Yhtiö Oy"),
        ('"Kolme; riviä\nja ""lainaus""\nOy"', 'Kolme; riviä ja "lainaus" Oy'),
        ('Putki 5" Oy', 'Putki 5" Oy'),
    ],
    ids=["delimiter", "doubled", "line break", "all of it", "a stray one"],
)
def test_quotes_that_come_late(tmp_path: Path, written: str, name: str) -> None:
    odd = f"9001;05.03.2021;{written};0988084-1;4340;50000,00\n"
    parts, conclusion = run(put(tmp_path, HEADER + rows(LATE) + odd + rows(5, LATE)))
    assert failures(parts, conclusion) == []
    lines = accepted(parts)
    assert lines.height == LATE + 6
    assert lines["supplier_name"].to_list()[LATE] == name
    assert lines["net_cents"].to_list()[LATE] == 5_000_000
    assert lines["source_line"].to_list()[LATE : LATE + 2] == [LATE + 2, LATE + 3 + written.count("\n")]
    balance(parts, conclusion)


def test_quotes_that_never_close_stay_broken(tmp_path: Path) -> None:
    odd = '9001;05.03.2021;"Rakennus; Oy;0988084-1;4340;50000,00\n'
    parts, conclusion = run(put(tmp_path, HEADER + rows(LATE) + odd + rows(5, LATE)))
    assert failures(parts, conclusion) == [("row_malformed", LATE + 2)]
    assert accepted(parts).height == LATE + 5


def test_a_quoted_file_with_a_stray_quote(tmp_path: Path) -> None:
    quoted = "".join(f'"{n}";"0{n % 9 + 1}.03.2021";"Sähkö {n} Oy";"0988084-1";"4340";"{n},25"\n' for n in range(1, 50))
    odd = '"99";"01.03.2021";"Putki 5" Oy";"0988084-1";"4340";"7,00"\n'
    parts, conclusion = run(put(tmp_path, HEADER + quoted + odd))
    assert accepted(parts).height + len(failures(parts, conclusion)) == 50
    assert accepted(parts).filter(case_id="99").height + len(failures(parts, conclusion)) == 1


@pytest.mark.parametrize("short", [1, 3])
def test_cells_left_out_at_the_end_are_blank(tmp_path: Path, short: int) -> None:
    """One of them, or such as nobody reads; a row without more of what is read is broken."""
    header = HEADER.strip() + ";Selite;Muu;Kolmas\n"
    whole = [line + ";a;b;c\n" for line in rows(6).splitlines()]
    whole[2] = ";".join(whole[2].strip().split(";")[:-short]) + "\n"
    whole[4] = ";".join(whole[4].strip().split(";")[:4]) + "\n"
    parts, conclusion = run(put(tmp_path, header + "".join(whole)))
    assert failures(parts, conclusion) == [("row_malformed", 6)]
    assert accepted(parts)["net_cents"].to_list() == [125, 225, 325, 425, 625]


def test_each_line_one_quoted_cell(tmp_path: Path) -> None:
    named = rows(3).replace("Sähkö 2 Oy", '"Kahvila ""Pulla"" Oy"')
    wrapped = "".join('"' + line.replace('"', '""') + '"\n' for line in (HEADER + named).splitlines())
    parts, conclusion = run(put(tmp_path, wrapped))
    assert failures(parts, conclusion) == []
    assert accepted(parts).select("supplier_name", "net_cents").rows() == [
        ("Sähkö 1 Oy", 125),
        ('Kahvila "Pulla" Oy', 225),
        ("Sähkö 3 Oy", 325),
    ]


def test_one_quoted_column_is_no_wrapped_table(tmp_path: Path) -> None:
    """Quoted cells with the delimiter inside are cells."""
    quoted = "".join(f'"{n}";"01.03.2021";"A; B Oy";"0988084-1";"4340";"{n},25"\n' for n in range(1, 4))
    assert names(put(tmp_path, HEADER + quoted)) == ["A; B Oy"] * 3
