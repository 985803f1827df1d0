"""Naive pandas: the same figures at national and organisation level the way an analyst writes them in a notebook.

`python -m benchmarks.naive FILE OUT`: everything read as text, converted, unreadable rows dropped, one groupby after another;
the figures go to OUT as CSV.
"""

from __future__ import annotations

import sys

import pandas as pd

PROCUREMENT = ("43", "44", "45", "46", "48", "10", "11")
LIMIT = 100


def main() -> None:
    source, out = sys.argv[1:]
    lines = load(source)
    tables = []
    for level in ("national", "organisation"):
        keys = ["Ostajan Y-tunnus"] if level == "organisation" else []
        for kind in ("month", "quarter", "year"):
            tables.append(spend(lines, [*keys, kind]))
            if kind != "month":
                tables.append(suppliers(lines, [*keys, kind]))
                tables.append(invoices(lines, [*keys, kind]))
        tables.append(rolling(lines, keys))
    pd.concat(tables).to_csv(out, index=False)


def load(source: str) -> pd.DataFrame:
    """The file with dates and amounts converted; rows where either cannot be read are dropped."""
    lines = pd.read_csv(source, sep=";", encoding="latin-1", dtype=str)
    lines["date"] = pd.to_datetime(lines["Kirjauspäivämäärä"], format="%d.%m.%Y", errors="coerce")
    lines["amount"] = pd.to_numeric(lines["Summa ALV0 euroina"].str.replace(",", "."), errors="coerce")
    lines = lines.dropna(subset=["date", "amount"])
    lines = lines[lines["Tilin numero"].str[:2].isin(PROCUREMENT)].copy()
    for kind, frequency in (("month", "M"), ("quarter", "Q"), ("year", "Y")):
        lines[kind] = lines["date"].dt.to_period(frequency).dt.start_time
    lines["no_id"] = lines["amount"].where(lines["Toimittajan Y-tunnus"].isna(), 0)
    name = lines["Toimittajan nimi"].str.lower()
    lines["masked"] = lines["amount"].where(name == "salassa pidettävä", 0)
    lines["trader"] = lines["amount"].where(name.str.endswith(" tmi") | name.str.startswith("tmi "), 0)
    return lines


def spend(lines: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    found = lines.groupby(keys)[["amount", "no_id", "masked", "trader"]].sum().reset_index()
    for name in ("no_id", "masked", "trader"):
        found[f"{name}_share"] = found[name] / found["amount"]
    return found


def rolling(lines: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Twelve-month sums ending with each month."""
    months = lines.groupby([*keys, "month"])[["amount", "no_id", "masked", "trader"]].sum().sort_index()
    if keys:
        return months.groupby(level=0).rolling(12).sum().reset_index(drop=True)
    return months.rolling(12).sum().reset_index()


def suppliers(lines: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    bought = lines.groupby([*keys, "Toimittajan Y-tunnus"])["amount"].sum()
    bought = bought[bought > 0].reset_index()
    groups = bought.groupby(keys)["amount"]
    found = pd.DataFrame(
        {"suppliers": groups.size(), "total": groups.sum(), "top10": groups.apply(lambda x: x.nlargest(10).sum())}
    )
    squares = (bought["amount"] ** 2).groupby([bought[key] for key in keys]).sum()
    found["hhi"] = squares / found["total"] ** 2 * 10_000
    found["top10_share"] = found["top10"] / found["total"]
    return found.reset_index()


def invoices(lines: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """An invoice belongs to one buyer, so the buyer is a key at the national level too."""
    case = (
        lines.groupby([*dict.fromkeys([*keys, "Ostajan Y-tunnus"]), "Tositteen numero"])["amount"]
        .agg(["sum", "size"])
        .reset_index()
    )
    case["small"] = (case["sum"] > 0) & (case["sum"] <= LIMIT)
    found = case.groupby(keys).agg(cases=("sum", "size"), lines=("size", "sum"), small=("small", "sum"))
    found["small_share"] = found["small"] / found["cases"]
    found["lines_per_case"] = found["lines"] / found["cases"]
    return found.reset_index()


if __name__ == "__main__":
    main()
