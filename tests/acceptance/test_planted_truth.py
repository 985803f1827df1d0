"""The planted truth to the cent: every true figure, every delivery's outcome, and no personal code anywhere."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from samples.generate import generate
from tests.acceptance.disclosed import before_withholding
from tests.acceptance.support import KEY, canaries, ledger, published
from transforms.key_figures import DEFINITIONS
from transforms.registry import SOURCES

PARTICULARS = ("person_name", "email", "phone", "personal_id")
TOLERANCE = 1e-8
"""Values are published with eight decimals; truth carries twelve."""


@pytest.fixture(scope="session")
def truth_ids(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    out = tmp_path_factory.mktemp("truth_ids")
    return {series.figure_id for series, _place in generate(out, "tiny").cells}


@pytest.fixture(scope="session")
def compared(demo_home: Path) -> pl.DataFrame:
    """Every row of the truth beside the published row of its key; truth in the published units.

    Of figures under disclosure control, beside the row as it is before anything is withheld (test_disclosure compares that
    with what is published).
    """
    truth = pl.read_csv(demo_home / "truth" / "key_figures.csv", infer_schema=False).with_columns(pl.col(KEY).fill_null(""))
    figures = published(demo_home, "SELECT * FROM mart.key_figure WHERE panel = 'all'")
    guarded = before_withholding(demo_home)
    figures = pl.concat([figures.join(guarded, on="figure_id", how="anti"), guarded], how="diagonal").with_columns(
        pl.col("period_start").cast(pl.String), found=True
    )
    units = published(demo_home, "SELECT figure_id, numerator_unit, denominator_unit FROM mart.figure")
    joined = truth.join(units, on="figure_id").join(figures, on=KEY, how="left", suffix="_published", validate="1:1")
    return joined.with_columns(
        _in_unit("numerator"), _in_unit("denominator"), pl.col("found").fill_null(False), pl.col("value").cast(pl.Float64)
    )


def _in_unit(column: str) -> pl.Expr:
    exact = pl.col(column).cast(pl.Decimal(38, 2))
    return pl.when(pl.col(f"{column}_unit") == "eur").then((exact / 100).cast(pl.Decimal(38, 2))).otherwise(exact).alias(column)


@pytest.mark.slow
@pytest.mark.parametrize("figure_id", sorted(key for key, figure in DEFINITIONS.items() if not figure.waits_for))
def test_every_true_figure_is_published(compared: pl.DataFrame, figure_id: str) -> None:
    rows = compared.filter(pl.col("figure_id") == figure_id, pl.col("period_kind").is_in(DEFINITIONS[figure_id].period_kinds))
    assert rows.height, f"{figure_id}: the sample plants no truth"
    missing = rows.filter(~pl.col("found"))
    exact = [
        pl.col(name).is_null() | pl.col(name).eq_missing(pl.col(f"{name}_published").cast(pl.Decimal(38, 2)))
        for name in ("numerator", "denominator")
    ]
    published_value = pl.col("value_published").cast(pl.Float64)
    near = (pl.col("value") - published_value).abs() <= TOLERANCE * pl.max_horizontal(pl.lit(1.0), pl.col("value").abs())
    same = pl.col("value").is_null() & published_value.is_null() | near.fill_null(False)
    wrong = rows.filter(pl.col("found"), ~pl.all_horizontal(*exact, same))
    with pl.Config(tbl_rows=12, tbl_cols=30, tbl_width_chars=320, fmt_str_lengths=60):
        shown = wrong.select(
            *KEY[1:],
            *(name + end for name in ("numerator", "denominator", "value", "n") for end in ("", "_published")),
            "status",
            "reason",
        )
        assert missing.is_empty(), (
            f"{figure_id}: {missing.height} of {rows.height} cells are missing\n{missing.select(*KEY, 'n')}"
        )
        assert wrong.is_empty(), f"{figure_id}: {wrong.height} of {rows.height} cells are wrong\n{shown}"


def test_every_true_figure_is_registered(truth_ids: set[str]) -> None:
    missing = sorted(truth_ids - set(DEFINITIONS))
    assert not missing, f"figures with a planted truth that nobody computes: {', '.join(missing)}"


OF_AWARDS = (
    "bids_distribution", "bids_mean", "bids_median", "cancelled_share", "contract_modification_share", "cooperative_share", "cpb_share",
    "decision_days_mean", "decision_days_median", "missing_call_share", "missing_seller_id_share", "no_call_share", "price_only_share",
    "single_bid_share", "single_bid_value_share", "sme_bid_share", "sme_contractor_share",
)  # fmt: skip
"""What only awards tell of."""


@pytest.mark.slow
@pytest.mark.parametrize("year", [2020, 2021, 2022, 2023])
def test_national_notices_of_the_years_before_eforms_are_counted_and_their_awards_stay_unknown(demo_home: Path, year: int) -> None:
    figures = published(
        demo_home,
        "SELECT figure_id, variant, scope, level, level_id, numerator, denominator, value FROM mart.key_figure WHERE panel = 'all' "
        f"AND period_kind = 'year' AND year(period_start) = {year} AND scope IN ('ted', 'all_notices') AND breakdown_kind = ''",
    )
    national = figures.filter(level="national")
    for figure_id, variant in (
        ("notices_n", ""), ("procurements_n", ""), ("open_share", ""), ("lots_share", ""), ("short_deadline_share", ""),
        ("innovative_share", "considered"), ("green_share", ""),
    ):  # fmt: skip
        told = {row["scope"]: row for row in national.filter(figure_id=figure_id, variant=variant).iter_rows(named=True)}
        base = "denominator" if told["ted"]["denominator"] is not None else "numerator"
        assert told["all_notices"]["value"] is not None
        assert told["all_notices"][base] > told["ted"][base], f"{figure_id}: no national notice counts"
    of_awards = figures.filter(pl.col("figure_id").is_in(OF_AWARDS))
    if year < 2023:  # the first national awards are those of eForms
        key = ["figure_id", "variant", "level", "level_id", "numerator", "denominator", "value"]
        by_scope = [of_awards.filter(scope=scope).select(key).sort(pl.all()) for scope in ("ted", "all_notices")]
        assert by_scope[0].equals(by_scope[1])
    counted = figures.filter(figure_id="notices_n", level="organisation")
    only_national = set(counted.filter(scope="all_notices")["level_id"]) - set(counted.filter(scope="ted")["level_id"])
    assert only_national or year > 2020
    known = of_awards.filter(pl.col("level_id").is_in(list(only_national)), pl.col("value").is_not_null())
    assert known.is_empty() or year == 2023, known


@pytest.mark.slow
def test_every_delivery_has_its_planted_outcome(demo_home: Path) -> None:
    counts = ledger(
        demo_home,
        "SELECT d.delivery_id, d.agency, d.file_name, d.status, d.reasons, c.* EXCLUDE (delivery_id) FROM ledger.delivery d "
        "LEFT JOIN (SELECT delivery_id, sum(rows_accepted)::BIGINT AS rows_accepted, sum(rows_set_aside)::BIGINT AS rows_set_aside, "
        "sum(rows_quarantined)::BIGINT AS rows_quarantined, sum(cents_accepted)::BIGINT AS cents_accepted, "
        "sum(cents_set_aside)::BIGINT AS cents_set_aside, sum(cents_quarantined)::BIGINT AS cents_quarantined, "
        "sum(amounts_unreadable)::BIGINT AS amounts_unreadable FROM ledger.table_count GROUP BY ALL) c USING (delivery_id)",
    )
    outcomes = pl.read_csv(demo_home / "truth" / "outcomes.csv", infer_schema=False).filter(pl.col("source").is_in(list(SOURCES)))
    rules = {
        (delivery_id, rule): rows_n
        for delivery_id, rule, rows_n in ledger(
            demo_home, "SELECT delivery_id, rule, count(*) FROM ledger.quarantine WHERE severity <> 'warn' GROUP BY ALL"
        ).iter_rows()
    }
    by_file = {(row["agency"], row["file_name"]): row for row in counts.iter_rows(named=True)}
    assert len(by_file) == counts.height
    wrong: list[str] = []
    for outcome in outcomes.iter_rows(named=True):
        row = by_file.get((outcome["agency"], Path(outcome["file"]).name))
        wrong += [f"{outcome['file']}: {text}" for text in _differences(outcome, row, rules)]
    assert not wrong, "\n".join(wrong)


def _differences(outcome: dict[str, str | None], row: dict[str, object] | None, rules: dict[tuple[str, str], int]) -> list[str]:
    if row is None:
        return ["has left no trace in the ledger"]
    if outcome["expected"] == "refused":
        return [] if row["status"] == "refused" else [f"is {row['status']}, should be refused: {outcome['reason']}"]
    expected = "superseded" if outcome["reason"] == "superseded" else "loaded"
    found = [] if row["status"] == expected else [f"is {row['status']}, should be {expected}; {row['reasons']}"]
    if outcome["source"] == "procurement_notices":
        return found  # a notice file's outcome counts notices; their figures say the rest
    for name in (
        "rows_accepted",
        "rows_set_aside",
        "rows_quarantined",
        "cents_accepted",
        "cents_set_aside",
        "cents_quarantined",
        "amounts_unreadable",
    ):
        if str(row[name]) != outcome[name]:
            found.append(f"{name} is {row[name]}, should be {outcome[name]}")
    planted = dict(item.split(":") for item in (outcome["rules"] or "").split("|") if item)
    seen = {rule: str(rows_n) for (delivery_id, rule), rows_n in rules.items() if delivery_id == row["delivery_id"]}
    if seen != planted:
        found.append(f"rules broken are {seen}, should be {planted}")
    return found


@pytest.mark.slow
def test_no_planted_person_leaves_landing(demo_home: Path) -> None:
    texts = canaries(demo_home)
    planted = pl.read_csv(demo_home / "truth" / "canaries.csv", infer_schema=False)
    people = planted.group_by("kind").agg(pl.col("text").n_unique()).rows()
    assert {kind: count >= 500 for kind, count in people if kind != "free_text"} == dict.fromkeys(PARTICULARS, True)
    assert [source for source in SOURCES if not planted["file"].str.contains(f"/{source}/").any()] == []
    in_invoices = planted.filter(pl.col("file").str.contains("/purchase_invoices/"))["kind"]
    assert set(in_invoices) == {"person_name", "personal_id", "email", "phone"}
    con = duckdb.connect()
    found: list[str] = []
    databases = [demo_home / "warehouse.duckdb", (demo_home / "published" / "nyckeltal.duckdb").resolve()]
    databases += sorted((demo_home / "published" / "restricted").rglob("*.duckdb"))
    assert len(databases) > 2
    for path in databases:
        con.execute(f"ATTACH '{path}' AS searched (READ_ONLY)")
        found += _canaries_in_database(con, texts)
        con.execute("DETACH searched")
    for path in sorted(demo_home.glob("lake/*/*")):
        scanned = f"read_parquet('{path}/*/*/*.parquet', union_by_name = true)"
        found += _canaries_in(con, texts, scanned, str(path.relative_to(demo_home)))
    con.close()
    told = [path for path in sorted(demo_home.rglob("*")) if path.is_file() and _is_told(path.relative_to(demo_home))]
    assert "receipts" in {path.relative_to(demo_home).parts[0] for path in told}
    contents = pl.Series([path.read_text("utf-8", errors="replace") for path in told], dtype=pl.String)
    for place in contents.str.contains_any(texts).arg_true():
        found += [f"{told[place].relative_to(demo_home)}: {canary}" for canary in texts if canary in contents[place]]
    assert not found, "\n".join(found)


def _is_told(path: Path) -> bool:
    """Receipts, logs, exports, alerts, notes: whatever a home holds besides originals, the sample's truth and what is searched as
    tables."""
    originals = path.parts[0] in ("landing", "inbox", "truth", "registry") or "delivered" in path.parts
    return not originals and path.suffix not in (".duckdb", ".parquet")


def _canaries_in_database(con: duckdb.DuckDBPyConnection, texts: list[str]) -> list[str]:
    tables = con.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'searched' ORDER BY ALL"
    ).fetchall()
    assert tables
    return [
        hit for schema, table in tables for hit in _canaries_in(con, texts, f'searched."{schema}"."{table}"', f"{schema}.{table}")
    ]


def _canaries_in(con: duckdb.DuckDBPyConnection, texts: list[str], relation: str, name: str) -> list[str]:
    columns = [row[0] for row in con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall() if row[1] == "VARCHAR"]
    patterns = [text.lower() for text in texts]
    hits: list[str] = []
    for column in columns:
        cells = con.execute(f'SELECT DISTINCT lower("{column}") AS cell FROM {relation}').pl()["cell"]
        hits += [f"{name}.{column}: {cell}" for cell in cells.filter(cells.str.contains_any(patterns).fill_null(value=False))]
    return hits
