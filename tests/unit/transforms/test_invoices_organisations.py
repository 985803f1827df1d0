"""Whose rows they are in a state file that holds cities and counties too: the register's organisation by name, else a warning."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.reference import Reference
from tests.unit.transforms.invoice_files import accepted, failures, put, run, warnings
from transforms.delivery import Context

HEAD = "lasku_id;tili;tiliointisumma;tositepvm;hankintayksikko_tunnus;hankintayksikko;sektori\n"
ORGANISATIONS = "organisation_id,name_fi,name_sv,sector,valid_from,valid_to\n"


def organisation(tmp_path: Path, name: str, sector: str, day: str = "2021-05-03", register: str = "") -> tuple[str, bool]:
    """(organisation_id of one row, whether it earned the warning)."""
    context = Context(Reference.load({"organisations.csv": ORGANISATIONS + register}))
    parts, conclusion = run(put(tmp_path, f"{HEAD}1;4300 A;1.00;{day};77;{name};{sector}\n"), "state", context)
    assert failures(parts, conclusion) == []
    rules = {(rule, column) for rule, _, column in warnings(parts)}
    return accepted(parts)["organisation_id"].item(), ("organisation_unmatched", "organisation_name") in rules


@pytest.mark.parametrize("name", ["Helsingin kaupunki", "HELSINGIN  KAUPUNKI ", "Helsingfors stad", "City of Helsinki"])
@pytest.mark.parametrize("sector", ["Kunta", "Kunnat", "Jokin muu"])
def test_a_city_is_the_registers_city(tmp_path: Path, name: str, sector: str) -> None:
    assert organisation(tmp_path, name, sector) == ("0201256-6", False)


@pytest.mark.parametrize("sector", ["Valtio", "VALTIO", ""])
def test_the_states_own_rows_keep_their_codes(tmp_path: Path, sector: str) -> None:
    assert organisation(tmp_path, "Helsingin kaupunki", sector) == ("state:77", False)


@pytest.mark.parametrize("name", ["Helsingin", "Helsingin kaupunki, HKL", ""])
def test_what_no_register_knows_is_warned_of(tmp_path: Path, name: str) -> None:
    assert organisation(tmp_path, name, "Kunta") == ("state:77", True)


def test_names_count_at_their_time_and_only_when_one_bears_them(tmp_path: Path) -> None:
    register = "a,Koela,,municipality,,2021-06-30\nb,Koela,,municipality,2021-05-01,\nb,Ny Koela,Koela,municipality,2021-08-01,\n"
    assert organisation(tmp_path, "Koela", "Kunta", "2021-04-30", register) == ("a", False)
    assert organisation(tmp_path, "Koela", "Kunta", "2021-05-03", register) == ("state:77", True)
    assert organisation(tmp_path, "Koela", "Kunta", "2021-09-01", register) == ("b", False)
    assert organisation(tmp_path, "Ny Koela", "Kunta", "2021-07-31", register) == ("state:77", True)
