"""Faults that made figures depend on the way they were reached, each as it was found."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import pytest

from flows import code_marks, pipeline
from tests.acceptance import histories, support
from tests.acceptance.histories import File, Life, told

pytestmark = pytest.mark.slow
AUTUMN = date(2025, 11, 21)


@pytest.fixture(scope="module")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Years with and without dates, months that end before they are due, a survey of which cells are withheld; one publication."""
    rng = Random("purity")
    life = Life(tmp_path_factory.mktemp("purity") / "home", histories.registers(rng), as_of=AUTUMN)
    life.write_registers(life.original)
    life.deliver(histories.dateless(rng, "betoni", 2024, 0))
    for key, year, months in (("alku", 2024, range(1, 13)), ("citta", 2025, range(1, 9)), ("delta", 2023, range(1, 13))):
        life.deliver(histories.dated(rng, key, year, months, 0))
    for month in (1, 2, 3):
        life.deliver(histories.dated(rng, "alku", 2025, [month], 0))
    life.deliver(histories.survey(rng, 2023, 0))
    life.night()
    return life


@pytest.fixture
def life(first_night: Life, tmp_path: Path) -> Life:
    """That home, a copy of the test's own."""
    shutil.copytree(first_night.home, tmp_path / "home", symlinks=True)
    return replace(first_night, home=tmp_path / "home", active=dict(first_night.active), causes=set())


def test_a_delivery_read_again_leaves_years_without_dates_alone(life: Life) -> None:
    """A window that begins in the middle of a year stands on all of that year, whose sum stands in January."""
    before = told(life.home)
    undated = before.filter(level_id="betoni", period_kind="rolling_12m", figure_id="spend_total")
    assert not undated.is_empty()
    life.command("reprocess", "alku_2025-03_0.csv")
    life.night()
    assert told(life.home).equals(before)


def test_a_register_edited_and_restored_leaves_months_without_data(life: Life) -> None:
    before = told(life.home)
    missing = before.filter(reason="missing_delivery", period_kind="month")
    assert missing["period_start"].max() > date(2025, 8, 1), "months after the last that is there are due"
    edited = life.original | {"organisations.csv": life.original["organisations.csv"].replace("Alku,", "Alkula,")}
    for texts in (edited, life.original):
        life.write_registers(texts)
        life.night()
    assert told(life.home).equals(before)


def test_other_code_of_disclosure_control_decides_anew(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a publication decided on the same content is followed only while the code that decides is the same (METHOD 51)."""
    other = replace(code_marks.worked_out(), engine="other", protection="other")
    monkeypatch.setattr(code_marks, "of", lambda _store, keeps=True: other)
    life.night()
    marks = support.ledger(life.home, "SELECT publication_no, mark FROM figure.protection")
    first, second = (set(marks.filter(publication_no=number)["mark"]) for number in (1, 2))
    assert first
    assert second
    assert not first & second


COURT = "Diaarinumero;Hankintayksikön Y-tunnus;Vireilletulopäivä;Ratkaisupäivä;Ratkaisu"
BOUGHT = "Vuosi;Kuukausi;Yhteishankinnan tunnus;Hankintakategoria;Asiakkaan Y-tunnus;Ostot euroa"


@pytest.fixture
def gaps(tiny_sample: Path, tmp_path: Path) -> Life:
    """Notices of 2023 and 2024 and an agency that delivers forms; nothing published."""
    registers = histories.registers(Random("gaps"))
    registers["agencies.csv"] += "lomake,Lomake,fi,joint_procurements|market_court_cases,,,,net,year,10,,,yes\n"
    registers["agencies.csv"] += "hilma-sample,Hilma,fi,procurement_notices,,,,net,month,10,,,yes\n"
    life = Life(tmp_path / "home", registers, as_of=AUTUMN)
    life.write_registers(registers)
    notices = [path for path in support.delivered_files(tiny_sample) if path.parent.name == "procurement_notices"]
    support.deliver(notices, tiny_sample, life.home)
    return life


def _form(name: str, source: str, text: str, produced: str) -> File:
    return File(name, "lomake", source, text, {"agency": "lomake", "source": source, "produced_at": f"{produced}T00:00:00+00:00"})


def _assert_full(life: Life) -> None:
    """Incremental is full."""
    run = pipeline.recompute(life.settings)
    assert run.published is not None
    assert not run.published.is_new, f"{run.published.cells_changed} cells change, {run.changes[:3]}"


def _cases(*filed: str) -> str:
    return "\n".join([COURT, *(f"2024/{number:03d};alku;{day};;" for number, day in enumerate(filed, 1))]) + "\n"


@pytest.mark.long
def test_months_without_cases_follow_the_first_and_the_last_case(gaps: Life) -> None:
    """A delivery that reaches further lets a case count that was known before: the months up to it are known now. One that is
    withdrawn takes them along."""
    gaps.deliver(_form("marko_2024-09-20.csv", "market_court_cases", _cases("15.02.2024", "05.09.2024"), "2024-09-20"))
    pipeline.nightly(gaps.settings)
    cases = _cases("15.02.2024", "05.09.2024", "06.09.2024")
    gaps.deliver(_form("marko_2024-10-05.csv", "market_court_cases", cases, "2024-10-05"))
    pipeline.nightly(gaps.settings)
    _assert_full(gaps)
    for name in sorted(gaps.active):
        if name.startswith("marko"):
            gaps.command("withdrawn", name)
    pipeline.nightly(gaps.settings)
    _assert_full(gaps)


@pytest.mark.long
def test_years_without_agreements_follow_the_first_and_the_last_agreement(gaps: Life) -> None:
    """The register of agreements speaks for the months between them, whether it names any there or not."""

    def register(produced: str, *agreements: tuple[str, str, str]) -> File:
        common = {"kind": "framework", "category": "Energia", "procedure_id": "", "is_open_to_all": True}
        rows = [{"agreement_id": name, "valid_from": first, "valid_to": end} | common for name, first, end in agreements]
        return _form(f"yhteishankinnat_{produced}.json", "joint_procurements", json.dumps({"agreements": rows}), produced)

    for year in range(2021, 2025):
        gaps.deliver(histories.dated(Random(year), "citta", year, range(1, 13), 0))
    bought = "\n".join([BOUGHT, *(f"{year};;;Energia;;1000,00" for year in range(2021, 2025))]) + "\n"
    gaps.deliver(_form("yhteishankintaostot_2024_2025-02-01.csv", "joint_procurements", bought, "2025-02-01"))
    gaps.deliver(register("2022-02-28", ("YH-001", "2019-01-01", "2021-01-01"), ("YH-002", "2020-01-01", "2022-01-01")))
    pipeline.nightly(gaps.settings)
    gaps.deliver(register("2025-02-28", ("YH-003", "2024-01-01", "2027-01-01")))
    pipeline.nightly(gaps.settings)
    _assert_full(gaps)
