"""Benchmark data: one purchase-invoice file as a large deliverer would write it.

The guide of 2016's columns, latin-1, `;`, decimal comma, 0.05 % dirty rows, months in order, dates within a month at random.
Deterministic by seed. Organisations and suppliers bear business ids from the never-issued range 9 000 000 and up.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

HEADER = (
    "Kuntakoodi;Kunnan nimi;Ostajan Y-tunnus;Tulosyksikön ID;Tulosyksikön nimi;Osasto;Kustannuspaikan ID;Kustannuspaikan nimi;"
    "Laskun päivämäärä;Tositteen numero;Ostotilausnumero;Sopimusnumero;Kirjauspäivämäärä;Laskun numero;Tiliryhmän numero;"
    "Tiliryhmän nimi;Tilin numero;Tilin nimi;Toimittajan nimi;Toimittajan Y-tunnus;Summa ALV0 euroina;ALVin määrä euroina"
)
ROWS_PER_YEAR = 1_250_000
CHUNK = 500_000
ORGANISATIONS = 60
SUPPLIERS = 60_000
DIRTY = 0.0005


def business_ids(first: int, count: int) -> list[str]:
    """`count` checksum-valid business ids from `first` up (weights 7, 9, 10, 5, 8, 4, 2 modulo 11)."""
    found: list[str] = []
    number = first
    while len(found) < count:
        remainder = sum(int(digit) * weight for digit, weight in zip(f"{number:07d}", (7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
        if remainder != 1:
            found.append(f"{number:07d}-{0 if remainder == 0 else 11 - remainder}")
        number += 1
    return found


def months(first: date, count: int) -> list[date]:
    """First days of `count` months from `first`."""
    index = first.year * 12 + first.month - 1
    return [date((index + ahead) // 12, (index + ahead) % 12 + 1, 1) for ahead in range(count)]


def write(path: Path, rows: int, over: Sequence[date], organisations: Sequence[str] | None = None, seed: int = 7) -> None:
    """Write `rows` posting lines spread evenly over the months `over`; buyers are `organisations`, 60 of our own by default."""
    chance = np.random.default_rng(seed)
    buyers = list(organisations or business_ids(9_000_000, ORGANISATIONS))
    suppliers = business_ids(9_100_000, SUPPLIERS)
    with path.open("wb") as file:
        file.write((HEADER + "\n").encode("latin-1"))
        for written in range(0, rows, CHUNK):
            size = min(CHUNK, rows - written)
            month = (np.arange(written, written + size) * len(over) // rows).clip(max=len(over) - 1)
            frame = _frame(chance, size, month, over, buyers, suppliers, written)
            text = frame.write_csv(include_header=False, separator=";", quote_style="never")
            file.write(text.encode("latin-1"))


def main() -> None:
    """`python -m benchmarks.data FILE ROWS FIRST_MONTH MONTHS [ORGANISATION SEED]`."""
    path, rows, first, count, *city = sys.argv[1:]
    organisations, seed = ([city[0]], int(city[1])) if city else (None, 7)
    write(Path(path), int(rows), months(date.fromisoformat(first), int(count)), organisations, seed)


def _frame(
    chance: np.random.Generator,
    size: int,
    month: np.ndarray,
    over: Sequence[date],
    organisations: list[str],
    suppliers: list[str],
    offset: int,
) -> pl.DataFrame:
    # an invoice has one buyer, supplier, month and day; two lines and a half on average
    line_of = np.cumsum(chance.random(size) < 0.4)
    invoices = int(line_of[-1]) + 1
    buyer = chance.zipf(1.2, invoices) % len(organisations)
    organisation = buyer[line_of]
    supplier = ((buyer * 997 + chance.zipf(1.25, invoices)) % SUPPLIERS)[line_of]
    days = chance.integers(1, 29, invoices)[line_of]
    month = month[np.searchsorted(line_of, line_of)]
    account = chance.integers(0, 400, size)
    unit = chance.integers(0, 300, size)
    cents = np.round(chance.lognormal(8.5, 1.8, size)).astype(np.int64) * np.where(chance.random(size) < 0.03, -1, 1)
    invoice = 10_000_000 + offset + line_of
    dirt = chance.random(size)
    frame = pl.DataFrame(
        {
            "organisation": organisation,
            "supplier": supplier,
            "account": account,
            "unit": unit,
            "cents": cents,
            "invoice": invoice,
            "day": days,
            "month": pl.Series(over).gather(month),
            "dirt": dirt,
            "no_id": chance.random(size) < 0.03,
        }
    )
    names = pl.Series([f"Näytekaupunki {i}" for i in range(len(organisations))])
    kinds = pl.Series(["Rakennus", "Sähkö", "Tietopalvelu", "Hoiva", "Kuljetus", "Huolto"])
    name = pl.format("{} {} Oy", kinds.gather(supplier % 6), pl.col("supplier"))
    day = pl.format("{}.{}", pl.col("day").cast(pl.String).str.zfill(2), pl.col("month").dt.strftime("%m.%Y"))
    euros = pl.format(
        "{}{},{}",
        pl.when(pl.col("cents") < 0).then(pl.lit("-")).otherwise(pl.lit("")),
        pl.col("cents").abs() // 100,
        (pl.col("cents").abs() % 100).cast(pl.String).str.zfill(2),
    )
    bad_date, bad_amount, no_amount = pl.col("dirt") < DIRTY * 0.4, pl.col("dirt") < DIRTY * 0.8, pl.col("dirt") < DIRTY
    return frame.select(
        kuntakoodi=pl.col("organisation").cast(pl.String).str.zfill(3),
        kunta=names.gather(organisation),
        ytunnus=pl.Series(organisations).gather(organisation),
        yksikko_id=pl.col("unit").cast(pl.String).str.zfill(4),
        yksikko=pl.format("Tulosyksikkö {} päivähoito", "unit"),
        osasto=pl.lit(""),
        paikka_id=pl.col("unit").cast(pl.String).str.zfill(6),
        paikka=pl.format("Kustannuspaikka {} välinehuolto", "unit"),
        laskupvm=day,
        tosite=pl.col("invoice"),
        tilaus=pl.lit(""),
        sopimus=pl.lit(""),
        kirjauspvm=pl.when(bad_date).then(pl.lit("32.13.2020")).otherwise(day),
        laskunro=pl.format("L{}", "invoice"),
        ryhma=pl.format("{}", 43 + pl.col("account") // 100),
        ryhma_nimi=pl.format("Palvelujen ostot {}", pl.col("account") // 100),
        tili=pl.format("{}", 4300 + pl.col("account")),
        tili_nimi=pl.format("Asiantuntijapalvelut tili {}", "account"),
        toimittaja=name,
        toimittaja_id=pl.when("no_id").then(pl.lit("")).otherwise(pl.Series(suppliers).gather(supplier)),
        summa=pl.when(bad_date)
        .then(euros)
        .when(bad_amount)
        .then(pl.lit("abc"))
        .when(no_amount)
        .then(pl.lit(""))
        .otherwise(euros),
        alv=pl.lit("0,00"),
    )


if __name__ == "__main__":
    main()
