"""What the keyed invoice figures share: how a definition is written, and SQL for periods by month, who belongs where, and what
the figures rest on.

Keyed figures are worked out anew for every level and period (METHOD 2), so their coverage is too.
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.key_figure import KeyFigure, PeriodKind
from transforms.key_figures.spend import BASIS, spend_figure

PERIOD_KINDS: tuple[PeriodKind, ...] = ("quarter", "year")


def keyed_figure(
    figure_id: str, names: tuple[str, str, str], definitions: tuple[str, str, str], scope: str, **changes: object
) -> KeyFigure:
    """A definition with what keyed figures have in common; `changes` are KeyFigure's fields."""
    common: dict[str, object] = {
        "aggregate": "plan",
        "period_kinds": PERIOD_KINDS,
        "numerator_quantity": "count",
        "denominator_quantity": "count",
        "assumptions": (),
    }
    return spend_figure(figure_id, names, definitions, scope, **(common | changes))


def places(kinds: Sequence[PeriodKind]) -> str:
    """CTEs over `period` and `membership`, for these kinds of period.

    `place` (place_id, level, level_id, period_kind, period_start): every cell's place under a number of its own, so that
    millions of rows are grouped by a number. `member` (organisation_id, place_id, level, period_kind, period_start): who counts there.
    `period_month` (period_kind, period_start, period_end, month): the months of the periods.
    """
    wanted = ", ".join(f"'{kind}'" for kind in kinds)
    return f"""
placed AS MATERIALIZED (
    SELECT m.organisation_id, m.level, m.level_id, p.period_kind, p.period_start
    FROM period p JOIN membership m ON p.period_end BETWEEN m.valid_from AND m.valid_to WHERE p.period_kind IN ({wanted})),
place AS MATERIALIZED (
    SELECT row_number() OVER ()::INTEGER AS place_id, *
    FROM (SELECT DISTINCT level, level_id, period_kind, period_start FROM placed)),
member AS MATERIALIZED (
    SELECT p.organisation_id, c.place_id, c.level, c.period_kind, c.period_start
    FROM placed p JOIN place c USING (level, level_id, period_kind, period_start)),
period_month AS MATERIALIZED (
    SELECT period_kind, period_start, period_end, unnest(generate_series(period_start, period_end, INTERVAL 1 MONTH))::DATE AS month
    FROM period WHERE period_kind IN ({wanted}))"""


