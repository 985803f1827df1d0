"""Raw frames of notices to the contract's tables: typed, normalised, each notice accepted or quarantined as a whole.

A notice stands or falls as one: its lots without its buyer, or its winners without their lot, would be counted wrongly. So a
broken `fail` rule quarantines every row of the notice, and the failure names the notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from schemas.contract import Table
from schemas.procurement_notices import CONTRACT
from schemas.reference import Reference
from transforms.delivery import FAILURE_SCHEMA, CleanPart, RawPart
from transforms.formats.hilma_codes import OUTSIDE_POPULATION
from transforms.formats.values import DUMMY_DATES
from transforms.personal import told
from transforms.sources.notice_codes import without_persons
from transforms.sources.notice_contradictions import without_contradictions
from transforms.sources.notice_counts import counts_of
from transforms.sources.notice_hilma_ted import without_guesses
from transforms.sources.notice_ids import Names, ids_frame
from transforms.sources.notice_values import without_placeholders

Frames = Mapping[str, pl.DataFrame]

CHILDREN = ("procedure", "lot", "lot_result", "tender", "winner", "contract", "organisation")
IDENTIFIERS: Mapping[str, tuple[str, ...]] = {
    "lot": ("lot_id",),
    "lot_result": ("result_id", "lot_id"),
    "organisation": ("organisation_ref",),
    "contract": ("contract_id",),
    "tender": ("tender_id", "result_id"),
}
"""What must be unique within a notice; lots, lot results and organisations must have theirs."""
UNIQUE: Mapping[str, tuple[str, ...]] = {"lot": ("lot_id",), "lot_result": ("result_id",), "organisation": ("organisation_ref",)}
DATES: Mapping[str, tuple[str, ...]] = {
    "notice": ("dispatch_date", "publication_date"),
    "lot": ("deadline_date",),
    "lot_result": ("decision_date",),
    "contract": ("decision_date", "signed_date"),
}
CODED: Mapping[str, tuple[str, ...]] = {"lot_result": ("result_code",), "winner": ("size",), "organisation": ("size",)}
SIZES = ("micro", "small", "medium", "sme", "large")
FIRST_DAY, LAST_DAY = pl.date(1990, 1, 1), pl.date(2099, 12, 31)
LOCAL_ZONE = "Europe/Helsinki"
"""Zone of times without an offset (the older TED schema gives local times; its notices here are Finnish)."""
_FINDING = pl.Schema({"notice_no": pl.Int64, "rule": pl.String, "column_name": pl.String, "value": pl.String})


def clean(raw: RawPart, reference: Reference) -> CleanPart:
    """Accepted rows per contract table, failures, warnings and counts of one raw part (frames of formats.rows.RAW)."""
    frames, odd_values = _typed(raw.frames)
    frames, placeholders = without_placeholders(frames, reference)
    frames, guessed = without_guesses(frames)
    frames, contradictory = without_contradictions(frames)
    frames, personal = _organisations(frames, reference)
    unread = raw.frames["finding"].filter(pl.col("notice_no").is_null())
    found = pl.concat(
        [
            raw.frames["finding"].filter(pl.col("notice_no").is_not_null()).select(_FINDING.names()),
            odd_values,
            placeholders,
            guessed,
            contradictory,
            personal,
            _broken(frames),
        ]
    )
    fails = [rule.name for rule in CONTRACT.table("notice").rules if rule.severity == "fail"]
    broken = found.filter(pl.col("rule").is_in(fails))
    quarantined = broken["notice_no"].unique()
    accepted = {name: frame.filter(~pl.col("notice_no").is_in(quarantined.implode())) for name, frame in frames.items()}
    keys = accepted["notice"].select("notice_no", "delivery_id", "notice_id", "notice_version")
    notices = frames["notice"].select("notice_no", "delivery_id", "source_line")
    warned = found.filter(~pl.col("rule").is_in(fails)).join(keys.select("notice_no"), on="notice_no", how="semi")
    return CleanPart(
        accepted={table.name: _contract_rows(accepted[table.name], keys, table) for table in CONTRACT.tables},
        failures=pl.concat([_located(broken, notices), _unread_failures(unread)]),
        warnings=_located(warned.unique(maintain_order=True), notices),
        counts=counts_of(frames, accepted, unread, found),
        refused=dict(raw.refused),
    )


def _typed(raw: Frames) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Dates, times and closed code lists read; what cannot be read is null and noted."""
    frames, of_persons = without_persons({name: raw[name] for name in ("notice", *CHILDREN)})
    odd = [of_persons]
    for table, columns in CODED.items():
        for column in columns:
            codes = CONTRACT.table(table).column(column).codes or SIZES
            unknown = frames[table].filter(pl.col(column).is_not_null() & ~pl.col(column).is_in(list(codes)))
            odd.append(_noted(unknown, "value_unreadable", column))
            known = pl.when(pl.col(column).is_in(list(codes))).then(column)
            frames[table] = frames[table].with_columns(known.alias(column))
    frames["notice"] = frames["notice"].with_columns(_instant("dispatch_date", "dispatch_time").alias("dispatch_at"))
    frames["lot"] = frames["lot"].with_columns(_instant("deadline_date", "deadline_time").alias("deadline_at"))
    for table, dated in DATES.items():
        for column in dated:
            frame = frames[table].with_columns(_day(column).alias("day"), pl.col(column).str.slice(0, 10).alias("given"))
            dummy = pl.col("given").is_in(list(DUMMY_DATES))
            odd.append(_noted(frame.filter(dummy), "date_is_dummy", column))
            odd.append(
                _noted(frame.filter(pl.col("day").is_null() & pl.col(column).is_not_null() & ~dummy), "value_unreadable", column)
            )
            frames[table] = frame.with_columns(pl.col("day").alias(column)).drop("day", "given")
    frames["notice"] = frames["notice"].with_columns(_at_home("dispatch_date", "dispatch_at"))
    frames["lot"] = frames["lot"].with_columns(_at_home("deadline_date", "deadline_at"))
    version = pl.col("notice_version").str.strip_chars()
    frames["notice"] = frames["notice"].with_columns(
        pl.when(version.str.contains(r"^[0-9]{1,6}$")).then(version).cast(pl.Int32).alias("notice_version"),
        pl.coalesce("publication_date", "dispatch_date").alias("notice_date"),
        pl.when(pl.col("dispatch_date").is_not_null()).then("dispatch_at").alias("dispatch_at"),
    )
    frames["lot"] = frames["lot"].with_columns(
        pl.when(pl.col("deadline_date").is_not_null()).then("deadline_at").alias("deadline_at")
    )
    foreign = frames["notice"].filter(pl.col("other_currency").is_not_null())
    odd.append(_noted(foreign, "currency_not_eur", "other_currency"))
    return frames, pl.concat(odd)


