"""Contact requests: time to the first response and to resolution, by Kaplan and Meier on the cases received (METHOD 23).

Kaplan, Meier: Nonparametric Estimation from Incomplete Observations, JASA 53 (1958): the share still waiting after t is the
product over the times t_i <= t at which something ended of (at risk - ended) / at risk; a case that still waits leaves the
cases at risk after the time it has waited. A percentile p is the least t with a share of at most 1 - p.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil, prod

import polars as pl

from transforms import levels
from transforms.key_figures.contacts import BEGAN, EXCLUSIONS, SOURCE, WHOSE
from transforms.key_figures.facts import ALL
from transforms.key_figures.form_figures import MONTHS_KNOWN, form_figure
from transforms.key_figures.parameters import Parameters
from transforms.periods import months_of
from transforms.reach import reached, with_coverage
from transforms.rollup import common_reason

PERCENTILES: Mapping[str, Fraction] = {"median": Fraction(1, 2), "p90": Fraction(9, 10)}
OPEN_AT_MOST = Fraction(1, 10)
"""With a larger share still waiting p90 stays empty (METHOD 23)."""
NEAR = 1e-9
"""Shares nearer to a percentile than this are compared as fractions, which is slow, and others are not."""
TOO_MANY_OPEN = "too_many_open"
NO_RESPONSE_TIMES = "no_response_times"
NO_CLOSING_TIMES = "no_closing_times"
PLACE = ["level", "level_id", "period_kind", "period_start"]
NAMES = {
    "median": {"fi": "Mediaani", "sv": "Median", "en": "Median"},
    "p90": {"fi": "90. persentiili", "sv": "90:e percentilen", "en": "90th percentile"},
}
SHARED: Mapping[str, object] = {
    "direction": "down",
    "aggregate": "median",
    "variants": tuple(PERCENTILES),
    "variant_names": NAMES,
    "denominator": None,
    "origin": "KEY_FIGURES 7.3; METHOD 23",
    "exclusions": EXCLUSIONS,
}
CENSORED = "What had not happened when the delivery was produced is taken as censored then (Kaplan-Meier)."
EMPTY = "p90 is empty where more than 10 % still wait; the median where it is not reached."
CLOCK = "Hours of the clock: nights, weekends and holidays count."

DEFINITIONS = (
    form_figure(
        "contact_first_response_hours",
        SOURCE,
        ("Vasteaika", "Svarstid", "First-response time"),
        (
            "Aika yhteydenotosta ensimmäiseen vastaukseen tunteina, kaudella saapuneista yhteydenotoista.",
            "Tid från kontakt till första svar i timmar, för kontakter som inkommit under perioden.",
            "Hours from the receipt of a request to the first response, over the requests received in the period.",
        ),
        unit="hours",
        numerator="Percentile of the hours from receipt to the first response.",
        coverage_text=f"Cases with a first response or known to wait for one / cases{MONTHS_KNOWN}",
        assumptions=(WHOSE, BEGAN, CENSORED, EMPTY, CLOCK),
        **SHARED,
    ),
    form_figure(
        "contact_resolution_days",
        SOURCE,
        ("Ratkaisuaika", "Lösningstid", "Resolution time"),
        (
            "Aika yhteydenotosta ratkaisuun vuorokausina, kaudella saapuneista yhteydenotoista.",
            "Tid från kontakt till lösning i dygn, för kontakter som inkommit under perioden.",
            "Days from the receipt of a request to its resolution, over the requests received in the period.",
        ),
        unit="days",
        numerator="Percentile of the days from receipt to the newest closing.",
        coverage_text=f"Cases that are open or whose time of closing is known / cases{MONTHS_KNOWN}",
        assumptions=(WHOSE, BEGAN, CENSORED, EMPTY, CLOCK, "A case that is open again is open; its newest closing counts."),
        **SHARED,
    ),
)  # fmt: skip

TIMES = (
    ("contact_first_response_hours", "response", 3_600, NO_RESPONSE_TIMES),
    ("contact_resolution_days", "resolution", 86_400, NO_CLOSING_TIMES),
)
"""Figure, columns of `contact_case`, seconds of its unit, and why there is none without times."""


def percentiles(seconds: Sequence[int], has_ended: Sequence[bool]) -> dict[str, int | None]:
    """Seconds at each of PERCENTILES, exact; None where it is not reached. `seconds` ascend, what ended before what waits."""
    n = len(seconds)
    if all(has_ended):
        return {name: seconds[ceil(share * n) - 1] if n else None for name, share in PERCENTILES.items()}
    found: dict[str, int | None] = dict.fromkeys(PERCENTILES)
    wanted = [(name, 1 - share, float(1 - share)) for name, share in PERCENTILES.items()]
    waiting = 1.0
    for before, time in enumerate(seconds):
        if not has_ended[before]:
            continue
        waiting *= (n - before - 1) / (n - before)
        while wanted and waiting < wanted[0][2] + NEAR:
            name, exact, share = wanted[0]
            if waiting > share - NEAR and _waiting(has_ended[: before + 1], n) > exact:
                break
            found[name] = time
            wanted = wanted[1:]
    return found


def _waiting(has_ended: Sequence[bool], n: int) -> Fraction:
    """The exact share still waiting after the first of `n` times."""
    return prod((Fraction(n - before - 1, n - before) for before, ended in enumerate(has_ended) if ended), start=Fraction(1))


def cells(
    measures: Mapping[str, pl.DataFrame], _parameters: Parameters, touched: pl.DataFrame, members: pl.DataFrame
) -> pl.DataFrame:
    """CELL rows of the times of each place and period, from `contact_case`."""
    placed = levels.placed(reached(measures, "contact_case", SOURCE).join(months_of(touched), on="month"), members)
    parts = []
    for figure_id, what, unit, nothing in TIMES:
        known, seconds, ended = pl.col(what) != "unknown", pl.col(f"{what}_seconds"), pl.col(what) == "ended"
        grouped = (
            with_coverage(
                placed.with_columns(covered=known.cast(pl.Int64), asked=pl.lit(1, pl.Int64), reason=pl.lit(None, pl.String))
            )
            .sort(seconds, ~ended)
            .group_by(PLACE, maintain_order=True)
            .agg(
                seconds.filter(known).alias("seconds"),
                ended.filter(known).alias("ended"),
                pl.col("covered", "asked").sum(),
                common_reason(),
            )
        )
        rows = [
            (figure_id, variant, *row[:4], value, len(row[5]), *row[6:8], row[8] or reason)
            for row in grouped.iter_rows()
            for variant, value, reason in _values(row[4], row[5], unit, nothing)
        ]
        schema = {
            **dict.fromkeys(("figure_id", "variant", *PLACE[:3]), pl.String),
            "period_start": pl.Date,
            "direct_value": pl.Float64,
            "n": pl.Int64,
            "covered": pl.Int64,
            "asked": pl.Int64,
            "reason": pl.String,
        }
        parts.append(pl.DataFrame(rows, schema=schema, orient="row"))
    return pl.concat(parts).with_columns(
        pl.lit(ALL).alias("scope"),
        *(pl.lit("").alias(name) for name in ("breakdown_kind", "breakdown_id")),
        *(pl.lit(None, pl.Int64).alias(name) for name in ("numerator", "denominator")),
    )


def _values(
    seconds: Sequence[int], has_ended: Sequence[bool], unit: int, nothing: str
) -> list[tuple[str, float | None, str | None]]:
    """(variant, value, reason) from the known times of one place and period."""
    if not seconds:
        return [(variant, None, nothing) for variant in PERCENTILES]
    found = percentiles(seconds, has_ended)
    if Fraction(has_ended.count(False), len(has_ended)) > OPEN_AT_MOST:
        found["p90"] = None
    return [
        (variant, None if value is None else value / unit, TOO_MANY_OPEN if value is None else None)
        for variant, value in found.items()
    ]
