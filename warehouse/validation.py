"""The gate: Great Expectations, by SQL on DuckDB, one run for all deliveries prepared together.

Row rules were counted in the pass that cleaned (Polars); what only the written Parquet can show (nulls in required columns,
codes, ranges) is counted here by one SQL scan per table. Both end in one table `gate`: a row per delivery, table and check with
the share of rows that fail it. Great Expectations asserts on its largest shares, which the table `worst` holds: a row per
delivery, a column per table and limit that its checks share. All columns are read by one query, so its cost depends neither on the
volume nor on how many checks there are. Results are rows of `ledger.validation`.
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import sys
import uuid
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from types import ModuleType
from typing import Any

import duckdb
import polars as pl

from schemas.contract import Contract, Table
from schemas.errors import InvariantBroken, Reason
from warehouse.lake import packed, read_together
from warehouse.memory import MEMORY_MB
from warehouse.store import quoted, told

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
logging.getLogger("great_expectations").setLevel(logging.WARNING)


class _AtFirstUse(ModuleType):
    """Stands for a module in another's namespace and imports it when something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


_warming = Lock()


def warming_up() -> Thread:
    """`warm_up` in a thread of its own, started."""
    thread = Thread(target=warm_up, name="warm-up")
    thread.start()
    return thread


def warm_up() -> None:
    """Import Great Expectations (two seconds) ahead of its use, while files settle and deliveries are prepared."""
    with _warming:
        if "great_expectations" not in sys.modules:
            _import_library()


def _import_library() -> None:
    """It imports all of scipy.stats and altair for three expectations that no contract uses: half a second more, not spent unless
    they are. What it leaves behind stays for good: the garbage collector need not walk it again and again."""
    later = {name: _AtFirstUse(name) for name in ("scipy", "scipy.stats", "altair") if name not in sys.modules}
    if "scipy" in later:
        later["scipy"].stats = later["scipy.stats"]  # type: ignore[attr-defined]
    sys.modules.update(later)
    try:
        importlib.import_module(
            "great_expectations"
        )  # its warnings as Python shows them: in a thread they cannot be caught safely
    finally:
        for name, module in later.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
    gc.freeze()
    # it raises this one's level when it is imported, to announce its temporary folders
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)


# CPython takes stack for calls in pieces of 16 kB and gives a piece back at once: calls across a border do so tens of thousands of
# times in this import, up to half a second. A frame that asks for much gets a piece that all of them fit into.
_import_library.__code__ = _import_library.__code__.replace(co_stacksize=1 << 15)


@dataclass(frozen=True)
class Check:
    """One check of a table: the share of failing rows may be at most `limit` (None: counted only)."""

    name: str
    severity: str
    limit: float | None
    description: str
    predicate: str | None
    """SQL that is true for a failing row; None where the failures were counted while cleaning."""
    of: str = "rows"
    """Of what `limit` is a share: of rows, or of euros."""


VALIDATION_SCHEMA = pl.Schema(
    {
        "delivery_id": pl.String,
        "table_name": pl.String,
        "rule": pl.String,
        "expectation": pl.String,
        "severity": pl.String,
        "rows_checked": pl.Int64,
        "rows_failed": pl.Int64,
        "limit_share": pl.Float64,
        "is_success": pl.Boolean,
    }
)
_CHECK_SCHEMA = pl.Schema(
    {
        "source": pl.String,
        "table_name": pl.String,
        "rule": pl.String,
        "severity": pl.String,
        "limit_share": pl.Float64,
        "expectation": pl.String,
        "description": pl.String,
        "place": pl.Int64,
        "share_of": pl.String,
    }
)
_LOSS_SCHEMA = pl.Schema(
    {"source": pl.String, "table_name": pl.String, "delivery_id": pl.String, "cents_lost": pl.Int64, "cents_all": pl.Int64}
)
"""`place` is where a structural check's failing rows stand in the list of a scan; null where they were counted while cleaning."""


_AGAIN = "Correct and deliver again"


