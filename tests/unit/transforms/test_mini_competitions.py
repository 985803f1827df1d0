"""Mini-competitions: only completed ones count, bids from one up, invitations apart; ids are ids."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from schemas.reference import Reference
from tests.unit.transforms.form_deliveries import broken, cleaned, counting
from transforms.key_figures import mini_competitions as figures
from transforms.key_figures.parameters import Parameters
from transforms.measures import mini_competitions as measures
from transforms.sources import mini_competitions

HEADER = (
    "Minikilpailutuksen tunnus;Yhteishankinnan tunnus;Y-tunnus;Tila;Alkamispäivä;"
    "Päätöspäivä;Kutsuttuja toimittajia;Saatuja tarjouksia;Tuettu kilpailutus"
)
SWEDISH = "Minikonkurrensutsättningens nummer;FO-nummer;Status;Inleddes den;Beslutsdatum;Inbjudna leverantörer;Inkomna anbud;Stöd gavs"  # fmt: skip
A = "0101263-6"
REFERENCE = Reference.load()


def _row(number: int, status: str = "Päättynyt", start: str = "1.3.2023", end: str = "31.3.2023", rest: str = "5;2;kyllä") -> str:
    return f"MK-{number};YH-1;{A};{status};{start};{end};{rest}"


def _measured(tmp_path: Path, *rows: str, header: str = HEADER) -> pl.DataFrame:
    part = cleaned(mini_competitions.FORM, tmp_path / "f.csv", [header, *rows])
    assert broken(part) == []
    return measures.measure(counting(mini_competitions.FORM, part), REFERENCE)["completed_competition"]


def _sums(facts: pl.DataFrame) -> dict[str, tuple[int | None, int | None, int, int, int]]:
    found = figures.compute({"completed_competition": facts}, Parameters())
    sums = found.group_by("figure_id", "variant").agg(pl.col("numerator", "denominator", "n", "covered", "asked").sum())
    return {f"{figure} {variant}".strip(): tuple(rest) for figure, variant, *rest in sums.iter_rows()}  # type: ignore[misc]


def test_bids_are_counted_from_one_up_and_what_is_not_told_lowers_the_coverage(tmp_path: Path) -> None:
    found = _sums(
        _measured(
            tmp_path,
            _row(1, rest="5;1;kyllä"),
            _row(2, rest="5;4;ei"),
            _row(3, rest="9;0;kyllä"),
            _row(4, rest=";;"),
            _row(5, "Keskeytetty", rest="7;7;kyllä"),
            _row(6, "käynnissä", end="", rest="7;7;kyllä"),
        )
    )

    assert found["minicomp_n all"] == (4, 0, 4, 4, 4)
    assert found["minicomp_n assisted"] == (2, 0, 2, 3, 4)
    assert found["minicomp_bids_mean"] == (5, 2, 2, 3, 4)
    assert found["minicomp_single_bid_share"] == (1, 2, 2, 3, 4)
    assert found["minicomp_invited_mean"] == (19, 3, 3, 3, 4)


def test_lead_time_runs_from_start_to_decision_and_counts_in_the_month_of_the_decision(tmp_path: Path) -> None:
    facts = _measured(
        tmp_path,
        _row(1, start="28.2.2024", end="1.3.2024"),
        _row(2, start="1.3.2024", end="1.3.2024"),
        _row(3, start="", end="2.3.2024"),
    )

    assert facts.select("month", "lead_days").rows() == [(date(2024, 3, 1), days) for days in (2, 0, None)]
    observed = figures.compute({"completed_competition": facts}, Parameters()).filter(figure_id="minicomp_lead_days")
    assert observed["amount"].drop_nulls().sort().to_list() == [0, 2]
    assert observed.select(pl.col("covered", "asked").sum()).row(0) == (2, 3)


def test_swedish_headings_and_words_say_the_same(tmp_path: Path) -> None:
    facts = _measured(tmp_path, f"MK-1;{A};avslutad;1.3.2023;31.3.2023;5;2;ja", header=SWEDISH)

    assert facts.select("bids_n", "invited_n", "lead_days", "is_assisted", "agreement_id").rows() == [(2, 5, 30, True, None)]


def test_a_newer_list_decides_what_became_of_a_mini_competition(tmp_path: Path) -> None:
    under_way = cleaned(mini_competitions.FORM, tmp_path / "a.csv", [HEADER, _row(1, "käynnissä", end="", rest="5;;kyllä")], 1)
    completed = cleaned(mini_competitions.FORM, tmp_path / "b.csv", [HEADER, _row(1, rest="5;3;kyllä")], 2)

    for order in ((under_way, completed), (completed, under_way)):
        found = measures.measure(counting(mini_competitions.FORM, *order), REFERENCE)["completed_competition"]
        assert found["bids_n"].to_list() == [3]


@pytest.mark.parametrize(
    ("row", "column", "rule"),
    [
        (_row(1, end=""), "decided_on", "value_missing"),
        (_row(1, start="1.4.2023", end="31.3.2023"), "decided_on", "value_out_of_range"),
        (_row(1, end="30.2.2023"), "decided_on", "value_unreadable"),
        (_row(1, "melkein"), "status", "code_unknown"),
        (_row(1, ""), "status", "value_missing"),
        (_row(1, rest="0;0;ei"), "invited_n", "value_out_of_range"),
        (_row(1, rest="5;-1;ei"), "bids_n", "value_out_of_range"),
        (_row(1, rest="5;1,5;ei"), "bids_n", "value_unreadable"),
        (_row(1, rest="5;1;ehkä"), "is_assisted", "value_unreadable"),
        (_row(1).replace(A, "0101263-7"), "organisation_id", "organisation_unknown"),
        (_row(1).replace("YH-1", "Siivous Mallikas"), "agreement_id", "text_not_a_code"),
        (_row(1).replace("MK-1", "Maija Mallikas"), "competition_id", "text_not_a_code"),
    ],
)
def test_what_cannot_be_is_quarantined_with_its_column_and_without_names(
    tmp_path: Path, row: str, column: str, rule: str
) -> None:
    part = cleaned(mini_competitions.FORM, tmp_path / "f.csv", [HEADER, _row(9), row])

    assert (3, column, rule) in broken(part)
    assert part.accepted["mini_competition"]["competition_id"].to_list() == ["MK-9"]
    assert "Mallikas" not in str(part.failures.rows())


def test_more_bids_than_invited_is_a_warning(tmp_path: Path) -> None:
    part = cleaned(mini_competitions.FORM, tmp_path / "f.csv", [HEADER, _row(1, rest="2;3;ei"), _row(2, rest="3;3;ei")])

    assert part.warnings.select("source_line", "column_name", "rule").rows() == [(2, "bids_n", "more_bids_than_invited")]
    assert part.accepted["mini_competition"].height == 2
