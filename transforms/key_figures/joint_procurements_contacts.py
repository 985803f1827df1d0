"""Need of support: contact requests about joint procurements against their volume."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.key_figure import NATIONAL
from transforms.key_figures.contacts import BEGAN, EXCLUSIONS
from transforms.key_figures.contacts import SOURCE as CONTACTS
from transforms.key_figures.facts import ALL
from transforms.key_figures.form_figures import MONTHS_KNOWN, YEAR_ONLY, form_figure
from transforms.key_figures.joint_procurements_share import NO_REPORTS
from transforms.key_figures.parameters import Parameters
from transforms.periods import months_of
from transforms.reach import reached, with_coverage
from transforms.rollup import common_reason

NO_CONTACTS = "no_contact_data"

DEFINITIONS = (
    form_figure(
        "contacts_per_meur",
        "joint_procurements",
        ("Yhteydenotot miljoonaa euroa kohti", "Kontakter per miljon euro", "Contacts per million EUR"),
        (
            "Yhteishankintoja koskevat yhteydenotot miljoonaa yhteishankintojen kautta raportoitua ostoeuroa kohti, myös kategorioittain.",
            "Kontakter om gemensamma upphandlingar per miljon euro rapporterade inköp genom dem, även per kategori.",
            "Contact requests about joint procurements per million EUR of purchases reported through them, by category too.",
        ),
        unit="per_meur",
        factor=1_000_000,
        sources=("joint_procurements", "contact_requests"),
        period_kinds=YEAR_ONLY,
        levels=("national",),
        numerator="Contact requests of the year about an agreement of the register that is in force in the year.",
        denominator="Reported purchases of the year, as joint_procurement_spend.",
        denominator_quantity="cent",
        origin="KEY_FIGURES 7.3.",
        coverage_text=f"Contact requests about such an agreement / contact requests{MONTHS_KNOWN}",
        exclusions=(*EXCLUSIONS, "Requests about no joint procurement, or about one that the register does not know."),
        assumptions=(BEGAN, "By category and not by agreement: sales by framework are protected (METHOD 5, P2)."),
    ),
)
KEY = ["agency", "agreement_id", "month"]


def cells(
    measures: Mapping[str, pl.DataFrame], _parameters: Parameters, touched: pl.DataFrame, _members: pl.DataFrame
) -> pl.DataFrame:
    """CELL rows from `contact_case`, `agreement_month` and `reported_purchase_month`."""
    january = pl.col("month").dt.truncate("1y")
    years = touched.filter(period_kind="year").select(month="period_start")
    agreements = measures["agreement_month"].select("agency", "agreement_id", january, "category").unique()
    dated = reached(measures, "contact_case", CONTACTS).join(months_of(touched.filter(period_kind="year")), on="month")
    weighed = with_coverage(dated.with_columns(covered=1, asked=1, reason=pl.lit(None, pl.String)))
    cases = weighed.select("agency", january, "covered", "asked", "reason", agreement_id="joint_procurement")
    about = cases.join(agreements, on=KEY)
    spent = measures["reported_purchase_month"].select("category", january, "purchase_cents")

    def counted(by: list[str]) -> pl.DataFrame:
        contacts = about.group_by(by).agg(pl.col("covered", "asked").sum(), contacts=pl.len())
        return contacts.join(spent.group_by(by).agg(pl.col("purchase_cents").sum()), on=by, how="full", coalesce=True)

    whole = counted(["month"]).with_columns(category=pl.lit(""))
    every = pl.concat([whole, counted(["category", "month"]).select(whole.columns)])
    told = cases.group_by("month").agg(pl.col("asked").sum().alias("all_asked"), common_reason())
    found = every.join(years, on="month").join(told, on="month", how="left")
    contacts = pl.col("contacts").fill_null(0).cast(pl.Int64)
    return found.select(
        figure_id=pl.lit("contacts_per_meur"),
        variant=pl.lit(""),
        scope=pl.lit(ALL),
        breakdown_kind=pl.when(pl.col("category") == "").then(pl.lit("")).otherwise(pl.lit("category")),
        breakdown_id="category",
        level=pl.lit("national"),
        level_id=pl.lit(NATIONAL),
        period_kind=pl.lit("year"),
        period_start="month",
        numerator=pl.when(pl.col("all_asked").is_not_null()).then(contacts),
        denominator=pl.col("purchase_cents"),
        direct_value=pl.lit(None, pl.Float64),
        n=contacts,
        covered=pl.col("covered").fill_null(0).cast(pl.Int64),
        asked=pl.when(pl.col("category") == "").then("all_asked").otherwise("asked").fill_null(0).cast(pl.Int64),
        reason=pl.when(pl.col("all_asked").is_null())
        .then(pl.lit(NO_CONTACTS))
        .when(pl.col("purchase_cents").is_null())
        .then(pl.lit(NO_REPORTS))
        .otherwise("reason"),
    )
