"""Revisions: why published values changed (METHOD 30), one row per cell, publication and cause.

A publication may have several causes, which come one after the other: another definition, other code, other reference data,
corrections of what was delivered, late deliveries. While they come in, `figure.step` keeps what the figures were after each cause but the last;
when the figures are revised, every cause gets the difference that it made, so the differences add up to the whole.

A cell here is a key figure's row without the version of its definition, which a definition may raise.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

import polars as pl

from schemas.key_figure import KEY_FIGURE, VALUE
from warehouse import ledger
from warehouse.store import Store

DEFINITION, CODE, REFERENCE, CORRECTION, LATE = CAUSES = ("definition", "code", "reference", "correction", "late")
"""In the order in which they are told apart (METHOD 30)."""
CELL = tuple(name for name in KEY_FIGURE.primary_key if name != "version")
PARTS = pl.Schema(
    {name: KEY_FIGURE.polars_schema()[name] for name in CELL}
    | {"cause": pl.String(), "value_before": VALUE, "value_after": VALUE, "difference": VALUE}
)
_STATE = "causes"
_KEY = ", ".join(f'"{name}"' for name in CELL)
WITHHELD = (
    f"SELECT DISTINCT {_KEY} FROM figure.history WHERE (status = 'suppressed' AND NOT is_restricted) "
    "OR (is_restricted AND valid_to_no IS NULL)"
)
"""Cells of which no former value is told."""


def pending(store: Store, publication_no: int) -> list[str]:
    """Causes that have come since the last publication that is out, in order; `publication_no` is the one being made."""
    known = json.loads(ledger.state(store, _STATE) or "{}")
    return list(known["causes"]) if known.get("publication_no") == publication_no else []


def note(store: Store, publication_no: int, cause: str) -> None:
    """Remember that a cause has come; what another one before it came to is kept by `keep_step`."""
    known = json.loads(ledger.state(store, _STATE) or "{}")
    causes = pending(store, publication_no)
    if not causes or causes[-1] != cause:
        kept = known if causes else {}
        ledger.set_state(store, _STATE, json.dumps(kept | {"publication_no": publication_no, "causes": [*causes, cause]}))


def note_borne(store: Store, borne: Mapping[str, str], stepless: Collection[str]) -> None:
    """Remember which cause, of those noted, bears the whole difference of cells that have no steps: by figure; those of `stepless`
    figures, and of panels."""
    known = json.loads(ledger.state(store, _STATE) or "{}")
    whole = {figure: cause for figure, cause in borne.items() if figure in stepless}
    ledger.set_state(store, _STATE, json.dumps(known | {"borne": whole, "borne_by_panels": dict(borne)}))


def keep_step(store: Store, publication_no: int, rows: pl.DataFrame) -> None:
    """Keep the values (CELL, value) of the cells that differ from those published, after the newest pending cause."""
    number = len(pending(store, publication_no))
    store.con.execute("DELETE FROM figure.step WHERE publication_no <> ? OR step_no >= ?", [publication_no, number])
    kept = rows.with_columns(publication_no=pl.lit(publication_no, pl.Int32), step_no=pl.lit(number, pl.Int32))
    store.append("figure.step", kept)


def changed(store: Store, publication_no: int) -> pl.DataFrame:
    """CELL, value_before, value of the open cells whose value differs from that of the last publication that is out."""
    return store.frame(
        f"""
        WITH opened AS (SELECT {_KEY}, value FROM figure.history
            WHERE valid_from_no = $1 AND valid_to_no IS NULL AND NOT is_restricted),
        closed AS (SELECT {_KEY}, value AS value_before FROM figure.history
            WHERE valid_to_no = $1 AND valid_from_no < $1 AND NOT is_restricted)
        SELECT {_KEY}, value_before, value FROM opened FULL JOIN closed USING ({_KEY})
        WHERE value IS DISTINCT FROM value_before
        """,
        [publication_no],
    )


def forget(store: Store) -> None:
    """Forget the causes and steps that changed nothing that is published."""
    ledger.set_state(store, _STATE, "{}")
    store.con.execute("DELETE FROM figure.step")


def told(store: Store) -> pl.DataFrame:
    """The revisions of all publications, but those of cells that any publication withheld or that are their owners' now: what is
    suppressed stays suppressed (METHOD 5)."""
    return store.frame(
        f"SELECT * FROM figure.revision ANTI JOIN ({WITHHELD}) USING ({_KEY}) ORDER BY publication_no, {_KEY}, cause"
    )


def write(store: Store, publication_no: int) -> int:
    """Write the revisions of the publication being made anew, of cells that were final before; returns how many rows.

    Called inside the transaction that revised the history.
    """
    store.con.execute("DELETE FROM figure.revision WHERE publication_no = ?", [publication_no])
    rows = parts(store, publication_no, is_final=True).with_columns(publication_no=pl.lit(publication_no, pl.Int32))
    store.append("figure.revision", rows)
    return rows.height


def parts(store: Store, publication_no: int, *, is_final: bool) -> pl.DataFrame:
    """The causes of the publication being made, with their parts of the difference (as `_by_cause` says), of the open cells that
    were published before; `is_final`: of those only that were final once."""
    now = changed(store, publication_no)
    causes = pending(store, publication_no)
    steps = store.frame(
        f"SELECT step_no, {_KEY}, value FROM figure.step WHERE publication_no = ? AND step_no < ?", [publication_no, len(causes)]
    )
    steps = pl.concat([steps, _borne(store, now, causes)])
    cells = pl.concat([now.select(CELL), steps.select(CELL)]).unique()
    if cells.is_empty() or not causes:
        return pl.DataFrame(schema=PARTS)
    with store.relation("revised_cell", cells):
        known = store.frame(
            f"SELECT {_KEY}, max(value) FILTER (valid_to_no IS NULL OR valid_to_no = $1) AS published "
            f"FROM figure.history SEMI JOIN revised_cell USING ({_KEY}) "
            f"WHERE valid_from_no < $1 AND NOT is_restricted GROUP BY {_KEY} HAVING bool_or(status = 'final') OR NOT $2",
            [publication_no, is_final],
        )
    return _by_cause(known, steps, now, causes)


def _borne(store: Store, now: pl.DataFrame, causes: Sequence[str]) -> pl.DataFrame:
    """Steps of cells that have none, but whose whole difference one cause bears: after it they are what they are `now`."""
    known = json.loads(ledger.state(store, _STATE) or "{}")
    parts = []
    for is_panel, name in ((False, "borne"), (True, "borne_by_panels")):
        cells = now.filter((pl.col("panel") != "all") == is_panel)
        for cause in sorted(set(known.get(name, {}).values()) & set(causes)):
            figures = [figure for figure, by in known[name].items() if by == cause]
            for number in range(causes.index(cause) + 1, len(causes)):
                parts.append(cells.filter(pl.col("figure_id").is_in(figures)).with_columns(step_no=pl.lit(number, pl.Int32)))
    columns = ["step_no", *CELL, "value"]
    return pl.concat([now.head(0).with_columns(step_no=pl.lit(0, pl.Int32)), *parts]).select(columns)


def _by_cause(final: pl.DataFrame, steps: pl.DataFrame, now: pl.DataFrame, causes: Sequence[str]) -> pl.DataFrame:
    """CELL, cause, value_before, value_after of the publication, and the cause's part of the difference (null where the cell had
    no value before or has none now).

    `steps` (step_no from 1, CELL, value) and `now` (CELL, value) hold cells that differ from `final` (CELL, published) then.
    """
    points = [steps.filter(step_no=number + 1).select(*CELL, "value") for number in range(len(causes) - 1)]
    chain = final.with_columns(before="published", known="published")
    parts = []
    for cause, point in zip(causes, [*points, now.select(*CELL, "value")], strict=True):
        chain = (
            chain.join(point.with_columns(differs=pl.lit(value=True)), on=CELL, how="left")
            .with_columns(after=pl.when(pl.col("differs")).then("value").otherwise("published"))
            .with_columns(now_known=pl.coalesce("after", "known"))
        )
        # a cell without a value for a while gets the whole difference when it has one again
        moved = pl.col("now_known").ne_missing(pl.col("known")) | (pl.col("after").is_null() != pl.col("before").is_null())
        part = chain.filter(moved).select(*CELL, cause=pl.lit(cause), difference=pl.col("now_known") - pl.col("known"))
        parts.append(part)
        chain = chain.select(*CELL, "published", before="after", known="now_known")
    whole = chain.select(*CELL, value_before="published", value_after="before")
    rows = pl.concat(parts).join(whole, on=CELL).group_by(*CELL, "cause", "value_before", "value_after", maintain_order=True)
    summed = rows.agg(pl.col("difference").sum())
    both = pl.col("value_before").is_not_null() & pl.col("value_after").is_not_null()
    told = summed.with_columns(pl.when(both).then("difference").cast(VALUE))
    return told.filter(~both | (pl.col("difference") != 0))
