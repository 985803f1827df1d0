"""Satisfaction as means: customers, suppliers, users of mini-competition support; school grades."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import polars as pl

from schemas.key_figure import KeyFigure
from transforms.key_figures.facts import Texts
from transforms.key_figures.form_figures import MONTHS_KNOWN, YEAR_ONLY, form_figure
from transforms.key_figures.parameters import Parameters
from transforms.key_figures.satisfaction_cells import (
    AUDIENCE_NAMES,
    AUDIENCES,
    CUSTOMERS,
    MEAN,
    OF_AREAS,
    PLACE,
    POINT,
    RESPONDENTS,
    SOURCE,
    SUPPLIERS,
    placed,
    respondents,
    stacked,
    summed,
)
from transforms.key_figures.satisfaction_cells import (
    cells as shaped,
)
from transforms.reach import reached, with_coverage
from transforms.rollup import common_reason

ANNUAL_REPORT = "The central purchasing body's annual reports (KEY_FIGURES 3.4)"
WAVE = "The wave belongs to the year asked about (METHOD 24): a survey of January stands in the year before."
UNKNOWN = "Answers that say 'does not know' and questions left blank are left out."
AREAS_MISSING = "areas_missing"
NATION_ONLY = "Respondents whose organisation is not known count in the nation only."
BOTH = {key: AUDIENCE_NAMES[key] for key in (CUSTOMERS, SUPPLIERS)}


def _mean(figure_id: str, names: Texts, definitions: Texts, **values: object) -> KeyFigure:
    common: dict[str, object] = {
        "unit": "score",
        "direction": "up",
        "aggregate": "mean",
        "period_kinds": YEAR_ONLY,
        "closing": "waves",
        "numerator_quantity": "score",
        "minimum_n": RESPONDENTS,
        "coverage_text": OF_AREAS,
        "exclusions": (UNKNOWN,),
        "assumptions": (WAVE, NATION_ONLY),
    }
    return form_figure(figure_id, SOURCE, names, definitions, **(common | values))


DEFINITIONS = (
    _mean(
        "csat_area_mean",
        ("Asiakastyytyväisyys, osa-alueiden keskiarvo", "Kundnöjdhet, medelvärde av delområdena", "Customer satisfaction, mean of areas"),
        (
            "Asiakaskyselyn yhdeksän osa-alueen keskiarvojen keskiarvo (1–5).",
            "Medelvärdet av medelvärdena för kundenkätens nio delområden (1–5).",
            "Mean of the means of the customer survey's nine areas (1-5).",
        ),
        numerator="None: the value is the mean of the area means, each the mean of the answers to its area.",
        denominator="Areas with an answer.",
        numerator_quantity="count",
        standing="official",
        origin=f"{ANNUAL_REPORT}: 4.19 (2023), 4.15 (2022); the reference series (METHOD 24).",
        coverage_text="Areas with an answer / areas of the survey (codelists/survey_questions.csv).",
        assumptions=(WAVE, NATION_ONLY, "Where nobody answered an area there is no mean of nine: areas_missing."),
    ),
    _mean(
        "csat_mean",
        ("Asiakastyytyväisyys, vastaajien keskiarvo", "Kundnöjdhet, de svarandes medelvärde", "Customer satisfaction, mean of respondents"),
        (
            "Asiakkaiden omien keskiarvojen keskiarvo (1–5): jokainen vastaaja painaa saman verran.",
            "Medelvärdet av de svarande kundernas egna medelvärden (1–5): varje svarande väger lika mycket.",
            "Mean of the customers' own means over the areas they answered (1-5): every respondent weighs the same.",
        ),
        numerator="Respondents' means over the areas they answered, summed.",
        denominator="Respondents with an answer to any area.",
        origin=f"{ANNUAL_REPORT} give a mean; the order of averaging is not published, this one is ours.",
    ),
    _mean(
        "csat_item_mean",
        ("Asiakastyytyväisyys osa-alueittain", "Kundnöjdhet per delområde", "Customer satisfaction by area"),
        (
            "Kunkin osa-alueen vastausten keskiarvo (1–5).",
            "Medelvärdet av svaren per delområde (1–5).",
            "Mean of the answers to each area (1-5).",
        ),
        numerator="Answers to the area, summed.",
        denominator="Answers to the area.",
        standing="official",
        origin=f"{ANNUAL_REPORT}: best 4.56, lowest 3.80 (2023).",
        coverage_text="Respondents who answered the area / respondents of the survey.",
        assumptions=(WAVE, NATION_ONLY, "Two areas are asked of the service's users only: their coverage is low by design."),
    ),
    _mean(
        "ssat_mean",
        ("Toimittajatyytyväisyys", "Leverantörsnöjdhet", "Supplier satisfaction"),
        (
            "Toimittajakyselyn vastaajien omien keskiarvojen keskiarvo (1–5).",
            "Medelvärdet av de svarande leverantörernas egna medelvärden (1–5).",
            "Mean of the suppliers' own means over the areas they answered (1-5).",
        ),
        numerator="Respondents' means over the areas they answered, summed.",
        denominator="Respondents with an answer to any area.",
        levels=("national",),
        origin=f"{ANNUAL_REPORT}: 4.01 (2022); the order of averaging is not published, this one is ours.",
        assumptions=(WAVE, "Suppliers belong to no buyer: the figure is national only."),
    ),
    _mean(
        "school_grade",
        ("Kouluarvosana", "Skolvitsord", "School grade"),
        (
            "Annettujen kouluarvosanojen (4–10) keskiarvo.",
            "Medelvärdet av givna skolvitsord (4–10).",
            "Mean of the school grades given (4-10).",
        ),
        unit="grade",
        numerator="Grades, summed.",
        denominator="Respondents who gave a grade.",
        variants=(CUSTOMERS, SUPPLIERS),
        variant_names=BOTH,
        standing="official",
        origin=f"{ANNUAL_REPORT}: 8.5 from customers, 8 from suppliers (2023).",
        coverage_text="Respondents who gave a grade / respondents of the survey.",
        assumptions=(WAVE, NATION_ONLY, "Suppliers' grade is national only."),
    ),
    _mean(
        "minicomp_csat",
        ("Tyytyväisyys minikilpailutuksen tukeen", "Nöjdhet med stödet i minikonkurrensutsättningar", "Satisfaction with mini-competition support"),
        (
            "Minikilpailutuksen tuesta annettujen arvioiden keskiarvo (1–5) vastauspäivän mukaan.",
            "Medelvärdet av omdömena om stödet i minikonkurrensutsättningar (1–5) enligt svarsdatum.",
            "Mean of the scores given to the support in mini-competitions (1-5), by the day of the response.",
        ),
        period_kinds=("quarter", "year"),
        numerator="Respondents' means over the questions on support, summed.",
        denominator="Respondents with an answer.",
        standing="official",
        origin=f"{ANNUAL_REPORT}: 4.5 (2023).",
        closing="months",
        coverage_text=f"Respondents with an answer / respondents of the survey{MONTHS_KNOWN}",
        assumptions=("A response counts on its day (METHOD 24).", NATION_ONLY),
    ),
)  # fmt: skip


def cells(
    measures: Mapping[str, pl.DataFrame], parameters: Parameters, touched: pl.DataFrame, members: pl.DataFrame
) -> pl.DataFrame:
    """CELL rows of the means, for every place and period anew."""
    answers = measures["survey_response"]
    rows = placed(answers, touched, members, YEAR_ONLY)
    customers, nation = pl.col("survey") == "customer", pl.col("level") == "national"
    people = respondents(rows, "area")
    graded = rows.filter((pl.col("survey") == "supplier") & nation | customers)
    grades = respondents(graded, "grade")
    has = pl.col("k") > 0
    return stacked(
        [
            shaped("csat_mean", summed(people.filter(customers), (), MEAN, has)),
            shaped("ssat_mean", summed(people.filter(pl.col("survey") == "supplier", nation), (), MEAN, has)),
            shaped("school_grade", summed(grades, ("survey",), MEAN, has), variant=pl.col("survey").replace_strict(AUDIENCES)),
            _support(reached(measures, "survey_response", SOURCE), touched, members),
            _items(rows.filter(customers)),
            _areas(rows.filter(customers), len(parameters.customer_areas)),
        ]
    )


def _support(answers: pl.DataFrame, touched: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Means of the scores given to the support in mini-competitions, which come all year round: coverage by months known too."""
    rows = placed(answers.filter(survey="minicomp"), touched, members, ("quarter", "year"))
    people = respondents(rows, "support")
    reaches = rows.select(*PLACE, "respondent", "period_end", "reaches").unique()
    told = (pl.col("k") > 0).cast(pl.Int64)
    each = people.join(reaches, on=[*PLACE, "respondent"]).with_columns(
        covered=told, asked=pl.lit(1, pl.Int64), reason=pl.lit(None, pl.String)
    )
    coverage = with_coverage(each).group_by(PLACE).agg(pl.col("covered", "asked").sum(), common_reason())
    counts = summed(people, (), MEAN, pl.col("k") > 0).drop("covered", "asked").join(coverage, on=PLACE)
    return shaped("minicomp_csat", counts, reason=pl.col("reason"))


