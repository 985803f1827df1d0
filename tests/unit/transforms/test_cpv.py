"""The CPV: the divisions that ship, and the official list checked before it becomes a register."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.pipeline import reference_of
from schemas.errors import ConfigurationError
from schemas.reference import Reference
from transforms.cpv import COLUMNS, check_digit, official_list
from warehouse.home import Home

DIVISIONS = Reference.load().table("cpv.csv")
HEADER = ",".join(COLUMNS)
LEAF = "72000000,5,services,,IT services,Tietotekniset palvelut,It-tjänster"


def listed(*more: str) -> str:
    """The 45 divisions and more rows, as CSV."""
    return DIVISIONS.select(COLUMNS).write_csv() + "".join(f"{row}\n" for row in more)


def read(text: str) -> list[str]:
    return official_list(text, "cpv.csv", DIVISIONS["code"].to_list()).splitlines()


def test_forty_five_divisions_ship_with_names_in_three_languages() -> None:
    assert DIVISIONS.height == 45
    assert DIVISIONS["code"].str.contains(r"^\d\d000000$").all()
    assert DIVISIONS.select("name_fi", "name_sv", "name_en").null_count().sum_horizontal().item() == 0
    fitting = [row["code"] for row in DIVISIONS.iter_rows(named=True) if check_digit(row["code"]) == int(row["check"])]
    assert set(DIVISIONS["code"]) - set(fitting) == {"51000000"}  # new in 2008: its check digit follows no known rule


def test_a_list_becomes_the_register_sorted_and_whole() -> None:
    found = read("\ufeff" + listed("72200000,7,services,72000000,Programming,Ohjelmointi,Programmering"))
    assert found[0] == HEADER
    assert len(found) == 47
    assert found[1:] == sorted(found[1:])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("7220000,7,services,72000000,P,O,P", "row 47, column code: '7220000' is not eight digits"),
        ("72000000-5,5,services,,P,O,P", "column code: '72000000-5'"),
        (LEAF, "column code: 72000000 stands on the list already"),
        ("72200000,,services,72000000,P,O,P", "column check: ''"),
        ("72200000,7,palvelut,72000000,P,O,P", "column kind: 'palvelut'"),
        ("72200000,7,services,72000000,P,,P", "column name_fi: the name is blank"),
        ("72200000,7,services,72900000,P,O,P", "code 72200000: parent '72900000'"),
        ("72200000,7,services,03000000,P,O,P", "code 72200000: parent '03000000'"),
        ("72200000,7,services", "column name_en: the name is blank"),
    ],
)
def test_a_row_that_is_wrong_is_named_with_its_column(row: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(listed(row))
    assert said in str(caught.value)


def test_a_list_without_a_column_a_division_or_true_check_digits_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="column 'name_sv' is missing"):
        read(listed().replace("name_sv", "name_se"))
    with pytest.raises(ConfigurationError, match="division 98000000 is missing"):
        read("\n".join(line for line in listed().splitlines() if not line.startswith("98")))
    chance = random.Random(1)
    shifted = DIVISIONS.with_columns(check=pl.Series([str((int(c) + chance.randrange(1, 10)) % 10) for c in DIVISIONS["check"]]))
    with pytest.raises(ConfigurationError, match=r"\d+ of 45 check digits do not fit"):
        read(shifted.select(COLUMNS).write_csv())


def test_up_to_a_tenth_of_other_check_digits_is_taken() -> None:
    """Blocks that the revision of 2008 moved bear others: 5.6 % of the official list."""

    def with_wrong(count: int) -> str:
        digits = [str((int(c) + (place < count)) % 10) for place, c in enumerate(DIVISIONS["check"])]
        return DIVISIONS.with_columns(check=pl.Series(digits)).select(COLUMNS).write_csv()

    assert len(read(with_wrong(3))) == 46  # one of the divisions has another digit anyway
    with pytest.raises(ConfigurationError, match="5 of 45 check digits"):
        read(with_wrong(4))


def test_the_command_puts_the_list_into_the_home_and_a_damaged_one_leaves_the_former(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "cpv.csv"
    given = ["--home", str(home), "reference", "cpv", str(file)]
    file.write_text(listed("72200000,7,services,72000000,Programming,Ohjelmointi,Programmering"), "utf-8")

    done = CliRunner().invoke(app, given)
    assert (done.exit_code, done.output.strip()) == (0, "46 codes loaded")
    known = reference_of(Home(home)).table("cpv.csv")
    assert known.height == 46
    assert known.filter(code="72200000")["name_fi"].to_list() == ["Ohjelmointi"]

    before = (home / "registry" / "cpv.csv").read_bytes()
    for damaged in (b"code,check\n", "n\u00e4in".encode("latin-1")):
        file.write_bytes(damaged)
        assert isinstance(CliRunner().invoke(app, given).exception, ConfigurationError)
        assert (home / "registry" / "cpv.csv").read_bytes() == before
