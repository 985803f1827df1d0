"""Schema 1: homes that live for years. The warehouse knows the number of its schema, on what content publications decided what they
withhold, what lake files and published files were when they were written, and by what code deliveries were read, in place of the
contract's version that nobody asked for."""

from __future__ import annotations

from warehouse.store import Store


def apply(store: Store) -> None:
    store.con.execute(
        """
        CREATE TABLE ledger.migration (number INTEGER PRIMARY KEY, name VARCHAR NOT NULL, done_at TIMESTAMP NOT NULL);
        CREATE TABLE figure.protection (
            table_name VARCHAR NOT NULL, year INTEGER NOT NULL, mark VARCHAR NOT NULL, publication_no INTEGER NOT NULL,
            PRIMARY KEY (table_name, year, publication_no));
        CREATE TABLE ledger.published_file (path VARCHAR PRIMARY KEY, size_bytes BIGINT NOT NULL, sha256 VARCHAR NOT NULL);
        ALTER TABLE ledger.batch_file ADD COLUMN size_bytes BIGINT;
        ALTER TABLE ledger.batch_file ADD COLUMN sha256 VARCHAR;
        ALTER TABLE ledger.delivery ADD COLUMN read_with VARCHAR;
        ALTER TABLE ledger.delivery DROP COLUMN contract_version;
        """
    )
