"""The floor: the same figures with DuckDB alone, as a good DuckDB user would write them.

`python -m benchmarks.floor FILE DATABASE`: one typed `read_csv` into a table with the columns that our lake keeps too, rejects
stored, then the figures in SQL, written to the table `figure` (figure_id, level, level_id, period_kind, period_start, numerator,
denominator, value). Money is DECIMAL, grouped in cents. No checks of ids, no quarantine beside the rejects, no history.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import duckdb

from benchmarks.data import HEADER

TYPES = {
    "Kirjauspäivämäärä": "DATE",
    "Laskun päivämäärä": "DATE",
    "Summa ALV0 euroina": "DECIMAL(18,2)",
    "ALVin määrä euroina": "DECIMAL(18,2)",
}
LEVELS = {"national": "'FI'", "sector": "'unknown'", "organisation": "organisation_id"}
STARTS = {"month": "month", "quarter": "date_trunc('quarter', month)::DATE", "year": "date_trunc('year', month)::DATE"}

LINE = """
CREATE TABLE line AS
SELECT "Kuntakoodi" AS organisation_code, "Kunnan nimi" AS organisation_name, "Ostajan Y-tunnus" AS organisation_id,
    "Tulosyksikön ID" AS unit_code, "Tulosyksikön nimi" AS unit_name, "Tositteen numero" AS case_id,
    "Kirjauspäivämäärä" AS posting_date, "Tilin numero" AS account_code, "Tilin nimi" AS account_name,
    "Toimittajan nimi" AS supplier_name, nullif("Toimittajan Y-tunnus", '') AS supplier_id, "Summa ALV0 euroina" AS amount
FROM read_csv(?, encoding = 'latin-1', delim = ';', header = true, quote = '', escape = '', auto_detect = false, columns = {columns},
    dateformat = '%d.%m.%Y', decimal_separator = ',', store_rejects = true)"""

# One pass for everything additive. A supplier with an id is known by it; names are looked at where there is none.
SPEND = """
CREATE TABLE spend AS
WITH kept AS (
    SELECT organisation_id, date_trunc('month', posting_date)::DATE AS month, (amount * 100)::BIGINT AS cents, supplier_id,
        CASE WHEN supplier_id IS NOT NULL THEN 'id' WHEN lower(supplier_name) IN ({masked}) THEN 'masked'
            WHEN supplier_name ILIKE '% tmi' OR supplier_name ILIKE 'tmi %' THEN 'trader' ELSE 'no_id' END AS kind
    FROM line WHERE left(account_code, 2) IN ({accounts}))
SELECT organisation_id, month, sum(cents)::BIGINT AS total,
    coalesce(sum(cents) FILTER (supplier_id IN (FROM public_body)), 0)::BIGINT AS public,
    coalesce(sum(cents) FILTER (kind = 'masked'), 0)::BIGINT AS masked, coalesce(sum(cents) FILTER (kind = 'no_id'), 0)::BIGINT AS no_id,
    coalesce(sum(cents) FILTER (kind = 'trader'), 0)::BIGINT AS trader
FROM kept GROUP BY ALL"""

SPEND_FIGURE = """
INSERT INTO figure
WITH summed AS (
    SELECT {level} AS level_id, {start} AS start, sum(total)::BIGINT AS total, sum(public)::BIGINT AS public,
        sum(masked)::BIGINT AS masked, sum(no_id)::BIGINT AS no_id, sum(trader)::BIGINT AS trader
    FROM {rows} GROUP BY ALL)
SELECT 'spend_total', '{name}', level_id, '{kind}', start, total / 100, NULL, total / 100 FROM summed UNION ALL
SELECT 'spend_market', '{name}', level_id, '{kind}', start, (total - public) / 100, NULL, (total - public) / 100 FROM summed UNION ALL
SELECT 'masked_supplier_share', '{name}', level_id, '{kind}', start, masked / 100, total / 100, masked / total FROM summed UNION ALL
SELECT 'no_id_supplier_share', '{name}', level_id, '{kind}', start, no_id / 100, total / 100, no_id / total FROM summed UNION ALL
SELECT 'private_trader_share', '{name}', level_id, '{kind}', start, trader / 100, total / 100, trader / total FROM summed"""

ROLLING = """(SELECT s.*, w.start FROM spend s JOIN
    (SELECT month AS start, (month + INTERVAL 11 MONTH)::DATE AS last FROM (SELECT DISTINCT month FROM spend)
     WHERE last <= (SELECT max(month) FROM spend)) w ON s.month BETWEEN w.start AND w.last)"""

SUPPLIERS = """
CREATE TABLE supplier_quarter AS
SELECT organisation_id, date_trunc('quarter', posting_date)::DATE AS month, supplier_id, sum((amount * 100)::BIGINT)::BIGINT AS cents
FROM line
WHERE left(account_code, 2) IN ({accounts}) AND supplier_id IS NOT NULL AND supplier_id NOT IN (FROM public_body) GROUP BY ALL"""

SUPPLIER_FIGURE = """
INSERT INTO figure
WITH supplier AS (
    SELECT {level} AS level_id, {start} AS start, supplier_id, sum(cents)::BIGINT AS cents FROM supplier_quarter
    GROUP BY ALL HAVING sum(cents) > 0),
