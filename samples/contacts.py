"""Contact requests of the sample nation: the planted cases, and the figures that follow from them by definition.

`contacts_files` writes them in the formats of the systems. Times here are Finnish local ones, to the minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from samples.cells import Cell, Place, Series, Span, Sums, month_of, places, shift
from samples.contacts_files import write
from samples.deliveries import Written
from samples.facts import Organisation
from samples.registry import World

SOURCE = "contact_requests"
AGENCY = "sample-cpb"
HELSINKI = ZoneInfo("Europe/Helsinki")
FIRST = date(2023, 5, 1)
A_MONTH = 11
TYPES = ("advice",) * 6 + ("document_comment",) * 3 + ("mini_competition", "other", "unmapped", "")
JOINTS = ("YH-014", "YH-022", "YH-031", "unmapped", "")
APART = ("merged", "child", "cancelled", "phone")
REOPEN_DAYS = 30
LAYOUTS = (("pages", "page_list"), ("view", "lines"), ("columns", "page_list"))
"""How a year's cases are delivered, and their changes."""


class Nobody(Organisation):
    """Whom cases belong to whose customer no register knows."""

    def memberships(self) -> tuple[tuple[str, str], ...]:
        return ("national", "FI"), ("sector", "unknown"), ("organisation", self.organisation_id)


NOBODY = Nobody(f"unknown:{AGENCY}", "", "", "", "", "unknown", "", "")


@dataclass(frozen=True)
class Case:
    """One case as its newest version tells it. `apart` names why it does not count, '' when it does; `closings` are all closings
    with whether a reopening followed in time; `changed_at` is the newest change, None before the first delivery."""

    case_id: str
    number: int
    organisation: Organisation
    received: datetime
    responded: datetime | None
    closed: datetime | None
    kind: str
    joint: str
    apart: str
    produced: datetime
    changed_at: datetime
    closings: tuple[tuple[datetime, bool], ...] = ()


def deliver(rng: Random, world: World, written: Written, span: Span, known: object) -> dict[tuple[Series, Place], Cell]:
    """Every year's cases as known at the end of January, and the changes until the end of March in another format; the running
    year as known two weeks after the last month."""
    months = []
    month = FIRST
    while month <= span.last:
        months.append(month)
        month = shift(month, 1)
    cases: list[Case] = []
    newest = datetime(2000, 1, 1, tzinfo=UTC)
    for year in sorted({month.year for month in months}):
        runs_on = year == span.last.year
        produced = _midnight(shift(span.last, 1) + timedelta(days=14) if runs_on else date(year + 1, 1, 31))
        of_year = [
            _case(rng, world, month, number, produced)
            for number, month in enumerate(month for month in months if month.year == year for _ in range(A_MONTH))
        ]
        layout, changed_layout = LAYOUTS[(year - FIRST.year) % len(LAYOUTS)]
        write(rng, written, AGENCY, layout, f"{produced:%Y-%m-%d}", of_year)
        if runs_on:
            cases += of_year
            newest = max(newest, produced)
            continue
        later = _midnight(date(year + 1, 3, 31))
        changes = {case.case_id: new for case in of_year if (new := _changed(rng, case, later)) is not None}
        write(rng, written, AGENCY, changed_layout, f"{later:%Y-%m-%d}", list(changes.values()))
        cases += [changes.get(case.case_id, case) for case in of_year]
        newest = max(newest, later)
    return _cells(cases, span, newest)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _case(rng: Random, world: World, month: date, number: int, produced: datetime) -> Case:
    """One case as known when the year's file was produced."""
    organisations = [one for one in world.organisations.values() if one.since <= month]
    organisation = rng.choice(organisations) if rng.random() < 0.8 else NOBODY
    early = rng.random() < 0.1  # the day is another one in UTC
    hour, minute, day = (0, 30, 1) if early else (rng.randint(8, 15), rng.randrange(60), rng.randint(1, 28))
    received = datetime(month.year, month.month, day, hour, minute, tzinfo=HELSINKI)
    responded = received + timedelta(minutes=rng.randint(5, 6_000))
    closed = responded + timedelta(minutes=rng.randint(0, 60_000))
    known_response = responded if responded <= produced and rng.random() < 0.97 else None
    known_closing = closed if closed <= produced and known_response and rng.random() < 0.97 else None
    apart = rng.choice(APART) if rng.random() < 0.12 else ""
    if apart in ("merged", "cancelled"):
        known_closing = None
    return Case(
        case_id=str(UUID(int=rng.getrandbits(128), version=4)),
        number=number,
        organisation=organisation,
        received=received,
        responded=known_response,
        closed=known_closing,
        kind=rng.choice(TYPES),
        joint=rng.choice(JOINTS),
        apart=apart,
        produced=produced,
        changed_at=known_closing or known_response or received,
        closings=((known_closing, False),) if known_closing else (),
    )


