"""The gate: Great Expectations, by SQL on DuckDB, one run for all deliveries prepared together.

Row rules were counted in the pass that cleaned (Polars); what only the written Parquet can show (nulls in required columns,
codes, ranges, duplicate keys) is counted here by one SQL scan per table. Both end in one profile table per contract table:
a row per delivery, a column per check holding the share of rows that fail. Great Expectations asserts on those profiles:
its cost does not depend on the volume, and every rule has its expectation. Results are rows of `ledger.validation`.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import uuid
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import polars as pl

from schemas.contract import Contract, Table
from schemas.errors import InvariantBroken, Reason

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
logging.getLogger("great_expectations").setLevel(logging.WARNING)


class _AtFirstUse(ModuleType):
    """Stands for a module in another's namespace and imports it when something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


def warm_up() -> None:
    """Import Great Expectations (two seconds) ahead of its use, while deliveries are prepared in other threads.

    It imports all of scipy.stats and altair for three expectations that no contract uses: half a second more, not spent unless
    they are.
    """
    if "great_expectations" in sys.modules:
        return
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
    # it raises this one's level when it is imported, to announce its temporary folders
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Check:
    """One check of a table: the share of failing rows may be at most `limit` (None: counted only)."""

    name: str
    severity: str
    limit: float | None
    description: str
    predicate: str | None
    """SQL that is true for a failing row; None where the failures were counted while cleaning."""


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


def checks(table: Table) -> list[Check]:
    """The checks that a contract's table implies: structure (never broken by accepted rows) and its rules."""
    found = []
    for column in table.columns:
        name = f'"{column.name}"'
        if column.required:
            found.append(Check(f"{column.name}__not_null", "fail", 0.0, "required", f"{name} IS NULL"))
        if column.codes:
            codes = ", ".join("'" + code.replace("'", "''") + "'" for code in column.codes)
            found.append(Check(f"{column.name}__in_set", "fail", 0.0, "code list", f"{name} NOT IN ({codes})"))
        below = [f"{name} < {column.minimum}"] if column.minimum is not None else []
        above = [f"{name} > {column.maximum}"] if column.maximum is not None else []
        if below or above:
            found.append(Check(f"{column.name}__in_range", "fail", 0.0, "range", " OR ".join(below + above)))
    found.extend(Check(rule.name, rule.severity, rule.limit_share, rule.description, None) for rule in table.rules)
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


@dataclass(frozen=True)
class Profile:
    """A table's profile: a row per delivery, `<check>__failed` and `<check>__share` per check."""

    name: str
    table: Table
    checks: list[Check]
    frame: pl.DataFrame


