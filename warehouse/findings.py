"""Findings: what preparing and the gate found in the deliveries of a run, in the shape of the ledger's tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from schemas.contract import Contract
from schemas.errors import Reason
from warehouse.lake import Batch

EXAMPLES_KEPT = 1000
"""Rows kept per rule where they are only examples: of warnings (the rows are loaded) and of refused deliveries. All are counted
in ledger.rule_count; a loaded delivery's quarantined rows are all kept."""


@dataclass
class PreparedBatch:
    """A batch as it comes from preparation: Parquet written aside, counts, failures, coverage, refusals by delivery."""

    contract: Contract
    batch: Batch
    deliveries: Sequence[str]
    counts: pl.DataFrame
    failures: pl.DataFrame
    warnings: pl.DataFrame
    set_aside: pl.DataFrame
    covered: pl.DataFrame
    """delivery_id, part, slice_period, slice_kind, rows_n, cents; empty for keyed sources."""
    losses: pl.DataFrame | None = None
    """delivery_id, table_name, cents_lost, cents_all: what quarantined rows hold; None where nothing was read."""
    notes: Mapping[str, str] = field(default_factory=dict)
    refused: dict[str, list[Reason]] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of one delivery: the batch that holds its rows, how it was read, and why it was refused, if it was."""

    batch_id: str
    notes: str
    reasons: Sequence[Reason]


class Findings:
    """Those of all batches of a run. What `add` keeps of a batch is small: a run may have any number of them."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self.batches: list[Batch] = []
        """Batches that go into the lake; those of which every delivery was refused are discarded."""
        self._tables: dict[str, list[pl.DataFrame]] = {}

    def add(self, batches: Sequence[PreparedBatch]) -> None:
        """Take over what was found in batches that have passed the gate."""
        for batch in batches:
            for delivery_id in batch.deliveries:
                self.outcomes[delivery_id] = Outcome(
                    batch.batch.batch_id,
                    batch.notes.get(delivery_id, "{}"),
                    batch.refused.get(delivery_id, []),
                )
            if len(batch.refused) < len(batch.deliveries):
                self.batches.append(batch.batch)
            else:
                batch.batch.discard()
        for contract in {batch.contract.source: batch.contract for batch in batches}.values():
            rows = _ledger_rows(contract, [batch for batch in batches if batch.contract.source == contract.source])
            for name, frame in rows.items():
                if not frame.is_empty():
                    self._tables.setdefault(name, []).append(frame.rechunk())

    def tables(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """Rows by table of the ledger."""
        for name, frames in self._tables.items():
            yield name, pl.concat(frames, how="diagonal")


def _ledger_rows(contract: Contract, batches: Sequence[PreparedBatch]) -> dict[str, pl.DataFrame]:
    """Rows of the ledger tables that hold the counts, failures and coverage of a contract's batches."""
    severity = pl.DataFrame(
        [(table.name, rule.name, rule.severity) for table in contract.tables for rule in table.rules],
        schema={"table_name": pl.String, "rule": pl.String, "severity": pl.String},
        orient="row",
    )
    broken = pl.concat([frame for batch in batches for frame in (batch.failures, batch.warnings)])
    broken = broken.join(severity, on=["table_name", "rule"], how="left", maintain_order="left")
    broken = broken.with_columns(pl.col("severity").fill_null("fail"))
    refused = pl.col("delivery_id").is_in([delivery_id for batch in batches for delivery_id in batch.refused])
    examples = refused | (pl.col("severity") == "warn")
    kept = broken.filter(examples).group_by("delivery_id", "table_name", "rule", maintain_order=True).head(EXAMPLES_KEPT)
    return {
        "table_count": pl.concat([batch.counts for batch in batches]),
        "rule_count": broken.group_by("delivery_id", "table_name", "rule", "severity").agg(rows_n=pl.len().cast(pl.Int64)),
        "quarantine": pl.concat([broken.filter(~examples), kept], how="diagonal"),
        "set_aside": pl.concat([batch.set_aside for batch in batches]),
        "covered": pl.concat([batch.covered for batch in batches]).filter(~refused),
    }
