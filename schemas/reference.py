"""Reference data: registers with validity that ship with the package and can be extended as data.

`Reference.load(overlay)` reads the package's CSV files; `overlay` maps a file's name (e.g. "agencies.csv",
"column_maps/purchase_invoices.csv") to CSV text whose rows are added after the shipped ones; a row with the key of a shipped
row replaces it, and a later-dated row of the same thing ends an open one the day before (`register_checks.ended`). All columns
are text here, checked as `register_checks` says; typed views are built by the properties below.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources

import polars as pl

from schemas import register_checks
from schemas.errors import ConfigurationError
from schemas.register_checks import WHERE

KEYS: Mapping[str, tuple[str, ...]] = {
    "agencies.csv": ("agency",),
    "organisations.csv": ("organisation_id", "valid_from"),
    "organisation_aliases.csv": ("agency", "delivered_code", "valid_from"),
    "accounts.csv": ("chart", "account_prefix", "valid_from"),
    "public_bodies.csv": ("business_id", "valid_from"),
    "supplier_words.csv": ("word",),
    "sectors.csv": ("sector",),
    "regions.csv": ("region",),
    "branches.csv": ("branch",),
    "groups.csv": ("group",),
    "group_members.csv": ("group", "organisation_id", "valid_from"),
    "supplier_groups.csv": ("supplier_group", "name", "valid_from"),
    "supplier_domiciles.csv": ("business_id", "valid_from"),
    "category_models.csv": ("delivered", "valid_from"),
    "cpv.csv": ("code",),
    "sector_aliases.csv": ("kind", "delivered"),
    "column_maps/purchase_invoices.csv": ("layout", "source_column"),
    "supplier_sizes.csv": ("business_id", "valid_from"),
    "codelists/agreement_categories.csv": ("agency", "kind", "delivered"),
    "codelists/contact_headings.csv": ("agency", "delivered"),
    "codelists/contact_joint_procurements.csv": ("agency", "delivered"),
    "codelists/contact_words.csv": ("agency", "kind", "delivered"),
    "codelists/survey_names.csv": ("agency", "delivered"),
    "codelists/survey_questions.csv": ("agency", "survey", "question"),
    "codelists/survey_rules.csv": ("survey",),
    "codelists/survey_scales.csv": ("scale", "delivered"),
    "catalogue/targets.csv": ("figure_id", "variant", "scope", "level", "valid_from"),
    "catalogue/breaks.csv": ("figure_id", "break_date"),
    "catalogue/action_slots.csv": ("slot",),
    "catalogue/disclosure.csv": ("source", "figure_id", "variant"),
    "catalogue/gdp.csv": ("year",),
    "catalogue/total_expenditure.csv": ("organisation_id", "year"),
    "catalogue/reference_values.csv": ("reference_id",),
    "catalogue/impact_weights.csv": ("valid_from",),
    "catalogue/limits.csv": ("limit_id", "valid_from"),
    "catalogue/strategy_intents.csv": ("intent",),
    "catalogue/strategy_goals.csv": ("goal",),
    "catalogue/strategy_indicators.csv": ("official_no",),
    "catalogue/strategy_map.csv": ("figure_id", "intent", "goal"),
}

RHYTHMS = ("day", "month", "quarter", "year")


@dataclass(frozen=True)
class Agency:
    """Who delivers. Blank format fields mean: detect. `layout` names the column-map rows (blank: only the common ones).

    `rhythm` (day, month, quarter, year) and `due_working_days` say what is expected when: a period so many Finnish working
    days after its end; None: never asked for."""

    agency: str
    name: str
    language: str
    sources: tuple[str, ...]
    organisation_id: str | None
    chart: str | None
    layout: str
    amount_basis: str
    encoding: str | None
    delimiter: str | None
    decimal_mark: str | None
    date_format: str | None
    header_row: int | None
    rhythm: str
    due_working_days: int | None
    frame_from: str | None
    frame_to: str | None
    precedence: int
    openly_published: bool
    confirmed: bool


class Reference:
    """All registers; immutable. Raises ConfigurationError naming file, row and column."""

    def __init__(self, tables: Mapping[str, pl.DataFrame]) -> None:
        self._tables = dict(tables)

    @classmethod
    def load(cls, overlay: Mapping[str, str] | None = None) -> Reference:
        overlay = overlay or {}
        unknown = sorted(set(overlay) - set(KEYS))
        if unknown:
            raise ConfigurationError(f"reference overlay {unknown[0]!r} is not a register; known are: {', '.join(sorted(KEYS))}")
        tables = {}
        for name, key in KEYS.items():
            shipped = _parse(name, resources.files("schemas").joinpath(name).read_text("utf-8"))
            if name in overlay:
                shipped = _merge(name, key, shipped, _parse(name, overlay[name], f"HOME/registry/{name}"))
            tables[name] = shipped
        register_checks.check(tables)
        return cls({name: register_checks.ended(name, KEYS[name], table).drop(WHERE) for name, table in tables.items()})

    def table(self, name: str) -> pl.DataFrame:
        """The register as text columns; empty cells are null."""
        return self._tables[name]

    @cached_property
    def fingerprint(self) -> str:
        """Changes when any register changes."""
        return hashlib.sha256("\n".join(f"{name}\n{text}" for name, text in self.texts().items()).encode()).hexdigest()

    def texts(self) -> dict[str, str]:
        """Every register as CSV, by name."""
        return {name: table.write_csv() for name, table in sorted(self._tables.items())}

    def replaced(self, texts: Mapping[str, str]) -> Reference:
        """With other registers (`texts`) in place of its own, unchecked: they were checked when they were in force."""
        return Reference(self._tables | {name: pl.read_csv(text.encode(), infer_schema=False) for name, text in texts.items()})

    @cached_property
    def agencies(self) -> Mapping[str, Agency]:
        return {row["agency"]: _agency(row) for row in self.table("agencies.csv").iter_rows(named=True)}


def _parse(name: str, text: str, told: str = "") -> pl.DataFrame:
    """A register's rows as text, with their places; `told` is how messages name the file. Blank lines are none."""
    told = told or name
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    if not rows:
        raise ConfigurationError(f"{told} is empty; it needs at least its header")
    header = rows[0]
    missing = set(KEYS[name]) - set(header)
    if missing:
        hint = "; save it with commas between the cells" if ";" in "".join(header) else ""
        raise ConfigurationError(f"{told}: column {sorted(missing)[0]!r} is missing{hint}")
    if len(set(header)) < len(header):
        raise ConfigurationError(f"{told}: two columns have the same heading; each may stand there once")
    filled = [(number, row) for number, row in enumerate(rows[1:], start=2) if any(row)]
    for number, row in filled:
        if len(row) != len(header):
            raise ConfigurationError(f"{told}, row {number}: {len(row)} cells where the header has {len(header)}")
    columns = {column: [row[i] or None for _, row in filled] for i, column in enumerate(header)}
    columns[WHERE] = [f"{told}, row {number}" for number, _ in filled]
    table = pl.DataFrame(columns, schema=dict.fromkeys((*header, WHERE), pl.String))
    register_checks.require_unique(KEYS[name], table)
    return table


