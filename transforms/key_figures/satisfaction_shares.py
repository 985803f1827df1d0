"""Satisfaction as shares: bands of customers' means, response rate, net promoter score.

Bands are compared on exact sums of integers, never on rounded means (METHOD 24): with k answers of sum s, at least 3.50 is
100 s >= 350 k, at most 2.99 is 100 s <= 299 k; 2.995 is in neither and belongs to the middle class.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.key_figure import NATIONAL, KeyFigure
from transforms.key_figures.facts import Texts
from transforms.key_figures.form_figures import YEAR_ONLY, form_figure
from transforms.key_figures.parameters import Parameters
from transforms.key_figures.satisfaction_cells import (
    AUDIENCE_NAMES,
    AUDIENCES,
    CUSTOMERS,
    OF_AREAS,
    RESPONDENTS,
    RESPONDENTS_OF_SHARE,
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
from transforms.key_figures.satisfaction_scores import ANNUAL_REPORT, BOTH, NATION_ONLY, UNKNOWN, WAVE
from transforms.periods import months_of

NO_INVITED = "no_invited"
"""Reason where answers came and nobody told how many were invited."""
GOOD, BAD = 350, 299
PROMOTER, DETRACTOR = 9, 6
"""Lowest answer of a promoter and highest of a detractor, of 0-10."""


def _share(figure_id: str, names: Texts, definitions: Texts, **values: object) -> KeyFigure:
    common: dict[str, object] = {
        "period_kinds": YEAR_ONLY,
        "closing": "waves",
        "minimum_n": RESPONDENTS_OF_SHARE,
        "denominator": "Respondents with an answer to any area.",
        "coverage_text": OF_AREAS,
        "exclusions": (UNKNOWN,),
        "assumptions": (WAVE, NATION_ONLY, "Compared on exact sums of integers: no mean is rounded."),
    }
    return form_figure(figure_id, SOURCE, names, definitions, **(common | values))


DEFINITIONS = (
    _share(
        "csat_share_ge_350",
        ("Tyytyväiset asiakkaat (vähintään 3,50)", "Nöjda kunder (minst 3,50)", "Satisfied customers (3.50 or more)"),
        (
            "Vastaajat, joiden oma keskiarvo on vähintään 3,50, osuutena vastaajista.",
            "Svarande vars eget medelvärde är minst 3,50, som andel av de svarande.",
            "Respondents whose own mean is at least 3.50, as a share of respondents.",
        ),
        direction="up",
        numerator="Respondents with 100 x sum >= 350 x answers.",
        standing="official",
        origin=f"{ANNUAL_REPORT}: 90 % (2023), 85 % (2022).",
    ),
    _share(
        "csat_share_middle",
        ("Keskiryhmän asiakkaat (3,00–3,49)", "Kunder i mellangruppen (3,00–3,49)", "Customers in the middle (3.00-3.49)"),
        (
            "Vastaajat, joiden oma keskiarvo ei ole vähintään 3,50 eikä enintään 2,99, osuutena vastaajista.",
            "Svarande vars eget medelvärde varken är minst 3,50 eller högst 2,99, som andel av de svarande.",
            "Respondents whose own mean is neither at least 3.50 nor at most 2.99, as a share of respondents.",
        ),
        numerator="Respondents in neither of the other two classes.",
        origin="METHOD 24: the rest is the middle class.",
    ),
    _share(
        "csat_share_le_299",
        ("Tyytymättömät asiakkaat (enintään 2,99)", "Missnöjda kunder (högst 2,99)", "Dissatisfied customers (2.99 or less)"),
        (
            "Vastaajat, joiden oma keskiarvo on enintään 2,99, osuutena vastaajista.",
            "Svarande vars eget medelvärde är högst 2,99, som andel av de svarande.",
            "Respondents whose own mean is at most 2.99, as a share of respondents.",
        ),
        direction="down",
        numerator="Respondents with 100 x sum <= 299 x answers.",
        standing="official",
        origin=f"{ANNUAL_REPORT}: 6 % (2022).",
    ),
    _share(
        "response_rate",
        ("Vastausprosentti", "Svarsfrekvens", "Response rate"),
        (
            "Kyselyyn vastanneet osuutena kutsutuista.",
            "De som svarat på enkäten som andel av de inbjudna.",
            "Those who responded to the survey as a share of those invited.",
        ),
        levels=("national",),
        minimum_n=RESPONDENTS,
        numerator="Responses as the survey tool counts them, else respondents with an answer.",
        denominator="Invited.",
        variants=tuple(AUDIENCES.values()),
        variant_names=AUDIENCE_NAMES,
        origin="KEY_FIGURES 7.5",
        coverage_text="Responses of waves whose invitations are known / responses.",
        exclusions=(),
        assumptions=(WAVE, "Invitations are told for the whole wave: the figure is national only."),
    ),
    _share(
        "nps",
        ("Suositteluindeksi (NPS)", "Rekommendationsindex (NPS)", "Net promoter score (NPS)"),
        (
            "Suosittelijoiden (9–10) ja arvostelijoiden (0–6) osuuksien erotus prosenttiyksikköinä.",
            "Skillnaden mellan andelen ambassadörer (9–10) och andelen kritiker (0–6) i procentenheter.",
            "Share of promoters (9-10) minus share of detractors (0-6), in percentage points.",
        ),
        unit="points",
        direction="up",
        factor=100,
        numerator="Promoters minus detractors.",
        denominator="Respondents who answered 0-10.",
        variants=(CUSTOMERS, SUPPLIERS),
        variant_names=BOTH,
        origin="KEY_FIGURES 7.5; no central purchasing body publishes one.",
        coverage_text="Respondents who answered / respondents of the survey.",
        assumptions=(WAVE, NATION_ONLY, "Suppliers' score is national only."),
    ),
)


def cells(
    measures: Mapping[str, pl.DataFrame], _parameters: Parameters, touched: pl.DataFrame, members: pl.DataFrame
) -> pl.DataFrame:
    """CELL rows of the shares, for every place and period anew."""
    answers = measures["survey_response"]
    rows = placed(answers, touched, members, YEAR_ONLY)
    customers = pl.col("survey") == "customer"
    people = respondents(rows.filter(customers), "area")
    has, hundredfold = pl.col("k") > 0, 100 * pl.col("total")
    is_good, is_bad = hundredfold >= GOOD * pl.col("k"), hundredfold <= BAD * pl.col("k")
    bands = {"csat_share_ge_350": is_good, "csat_share_le_299": is_bad, "csat_share_middle": ~is_good & ~is_bad}
    asked = rows.filter((pl.col("survey") == "supplier") & (pl.col("level") == "national") | customers)
    ways = respondents(asked, "nps")
    net = (pl.col("total") >= PROMOTER * pl.col("k")).cast(pl.Int64) - (pl.col("total") <= DETRACTOR * pl.col("k")).cast(pl.Int64)
    return stacked(
        [
            *(shaped(figure_id, summed(people, (), band, has)) for figure_id, band in bands.items()),
            shaped("nps", summed(ways, ("survey",), net, has), variant=pl.col("survey").replace_strict(AUDIENCES)),
            _response_rate(answers, measures["survey_invited"], touched),
        ]
    )


def _response_rate(answers: pl.DataFrame, invited: pl.DataFrame, touched: pl.DataFrame) -> pl.DataFrame:
    """Responses and invitations of each survey and year; no value where invitations are not known."""
    years = months_of(touched.filter(pl.col("period_kind").is_in(list(YEAR_ONLY))))
    place = ["period_kind", "period_start", "survey"]
    told = invited.join(years, on="month").group_by(place).agg(
        pl.col("invited_n").sum(), pl.when(pl.col("responded_n").is_not_null().all()).then(pl.col("responded_n").sum()).alias("responded_n")
    )  # fmt: skip
    came = answers.join(years, on="month").group_by(place).agg(pl.col("respondent").n_unique().cast(pl.Int64).alias("came"))
    joined = told.join(came, on=place, how="full", coalesce=True)
    responded = pl.coalesce("responded_n", pl.col("came").fill_null(0))
    counts = joined.with_columns(
        level=pl.lit("national"),
        level_id=pl.lit(NATIONAL),
        numerator=responded,
        denominator="invited_n",
        n=pl.coalesce("invited_n", responded),
        covered=pl.when(pl.col("invited_n").is_not_null()).then(responded).otherwise(0),
        asked=responded,
    )
    return shaped(
        "response_rate",
        counts,
        variant=pl.col("survey").replace_strict(AUDIENCES),
        reason=pl.when(pl.col("invited_n").is_null()).then(pl.lit(NO_INVITED)),
    )
