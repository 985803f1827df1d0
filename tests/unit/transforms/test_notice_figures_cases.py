"""Cases of notice figures: tests/cases/figures/<figure>/<what it shows>/ holds sparse tables (notice.csv, lot.csv, ...) and
expected.csv, and agencies.csv where the feed of notices matters. A new case needs no Python.

expected.csv: any of variant, scope, breakdown_id, organisation_id, month say which contributions are summed; the other columns
are what they must sum to. `amounts` lists the observations of a median, `units` what a distinct figure counts, `reason` why
nothing can be computed. Without a scope all_notices is meant, without a variant or breakdown the one called ''.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from schemas.key_figure import CONTRIBUTION
from schemas.reference import Reference
from tests.unit.transforms.notice_facts import read_rows, tables
from transforms.key_figures import FIGURES
from transforms.key_figures.parameters import Parameters
from transforms.measures.procurement_notices import measure

CASES = Path(__file__).parents[2] / "cases" / "figures"
FOUND = sorted(path.parent for path in CASES.glob("*/*/notice.csv"))
KEYS = ("variant", "scope", "breakdown_id", "organisation_id", "month")
SUMS = ("numerator", "denominator", "n", "covered", "asked")
REGISTERS = {
    "agencies.csv": "agency,name,sources,frame_from\nhilma,Hilma,procurement_notices,2023-01-01\n",
    "organisations.csv": "organisation_id,business_id,name_fi,name_sv,name_en,sector,branch,region,valid_from,valid_to,predecessor_id,note\n"
    "state:901,2626335-1,Mallivirasto,Mallverket,,state,25,01,,,,\n",
}
REFERENCE = Reference.load(REGISTERS)
PARAMETERS = Parameters(gdp_cents={2024: 1_000_000})


@pytest.mark.parametrize("case", FOUND, ids=[f"{case.parent.name}-{case.name}" for case in FOUND])
def test_case(case: Path) -> None:
    figure_id = case.parent.name
    given = {path.stem: read_rows(path) for path in case.glob("*.csv") if path.stem not in ("agencies", "expected")}
    own = case / "agencies.csv"
    reference = Reference.load(REGISTERS | {own.name: own.read_text("utf-8")}) if own.exists() else REFERENCE

    measures = measure(tables(given), reference)
    rows = FIGURES[figure_id].module.compute(measures, PARAMETERS).filter(pl.col("figure_id") == figure_id)

    assert set(CONTRIBUTION.polars_schema().names()) <= set(rows.columns)
    for expected in read_rows(case / "expected.csv"):
        keys = {name: expected.get(name, "" if name in ("variant", "breakdown_id") else None) for name in KEYS}
        keys["scope"] = keys["scope"] or "all_notices"
        chosen = rows.filter(pl.col(name).cast(pl.String) == value for name, value in keys.items() if value is not None)
        found = {name: str(chosen[name].sum()) for name in SUMS if name in expected}
        found |= {"amounts": "|".join(map(str, chosen["amount"].drop_nulls().sort())) or "none"} if "amounts" in expected else {}
        found |= {"units": _joined(chosen["unit_id"])} if "units" in expected else {}
        found |= {"reason": _joined(chosen["reason"])} if "reason" in expected else {}
        assert found == {name: value for name, value in expected.items() if name not in KEYS}, keys


def _joined(values: pl.Series) -> str:
    return "|".join(str(value) for value in values.drop_nulls().unique().sort()) or "none"


def test_every_notice_figure_has_a_case() -> None:
    computed = {figure_id: figure.definition for figure_id, figure in FIGURES.items() if not figure.definition.waits_for}
    notices = {figure_id for figure_id, definition in computed.items() if definition.sources == ("procurement_notices",)}
    assert notices <= {case.parent.name for case in FOUND}
