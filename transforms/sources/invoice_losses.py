"""What a delivery of invoices loses by its quarantined rows, in euros: the gate looks at it beside the share of rows.

One row in a thousand may hold half the year. Where a row's amount is known it counts; where it cannot be read, the most that its
text may mean; a row that shows none (a broken line, a blank amount) counts as the mean of the accepted ones. Credits count as much as
debits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from transforms.amounts import likely_cents
from transforms.delivery import LOSS_SCHEMA, CleanPart
from transforms.formats.detect import NO_AMOUNT


@dataclass(frozen=True)
class Weights:
    """Of one part: absolute cents of accepted rows and of failed ones whose amount is known or likely; failed rows that show none."""

    accepted_n: int
    accepted: int
    failed: int
    unknown_n: int


def weigh(
    cents: pl.Series, texts: pl.Series, accepted: np.ndarray, failed: np.ndarray, readable: np.ndarray, malformed_n: int
) -> Weights:
    """The weights of a part's rows by their amount: as read (`cents`, believed where `readable`) and as delivered (`texts`)."""
    absolute = cents.fill_null(0).abs().to_numpy()
    unread = texts.gather(np.flatnonzero(failed & ~readable)).cast(pl.String).fill_null("").to_list()
    likely = [None if text.startswith(NO_AMOUNT) else likely_cents(text) for text in unread]
    found = [one for one in likely if one is not None]
    return Weights(
        accepted_n=int(accepted.sum()),
        accepted=int(absolute[accepted].sum()),
        failed=int(absolute[failed & readable].sum()) + sum(found),
        unknown_n=len(likely) - len(found) + malformed_n,
    )


def losses(parts: Sequence[CleanPart], failed: pl.DataFrame, delivery_id: str, table: str) -> pl.DataFrame:
    """LOSS_SCHEMA of one delivery; `failed` are rows (with `cents`) whose fate only the whole delivery showed."""
    weights = [weight for part in parts if isinstance(weight := part.facts.get("weights"), Weights)]
    accepted, accepted_n = sum(weight.accepted for weight in weights), sum(weight.accepted_n for weight in weights)
    estimated = sum(weight.unknown_n for weight in weights) * accepted // max(accepted_n, 1)
    lost = sum(weight.failed for weight in weights) + estimated + int(failed["cents"].abs().sum())
    return pl.DataFrame([(delivery_id, table, lost, accepted + lost)], schema=LOSS_SCHEMA, orient="row")