def check(prepared: Sequence[Prepared], scratch: Path) -> tuple[pl.DataFrame, dict[str, list[Reason]]]:
    """Validate all prepared batches; returns validation rows and, per refused delivery, the reasons.

    Raises InvariantBroken when Great Expectations could not evaluate an expectation: a gate that cannot see lets nothing by.
    """
    if not prepared:
        return pl.DataFrame(schema=VALIDATION_SCHEMA), {}
    scratch.mkdir(parents=True, exist_ok=True)
    path = scratch / f"gate-{uuid.uuid4().hex}.duckdb"
    profiles: list[Profile] = []
    con = duckdb.connect(str(path), config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    try:
        con.execute("SET enable_progress_bar = false; SET memory_limit = '800MB'")
        for contract in {item.contract.source: item.contract for item in prepared}.values():
            of_contract = [item for item in prepared if item.contract.source == contract.source]
            profiles.extend(_profile(con, contract, table, of_contract) for table in contract.tables)
        _side_by_side(con, profiles)
        con.execute("CHECKPOINT")
    finally:
        con.close()
    failed = _expect(path, profiles)
    path.unlink()
    refused: dict[str, list[Reason]] = {}
    for profile in profiles:
        for item in profile.checks:
            if (profile.name, item.name) in failed and item.limit is not None:
                broken = profile.frame.filter((pl.col(f"{item.name}__failed") / pl.col("rows_checked")) > item.limit)
                for row in broken.iter_rows(named=True):
                    refused.setdefault(row["delivery_id"], []).append(_reason(profile.table, item, row))
    results = [_rows(profile) for profile in profiles]
    return pl.concat(results) if results else pl.DataFrame(schema=VALIDATION_SCHEMA), refused


def _profile(con: duckdb.DuckDBPyConnection, contract: Contract, table: Table, prepared: Sequence[Prepared]) -> Profile:
    """One row per delivery: rows_checked, and per check the failing rows and their share."""
    name = f"{contract.source}__{table.name}"
    table_checks = checks(table)
    counts = pl.concat([item.counts for item in prepared]).filter(table_name=table.name)
    rules = pl.concat([item.rule_counts for item in prepared]).filter(table_name=table.name)
    con.register("counts", counts.to_arrow())
    con.register("rules", rules.to_arrow())
    structural = [item for item in table_checks if item.predicate]
    counted = [item for item in table_checks if not item.predicate]
    keyed = any(column.name == "delivery_id" for column in table.columns)
    sums = "".join(f', count(*) FILTER (WHERE {item.predicate}) AS "{item.name}"' for item in structural)
    scans = []
    for item in prepared:
        files = [file for file in item.parquet.get(table.name, ()) if Path(file).exists()]  # `_recount` misses a lost one
        if files:
            listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
            delivery = "delivery_id" if keyed else f"'{item.counts['delivery_id'][0]}' AS delivery_id"
            scans.append(f"SELECT {delivery}, count(*) AS rows_there{sums} FROM read_parquet([{listed}]) GROUP BY ALL")
    none = "".join(f', 0 AS "{item.name}"' for item in structural)
    empty = f"SELECT NULL::VARCHAR AS delivery_id, 0 AS rows_there{none} WHERE false"
    con.execute(f"CREATE TEMP TABLE structure AS {' UNION ALL '.join([empty, *scans])}")
    _recount(con, table, frozenset().union(*(item.refused for item in prepared)))
    pivot = "".join(f", coalesce(sum(rows_n) FILTER (WHERE rule = '{item.name}'), 0) AS \"{item.name}\"" for item in counted)
    columns = "".join(
        f', coalesce({alias}."{item.name}", 0)::BIGINT AS "{item.name}__failed"'
        f', coalesce({alias}."{item.name}", 0) / greatest(c.rows_read, 1)::DOUBLE AS "{item.name}__share"'
        for alias, group in (("s", structural), ("r", counted))
        for item in group
    )
    con.execute(
        f'CREATE TABLE "{name}" AS SELECT c.delivery_id, greatest(c.rows_read, 1)::BIGINT AS rows_checked{columns} '
        f"FROM (SELECT delivery_id, sum(rows_read)::BIGINT AS rows_read FROM counts GROUP BY 1) c "
        "LEFT JOIN structure s USING (delivery_id) "
        f"LEFT JOIN (SELECT delivery_id{pivot} FROM rules GROUP BY 1) r USING (delivery_id)"
    )
    con.execute("DROP TABLE structure")
    con.unregister("counts")
    con.unregister("rules")
    return Profile(name, table, table_checks, pl.DataFrame(con.execute(f'SELECT * FROM "{name}"').to_arrow_table()))


def _recount(con: duckdb.DuckDBPyConnection, table: Table, refused: frozenset[str]) -> None:
    """The rows that lie in the Parquet must be those that cleaning accepted. Raises InvariantBroken where they are not."""
    rows = con.execute(
        "SELECT delivery_id, coalesce(accepted, 0), coalesce(rows_there, 0) "
        "FROM (SELECT delivery_id, sum(rows_accepted)::BIGINT AS accepted FROM counts GROUP BY 1) c FULL JOIN structure USING (delivery_id) "
        "WHERE coalesce(accepted, 0) <> coalesce(rows_there, 0) ORDER BY 1"
    ).fetchall()
    for delivery_id, accepted, there in rows:
        if delivery_id not in refused:
            raise InvariantBroken(
                f"delivery {delivery_id}, {table.name}: {accepted} rows were accepted, {there} lie in the files written; nothing is "
                "loaded. Run again; if it stays, look at the disk"
            )


def _side_by_side(con: duckdb.DuckDBPyConnection, profiles: Sequence[Profile]) -> None:
    """The shares of all profiles as columns of one table `gate`, null in the rows of others: one asset costs the library a third
    less than one for each."""
    shares = ["".join(f', "{item.name}__share" AS "{_column(profile, item)}"' for item in profile.checks) for profile in profiles]
    scans = [f'SELECT delivery_id{share} FROM "{profile.name}"' for profile, share in zip(profiles, shares, strict=True)]
    con.execute("CREATE TABLE gate AS " + " UNION ALL BY NAME ".join(scans))


def _column(profile: Profile, item: Check) -> str:
    return f"{profile.name}__{item.name}"


def _expect(path: Path, profiles: Sequence[Profile]) -> set[tuple[str, str]]:
    """Run the suite; returns (profile, check) of the expectations that failed."""
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
        batch = datasource.add_table_asset(name="gate", table_name="gate").add_batch_definition_whole_table("whole").get_batch()
        suite = gx.ExpectationSuite(name="gate", expectations=_expectations(gx, profiles))
        failed: set[tuple[str, str]] = set()
        for outcome in batch.validate(suite, result_format="BASIC").results:
            config = outcome.expectation_config
            if outcome.exception_info.get("raised_exception"):
                raise InvariantBroken(f"the quality gate could not evaluate {config.kwargs}: {outcome.exception_info}")
            if not outcome.success:
                failed.add((config.meta["profile"], config.meta["check"]))
        datasource.get_engine().dispose()
    return failed


def _expectations(gx: Any, profiles: Sequence[Profile]) -> list[Any]:
    return [
        gx.expectations.ExpectColumnMaxToBeBetween(
            column=_column(profile, item),
            min_value=0,
            max_value=item.limit if item.limit is not None else 1.0,
            meta={"profile": profile.name, "check": item.name, "severity": item.severity, "description": item.description},
        )
        for profile in profiles
        for item in profile.checks
    ]


def _rows(profile: Profile) -> pl.DataFrame:
    parts = [
        profile.frame.select(
            pl.col("delivery_id"),
            table_name=pl.lit(profile.table.name),
            rule=pl.lit(item.name),
            expectation=pl.lit(f"share of failing rows at most {1.0 if item.limit is None else item.limit}"),
            severity=pl.lit(item.severity),
            rows_checked=pl.col("rows_checked"),
            rows_failed=pl.col(f"{item.name}__failed"),
            limit_share=pl.lit(item.limit, dtype=pl.Float64),
            is_success=(pl.col(f"{item.name}__failed") / pl.col("rows_checked")) <= (1.0 if item.limit is None else item.limit),
        )
        for item in profile.checks
    ]
    return pl.concat(parts).cast(VALIDATION_SCHEMA) if parts else pl.DataFrame(schema=VALIDATION_SCHEMA)


def _reason(table: Table, item: Check, row: Mapping[str, Any]) -> Reason:
    share = f"{row[f'{item.name}__failed']} of {row['rows_checked']} rows"
    rule = f"{share} in {table.name} break the rule {item.name} ({item.description})"
    text = f"{rule}; at most {item.limit:.0%} may. Correct and deliver again"
    return Reason(item.name, text)
