"""What a dashboard finds: comments everywhere, simple types, keys, the catalogue, consistent meta tables."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pytest

from schemas.file_names import WORDS
from schemas.key_figure import KEY_FIGURE

SIMPLE = ("VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "DATE", "TIMESTAMP", "BOOLEAN", "DECIMAL")


@pytest.fixture
def published(demo_home: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str((demo_home / "published" / "nyckeltal.duckdb").resolve()), read_only=True)


def test_every_table_and_column_is_commented(published: duckdb.DuckDBPyConnection) -> None:
    tables = published.execute("SELECT schema_name || '.' || table_name, comment FROM duckdb_tables() ORDER BY ALL").fetchall()
    columns = published.execute(
        "SELECT table_name || '.' || column_name, comment FROM duckdb_columns() WHERE NOT internal"
    ).fetchall()

    assert len(tables) >= 8
    assert [name for name, comment in (*tables, *columns) if not comment] == []


def test_types_are_simple_and_there_are_no_views(published: duckdb.DuckDBPyConnection) -> None:
    types = published.execute("SELECT DISTINCT data_type FROM duckdb_columns() WHERE NOT internal").fetchall()

    assert [name for (name,) in types if not name.startswith(SIMPLE) or "[" in name] == []
    assert published.execute("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchone() == (0,)


def test_the_long_table_has_the_contract_s_columns_and_primary_key(published: duckdb.DuckDBPyConnection) -> None:
    names = [row[0] for row in published.execute("DESCRIBE mart.key_figure").fetchall()]
    key = published.execute(
        "SELECT constraint_column_names FROM duckdb_constraints() WHERE table_name = 'key_figure' AND constraint_type = 'PRIMARY KEY'"
    ).fetchone()

    assert names == KEY_FIGURE.polars_schema().names()
    assert key is not None
    assert tuple(key[0]) == KEY_FIGURE.primary_key


def test_the_storage_format_is_the_one_that_older_tools_read(published: duckdb.DuckDBPyConnection) -> None:
    tags = published.execute("SELECT tags FROM duckdb_databases() WHERE NOT internal AND database_name <> 'temp'").fetchone()

    assert tags is not None
    assert "v1.4" in str(tags[0])


def test_every_figure_of_the_catalogue_has_rows_and_names_in_three_languages(published: duckdb.DuckDBPyConnection) -> None:
    missing = published.execute(
        "SELECT figure_id FROM mart.figure ANTI JOIN mart.key_figure USING (figure_id) ORDER BY ALL"
    ).fetchall()
    unnamed = published.execute(
        "SELECT figure_id FROM mart.figure WHERE least(length(name_fi), length(name_sv), length(name_en), "
        "length(definition_fi), length(definition_sv), length(definition_en)) < 3"
    ).fetchall()

    assert missing == []
    assert unnamed == []


def test_status_and_value_agree_everywhere(published: duckdb.DuckDBPyConnection) -> None:
    wrong = published.execute(
        "SELECT figure_id, status, count(*) FROM mart.key_figure "
        "WHERE (value IS NULL) <> (status IN ('not_computable', 'no_data', 'suppressed')) OR (value IS NULL AND reason IS NULL) "
        "GROUP BY ALL"
    ).fetchall()
    shares = published.execute(
        "SELECT count(*) FROM mart.key_figure WHERE unit = 'share' AND numerator = 0 AND value <> 0"
    ).fetchone()

    assert wrong == []
    assert shares == (0,)


def test_one_newest_period_per_series(published: duckdb.DuckDBPyConnection) -> None:
    series = ", ".join(name for name in KEY_FIGURE.primary_key if name != "period_start")

    wrong = published.execute(
        f"SELECT {series} FROM mart.key_figure GROUP BY ALL "
        "HAVING count(*) FILTER (is_latest) <> least(count(value), 1) "
        "OR max(period_start) FILTER (value IS NOT NULL) IS DISTINCT FROM max(period_start) FILTER (is_latest)"
    ).fetchall()

    assert wrong == []


def test_meta_tells_of_every_delivery_and_loses_no_row(published: duckdb.DuckDBPyConnection) -> None:
    lost = published.execute(
        "SELECT file_name FROM meta.delivery WHERE rows_read <> rows_accepted + rows_set_aside + rows_quarantined"
    ).fetchall()
    row = published.execute("SELECT p.cells_n, (SELECT count(*) FROM mart.key_figure) FROM meta.publication p").fetchall()

    assert lost == []
    assert len(row) == 1
    assert row[0][0] == row[0][1]


def test_of_file_names_the_known_parts_and_of_reasons_the_codes_are_published(published: duckdb.DuckDBPyConnection) -> None:
    deliveries = published.execute("SELECT file_name, reasons FROM meta.delivery").pl()

    assert "koela_ostolaskut_2025-06.csv" in set(deliveries["file_name"])
    words = {word for name in deliveries["file_name"] for word in re.findall(r"[^\W\d_]{3,}", re.sub(r"#[0-9a-f]{8}", "", name.lower()))}
    assert words <= WORDS | {"koela", "mallila", "esimerkkila", "otosvuori", "harjoituslahti", "nayteyhtyma", "naytelankaupunki"}
    reasons = [reason for cell in deliveries["reasons"] for reason in json.loads(cell)]
    assert reasons
    assert {tuple(reason) for reason in reasons} == {("code", "row", "column")}