def _noted(frame: pl.DataFrame, rule: str, column: str) -> pl.DataFrame:
    value = pl.col(column).cast(pl.String).str.slice(0, 40)
    return frame.select("notice_no", pl.lit(rule).alias("rule"), pl.lit(column).alias("column_name"), value.alias("value"))


def _day(column: str) -> pl.Expr:
    """The date at the start of `2024-08-29+00:00`; null for dummies, words, impossible days and years beyond 1990-2099."""
    text = pl.col(column).str.extract(r"^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:$|[^0-9])")
    day = text.str.to_date("%Y-%m-%d", strict=False)
    return pl.when(day.is_between(FIRST_DAY, LAST_DAY) & ~text.is_in(list(DUMMY_DATES))).then(day)


def _at_home(day: str, instant: str) -> pl.Expr:
    """The day in Finland on which an instant falls: half past nine in the evening, UTC, is tomorrow."""
    there = pl.col(instant).dt.convert_time_zone(LOCAL_ZONE).dt.date()
    return pl.when(pl.col(day).is_not_null() & there.is_not_null()).then(there).otherwise(pl.col(day)).alias(day)


def _instant(date: str, time: str) -> pl.Expr:
    """UTC instant of a date and a time, each possibly with an offset (the time's counts); without any, local time."""
    day = pl.col(date).str.extract(r"^([0-9]{4}-[0-9]{2}-[0-9]{2})")
    clock = pl.col(time).str.extract(r"^([0-9]{2}:[0-9]{2})(?::[0-9]{2})?")
    seconds = pl.col(time).str.extract(r"^[0-9]{2}:[0-9]{2}:([0-9]{2})").fill_null("00")
    naive = (day + "T" + clock + ":" + seconds).str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False)
    zone = pl.coalesce(
        pl.col(time).str.extract(r"(Z|[+-][0-9]{2}:[0-9]{2})$"),
        pl.col(date).str.slice(10).str.extract(r"^(Z|[+-][0-9]{2}:[0-9]{2})$"),
    )
    sign = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    minutes = pl.when(zone == "Z").then(0).otherwise(
        sign * (zone.str.slice(1, 2).cast(pl.Int32, strict=False) * 60 + zone.str.slice(4, 2).cast(pl.Int32, strict=False))
    )  # fmt: skip
    given = (naive - pl.duration(minutes=minutes)).dt.replace_time_zone("UTC")
    local = naive.dt.replace_time_zone(LOCAL_ZONE, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    return pl.when(zone.is_null()).then(local).otherwise(given)


def _organisations(frames: dict[str, pl.DataFrame], reference: Reference) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Registration ids and names normalised, persons' dropped, and the ids of winners; notes personal codes."""
    raw = frames["organisation"]
    ids = ids_frame(raw.select("registration_text", "country").unique(maintain_order=True).iter_rows())
    named = ["name", "is_buyer", "is_service"]
    names = Names(reference).frame(raw.select(named).unique(maintain_order=True).iter_rows())
    joined = raw.join(ids, on=["registration_text", "country"], how="left", nulls_equal=True, maintain_order="left").join(
        names, on=named, how="left", nulls_equal=True, maintain_order="left"
    )
    is_said = pl.col("is_person") & ~pl.col("is_company")  # a company is none, whatever was ticked
    is_person = is_said | pl.col("is_personal")
    frames["organisation"] = joined.with_columns(
        pl.when(~is_person).then("kept_name").alias("name"),
        pl.when(~is_person).then("registration_id").alias("registration_id"),
        pl.when(~is_said).then("id_kind").otherwise(pl.lit("none")).alias("id_kind"),
    ).drop("registration_text", "kept_name", "is_company")
    suppliers = frames["organisation"].select(
        "notice_no", "organisation_ref", pl.col("registration_id").alias("supplier_id"), "id_kind"
    )
    frames["winner"] = frames["winner"].join(
        suppliers.unique(["notice_no", "organisation_ref"], keep="first", maintain_order=True),
        on=["notice_no", "organisation_ref"],
        how="left",
        maintain_order="left",
    )
    notice = frames["notice"]
    outside = pl.col("subtype").is_in(list(OUTSIDE_POPULATION)).fill_null(value=False)
    finnish = (pl.col("country") == "FI").fill_null(value=False) & ~outside
    frames["notice"] = notice.with_columns(finnish.alias("is_national_population"))
    personal = joined.filter("is_personal").select(
        "notice_no",
        pl.lit("personal_id_found").alias("rule"),
        pl.lit("registration_id").alias("column_name"),
        pl.lit(None, pl.String).alias("value"),
    )
    return frames, personal


def _broken(frames: Frames) -> pl.DataFrame:
    """Breaches of rules that the typed rows show: what is missing, and what stands twice."""
    notice = frames["notice"]
    rules = [
        ("notice_id_missing", "notice_id", pl.col("notice_id").is_null()),
        ("notice_version_invalid", "notice_version", pl.col("notice_version").is_null()),
        ("notice_date_missing", "notice_date", pl.col("notice_date").is_null()),
        ("form_type_unknown", "form_type", pl.col("form_type").is_null()),
        ("lot_missing", "lot_id", pl.col("form_type").is_in(["competition", "result", "dir-awa-pre"]) & _without("lot", frames)),
        ("result_missing", "result_id", (pl.col("form_type") == "result") & _without("lot_result", frames)),
    ]
    found = [_note(notice.filter(condition), rule, column) for rule, column, condition in rules]
    for table, columns in IDENTIFIERS.items():
        needed = columns if table in UNIQUE else columns[:1]
        for column in needed:
            found.append(_note(frames[table].filter(pl.col(column).is_null()), "identifier_missing", f"{table}.{column}"))
        pair = ["notice_no", *(UNIQUE.get(table) or columns)]
        repeated = frames[table].filter(pl.struct(pair).is_duplicated() & pl.all_horizontal(pl.col(pair[:2]).is_not_null()))
        found.append(_note(repeated, "identifier_duplicate", f"{table}.{pair[1]}"))
    found.append(_note(_repeated(notice), "notice_repeated", "notice_id"))
    return pl.concat(found).unique(maintain_order=True)


def _without(table: str, frames: Frames) -> pl.Expr:
    return ~pl.col("notice_no").is_in(frames[table]["notice_no"].unique().implode())


def _repeated(notice: pl.DataFrame) -> pl.DataFrame:
    """Notices of which the same delivery holds a later dispatched (else later standing) copy with the same key. Hilma's JSON stands
    before the TED XML that Hilma made of it (METHOD 41)."""
    known = notice.filter(pl.all_horizontal(pl.col("notice_id", "notice_version").is_not_null()))
    told = known.sort(pl.col("schema") == "hilma", "dispatch_at", "source_line", nulls_last=False)
    latest = told.group_by("delivery_id", "notice_id", "notice_version").last()
    return known.join(latest.select("notice_no"), on="notice_no", how="anti")


def _note(frame: pl.DataFrame, rule: str, column: str) -> pl.DataFrame:
    return frame.select(
        "notice_no", pl.lit(rule).alias("rule"), pl.lit(column).alias("column_name"), pl.lit(None, pl.String).alias("value")
    ).unique(maintain_order=True)


def _contract_rows(frame: pl.DataFrame, keys: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Exactly the contract's columns and types, with the notice's key."""
    if table.name != "notice":
        frame = frame.join(keys, on="notice_no", how="inner", maintain_order="left")
    schema = table.polars_schema()
    return frame.select(schema.names()).cast(schema)


def _located(found: pl.DataFrame, notices: pl.DataFrame) -> pl.DataFrame:
    """Findings with their notice's place. Anything may stand where an amount, a reference or a code belongs: only what cannot
    be a person's name, number or address is told. Foreign currencies are the reader's own codes."""
    told_of = pl.when(pl.col("column_name") == "other_currency").then("value").otherwise(pl.lit(told(found["value"])))
    return (
        found.with_columns(told_of.alias("value"))
        .join(notices, on="notice_no", how="inner", maintain_order="left")
        .with_columns(pl.lit("notice").alias("table_name"))
        .select(FAILURE_SCHEMA.names())
    )


def _unread_failures(unread: pl.DataFrame) -> pl.DataFrame:
    """Documents that could not be read at all; their values are the reader's own sentences, never delivered text."""
    return unread.with_columns(pl.lit("notice").alias("table_name")).select(FAILURE_SCHEMA.names())


def failed_rules(parts: Sequence[CleanPart], delivery_id: str) -> pl.DataFrame:
    """Distinct (rule, column_name, value) with the number of notices, of one delivery's failures."""
    return (
        pl.concat([part.failures for part in parts])
        .filter(pl.col("delivery_id") == delivery_id)
        .group_by("rule", maintain_order=True)
        .agg(pl.len().alias("notices_n"), pl.col("source_line").first(), pl.col("column_name").first(), pl.col("value").first())
    )