summed AS (
    SELECT level_id, start, count(*) AS suppliers, sum(cents) AS base, list_sum(max(cents, 10)) AS top10,
        sum(cents::DOUBLE * cents) AS squares
    FROM supplier GROUP BY ALL)
SELECT 'suppliers_n', '{name}', level_id, '{kind}', start, suppliers, NULL, suppliers FROM summed UNION ALL
SELECT 'top10_share', '{name}', level_id, '{kind}', start, top10 / 100, base / 100, top10 / base FROM summed UNION ALL
SELECT 'hhi_supplier', '{name}', level_id, '{kind}', start, NULL, base / 100, squares / base / base * 10000 FROM summed"""

CASES = """
CREATE TABLE case_quarter AS
SELECT organisation_id, date_trunc('quarter', posting_date)::DATE AS month, case_id, sum((amount * 100)::BIGINT)::BIGINT AS cents,
    count(*) AS lines
FROM line WHERE left(account_code, 2) IN ({accounts}) AND case_id IS NOT NULL GROUP BY ALL"""

CASE_SUMS = """
CREATE TABLE case_by_{kind} AS
WITH one AS (
    SELECT organisation_id, {start} AS start, case_id, sum(cents) AS cents, sum(lines) AS lines FROM case_quarter GROUP BY ALL)
SELECT organisation_id, start, count(*) AS cases, sum(lines)::BIGINT AS lines, count(*) FILTER (cents > 0 AND cents <= {limit}) AS small
FROM one GROUP BY ALL"""

CASE_FIGURE = """
INSERT INTO figure
WITH summed AS (
    SELECT {level} AS level_id, start, sum(cases)::BIGINT AS cases, sum(lines)::BIGINT AS lines, sum(small)::BIGINT AS small
    FROM case_by_{kind} GROUP BY ALL)
SELECT 'small_invoice_share', '{name}', level_id, '{kind}', start, small, cases, small / cases FROM summed UNION ALL
SELECT 'invoice_lines_per_case', '{name}', level_id, '{kind}', start, lines, cases, lines / cases FROM summed"""


def main() -> None:
    source, database = sys.argv[1:]
    make(Path(source), Path(database))


def make(source: Path, database: Path) -> None:
    """A new database with the lines of a file and their figures."""
    database.unlink(missing_ok=True)
    con = duckdb.connect(str(database), config={"threads": 2, "preserve_insertion_order": "false"})
    con.execute("SET enable_progress_bar = false")
    load(con, source)
    figures(con)
    con.close()


def load(con: duckdb.DuckDBPyConnection, source: Path) -> None:
    """The file into the table `line`; how many could not be typed or have no amount, in `refused`."""
    columns = ", ".join(f"'{name}': '{TYPES.get(name, 'VARCHAR')}'" for name in HEADER.split(";"))
    con.execute(LINE.format(columns="{" + columns + "}"), [str(source)])
    con.execute("CREATE TABLE refused AS SELECT count(DISTINCT line) AS lines FROM reject_errors")
    con.execute("INSERT INTO refused SELECT count(*) FROM line WHERE amount IS NULL")
    con.execute("DELETE FROM line WHERE amount IS NULL")


def figures(con: duckdb.DuckDBPyConnection) -> None:
    """Every invoice figure at every level and kind of period that the data have."""
    words = {"accounts": _listed(_accounts()), "masked": _listed(_words("masked")), "limit": 100_00}
    con.execute("CREATE TABLE public_body (business_id VARCHAR)")
    con.executemany(
        "INSERT INTO public_body VALUES (?)", [[row["business_id"]] for row in _rows("public_bodies.csv") if row["business_id"]]
    )
    con.execute(
        "CREATE TABLE figure (figure_id VARCHAR, level VARCHAR, level_id VARCHAR, period_kind VARCHAR, period_start DATE, "
        "numerator DECIMAL(24,2), denominator DECIMAL(24,2), value DOUBLE)"
    )
    for statement in (SPEND, SUPPLIERS, CASES):
        con.execute(statement.format(**words))
    for kind in ("quarter", "year"):
        con.execute(CASE_SUMS.format(kind=kind, start=STARTS[kind], **words))
    for name, level in LEVELS.items():
        for kind, start in STARTS.items():
            con.execute(SPEND_FIGURE.format(name=name, level=level, kind=kind, start=start, rows="spend"))
            if kind != "month":
                con.execute(SUPPLIER_FIGURE.format(name=name, level=level, kind=kind, start=start))
                con.execute(CASE_FIGURE.format(name=name, level=level, kind=kind))
        con.execute(SPEND_FIGURE.format(name=name, level=level, kind="rolling_12m", start="start", rows=ROLLING))


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(resources.files("schemas").joinpath(name).read_text("utf-8").splitlines()))


def _accounts() -> list[str]:
    """Two-digit prefixes of the municipal chart that are procurement."""
    return [
        row["account_prefix"] for row in _rows("accounts.csv") if row["chart"] == "municipal" and row["is_procurement"] == "yes"
    ]


def _words(kind: str) -> list[str]:
    return [row["word"] for row in _rows("supplier_words.csv") if row["kind"] == kind]


def _listed(words: Iterable[str]) -> str:
    return ", ".join("'" + word.replace("'", "''") + "'" for word in words)


if __name__ == "__main__":
    main()
