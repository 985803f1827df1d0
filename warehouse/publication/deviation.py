"""The published table `mart.deviation`: monthly figures against what their own history lets expect."""

from __future__ import annotations

from warehouse import deviations
from warehouse.publication.generations import Connection, PublishedTable, create_table
from warehouse.store import Store

DEVIATION = {
    "figure_id": "Key figure.",
    "version": "Version of the definition.",
    "variant": "Variant, '' when there is one only.",
    "scope": "What the figure speaks of.",
    "panel": "all: every organisation that delivers; fixed: the fixed panel.",
    "level": "national, sector, branch, region.",
    "level_id": "Id within the level; FI for the nation.",
    "breakdown_kind": "'' for the whole, else what the row is broken down by.",
    "breakdown_id": "'' for the whole, else the class.",
    "month": "First day of the month.",
    "unit": "Unit of value, expected and fences.",
    "value": "The figure as it was judged; a revised value is judged again.",
    "expected": "Middle of the fence: level of the year before, season, and what residuals usually are.",
    "fence_low": "Lower fence; frozen when the month was judged.",
    "fence_high": "Upper fence; frozen when the month was judged.",
    "residual": "Deviation on the scale of the method: log of amounts and counts, logit of shares.",
    "status": "ok, flagged (outside the fence), too_little_history (fewer than 48 complete months, a break, a share of fewer than 30).",
    "effect_eur": "What the deviation amounts to in EUR; null where the figure is not about euros.",
    "judged_no": "Publication that judged the month.",
}
KEY = (*deviations.SERIES, "month")


def fill(con: Connection, store: Store, number: int, copied: bool) -> None:
    """Write `mart.deviation` into the generation being built: anew, or what changed when it started as a copy."""
    known = con.execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'mart' AND table_name = 'deviation'").fetchall()
    if not copied or not known[0][0]:
        frame = deviations.published(store, None)
        table = PublishedTable("mart", "deviation", "Monthly figures against their own history.", DEVIATION, frame, KEY)
        create_table(con, table)
        return
    moved, rows = deviations.moved(store, number), deviations.published(store, number)
    con.register("moved_key", moved.to_arrow())
    con.register("judged_row", rows.to_arrow())
    same = " AND ".join(f'd."{name}" = m."{name}"' for name in KEY)
    con.execute(f"DELETE FROM mart.deviation d USING moved_key m WHERE {same}")
    con.execute("INSERT INTO mart.deviation BY NAME SELECT * FROM judged_row")
    con.unregister("moved_key")
    con.unregister("judged_row")
