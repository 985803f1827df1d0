"""Impact assessments that come long after the mini-competition was decided move the coverage of the year of the decision."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.support import assert_same, nightly, published

AGENCIES = "agency,name,language,sources\ncpb,Hankintayhtiö (testi),fi,mini_competitions|impact_assessments\n"
COMPETITIONS = (
    "Minikilpailutuksen tunnus;Yhteishankinnan tunnus;Y-tunnus;Tila;Päätöspäivä\n"
    "MK-1;YH-1;0101263-6;päättynyt;10.12.2022\n"
    "MK-2;YH-2;0101263-6;päättynyt;15.12.2022\n"
)
HEADER = (
    "Arvioidun hankinnan tunnus;Hankinnan laji;Yhteishankinnan tunnus;Y-tunnus;Mittauspiste;Arviointipäivä;"
    "Kustannussäästöt;Innovaatiot;Osaamisen kasvu;Tuotteen tai palvelun laatu;Vastuullisuus\n"
)
TARGET = "MK-1;minikilpailutus;YH-1;0101263-6;tavoite;1.12.2022;1;1;1;1;1\n"
RESULT = (
    "MK-1;minikilpailutus;YH-1;0101263-6;tulos;5.4.2024;2;1;1;1;1\nYH-1;yhteishankinta;;0101263-6;vaihe 1;1.5.2024;1;1;1;1;1\n"
)
FILES = {
    "minikilpailutukset_2023-01-31.csv": ("mini_competitions", COMPETITIONS),
    "tavoitteet_2023-02-01.csv": ("impact_assessments", HEADER + TARGET),
    "tulokset_2024-06-01.csv": ("impact_assessments", HEADER + RESULT),
}
COVERAGE = (
    "SELECT figure_id, year(period_start)::VARCHAR AS year, numerator::INT AS top, denominator::INT AS bottom FROM mart.key_figure "
    "WHERE figure_id IN ('impact_coverage', 'impact_stage1_coverage') AND level = 'national' AND period_kind = 'year' "
    "AND panel = 'all' ORDER BY ALL"
)


def _drop(home: Path, name: str) -> None:
    source, text = FILES[name]
    folder = home / "inbox" / "cpb" / source
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, "utf-8")


def _home(path: Path) -> Path:
    (path / "registry").mkdir(parents=True)
    (path / "registry" / "agencies.csv").write_text(AGENCIES, "utf-8")
    return path


@pytest.mark.long
def test_a_result_assessed_a_year_later_counts_in_the_year_of_the_decision(tmp_path: Path) -> None:
    competitions, targets, results = FILES
    home, backwards, together = (_home(tmp_path / name) for name in ("home", "backwards", "together"))
    for name in (competitions, targets):
        _drop(home, name)
    nightly(home)
    assert published(home, COVERAGE).rows() == [("impact_coverage", "2022", 0, 2), ("impact_stage1_coverage", "2022", 0, 2)]

    _drop(home, results)
    nightly(home)

    assert published(home, COVERAGE).rows() == [("impact_coverage", "2022", 1, 2), ("impact_stage1_coverage", "2022", 1, 2)]
    for name in (results, targets, competitions):
        _drop(backwards, name)
        nightly(backwards)
        _drop(together, name)
    nightly(together)
    assert_same(home, backwards)
    assert_same(home, together)