def checks(table: Table) -> list[Check]:
    """The checks that a contract's table implies: structure (never broken by accepted rows) and its rules."""
    found = []
    for column in table.columns:
        name = f'"{column.name}"'
        if column.required:
            found.append(Check(f"{column.name}__not_null", "fail", 0.0, "required", f"{name} IS NULL"))
        if column.codes:
            codes = ", ".join(quoted(code) for code in column.codes)
            found.append(Check(f"{column.name}__in_set", "fail", 0.0, "code list", f"{name} NOT IN ({codes})"))
        below = [f"{name} < {column.minimum}"] if column.minimum is not None else []
        above = [f"{name} > {column.maximum}"] if column.maximum is not None else []
        if below or above:
            found.append(Check(f"{column.name}__in_range", "fail", 0.0, "range", " OR ".join(below + above)))
    found.extend(Check(rule.name, rule.severity, rule.limit_share, rule.description, None, rule.of) for rule in table.rules)
    return found


@dataclass(frozen=True)
class Prepared:
    """What the gate looks at: a batch's Parquet parts per table, its counts and its failures by rule."""

    contract: Contract
    parquet: Mapping[str, Sequence[str]]
    counts: pl.DataFrame
    rule_counts: pl.DataFrame
    """delivery_id, table_name, rule, rows_n"""
    refused: frozenset[str] = frozenset()
    """Deliveries refused already: what was written of them is not read."""
    losses: pl.DataFrame | None = None
    """delivery_id, table_name, cents_lost, cents_all: what quarantined rows hold; None where nothing has money."""


