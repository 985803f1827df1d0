"""Joint procurement: agreements in force at the end of periods, what they say of preparedness, purchases reported through them."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.key_figure import KeyFigure, Level, PeriodKind
from transforms.key_figures.facts import Texts, contributions, share_of, stacked
from transforms.key_figures.form_figures import YEAR_ONLY, form_figure
from transforms.key_figures.parameters import Parameters
from transforms.measures.joint_procurements import AREAS

SOURCE = "joint_procurements"
STOCK_KINDS: tuple[PeriodKind, ...] = ("month", "quarter", "year")
KEEPERS: tuple[Level, ...] = ("national", "organisation")
"""An agreement belongs to the body that keeps it, and to the nation."""
IN_FORCE = "In force on a day: valid_from <= day < valid_to."
KNOWN = "A register that lists current agreements only says nothing of the time before its first delivery."
KINDS = {"framework_n": "framework", "dps_n": "dps", "small_scale_n": "small_scale"}
AREA_NAMES = {
    "preparedness": ("varautuminen", "beredskap", "preparedness"),
    "data_protection": ("tietosuoja", "dataskydd", "data protection"),
    "information_security": ("tietoturva", "informationssäkerhet", "information security"),
}
VARIANTS = {
    f"{area}_{level}": {
        "fi": f"{AREA_NAMES[area][0]}, luokka {level}",
        "sv": f"{AREA_NAMES[area][1]}, klass {level}",
        "en": f"{AREA_NAMES[area][2]}, class {level}",
    }
    for area in AREAS
    for level in (1, 2, 3)
}


def stock(figure_id: str, names: Texts, definitions: Texts, numerator: str, **values: object) -> KeyFigure:
    """A figure of the state at the end of a period."""
    common: dict[str, object] = {
        "unit": "count",
        "aggregate": "sum",
        "numerator": numerator,
        "denominator": None,
        "is_stock": True,
        "period_kinds": STOCK_KINDS,
        "levels": KEEPERS,
        "standing": "official_goal",
        "origin": "Hansel, annual reports (agreements and suppliers at year-end); KEY_FIGURES 3.4 and 7.3.",
        "coverage_text": "Every agreement of the register: 1.",
        "assumptions": (IN_FORCE, KNOWN),
    }
    return form_figure(figure_id, SOURCE, names, definitions, **(common | values))


DEFINITIONS = (
    stock(
        "framework_n",
        ("Voimassa olevat puitejärjestelyt", "Gällande ramavtal", "Framework agreements in force"),
        (
            "Yhteishankintojen puitejärjestelyt, jotka ovat voimassa jakson viimeisenä päivänä.",
            "Gemensamma upphandlingars ramavtal som gäller periodens sista dag.",
            "Framework agreements of joint procurement in force on the period's last day.",
        ),
        "Agreements of the kind framework.",
    ),
    stock(
        "dps_n",
        ("Voimassa olevat dynaamiset hankintajärjestelmät", "Gällande dynamiska inköpssystem", "Dynamic purchasing systems in force"),
        (
            "Yhteishankintojen dynaamiset hankintajärjestelmät, jotka ovat voimassa jakson viimeisenä päivänä.",
            "Gemensamma upphandlingars dynamiska inköpssystem som gäller periodens sista dag.",
            "Dynamic purchasing systems of joint procurement in force on the period's last day.",
        ),
        "Agreements of the kind dps.",
    ),
    stock(
        "small_scale_n",
        ("Voimassa olevat pienhankintasopimukset", "Gällande avtal om småupphandling", "Small-scale agreements in force"),
        (
            "Yhteishankintojen pienhankintasopimukset, jotka ovat voimassa jakson viimeisenä päivänä.",
            "Gemensamma upphandlingars avtal om småupphandling som gäller periodens sista dag.",
            "Small-scale agreements of joint procurement in force on the period's last day.",
        ),
        "Agreements of the kind small_scale.",
    ),
    stock(
        "contracts_expiring_12m",
        ("Vuoden sisällä päättyvät sopimukset", "Avtal som upphör inom ett år", "Agreements ending within 12 months"),
        (
            "Jakson viimeisenä päivänä voimassa olevat yhteishankinnat, jotka päättyvät seuraavien 12 kuukauden aikana.",
            "Gemensamma upphandlingar som gäller periodens sista dag och upphör inom de följande 12 månaderna.",
            "Joint procurements in force on the period's last day that end within the following twelve months.",
        ),
        "Agreements in force that end within twelve months; open-ended ones do not.",
        standing="proposal",
        origin="METHOD 28; formula ours.",
    ),
    stock(
        "prestudy_level_share",
        ("Esiselvityksen luokat", "Förstudiens klasser", "Preliminary report classes"),
        (
            "Voimassa olevat yhteishankinnat esiselvityksen luokan (1-3) mukaan: varautuminen, tietosuoja, tietoturva.",
            "Gällande gemensamma upphandlingar efter förstudiens klass (1-3): beredskap, dataskydd, informationssäkerhet.",
            "Joint procurements in force by the class (1-3) of the preliminary report: preparedness, data protection, information security.",
        ),
        "Agreements of the class.",
        denominator="Agreements whose class in the area is known.",
        unit="share",
        aggregate="ratio",
        variants=tuple(VARIANTS),
        variant_names=VARIANTS,
        standing="proposal",
        origin="Three-level classes: Hansel, annual report 2023; share: METHOD 28, ours.",
        coverage_text="Agreements with a class in the area / agreements in force.",
    ),
    stock(
        "preparedness_plan_share",
        ("Varautuminen huomioitu kriittisissä sopimuksissa", "Beredskap beaktad i kritiska avtal", "Critical contracts with preparedness terms"),
        (
            "Kriittiset yhteishankinnat, joissa on varautumissuunnitelma tai -ehdot, osuutena voimassa olevista kriittisistä.",
            "Kritiska gemensamma upphandlingar med beredskapsplan eller beredskapsvillkor, som andel av de gällande kritiska.",
            "Critical joint procurements with a preparedness plan or terms, as a share of the critical ones in force.",
        ),
        "Critical agreements with a preparedness plan or terms.",
        denominator="Critical agreements of which it is told.",
        unit="share",
        aggregate="ratio",
        direction="up",
        standing="proposal",
        origin="KEY_FIGURES 7.6; METHOD 27.",
        strategy_intent="I1-3",
        coverage_text="Agreements that tell whether they are critical, and if so whether they have a plan / agreements in force.",
        assumptions=(IN_FORCE, KNOWN, "Read it beside critical_identified_share: who identifies nothing is not in it (METHOD 27)."),
    ),
    form_figure(
        "joint_procurement_spend",
        SOURCE,
        ("Yhteishankintojen volyymi", "Gemensam upphandling, volym", "Joint procurement volume"),
        (
            "Yhteishankintojen kautta tehdyt ostot, jotka yhteishankintayksikkö on raportoinut, ilman arvonlisäveroa.",
            "Inköp genom gemensam upphandling som inköpscentralen har rapporterat, utan moms.",
            "Purchases through joint procurement that the central purchasing body has reported, without VAT.",
        ),
        unit="eur",
        direction="up",
        aggregate="sum",
        numerator="Reported purchases, by year.",
        numerator_quantity="cent",
        denominator=None,
        period_kinds=YEAR_ONLY,
        standing="official_goal",
        origin="Hansel, annual reports 2022 and 2023 (volume by category); KEY_FIGURES 3.4.",
        coverage_text="Every delivered row: 1.",
        assumptions=(
            "Purchases reported without a customer count for the nation and for no organisation or sector of the register.",
            "Purchases reported by month count in their year.",
        ),
    ),
)  # fmt: skip


def compute(measures: Mapping[str, pl.DataFrame], _parameters: Parameters) -> pl.DataFrame:
    """Contributions from `agreement_month` and `reported_purchase_month`."""
    agreements = measures["agreement_month"].filter("is_in_force")
    parts = [contributions(agreements, figure, pl.col("kind") == kind) for figure, kind in KINDS.items()]
    parts.append(contributions(agreements, "contracts_expiring_12m", pl.col("is_ending")))
    for area in AREAS:
        level = pl.col(f"{area}_level")
        parts += [
            share_of(agreements, "prestudy_level_share", level == one, level.is_not_null(), variant=f"{area}_{one}")
            for one in (1, 2, 3)
        ]
    plan, critical = pl.col("has_preparedness_plan"), pl.col("is_critical").fill_null(value=False)
    told = critical & plan.is_not_null()
    covered = pl.col("is_critical").is_not_null() & (~critical | plan.is_not_null())
    prepared = contributions(
        agreements, "preparedness_plan_share", told & plan.fill_null(value=False), told, n=told, covered=covered
    )
    purchases, cents = measures["reported_purchase_month"], pl.col("purchase_cents")
    volume = [
        contributions(purchases, "joint_procurement_spend", cents, n=pl.col("rows_n")),
        contributions(
            purchases, "joint_procurement_spend", cents, n=pl.col("rows_n"), breakdown_kind="category", breakdown_id=pl.col("category")
        ),
    ]  # fmt: skip
    return stacked([*parts, prepared, *volume])
