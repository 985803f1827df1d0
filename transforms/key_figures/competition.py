"""Competition: bids per lot (METHOD 9, 17). The unit is the awarded lot result, a proxy for the contract."""

from __future__ import annotations

import polars as pl

from transforms.key_figures.facts import stacked
from transforms.key_figures.notices import SCOREBOARD, Measures, contributions, notice_figure, share_of
from transforms.key_figures.parameters import Parameters

EXCLUDED = (
    "Lots with a framework agreement other than none.",
    "Contracts within a framework agreement or dynamic purchasing system (BT-768).",
    "Procedures without a call (neg-wo-call) and other single-stage procedures (oth-single).",
    "Lots with DPS usage, which are a series of their own (variant dps).",
    "Lots whose number of tenders is unknown or withheld.",
)
DPS = {
    "": {"fi": "Kilpailutetut osat", "sv": "Konkurrensutsatta delar", "en": "Competitive lots"},
    "dps": {"fi": "Dynaamiset hankintajärjestelmät", "sv": "Dynamiska inköpssystem", "en": "Dynamic purchasing systems"},
}
SERIES = {"": "competitive", "dps": "dps"}
"""METHOD 9: the figure's variants and the series of lot results that each rests on."""
KNOWN_BIDS = "Awarded competitive lots with a known number of tenders / awarded lots that are competitive or may be."
BIDS = ("zero", "1", "2", "3", "4+")

DEFINITIONS = (
    notice_figure(
        "single_bid_share",
        ("Yhden tarjouksen osuus", "Andel med ett anbud", "Single bidder"),
        (
            "Kilpailutetut hankinnan osat, joihin saatiin vain yksi tarjous, osuutena osista, joihin saatiin tarjouksia.",
            "Konkurrensutsatta delar med bara ett anbud, som andel av delar med anbud.",
            "Awarded competitive lots with just one tender, as a share of those with a known number of tenders.",
        ),
        direction="down",
        numerator="Awarded competitive lot results with one tender.",
        denominator="Awarded competitive lot results with at least one tender.",
        standing="official",
        origin=SCOREBOARD,
        coverage_text=KNOWN_BIDS,
        exclusions=EXCLUDED,
        variants=tuple(SERIES),
        variant_names=DPS,
    ),
    notice_figure(
        "single_bid_value_share",
        ("Yhden tarjouksen osuus arvosta", "Andel med ett anbud av värdet", "Single-bid value share"),
        (
            "Yhden tarjouksen osien arvo osuutena kilpailutettujen osien arvosta.",
            "Värdet av delar med ett anbud som andel av konkurrensutsatta delars värde.",
            "Award value of lots with one tender, as a share of the value of competitive awards.",
        ),
        direction="down",
        numerator="Award value of competitive lots with one tender.",
        denominator="Award value of competitive lots with a known value and number of tenders.",
        numerator_quantity="cent",
        denominator_quantity="cent",
        standing="official",
        origin="Open Contracting Partnership, use case UC006",
        coverage_text="Awarded competitive lots with known tenders and a value in EUR / awarded lots that are competitive or may be.",
        exclusions=(*EXCLUDED, "Values in other currencies and withheld values."),
        variants=tuple(SERIES),
        variant_names=DPS,
    ),
    notice_figure(
        "bids_mean",
        ("Tarjousten määrä, keskiarvo", "Antal anbud, medelvärde", "Bids per lot, mean"),
        ("Tarjouksia keskimäärin osaa kohden.", "Anbud per del i medeltal.", "Tenders per awarded competitive lot, mean."),
        unit="per_lot",
        aggregate="mean",
        direction="up",
        numerator="Tenders received.",
        denominator="Awarded competitive lot results with at least one tender.",
        standing="official",
        origin="Open Contracting Partnership, indicator guide",
        coverage_text=KNOWN_BIDS,
        exclusions=EXCLUDED,
        variants=tuple(SERIES),
        variant_names=DPS,
    ),
    notice_figure(
        "bids_median",
        ("Tarjousten määrä, mediaani", "Antal anbud, median", "Bids per lot, median"),
        (
            "Tarjousten määrän mediaani osaa kohden.",
            "Medianen av antalet anbud per del.",
            "Tenders per awarded competitive lot, median.",
        ),
        unit="per_lot",
        aggregate="median",
        direction="up",
        numerator="Tenders received.",
        denominator=None,
        standing="official",
        origin="Open Contracting Partnership, indicator guide",
        coverage_text=KNOWN_BIDS,
        exclusions=EXCLUDED,
        variants=tuple(SERIES),
        variant_names=DPS,
    ),
    notice_figure(
        "bids_distribution",
        ("Tarjousten jakauma", "Fördelning av antal anbud", "Distribution of bids"),
        (
            "Osat tarjousten määrän mukaan: nolla, 1, 2, 3, 4 tai enemmän.",
            "Delar efter antal anbud: noll, 1, 2, 3, 4 eller fler.",
            "Competitive lot results by number of tenders: zero, 1, 2, 3, 4 or more.",
        ),
        numerator="Competitive lot results with that number of tenders.",
        denominator="Competitive lot results with a known number of tenders, zero included.",
        origin="METHOD 17; comparable with the Finnish Competition and Consumer Authority's figure for 2021",
        coverage_text="Competitive lot results with a known number of tenders / lot results that are competitive or may be.",
        exclusions=EXCLUDED[:-1],
        variants=tuple(SERIES),
        variant_names=DPS,
    ),
)


def compute(measures: Measures, _parameters: Parameters) -> pl.DataFrame:
    """figure_id and CONTRIBUTION rows from lot_result_fact."""
    lots = measures["lot_result_fact"]
    return stacked([part for variant, series in SERIES.items() for part in _series(lots, variant, series)])


def _series(lots: pl.DataFrame, variant: str, series: str) -> list[pl.LazyFrame]:
    """The figures of one series. Results of unknown series may belong to the competitive one: they lower its coverage."""
    possible = [series, "unknown"] if series == "competitive" else [series]
    every = lots.filter(pl.col("series").is_in(possible))
    awarded = every.filter(pl.col("result_code") == "selec-w")
    bids, value = pl.col("tenders_n"), pl.col("award_value_cents")
    inside = pl.col("series") == series
    known = inside & (bids >= 1).fill_null(value=False)
    valued = known & value.is_not_null()
    summed = pl.when(valued).then(value).otherwise(0)
    single = pl.when(bids == 1).then(summed).otherwise(0)
    observed = pl.when(known).then(bids)
    parts = [
        share_of(awarded, "single_bid_share", bids == 1, known, variant=variant),
        contributions(awarded, "single_bid_value_share", single, summed, n=valued, covered=valued, variant=variant),
        contributions(awarded, "bids_mean", observed.fill_null(0), known, n=known, covered=known, variant=variant),
        contributions(awarded, "bids_median", pl.lit(None), amount=observed, n=known, covered=known, variant=variant),
    ]
    for name in BIDS:
        hit = bids == 0 if name == "zero" else bids >= 4 if name == "4+" else bids == int(name)
        told = inside & bids.is_not_null()
        parts.append(share_of(every, "bids_distribution", hit, told, variant=variant, breakdown_kind="bids", breakdown_id=name))
    return parts
