"""Joint procurements: what the register says is in force, who is on it, and whom a newer delivery replaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from schemas.reference import Reference
from tests.unit.transforms.form_deliveries import AGENCY, broken, cleaned
from transforms import levels, periods
from transforms.delivery import CleanPart
from transforms.key_figures import joint_procurement_suppliers, joint_procurements
from transforms.key_figures.parameters import Parameters
from transforms.measures.contact_requests import CASES
from transforms.measures.joint_procurements import measure
from transforms.newest import newest
from transforms.rollup import roll_up
from transforms.sources.joint_procurements import FORM

REFERENCE = Reference.load({AGENCY[0]: AGENCY[1]})
AGREEMENTS = (
    "Yhteishankinnan tunnus;Muoto;Hankintakategoria;Voimassa alkaen;Päättyy;Kriittinen hankinta;Varautumissuunnitelma tai -ehdot;"
    "Varautumisen luokka;Hankintailmoituksen tunnus;Avoin kaikille asiakkaille"
)
SUPPLIERS = "Avtalsnummer;Leverantörens FO-nummer;Storlek;Med från;Inte längre med från;Beställaransvar i skick;Beställaransvar kontrollerat"
PURCHASES = "Year;Month;Joint procurement id;Category;Customer's business id;Purchases EUR"
OPEN_TO = "Joint procurement id;Customer's business id;Sector"
A, B, C = "0101263-6", "0211675-2", "0187690-1"
DEFINITIONS_OF_CUSTOMERS = {one.figure_id: one for one in joint_procurement_suppliers.DEFINITIONS}
NO_CONTACTS = {"contact_case": pl.DataFrame(schema=CASES.polars_schema())}
DEFINITIONS = {one.figure_id: one for one in joint_procurements.DEFINITIONS}


def _counting(parts: Sequence[CleanPart]) -> dict[str, pl.DataFrame]:
    """The rows that count, of tables that no delivery brought none."""
    tables = {}
    for table in FORM.contract.tables:
        brought = [part.accepted[table.name] for part in parts if table.name in part.accepted]
        tables[table.name] = pl.concat([pl.DataFrame(schema=table.polars_schema()), *brought])
    return newest(FORM.contract, tables)


def _register(tmp_path: Path, *parts: list[str], day: int = 29) -> dict[str, pl.DataFrame]:
    """Measures of tables that were delivered on a day of April 2024; no row may break a rule."""
    done = [cleaned(FORM, tmp_path / f"{place}.csv", lines, day) for place, lines in enumerate(parts)]
    assert [broken(part) for part in done] == [[]] * len(done)
    return measure(_counting(done), REFERENCE)


def _year_end(measures: Mapping[str, pl.DataFrame], month: date) -> dict[str, tuple[int | None, int | None]]:
    """figure variant -> numerator, denominator of the nation at the end of a month."""
    period = pl.DataFrame([periods.period("month", month)], schema=periods.SCHEMA, orient="row")
    known = levels.organisations(REFERENCE, pl.concat([_observed(frame) for frame in measures.values()]))
    members = levels.membership(known)
    summed = roll_up(joint_procurements.compute(measures, Parameters()), DEFINITIONS, period, members)
    keyed = joint_procurement_suppliers.cells(measures | NO_CONTACTS, Parameters(), period, members)
    national = pl.concat([summed, keyed.select(summed.columns)]).filter(level="national")
    return {
        f"{row['figure_id']} {row['variant']}".strip(): (row["numerator"], row["denominator"])
        for row in national.iter_rows(named=True)
    }


def _observed(frame: pl.DataFrame) -> pl.DataFrame:
    empty = [pl.lit(None, pl.String).alias(name) for name in levels.OBSERVED_SCHEMA.names()[2:]]
    return frame.select("organisation_id", pl.col("organisation_name").alias("name"), *empty)


@pytest.mark.parametrize(
    ("since", "until", "in_force"),
    [
        ("31.3.2024", "", 1),
        ("1.4.2024", "", 0),
        ("1.1.2020", "31.3.2024", 0),
        ("1.1.2020", "1.4.2024", 1),
        ("31.3.2024", "1.4.2024", 1),
    ],
)
def test_in_force_at_the_end_means_begun_and_not_ended_on_the_last_day(
    tmp_path: Path, since: str, until: str, in_force: int
) -> None:
    rows = [AGREEMENTS, "P-1;dps;energy;1.1.2020;15.1.2020;;;;;", f"P-2;puitejärjestely;energy;{since};{until};;;;;"]

    found = _year_end(_register(tmp_path, rows), date(2024, 3, 1))

    assert found.get("framework_n", (0, None)) == (in_force, None)


@pytest.mark.parametrize(
    ("heading", "until", "in_force"),
    [
        ("Päättyy", "31.3.2024", 0),
        ("Ei enää voimassa alkaen", "31.3.2024", 0),
        ("valid_to", "31.3.2024", 0),
        ("Voimassa asti", "31.3.2024", 1),
        ("Voimassa asti", "30.3.2024", 0),
        ("Gäller till och med", "31.3.2024", 1),
        ("Valid to", "31.3.2024", 1),
    ],
)
def test_a_heading_that_speaks_of_the_last_day_is_taken_at_its_word(
    tmp_path: Path, heading: str, until: str, in_force: int
) -> None:
    """Both agreements end in the same way; the first only makes the register speak of March."""
    header = AGREEMENTS.replace("Päättyy", heading)
    rows = [header, "P-1;dps;energy;1.1.2020;15.1.2020;;;;;", f"P-2;puitejärjestely;energy;1.1.2020;{until};;;;;"]

    found = _year_end(_register(tmp_path, rows), date(2024, 3, 1))

    assert found.get("framework_n", (0, None)) == (in_force, None)


@pytest.mark.parametrize(("heading", "suppliers"), [("Inte längre med från", 1), ("Med till", 2), ("Mukana asti", 2)])
def test_so_is_a_suppliers_last_day_on_an_agreement(tmp_path: Path, heading: str, suppliers: int) -> None:
    agreements = [AGREEMENTS, "P-1;dps;energy;1.1.2020;;;;;;"]
    listed = [SUPPLIERS.replace("Inte längre med från", heading), f"P-1;{A};litet;;;ja;", f"P-1;{B};litet;;31.3.2024;ja;"]

    found = _year_end(_register(tmp_path, agreements, listed), date(2024, 3, 1))

    assert found["contract_suppliers_n"] == (suppliers, None)


@pytest.mark.parametrize(("until", "ending"), [("31.3.2025", 1), ("1.4.2025", 0), ("2.4.2024", 1), ("", 0)])
def test_agreements_that_end_within_twelve_months(tmp_path: Path, until: str, ending: int) -> None:
    rows = [AGREEMENTS, f"P-2;puitejärjestely;energy;1.1.2020;{until};;;;;"]

    assert _year_end(_register(tmp_path, rows), date(2024, 3, 1))["contracts_expiring_12m"] == (ending, None)


def test_a_register_speaks_from_its_first_known_end_to_the_last_month_that_had_ended(tmp_path: Path) -> None:
    rows = [AGREEMENTS, "P-1;dps;energy;1.1.2015;15.2.2020;;;;;", "P-2;dps;energy;1.1.2015;;;;;;"]
    one = _register(tmp_path, rows, day=29)["agreement_month"]
    other = _register(tmp_path, rows, day=30)["agreement_month"]

    assert (one["month"].min(), one["month"].max()) == (date(2020, 2, 1), date(2024, 3, 1))  # 29 April has one day to go
    assert other["month"].max() == date(2024, 4, 1)
    only_current = _register(tmp_path, [AGREEMENTS, rows[2]], day=29)["agreement_month"]
    assert only_current["month"].unique().to_list() == [date(2024, 3, 1)]


def test_classes_and_plans_count_where_they_are_told(tmp_path: Path) -> None:
    rows = [
        AGREEMENTS,
        "P-1;dps;energy;1.1.2020;;kyllä;kyllä;1;;",
        "P-2;dps;energy;1.1.2020;;kyllä;ei;1;;",
        "P-3;dps;energy;1.1.2020;;kyllä;;2;;",
        "P-4;dps;energy;1.1.2020;;ei;kyllä;;;",
    ]

    found = _year_end(_register(tmp_path, rows), date(2024, 3, 1))

    assert found["preparedness_plan_share"] == (1, 2)
    assert [found[f"prestudy_level_share preparedness_{level}"] for level in (1, 2, 3)] == [(2, 3), (1, 3), (0, 3)]
    assert found["prestudy_level_share data_protection_1"] == (0, 0)


def test_a_supplier_counts_once_has_one_size_and_is_in_order_on_every_agreement(tmp_path: Path) -> None:
    agreements = [AGREEMENTS, *(f"P-{n};dps;energy;1.1.2020;;;;;;" for n in (1, 2)), "P-3;dps;energy;1.1.2020;31.3.2024;;;;;"]
    suppliers = [
        SUPPLIERS,
        f"P-1;{A};litet;;;ja;1.2.2024",
        f"P-2;FI{A.replace('-', '')};okänd;;;nej;",  # the same supplier, not in order here
        f"P-1;{B};stort;;;ja;1.4.2024",  # checked after the month's end
        f"P-2;{C};;1.4.2024;;ja;",  # not yet on the agreement
        "P-1;SE556000123401;mikro;;31.3.2024;ja;",  # no more on it
        "P-3;EE10123456;mikro;;;ja;",  # the agreement has ended
    ]

    found = _year_end(_register(tmp_path, agreements, suppliers), date(2024, 3, 1))

    assert found["contract_suppliers_n"] == (2, None)
    assert found["contract_supplier_sme_share"] == (1, 2)
    assert found["tax_compliance_share"] == (0, 1)


@pytest.mark.parametrize(
    ("lines", "column", "rule"),
    [
        ([AGREEMENTS, "Maija Mallikas;dps;energy;1.1.2020;;;;;;"], "agreement_id", "text_not_a_code"),
        ([AGREEMENTS, "Maija;dps;energy;1.1.2020;;;;;;"], "agreement_id", "text_not_a_code"),
        ([AGREEMENTS, "P-2;dps;energy;1.1.2020;;;;;maija mallikas 040;"], "procedure_id", "text_not_a_code"),
        ([AGREEMENTS, "P-2;dps;energy;1.1.2020;1.1.2020;;;;;"], "valid_to", "value_out_of_range"),
        ([AGREEMENTS, "P-2;sopimus;energy;1.1.2020;;;;;;"], "kind", "code_unknown"),
        ([AGREEMENTS, "P-2;dps;energy;1.1.2020;;;;4;;"], "preparedness_level", "value_out_of_range"),
        ([AGREEMENTS, "P-2;dps;energy;;;;;;;"], "valid_from", "value_missing"),
        ([AGREEMENTS, "P-1;dps;energy;1.1.2020;;;;;;"], "agreement_id", "key_repeated"),
        ([SUPPLIERS, "P-1;Maija Mallikas;;;;;"], "supplier_id", "supplier_unknown"),
        ([SUPPLIERS, "P-1;Maija Mallikas 2;;;;;"], "supplier_id", "supplier_unknown"),
        ([SUPPLIERS, "P-1;0101263-7;;;;;"], "supplier_id", "supplier_unknown"),
        ([PURCHASES, "2023;;;;;100"], None, "purchase_unplaced"),
        ([PURCHASES, "2023;13;P-1;;;100"], "month_number", "value_out_of_range"),
        ([PURCHASES, "2023;;P-1;;;paljon"], "purchase_cents", "value_unreadable"),
        ([PURCHASES, "2023;;P-1;;1234567-8;100"], "organisation_id", "organisation_unknown"),
        ([OPEN_TO, "P-1;;"], None, "nobody_named"),
        ([OPEN_TO, f"P-1;{A};taivas"], "sector", "code_unknown"),
    ],
)
def test_rows_that_break_a_rule_are_told_and_names_are_not_shown(
    tmp_path: Path, lines: list[str], column: str | None, rule: str
) -> None:
    good = {
        AGREEMENTS: "P-1;dps;energy;1.1.2020;;;;;;",
        SUPPLIERS: f"P-1;{A};;;;;",
        PURCHASES: "2023;;P-1;;;1",
        OPEN_TO: "P-1;;state",
    }
    part = cleaned(FORM, tmp_path / "f.csv", [lines[0], good[lines[0]], *lines[1:]])

    assert broken(part) == [(3, column, rule)]
    assert "allikas" not in str(part.failures.rows()).lower()


def test_a_category_that_no_register_knows_counts_as_unmapped_and_its_text_is_not_stored(tmp_path: Path) -> None:
    lines = [PURCHASES, "2023;;;Maija Mallikas;;10", "2023;;;ENERGIA ;;20", "2023;;;Städning;;30", "2023;;;cleaning;;40"]

    part = cleaned(FORM, tmp_path / "f.csv", lines)

    accepted = part.accepted["reported_purchase"]
    assert accepted["category"].to_list() == ["unmapped", "energy", "cleaning", "cleaning"]
    assert part.warnings.select("source_line", "rule").rows() == [(2, "category_unmapped")]
    assert "allikas" not in str(part)


def test_newer_deliveries_replace_an_agreement_its_suppliers_and_a_reported_year(tmp_path: Path) -> None:
    def delivery(number: int, *parts: list[str]) -> list[CleanPart]:
        return [cleaned(FORM, tmp_path / f"{number}{place}.csv", lines, number) for place, lines in enumerate(parts)]

    old = delivery(
        1,
        [AGREEMENTS, "P-1;dps;energy;1.1.2020;;;;;;", "P-2;dps;energy;1.1.2020;;;;;;"],
        [SUPPLIERS, f"P-1;{A};;;;;", f"P-1;{B};;;;;", f"P-2;{A};;;;;"],
        [PURCHASES, f"2022;;P-1;;{A};1", f"2023;;P-1;;{A};2", f"2023;;P-2;;{B};3"],
    )
    new = delivery(
        2,
        [AGREEMENTS, "P-1;framework;software;1.1.2021;;;;;;"],
        [SUPPLIERS, f"P-1;{C};;;;;"],
        [PURCHASES, f"2023;5;P-1;;{C};10"],
    )
    for order in ([*old, *new], [*new, *old]):
        tables = _counting(order)
        assert tables["agreement"].select("agreement_id", "kind").rows() == [("P-1", "framework"), ("P-2", "dps")]
        assert sorted(tables["agreement_supplier"].select("agreement_id", "supplier_id").rows()) == [("P-1", C), ("P-2", A)]
        purchases = measure(tables, REFERENCE)["reported_purchase_month"].sort("month")
        assert purchases.select("organisation_id", "month", "category", "purchase_cents").rows() == [
            (A, date(2022, 1, 1), "software", 100),
            (C, date(2023, 5, 1), "software", 1000),
        ]


def test_purchases_without_a_customer_are_nobodys_and_make_nobody_active(tmp_path: Path) -> None:
    lines = [PURCHASES, "2023;;;energy;;100,50", f"2023;;;energy;{A};-20", f"2023;3;;energy;{A};20", f"2023;;;cleaning;{B};0,01"]
    measures = _register(tmp_path, lines)
    year = pl.DataFrame([periods.period("year", date(2023, 1, 1))], schema=periods.SCHEMA, orient="row")
    known = levels.organisations(REFERENCE, _observed(measures["reported_purchase_month"]))

    cells = joint_procurement_suppliers.cells(measures | NO_CONTACTS, Parameters(), year, levels.membership(known))

    national = cells.filter(level="national").select("figure_id", "numerator", "covered", "asked").rows()
    assert national == [("customers_active_n", 1, 4001, 14051)]
    assert measures["reported_purchase_month"].filter(~pl.col("has_customer"))["organisation_id"].to_list() == ["unknown:sample"]


def test_purchases_without_a_customer_are_not_the_bodys_own_though_its_organisation_is_known(tmp_path: Path) -> None:
    body = Reference.load({AGENCY[0]: f"agency,name,sources,organisation_id\nsample,Sample,all,{C}\n"})
    part = cleaned(FORM, tmp_path / "f.csv", [PURCHASES, "2023;;;energy;;100", f"2023;;;energy;{C};10"], 29)

    found = measure(_counting([part]), body)["reported_purchase_month"]

    assert sorted(found.select("organisation_id", "purchase_cents").rows()) == [(C, 1_000), ("unknown:sample", 10_000)]


def test_who_was_in_touch_is_an_active_customer_where_purchases_are_reported(tmp_path: Path) -> None:
    lines = [PURCHASES, "2023;;;energy;;100", f"2023;;;energy;{A};20"]
    measures = _register(tmp_path, lines)

    def case(organisation: str, month: date, name: str | None = None) -> dict[str, object]:
        return {"organisation_id": organisation, "organisation_name": name, "month": month, "agency": "x", "case_id": "1",
                "response": "unknown", "resolution": "unknown"}  # fmt: skip

    cases = [case(A, date(2023, 5, 1)), case(B, date(2023, 5, 1)), case(B, date(2023, 6, 1)), case(C, date(2022, 5, 1)),
             case("unknown:x", date(2023, 5, 1), "X")]  # fmt: skip
    measures["contact_case"] = pl.DataFrame(cases, schema=CASES.polars_schema())
    years = pl.DataFrame([periods.period("year", date(year, 1, 1)) for year in (2022, 2023)], schema=periods.SCHEMA, orient="row")
    known = levels.organisations(REFERENCE, _observed(measures["reported_purchase_month"]))

    cells = joint_procurement_suppliers.cells(measures, Parameters(), years, levels.membership(known))

    told = cells.filter(figure_id="customers_active_n").select("level", "level_id", "period_start", "numerator", "n", "reason")
    nation = told.filter(level="national").sort("period_start").rows()
    assert nation == [
        ("national", "FI", date(2022, 1, 1), 1, 1, "no_reported_purchases"),
        ("national", "FI", date(2023, 1, 1), 2, 2, None),
    ]
    assert set(told["level"]) == {"national", "sector"}
    assert DEFINITIONS_OF_CUSTOMERS["customers_active_n"].minimum_n == 3
