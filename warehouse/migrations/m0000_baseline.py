"""Schema 0: the tables of commit 6f9fa08, before homes had a schema number. Never changed: what comes later is a migration.

Homes of that commit lack what none of their runs had asked for yet, so everything is made when missing.
"""

from __future__ import annotations

from warehouse.store import Store

LEDGER = """
CREATE SCHEMA IF NOT EXISTS ledger;
CREATE SCHEMA IF NOT EXISTS measure;
CREATE SCHEMA IF NOT EXISTS figure;
CREATE TABLE IF NOT EXISTS ledger.delivery (
    delivery_id VARCHAR PRIMARY KEY, source VARCHAR NOT NULL, agency VARCHAR NOT NULL, sha256 VARCHAR NOT NULL,
    file_name VARCHAR NOT NULL, size_bytes BIGINT NOT NULL, produced_at TIMESTAMP NOT NULL, produced_from VARCHAR NOT NULL,
    received_at TIMESTAMP NOT NULL, receipts_n INTEGER NOT NULL, journal_n INTEGER NOT NULL, attempt INTEGER NOT NULL,
    is_active BOOLEAN NOT NULL, is_released BOOLEAN NOT NULL, is_held BOOLEAN NOT NULL, status VARCHAR NOT NULL,
    batch_id VARCHAR, contract_version VARCHAR, notes VARCHAR, reasons VARCHAR,
    coverage_from DATE, coverage_to DATE, part VARCHAR NOT NULL, run_id VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.table_count (
    delivery_id VARCHAR NOT NULL, table_name VARCHAR NOT NULL, rows_read BIGINT NOT NULL, rows_accepted BIGINT NOT NULL,
    rows_set_aside BIGINT NOT NULL, rows_quarantined BIGINT NOT NULL, cents_read BIGINT NOT NULL, cents_accepted BIGINT NOT NULL,
    cents_set_aside BIGINT NOT NULL, cents_quarantined BIGINT NOT NULL, amounts_unreadable BIGINT NOT NULL,
    PRIMARY KEY (delivery_id, table_name));
CREATE TABLE IF NOT EXISTS ledger.batch_file (
    batch_id VARCHAR NOT NULL, source VARCHAR NOT NULL, table_name VARCHAR NOT NULL, agency VARCHAR NOT NULL,
    path VARCHAR NOT NULL, rows_n BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.left_batch (batch_id VARCHAR PRIMARY KEY, left_at TIMESTAMP NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.covered (
    delivery_id VARCHAR NOT NULL, part VARCHAR NOT NULL, slice_period DATE NOT NULL, slice_kind VARCHAR NOT NULL,
    rows_n BIGINT NOT NULL, cents BIGINT NOT NULL, PRIMARY KEY (delivery_id, part, slice_period));
CREATE TABLE IF NOT EXISTS ledger.slice (
    source VARCHAR NOT NULL, agency VARCHAR NOT NULL, part VARCHAR NOT NULL, slice_period DATE NOT NULL,
    slice_kind VARCHAR NOT NULL, delivery_id VARCHAR NOT NULL, batch_id VARCHAR NOT NULL, valid_from TIMESTAMP NOT NULL,
    valid_to TIMESTAMP);
CREATE TABLE IF NOT EXISTS ledger.quarantine (
    delivery_id VARCHAR NOT NULL, table_name VARCHAR NOT NULL, source_line BIGINT, column_name VARCHAR, rule VARCHAR NOT NULL,
    value VARCHAR, severity VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.rule_count (
    delivery_id VARCHAR NOT NULL, table_name VARCHAR NOT NULL, rule VARCHAR NOT NULL, severity VARCHAR NOT NULL, rows_n BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.set_aside (
    delivery_id VARCHAR NOT NULL, table_name VARCHAR NOT NULL, source_line BIGINT, reason VARCHAR NOT NULL, cents BIGINT);
CREATE TABLE IF NOT EXISTS ledger.validation (
    run_id VARCHAR NOT NULL, delivery_id VARCHAR NOT NULL, table_name VARCHAR NOT NULL, rule VARCHAR NOT NULL,
    expectation VARCHAR NOT NULL, severity VARCHAR NOT NULL, rows_checked BIGINT NOT NULL, rows_failed BIGINT NOT NULL,
    limit_share DOUBLE, is_success BOOLEAN NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.receipt (delivery_id VARCHAR PRIMARY KEY, mark VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.dirty (source VARCHAR NOT NULL, month DATE NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.register (name VARCHAR NOT NULL, content VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.state (key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.publication (
    publication_no INTEGER PRIMARY KEY, published_at TIMESTAMP NOT NULL, as_of DATE NOT NULL, fingerprint VARCHAR NOT NULL,
    cells_n BIGINT NOT NULL, cells_changed BIGINT NOT NULL, is_out BOOLEAN NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.alert (
    alert_id VARCHAR NOT NULL, kind VARCHAR NOT NULL, subject VARCHAR NOT NULL, raised_at TIMESTAMP NOT NULL,
    run_id VARCHAR NOT NULL, data VARCHAR NOT NULL, sent_at TIMESTAMP, ended_at TIMESTAMP, PRIMARY KEY (kind, subject, raised_at));
"""
FIGURE = """
CREATE TABLE IF NOT EXISTS figure.step (
    publication_no INTEGER NOT NULL, step_no INTEGER NOT NULL, figure_id VARCHAR NOT NULL, variant VARCHAR NOT NULL,
    scope VARCHAR NOT NULL, panel VARCHAR NOT NULL, level VARCHAR NOT NULL, level_id VARCHAR NOT NULL,
    breakdown_kind VARCHAR NOT NULL, breakdown_id VARCHAR NOT NULL, period_kind VARCHAR NOT NULL, period_start DATE NOT NULL,
    value DECIMAL(28, 8));
CREATE TABLE IF NOT EXISTS figure.revision (
    publication_no INTEGER NOT NULL, cause VARCHAR NOT NULL, figure_id VARCHAR NOT NULL, variant VARCHAR NOT NULL,
    scope VARCHAR NOT NULL, panel VARCHAR NOT NULL, level VARCHAR NOT NULL, level_id VARCHAR NOT NULL,
    breakdown_kind VARCHAR NOT NULL, breakdown_id VARCHAR NOT NULL, period_kind VARCHAR NOT NULL, period_start DATE NOT NULL,
    value_before DECIMAL(28, 8), value_after DECIMAL(28, 8), difference DECIMAL(28, 8));
CREATE TABLE IF NOT EXISTS figure.panel (
    panel VARCHAR NOT NULL, panel_year INTEGER NOT NULL, drawn_on DATE NOT NULL, is_final BOOLEAN NOT NULL,
    PRIMARY KEY (panel, panel_year));
CREATE TABLE IF NOT EXISTS figure.panel_member (
    panel VARCHAR NOT NULL, panel_year INTEGER NOT NULL, entity_id VARCHAR NOT NULL, organisation_id VARCHAR NOT NULL,
    since DATE NOT NULL, until DATE NOT NULL, sector VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS figure.panel_growth (
    panel VARCHAR NOT NULL, figure_id VARCHAR NOT NULL, level VARCHAR NOT NULL, level_id VARCHAR NOT NULL, year INTEGER NOT NULL,
    panel_year INTEGER NOT NULL, is_linked BOOLEAN NOT NULL, organisations_n BIGINT NOT NULL, numerator BIGINT,
    denominator BIGINT, reason VARCHAR);
CREATE TABLE IF NOT EXISTS figure.deviation (
    figure_id VARCHAR NOT NULL, version INTEGER NOT NULL, variant VARCHAR NOT NULL, scope VARCHAR NOT NULL, panel VARCHAR NOT NULL,
    level VARCHAR NOT NULL, level_id VARCHAR NOT NULL, breakdown_kind VARCHAR NOT NULL, breakdown_id VARCHAR NOT NULL,
    month DATE NOT NULL, unit VARCHAR NOT NULL, value DECIMAL(28, 8) NOT NULL, expected DOUBLE, fence_low DOUBLE,
    fence_high DOUBLE, residual DOUBLE, status VARCHAR NOT NULL, effect_eur DOUBLE, judged_no INTEGER NOT NULL);
"""


def apply(store: Store) -> None:
    store.con.execute(LEDGER + FIGURE)