def _merge(name: str, key: Sequence[str], shipped: pl.DataFrame, added: pl.DataFrame) -> pl.DataFrame:
    extra = set(added.columns) - set(shipped.columns)
    if extra:
        raise ConfigurationError(f"overlay of {name}: column {sorted(extra)[0]!r} is not in the register")
    kept = shipped.join(added.select(key), on=list(key), how="anti", nulls_equal=True)
    return pl.concat([kept, added], how="diagonal")


def _agency(row: Mapping[str, str | None]) -> Agency:
    def whole(column: str, default: int | None) -> int | None:
        text = row.get(column)
        if text is None:
            return default
        try:
            return int(text)
        except ValueError as error:
            raise ConfigurationError(f"agencies.csv, agency {row['agency']}: {column} {text!r} is not a whole number") from error

    basis = row["amount_basis"] or "net"
    if basis not in ("net", "gross"):
        raise ConfigurationError(f"agencies.csv, agency {row['agency']}: amount_basis {basis!r} is not net or gross")
    due, rhythm = whole("due_working_days", None), row["rhythm"] or "year"
    if due is not None and (due < 0 or rhythm not in RHYTHMS):
        raise ConfigurationError(
            f"agencies.csv, agency {row['agency']}: due_working_days needs a number from 0 up and a rhythm of {', '.join(RHYTHMS)}"
        )
    return Agency(
        agency=row["agency"] or "",
        name=row["name"] or row["agency"] or "",
        language=row["language"] or "fi",
        sources=tuple((row["sources"] or "").split("|")),
        organisation_id=row["organisation_id"],
        chart=row["chart"],
        layout=row["layout"] or "",
        amount_basis=basis,
        encoding=row["encoding"],
        delimiter={"tab": "\t"}.get(row["delimiter"] or "", row["delimiter"]),
        decimal_mark=row["decimal_mark"],
        date_format=row["date_format"],
        header_row=whole("header_row", None),
        rhythm=rhythm,
        due_working_days=due,
        frame_from=row["frame_from"],
        frame_to=row["frame_to"],
        precedence=whole("precedence", 50) or 0,
        openly_published=row["openly_published"] != "no",
        confirmed=row["confirmed"] != "no",
    )