def _items(rows: pl.DataFrame) -> pl.DataFrame:
    """Means of the areas, each over its own answers; coverage over all respondents of the place."""
    asked = rows.group_by(PLACE).agg(pl.col("respondent").n_unique().cast(pl.Int64).alias("asked"))
    areas = rows.filter(pl.col("kind") == "area")
    counts = summed(areas, ("item",), pl.col("value") * POINT, pl.col("value").is_not_null()).drop("asked").join(asked, on=PLACE)
    return shaped("csat_item_mean", counts, breakdown_kind=pl.lit("item"), breakdown_id=pl.col("item"))


def _areas(rows: pl.DataFrame, areas_n: int) -> pl.DataFrame:
    """The mean of the means of all `areas_n` areas: computed in fractions, as their common denominator may be beyond any integer
    column. A mean of fewer would be another figure (METHOD 24)."""
    areas = rows.filter(pl.col("kind") == "area", pl.col("value").is_not_null())
    means = areas.group_by(*PLACE, "item").agg(pl.col("value").sum().alias("total"), pl.len().alias("k"))
    people = areas.group_by(PLACE).agg(pl.col("respondent").n_unique().cast(pl.Int64).alias("n"))
    values = [
        (*place, len(own), float(sum(Fraction(total, k) for total, k in own.select("total", "k").iter_rows()) / len(own)))
        for place, own in means.group_by(PLACE, maintain_order=True)
    ]
    schema = {name: means.schema[name] for name in PLACE} | {"denominator": pl.Int64, "value": pl.Float64}
    joined = pl.DataFrame(values, schema=schema, orient="row").join(people, on=PLACE)
    counts = joined.with_columns(numerator=pl.lit(None, pl.Int64), covered="denominator", asked=pl.lit(areas_n, pl.Int64))
    whole = pl.col("denominator") == areas_n
    return shaped(
        "csat_area_mean",
        counts,
        direct_value=pl.when(whole).then("value"),
        reason=pl.when(~whole).then(pl.lit(AREAS_MISSING)),
    )