def _changed(rng: Random, case: Case, later: datetime) -> Case | None:
    """The case as changed by the later delivery: open ones were closed; of those closed lately some were opened again, in time
    or too late, some closed twice."""
    if case.apart in ("merged", "cancelled"):
        return None
    if case.closed is None:
        closed = case.produced.astimezone(HELSINKI) + timedelta(minutes=rng.randint(10, 50_000))
        responded = case.responded or closed
        return replace(case, responded=responded, closed=closed, produced=later, changed_at=closed, closings=((closed, False),))
    if case.closed < case.produced - timedelta(days=15):
        return None
    again = case.closed + timedelta(days=rng.choice((20, 29, 40)))
    in_time = again <= case.closed + timedelta(days=REOPEN_DAYS)
    first = (case.closed, in_time)
    if rng.random() < 0.5:
        return replace(case, closed=None, produced=later, changed_at=again, closings=(first,))
    return replace(case, closed=again, produced=later, changed_at=again, closings=(first, (again, False)))


def _cells(cases: Sequence[Case], span: Span, newest: datetime) -> dict[tuple[Series, Place], Cell]:
    counted = [case for case in cases if not case.apart]
    sums = Sums(span)
    for case in counted:
        place, day = case.organisation, case.received.date()
        sums.add(Series("contacts_n", "all"), place, day, 1)
        sums.add(Series("contacts_n", "all", "", "request_type", case.kind or "unmapped"), place, day, 1)
        if case.joint:
            sums.add(Series("contacts_n", "all", "", "joint_procurement", case.joint), place, day, 1)
        is_known = case.kind not in ("", "unmapped")
        sums.add(Series("contacts_advice_share", "all"), place, day, int(case.kind == "advice"), int(is_known))
        sums.add(Series("contacts_doc_comment_n", "all"), place, day, int(case.kind == "document_comment"))
        for closed, is_reopened in case.closings:
            sums.add(Series("contact_reopen_share", "all"), place, closed.date(), int(is_reopened), 1)
    _backlog(sums, counted, newest)
    return {**sums.cells(), **_times(counted, span)}


def _backlog(sums: Sums, counted: Sequence[Case], newest: datetime) -> None:
    """Open cases at the ends of years that had passed when the newest file was produced."""
    last = shift(month_of(newest.astimezone(HELSINKI).date()), -1)
    for year in range(FIRST.year, last.year + 1):
        end = date(year, 12, 31)
        if month_of(end) > last:
            continue
        for case in counted:
            if case.received.date() <= end:
                is_open = case.closed is None or case.closed.date() > end
                sums.add(Series("contact_backlog", "all"), case.organisation, end, int(is_open))


def _times(counted: Sequence[Case], span: Span) -> dict[tuple[Series, Place], Cell]:
    """Percentiles by Kaplan and Meier, from the definition."""
    response: dict[Place, list[tuple[int, bool]]] = {}
    resolution: dict[Place, list[tuple[int, bool]]] = {}
    asked: set[Place] = set()
    for case in counted:
        for place in places(span, case.organisation, month_of(case.received.date()), ("year",)):
            asked.add(place)
            if case.responded is not None or case.closed is None:
                response.setdefault(place, []).append(_waited(case, case.responded))
            resolution.setdefault(place, []).append(_waited(case, case.closed))
    found = {}
    for figure_id, observed, unit in (
        ("contact_first_response_hours", response, 3_600),
        ("contact_resolution_days", resolution, 86_400),
    ):
        for place in asked:
            times = observed.get(place, [])
            for variant, share in (("median", Fraction(1, 2)), ("p90", Fraction(9, 10))):
                seconds = _percentile(times, share) if variant == "median" or _few_wait(times) else None
                value = None if seconds is None else Fraction(seconds, unit)
                found[Series(figure_id, "all", variant), place] = Cell(None, None, len(times), value)
    return found


def _waited(case: Case, ended: datetime | None) -> tuple[int, bool]:
    until = ended or case.produced
    return int((until.astimezone(UTC) - case.received.astimezone(UTC)).total_seconds()), ended is not None


def _few_wait(times: Sequence[tuple[int, bool]]) -> bool:
    return 10 * sum(1 for _, ended in times if not ended) <= len(times)


def _percentile(times: Sequence[tuple[int, bool]], share: Fraction) -> int | None:
    left = Fraction(1)
    for moment in sorted({time for time, ended in times if ended}):
        at_risk = sum(1 for time, _ in times if time >= moment)
        ended_now = sum(1 for time, ended in times if ended and time == moment)
        left *= 1 - Fraction(ended_now, at_risk)
        if left <= 1 - share:
            return moment
    return None