def check(
    prepared: Sequence[Prepared], scratch: Path, memory_mb: int = MEMORY_MB
) -> tuple[pl.DataFrame, dict[str, list[Reason]]]:
    """Validate all prepared batches; returns validation rows and, per refused delivery, the reasons.

    Raises InvariantBroken when Great Expectations could not evaluate an expectation: a gate that cannot see lets nothing by.
    """
    if not prepared:
        return pl.DataFrame(schema=VALIDATION_SCHEMA), {}
    scratch.mkdir(parents=True, exist_ok=True)
    path = scratch / f"gate-{uuid.uuid4().hex}.duckdb"
    con = duckdb.connect(str(path), config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    try:
        con.execute(f"SET enable_progress_bar = false; SET memory_limit = '{memory_mb}MB'; SET threads = {pl.thread_pool_size()}")
        gate = _gate(con, prepared)
        con.execute("CHECKPOINT")
    except BaseException as error:
        raise told(error) from error
    finally:
        con.close()
    failed = _expect(path, gate.filter(pl.col("limit_share").is_not_null()).select("gate", "limit_share").unique().sort("gate"))
    path.unlink()
    refused: dict[str, list[Reason]] = {}
    for row in gate.filter(pl.col("gate").is_in(failed) & (pl.col("share") > pl.col("limit_share"))).iter_rows(named=True):
        refused.setdefault(row["delivery_id"], []).append(_reason(row))
    is_success = pl.col("share") <= pl.col("limit_share").fill_null(1.0)
    return gate.select(*VALIDATION_SCHEMA.names()[:-1], is_success=is_success).cast(VALIDATION_SCHEMA), refused


def _gate(con: duckdb.DuckDBPyConnection, prepared: Sequence[Prepared]) -> pl.DataFrame:
    """Make the tables `gate` and `worst`; returns the first: VALIDATION_SCHEMA without `is_success`, and `gate` (table and limit),
    `share`, `description`."""
    contracts = {item.contract.source: item.contract for item in prepared}
    every = [(source, table) for source, contract in contracts.items() for table in contract.tables]
    con.execute(
        "CREATE TEMP TABLE structure "
        "(source VARCHAR, table_name VARCHAR, delivery_id VARCHAR, rows_there BIGINT, failing BIGINT[])"
    )
    for source, table in every:
        _scan(con, source, table, [item for item in prepared if item.contract.source == source])
    in_order = pl.concat([_declared(source, table) for source, table in every]).with_row_index("position")
    con.register("checks", in_order.to_arrow())
    for name in ("counts", "rule_counts"):
        frames = [getattr(item, name).with_columns(source=pl.lit(item.contract.source)) for item in prepared]
        con.register(name, pl.concat(frames).to_arrow())
    losses = [item.losses.with_columns(source=pl.lit(item.contract.source)) for item in prepared if item.losses is not None]
    con.register("losses", pl.concat([pl.DataFrame(schema=_LOSS_SCHEMA), *(frame.select(_LOSS_SCHEMA.names()) for frame in losses)]).to_arrow())
    con.execute(
        "CREATE TEMP TABLE counted AS SELECT source, table_name, delivery_id, sum(rows_read)::BIGINT AS rows_read, "
        "coalesce(sum(rows_quarantined), 0)::BIGINT AS rows_quarantined, "
        "coalesce(sum(rows_accepted), 0)::BIGINT AS rows_accepted FROM counts GROUP BY ALL"
    )
    _recount(con, frozenset().union(*(item.refused for item in prepared)))
    con.execute(
        "CREATE TEMP TABLE gate AS SELECT source || '.' || table_name || ': ' || expectation AS gate, delivery_id, table_name, rule, "
        "expectation, severity, description, greatest(rows_read, 1) AS rows_checked, "
        "CASE share_of WHEN 'euros' THEN rows_quarantined ELSE coalesce(failing[place], rows_n, 0) END::BIGINT AS rows_failed, limit_share, "
        "CASE share_of WHEN 'euros' THEN coalesce(cents_lost / nullif(cents_all, 0)::DOUBLE, 0) ELSE rows_failed / rows_checked::DOUBLE END "
        "AS share, cents_lost, cents_all, share_of, position "
        "FROM counted JOIN checks USING (source, table_name) LEFT JOIN structure USING (source, table_name, delivery_id) "
        "LEFT JOIN losses USING (source, table_name, delivery_id) "
        "LEFT JOIN (SELECT source, table_name, delivery_id, rule, sum(rows_n) AS rows_n FROM rule_counts GROUP BY ALL) "
        "USING (source, table_name, delivery_id, rule)"
    )
    con.execute(
        "CREATE TABLE worst AS PIVOT (FROM gate WHERE limit_share IS NOT NULL) ON gate USING max(share) GROUP BY delivery_id"
    )
    return pl.DataFrame(con.execute("FROM gate ORDER BY delivery_id, position").to_arrow_table())


def _structural(table: Table) -> list[Check]:
    return [item for item in checks(table) if item.predicate]


def _declared(source: str, table: Table) -> pl.DataFrame:
    """_CHECK_SCHEMA: the checks of a table, as its contract orders them."""
    places = {item.name: place for place, item in enumerate(_structural(table), 1)}
    rows = [
        (
            source,
            table.name,
            item.name,
            item.severity,
            item.limit,
            f"share of failing rows at most {1.0 if item.limit is None else item.limit}"
            if item.of == "rows"
            else f"share of {item.of} in failing rows at most {item.limit}",
            item.description,
            places.get(item.name),
            item.of,
        )
        for item in checks(table)
    ]
    return pl.DataFrame(rows, schema=_CHECK_SCHEMA, orient="row")


def _scan(con: duckdb.DuckDBPyConnection, source: str, table: Table, prepared: Sequence[Prepared]) -> None:
    """Per delivery: the rows that were written, and how many fail each structural check, into `structure`."""
    keyed = any(column.name == "delivery_id" for column in table.columns)
    failing = ", ".join(f"count(*) FILTER (WHERE {item.predicate})" for item in _structural(table))
    there = [(item, _written(item, table)) for item in prepared]
    for some in packed([(item, files) for item, files in there if files], lambda one: (len(one[1]), _accepted(one[0], table))):
        delivery = "delivery_id"
        if len(some) == 1:
            item, files = some[0]
            delivery = delivery if keyed else quoted(item.counts["delivery_id"][0])
            scan = f"read_parquet([{', '.join(quoted(file) for file in files)}])"
        else:
            named = [(file, item.counts["delivery_id"][0]) for item, files in some for file in files]
            marks = pl.DataFrame(named, schema={"path": pl.String, "delivery_id": pl.String}, orient="row")
            con.register("written", read_together(marks.drop("delivery_id") if keyed else marks, table).collect().to_arrow())
            scan = "written"
        con.execute(
            f"INSERT INTO structure SELECT '{source}', '{table.name}', {delivery}, count(*), [{failing}]::BIGINT[] FROM {scan} GROUP BY ALL"
        )


def _written(item: Prepared, table: Table) -> list[str]:
    return [file for file in item.parquet.get(table.name, ()) if Path(file).exists()]  # `_recount` misses a lost one


def _accepted(item: Prepared, table: Table) -> int:
    return int(item.counts.filter(table_name=table.name)["rows_accepted"].sum())


def _recount(con: duckdb.DuckDBPyConnection, refused: frozenset[str]) -> None:
    """The rows that lie in the Parquet must be those that cleaning accepted. Raises InvariantBroken where they are not."""
    rows = con.execute(
        "SELECT delivery_id, table_name, coalesce(rows_accepted, 0) AS accepted, coalesce(rows_there, 0) AS there "
        "FROM counted FULL JOIN structure USING (source, table_name, delivery_id) WHERE accepted <> there ORDER BY ALL"
    ).fetchall()
    for delivery_id, table_name, accepted, there in rows:
        if delivery_id not in refused:
            raise InvariantBroken(
                f"delivery {delivery_id}, {table_name}: {accepted} rows were accepted, {there} lie in the files written; nothing is "
                "loaded. Run again; if it stays, look at the disk"
            )


def _expect(path: Path, limits: pl.DataFrame) -> list[str]:
    """Run the suite on the table `worst`, an expectation per `gate` with its `limit_share`; returns the gates that failed."""
    warm_up()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own deprecations are not ours to act on here
        gx: Any = importlib.import_module("great_expectations")  # its stubs do not know the SQL options below
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        # public options only: without them the pool's rollback discards DuckDB's pending result
        datasource = context.data_sources.add_sql(
            name="gate",
            connection_string=f"duckdb:///{path}",
            create_temp_table=False,
            kwargs={"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None, "skip_autocommit_rollback": True},
        )
        batch = datasource.add_table_asset(name="worst", table_name="worst").add_batch_definition_whole_table("whole").get_batch()
        expectations = [
            gx.expectations.ExpectColumnMaxToBeBetween(column=gate, min_value=0, max_value=limit)
            for gate, limit in limits.iter_rows()
        ]
        failed = []
        suite = gx.ExpectationSuite(name="gate", expectations=expectations)
        for outcome in batch.validate(suite, result_format="BASIC").results:
            config = outcome.expectation_config
            if outcome.exception_info.get("raised_exception"):
                raise InvariantBroken(f"the quality gate could not evaluate {config.kwargs}: {outcome.exception_info}")
            if not outcome.success:
                failed.append(config.kwargs["column"])
        datasource.get_engine().dispose()
    return failed


def _reason(row: Mapping[str, Any]) -> Reason:
    if row["share_of"] == "euros":
        lost, every = row["cents_lost"] / 100, row["cents_all"] / 100
        text = f"quarantined rows hold some {lost:.2f} of {every:.2f} EUR; at most {row['limit_share']:.0%} may be lost. {_AGAIN}"
        return Reason(row["rule"], text)
    share = f"{row['rows_failed']} of {row['rows_checked']} rows"
    rule = f"{share} in {row['table_name']} break the rule {row['rule']} ({row['description']})"
    text = f"{rule}; at most {row['limit_share']:.0%} may. {_AGAIN}"
    return Reason(row["rule"], text)