def covered(key_lines: str, gap: str, *, scaled: bool) -> str:
    """CTE `covered` (place_id, asked, covered, usable, gap) over `places`, `expected` and `spend_month`.

    An organisation's expected month rests on nothing (a gap) when no slice is in force, amounts bear VAT, the period is
    shorter than a year and lines have no date, no account is known, or there are procurement lines but no `key_lines` (SQL
    over spend_month: the lines that bear the key); that last gap is called `gap`. Else it rests on the share of absolute net
    cents on known accounts, times the share of procurement lines with the key when `scaled`. `usable` counts months without a
    gap; `gap` is the reason of a place that has none.
    """
    share = " * CASE WHEN lines = 0 THEN 1 ELSE key_lines END // greatest(CASE WHEN lines = 0 THEN 1 ELSE lines END, 1)"
    return f"""
spent AS MATERIALIZED (
    SELECT organisation_id, period AS month, has_date, bool_or(is_gross) AS is_gross, sum(known_absolute_cents) AS known,
        sum(unknown_absolute_cents) AS unknown, sum(procurement_lines) AS lines, sum({key_lines}) AS key_lines
    FROM spend_month GROUP BY ALL),
asked_month AS (
    SELECT e.organisation_id, e.month, y.is_year, e.present, u.month IS NOT NULL AND NOT y.is_year AS no_date,
        coalesce(d.is_gross, false) OR (coalesce(u.is_gross, false) AND y.is_year) AS is_gross,
        coalesce(d.known, 0) + CASE WHEN y.is_year THEN coalesce(u.known, 0) ELSE 0 END AS known,
        coalesce(d.unknown, 0) + CASE WHEN y.is_year THEN coalesce(u.unknown, 0) ELSE 0 END AS unknown,
        coalesce(d.lines, 0) + CASE WHEN y.is_year THEN coalesce(u.lines, 0) ELSE 0 END AS lines,
        coalesce(d.key_lines, 0) + CASE WHEN y.is_year THEN coalesce(u.key_lines, 0) ELSE 0 END AS key_lines
    FROM expected e CROSS JOIN (VALUES (true), (false)) y(is_year)
    LEFT JOIN (FROM spent WHERE has_date) d ON d.organisation_id = e.organisation_id AND d.month = e.month
    LEFT JOIN (FROM spent WHERE NOT has_date) u
        ON u.organisation_id = e.organisation_id AND u.month = date_trunc('year', e.month)),
judged AS (
    SELECT organisation_id, month, is_year,
        CASE WHEN NOT present THEN 'missing_delivery' WHEN is_gross THEN 'not_comparable' WHEN no_date THEN 'no_date'
            WHEN known = 0 AND unknown > 0 THEN 'no_account' WHEN lines > 0 AND key_lines = 0 THEN '{gap}' END AS gap,
        CASE WHEN known + unknown = 0 THEN {BASIS} ELSE known * {BASIS} // (known + unknown) END{share if scaled else ""} AS basis
    FROM asked_month),
covered AS MATERIALIZED (
    SELECT m.place_id, (count(*) * {BASIS})::BIGINT AS asked, sum(CASE WHEN gap IS NULL THEN basis ELSE 0 END)::BIGINT AS covered,
        count(*) FILTER (gap IS NULL) AS usable,
        coalesce(max(gap) FILTER (gap <> 'missing_delivery'), 'missing_delivery') AS gap
    FROM period_month p JOIN judged j ON j.month = p.month AND j.is_year = (p.period_kind = 'year')
    JOIN member m ON m.organisation_id = j.organisation_id AND m.period_kind = p.period_kind AND m.period_start = p.period_start
    GROUP BY ALL)"""


SLOTS = """
slot AS MATERIALIZED (
    SELECT row_number() OVER ()::INTEGER AS slot_id, *
    FROM (SELECT DISTINCT organisation_id, date_trunc('quarter', period)::DATE AS quarter, has_date
          FROM spend_month SEMI JOIN period_month w ON w.month = period)),
year_slot AS MATERIALIZED (
    SELECT slot_id, dense_rank() OVER (ORDER BY organisation_id, year(quarter))::INTEGER AS year_id FROM slot),
month_slot AS MATERIALIZED (
    SELECT DISTINCT s.slot_id, m.organisation_id, m.period, m.has_date
    FROM spend_month m JOIN slot s
        ON s.organisation_id = m.organisation_id AND s.quarter = date_trunc('quarter', m.period)::DATE AND s.has_date = m.has_date),
slot_place AS MATERIALIZED (
    SELECT s.slot_id, m.place_id, m.level FROM slot s
    JOIN member m ON m.organisation_id = s.organisation_id AND m.period_kind = 'quarter' AND m.period_start = s.quarter
    WHERE s.has_date),
year_place AS MATERIALIZED (
    SELECT DISTINCT y.year_id, m.place_id, m.level FROM slot s JOIN year_slot y USING (slot_id)
    JOIN member m ON m.organisation_id = s.organisation_id AND m.period_kind = 'year' AND year(m.period_start) = year(s.quarter))"""
"""CTEs that number what an organisation did in a quarter (`slot_id`) and in a year (`year_id`), lines with and without a date
apart: keyed measures are added up under these numbers, quarters first and years from them. spend_month knows every month that
the keyed measures know. `slot_place` and `year_place` say in which places the numbers count; undated lines in years only."""
