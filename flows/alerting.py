"""Alerts: what people should know, worked out from the warehouse alone, so that a run that died finds it again.

`take_stock` is the one call of a run; the functions below it say each kind by itself. Nothing here sends: warehouse/alerts is
the outbox. State-like kinds (delivery.missing, publication.stopped, figure.deviates, home.damaged) end when the matter is over;
the others are said once.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from schemas.errors import Damage, InvariantBroken
from schemas.file_names import told_name
from schemas.reference import Agency, Reference
from transforms import periods, rhythm
from transforms.registry import SOURCES
from warehouse import alerts, deviations, ledger, refused
from warehouse.alerts import Alert, Raised
from warehouse.home import Home
from warehouse.store import Store

__all__ = ["Alert", "Raised", "at_the_door", "crossed", "deviating", "missing", "of_refused", "stopped", "take_stock"]

REFUSED, MISSING, CROSSED = "delivery.refused", "delivery.missing", "target.crossed"
DEVIATES, STOPPED, DAMAGED = "figure.deviates", "publication.stopped", "home.damaged"
HELSINKI = ZoneInfo("Europe/Helsinki")
CROSSING_KINDS = ("year", "rolling_12m")
"""Months and quarters swing about a target without saying anything."""
DEVIATIONS_SHOWN = 10
"""METHOD 33: the largest by effect in EUR."""
LAST_PUBLICATION = "alerted_publication"


def take_stock(
    store: Store, reference: Reference, run_id: str, today: date, at: datetime, damaged: Sequence[Damage] | None = None
) -> list[Raised]:
    """Raise what is new and end what is over, in one transaction; returns the new ones. Also what a run that died has missed.

    Called under the writer lock after every run that loaded or published (today: the day figures are computed for). `damaged`: what
    the run found damaged and could not heal, None where it did not look.
    """
    last = int(store.scalar("SELECT coalesce(max(publication_no), 0) FROM ledger.publication WHERE is_out"))
    with store.transaction():
        known = int(ledger.state(store, LAST_PUBLICATION) or max(last - 1, 0))
        late = missing(store, reference, today)
        broken = [Alert(DAMAGED, item.path, {"text": item.text, "cure": item.cure}) for item in damaged or ()]
        found = [*of_refused(store), *at_the_door(store.home, reference.agencies), *late, *broken]
        for number in range(known + 1, last + 1):
            found += [*crossed(store, number), *deviating(store, number)]
        raised = alerts.raise_new(store, found, run_id, at)
        alerts.end(store, MISSING, {alert.subject for alert in late}, at)
        if damaged is not None:
            alerts.end(store, DAMAGED, {alert.subject for alert in broken}, at)
        alerts.end(store, DEVIATES, deviations.still_flagged(store, alerts.open_subjects(store, DEVIATES)), at)
        if last > known:
            alerts.end(store, STOPPED, (), at)
        ledger.set_state(store, LAST_PUBLICATION, str(last))
    return raised


def stopped(error: InvariantBroken) -> Alert:
    """A publication that an invariant stopped: the former one stays in force. Ends with the next publication."""
    return Alert(STOPPED, "publication", {"reason": str(error)})


def of_refused(store: Store) -> list[Alert]:
    """All deliveries that stand refused: agency, source, delivery, what may be told of the file's name, codes of the reasons.

    Bytes that are delivered and refused once more are a new matter.
    """
    found = store.rows(
        "SELECT delivery_id, agency, source, file_name, reasons, journal_n FROM ledger.delivery WHERE status = 'refused' "
        "ORDER BY received_at, delivery_id"
    )
    return [
        Alert(
            REFUSED,
            f"{row['delivery_id']}/{row['journal_n']}",
            {name: row[name] for name in ("agency", "source", "delivery_id")}
            | {"file_name": told_name(row["file_name"], row["agency"], row["source"]), "reasons": _codes(row["reasons"])},
        )
        for row in found
    ]


def at_the_door(home: Home, agencies: Collection[str]) -> Iterator[Alert]:
    """Files that never became a delivery (unknown agency, unreadable manifest): they lie in `refused/` with their reasons. Agencies
    and sources are told only where they are known: anything may be the name of a folder."""
    for told in refused.at_the_door(home):
        yield Alert(
            REFUSED,
            f"refused/{told['delivery_id']}",
            {
                "agency": told["agency"] if told["agency"] in agencies else None,
                "source": told["source"] if told["source"] in SOURCES else None,
                "delivery_id": None,
                "file_name": told_name(told["file_name"]),
                "reasons": sorted({reason["code"] for reason in told["reasons"]}),
            },
        )


def _codes(reasons: str | None) -> list[str]:
    """Codes only: texts of reasons may quote what was delivered."""
    return sorted({reason["code"] for reason in json.loads(reasons or "[]")})


def missing(store: Store, reference: Reference, today: date) -> list[Alert]:
    """Periods that agencies should have delivered by `today` and have not; those that never delivered anything are left out."""
    late: list[Alert] = []
    for agency in reference.agencies.values():
        for source in agency.sources:
            if agency.due_working_days is not None and source in SOURCES and _is_connected(store, agency.agency, source):
                late += _late(store, agency, source, today)
    return late


def _is_connected(store: Store, agency: str, source: str) -> bool:
    """Whether anything of the agency was ever loaded."""
    sql = "SELECT count(*) FROM ledger.delivery WHERE agency = ? AND source = ? AND batch_id IS NOT NULL"
    return bool(store.scalar(sql, [agency, source]))


def _late(store: Store, agency: Agency, source: str, today: date) -> Iterator[Alert]:
    limit = agency.due_working_days
    if limit is None:
        return
    until = date.fromisoformat(agency.frame_to) if agency.frame_to else None
    if agency.rhythm == "day":
        received = _last_receipt(store, agency.agency, source)
        if received and (until is None or today <= until) and rhythm.is_late(received, limit, today):
            yield _missing(agency, source, {"received_last": received.isoformat()}, "day")
        return
    if SOURCES[source].contract.kind == "keyed":
        yield from _late_keyed(store, agency, source, today, until)
        return
    covered = _covered(store, agency.agency, source)
    since = _first(store, agency, source)
    if since is None:
        return
    for first, last in rhythm.due(agency.rhythm, since, until, today, limit):
        lacking = [month for month in periods.month_range(first, last) if month not in covered]
        if lacking:
            data = {"period_start": first.isoformat(), "period_end": periods.month_end(last).isoformat()}
            yield _missing(agency, source, data | {"months_missing": len(lacking)}, first.isoformat())


def _late_keyed(store: Store, agency: Agency, source: str, today: date, until: date | None) -> Iterator[Alert]:
    """Keyed sources cover no periods: after the newest period that is due, something must have come."""
    last = _last_receipt(store, agency.agency, source)
    since = _first(store, agency, source) or last
    if last is None or since is None or agency.due_working_days is None:
        return
    for first, month in list(rhythm.due(agency.rhythm, since, until, today, agency.due_working_days))[-1:]:
        end = periods.month_end(month)
        if last <= end:
            data = {"period_start": first.isoformat(), "period_end": end.isoformat(), "received_last": last.isoformat()}
            yield _missing(agency, source, data, first.isoformat())


def _missing(agency: Agency, source: str, data: Mapping[str, Any], period: str) -> Alert:
    common = {"agency": agency.agency, "source": source, "rhythm": agency.rhythm, "due_working_days": agency.due_working_days}
    return Alert(MISSING, f"{agency.agency}/{source}/{period}", common | dict(data))


def _covered(store: Store, agency: str, source: str) -> set[date]:
    """Months that slices in force cover; a year slice covers its twelve."""
    months: set[date] = set()
    for row in store.rows(
        "SELECT DISTINCT slice_period, slice_kind FROM ledger.slice WHERE agency = ? AND source = ? AND valid_to IS NULL",
        [agency, source],
    ):
        count = 12 if row["slice_kind"] == "year" else 1
        months |= {periods.add_months(row["slice_period"], ahead) for ahead in range(count)}
    return months


def _first(store: Store, agency: Agency, source: str) -> date | None:
    """The first day that the agency delivers for: that of its frame, else the first that any of its deliveries covers."""
    if agency.frame_from:
        return date.fromisoformat(agency.frame_from)
    first: date | None = store.scalar(
        "SELECT min(c.slice_period) FROM ledger.covered c JOIN ledger.delivery d USING (delivery_id) WHERE d.agency = ? AND d.source = ?",
        [agency.agency, source],
    )
    return first


def _last_receipt(store: Store, agency: str, source: str) -> date | None:
    """The day, in Helsinki, of the newest delivery that was loaded and not withdrawn."""
    last: datetime | None = store.scalar(
        "SELECT max(received_at) FROM ledger.delivery WHERE agency = ? AND source = ? AND batch_id IS NOT NULL AND is_active",
        [agency, source],
    )
    return last.replace(tzinfo=UTC).astimezone(HELSINKI).date() if last else None


SERIES = ("figure_id", "version", "variant", "scope", "panel", "period_kind")


def crossed(store: Store, publication_no: int) -> list[Alert]:
    """National figures that a publication took across their target: to green or from green.

    The newest closed period with a light, against the same or the then newest one of the publication before. A light that
    only appears or goes is no crossing.
    """
    series = ", ".join(SERIES)
    kinds = ", ".join(f"'{kind}'" for kind in CROSSING_KINDS)
    newest = (
        f"(FROM figure.history WHERE level = 'national' AND breakdown_kind = '' AND period_kind IN ({kinds}) "
        "AND status = 'final' AND light <> 'none' AND valid_from_no <= {no} AND coalesce(valid_to_no, 2147483647) > {no} "
        f"QUALIFY row_number() OVER (PARTITION BY {series} ORDER BY period_start DESC) = 1)"
    )
    rows = store.rows(
        f"SELECT n.*, o.light AS former_light, o.value AS former_value, o.period_start AS former_period "
        f"FROM {newest.format(no=publication_no)} n JOIN {newest.format(no=publication_no - 1)} o USING ({series}) "
        "WHERE (n.light = 'green') <> (o.light = 'green') AND n.period_start >= o.period_start ORDER BY ALL"
    )
    return [Alert(CROSSED, _crossing_subject(row, publication_no), _crossing(row)) for row in rows]


def _crossing_subject(row: Mapping[str, Any], publication_no: int) -> str:
    """A figure may cross back and cross again: each publication speaks for itself."""
    return "/".join(str(row[name]) for name in (*SERIES, "period_start")) + f"/{publication_no}"


def _crossing(row: Mapping[str, Any]) -> dict[str, Any]:
    text = ("figure_id", "variant", "scope", "period_kind", "target_operator", "unit")
    return {name: row[name] for name in text} | {
        "period_start": row["period_start"].isoformat(),
        "period_end": row["period_end"].isoformat(),
        "from": row["former_light"],
        "to": row["light"],
        "value": float(row["value"]),
        "target": float(row["target"]),
        "former_value": float(row["former_value"]),
        "former_period_start": row["former_period"].isoformat(),
    }


def deviating(store: Store, publication_no: int) -> list[Alert]:
    """Months that a publication judged outside their fences, the newest of their series: the largest by effect in EUR."""
    rows: Iterable[Mapping[str, Any]] = deviations.newly_flagged(store, publication_no, DEVIATIONS_SHOWN)
    numbers = ("value", "expected", "fence_low", "fence_high", "effect_eur")
    return [
        Alert(
            DEVIATES,
            row["subject"],
            {name: row[name] for name in ("figure_id", "variant", "scope", "level", "level_id", "breakdown_kind", "breakdown_id")}
            | {"month": row["month"].isoformat(), "unit": row["unit"]}
            | {name: None if row[name] is None else float(row[name]) for name in numbers},
        )
        for row in rows
    ]
