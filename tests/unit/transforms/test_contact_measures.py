"""Which cases count, whose they are, in which month, when they were closed and opened again, how many are open."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import polars as pl
import pytest

from schemas.contact_requests import CASE, CONTRACT
from schemas.reference import Reference
from transforms.measures.contact_requests import measure
from transforms.newest import newest

AGENCIES = "agency,name,sources,organisation_id\nowner,Owner Oy,contact_requests,0988084-1\nnobody,Nobody Oy,contact_requests,\n"
REFERENCE = Reference.load({"agencies.csv": AGENCIES})
ESPOO = "0101263-6"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def version(
    case_id: str = "c1", received: str = "2024-01-10", produced: str = "2024-06-15", **values: object
) -> dict[str, object]:
    """One version of a case; times as ISO text in UTC."""
    times = {name: at(str(value)) for name, value in values.items() if name.endswith("_at")}
    row = dict.fromkeys(CASE.polars_schema().names()) | values | times
    return row | {
        "case_id": case_id,
        "received_at": at(received),
        "produced_at": at(produced),
        "delivery_id": f"d{produced}",
        "agency": values.get("agency", "nobody"),
        "source_line": 1,
    }


def measured(*versions: dict[str, object]) -> dict[str, pl.DataFrame]:
    rows = pl.DataFrame(list(versions), schema=CASE.polars_schema())
    return measure(newest(CONTRACT, {"contact_request": rows}), REFERENCE)


def backlog(*versions: dict[str, object]) -> dict[str, int]:
    rows = measured(*versions)["contact_backlog"].group_by("month").agg(pl.col("open_n").sum()).sort("month")
    return {f"{month:%Y-%m}": n for month, n in rows.iter_rows()}


def closings(*versions: dict[str, object]) -> list[tuple[str, int, int]]:
    rows = measured(*versions)["contact_closing"].select("month", "closed_n", "reopened_n").sort("month")
    return [(f"{month:%Y-%m}", closed, reopened) for month, closed, reopened in rows.iter_rows()]


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ({}, True),
        ({"state": "resolved", "closed_at": "2024-01-11"}, True),
        ({"state": "resolved", "status_reason": "other"}, True),
        ({"origin": "email"}, True),
        ({"is_merged": False, "is_child": False}, True),
        ({"state": "cancelled", "status_reason": "merged"}, False),
        ({"status_reason": "merged"}, False),
        ({"is_merged": True}, False),
        ({"is_child": True}, False),
        ({"state": "cancelled"}, False),
        ({"status_reason": "cancelled"}, False),
        ({"origin": "phone"}, False),
    ],
)
def test_primary_cases_count_that_were_not_cancelled_nor_made_by_telephone(values: dict[str, object], counts: bool) -> None:
    found = measured(version(**values))

    assert found["contact_case"].height == int(counts)
    assert (found["contact_backlog"].height > 0) is counts
    assert found["contact_closing"].height <= int(counts)


def test_a_case_is_the_customers_else_the_agencys_else_of_one_unknown() -> None:
    found = measured(
        version("c1", organisation_id=ESPOO), version("c2", agency="owner"), version("c3"), version("c4", agency="owner", organisation_id=ESPOO)
    )["contact_case"]  # fmt: skip

    whose = found.select("case_id", "organisation_id", "organisation_name").sort("case_id").rows()
    assert whose == [
        ("c1", ESPOO, None),
        ("c2", "0988084-1", "Owner Oy"),
        ("c3", "unknown:nobody", "Nobody Oy"),
        ("c4", ESPOO, None),
    ]


def test_the_same_id_of_two_agencies_is_two_cases() -> None:
    assert measured(version("c1"), version("c1", agency="owner"))["contact_case"].height == 2


def test_months_are_those_of_helsinki() -> None:
    found = measured(version("c1", "2024-01-31T22:30:00"), version("c2", "2024-01-31T21:30:00"))["contact_case"]

    assert found.sort("case_id")["month"].to_list() == [date(2024, 2, 1), date(2024, 1, 1)]


def test_the_newest_version_tells_whatever_order_the_deliveries_came_in() -> None:
    versions = (
        version(produced="2024-05-01", modified_at="2024-02-01", request_type="other"),
        version(produced="2024-04-01", modified_at="2024-03-01", request_type="advice"),
        version(produced="2024-03-15", request_type="document_comment"),  # a view without the time of change
    )
    found = [measured(*order) for order in permutations(versions)]

    assert all(one[name].equals(found[0][name]) for one in found for name in one)
    assert found[0]["contact_case"]["request_type"].to_list() == ["document_comment"]


def test_a_version_that_comes_again_is_known_as_of_the_newest_delivery() -> None:
    again = [version(produced=produced, modified_at="2024-01-10", state="active") for produced in ("2024-02-10", "2024-03-10")]
    found = measured(*again)["contact_case"]

    assert found.select("resolution", "resolution_seconds").rows() == [("waiting", 60 * 86_400)]


@pytest.mark.parametrize(
    ("values", "response", "resolution"),
    [
        ({"state": "active"}, ("waiting", 5 * 86_400), ("waiting", 5 * 86_400)),
        ({"state": "active", "first_response_at": "2024-01-10T01:00:00"}, ("ended", 3_600), ("waiting", 5 * 86_400)),
        ({"state": "resolved", "closed_at": "2024-01-12"}, ("unknown", None), ("ended", 2 * 86_400)),
        ({"state": "resolved"}, ("unknown", None), ("unknown", None)),
        ({"closed_at": "2024-01-12"}, ("unknown", None), ("ended", 2 * 86_400)),
        ({"state": "active", "closed_at": "2024-01-12"}, ("waiting", 5 * 86_400), ("waiting", 5 * 86_400)),
    ],
)
def test_what_has_not_happened_is_known_not_to_have_happened_when_the_delivery_was_produced(
    values: dict[str, object], response: tuple[str, int | None], resolution: tuple[str, int | None]
) -> None:
    other = version("c2", first_response_at="2024-01-11")  # its agency records responses
    row = measured(version(produced="2024-01-15", **values), other)["contact_case"].filter(case_id="c1").row(0, named=True)

    assert (row["response"], row["response_seconds"]) == response
    assert (row["resolution"], row["resolution_seconds"]) == resolution


def test_an_agency_that_records_no_responses_has_nobody_waiting() -> None:
    assert measured(version(state="active"))["contact_case"]["response"].to_list() == ["unknown"]


def test_a_delivery_made_before_the_receipt_makes_no_negative_time() -> None:
    assert measured(version(received="2024-06-16"))["contact_case"]["resolution_seconds"].to_list() == [0]


CLOSED = {"state": "resolved", "closed_at": "2024-03-01T12:00:00", "modified_at": "2024-03-01T12:00:00", "produced": "2024-03-02"}


def again_after(days: float) -> str:
    return (datetime(2024, 3, 1, 12) + timedelta(days=days)).isoformat()  # noqa: DTZ001 - `at` adds the zone


@pytest.mark.parametrize(("days", "reopened"), [(0.5, 1), (30, 1), (30.001, 0), (45, 0)])
@pytest.mark.parametrize("sign", ["time", "open", "closed"])
def test_a_closing_counts_as_reopened_when_the_case_was_open_again_within_thirty_days(
    sign: str, days: float, reopened: int
) -> None:
    moment = again_after(days)
    later = {
        "time": version(**(CLOSED | {"reopened_at": moment, "modified_at": "2024-06-01"})),
        "open": version(state="active", modified_at=moment),
        "closed": version(state="resolved", closed_at=moment, modified_at=moment),
    }[sign]
    found = closings(version(**CLOSED), later)

    assert found[0][2] == reopened
    assert sum(n for _, n, _ in found) == (2 if sign == "closed" else 1)


def test_closings_that_differ_in_seconds_only_are_one() -> None:
    seconds = version(**(CLOSED | {"closed_at": "2024-03-01T12:00:37", "modified_at": "2024-03-01T12:00:37"}))

    assert closings(version(**CLOSED), seconds) == [("2024-03", 1, 0)]


def test_two_formats_times_of_one_closing_are_one_closing() -> None:
    view = version(**(CLOSED | {"closed_at": "2024-03-01T12:07:00", "modified_at": "2024-03-05T08:00:00"}))

    assert closings(version(**CLOSED), view) == [("2024-03", 1, 0)]


def test_closed_reopened_and_closed_within_the_hour_are_two_closings() -> None:
    opened = version(state="active", modified_at="2024-03-01T12:05:00")
    again = version(**(CLOSED | {"closed_at": "2024-03-01T12:07:00", "modified_at": "2024-03-01T12:07:00"}))

    assert closings(version(**CLOSED), opened, again) == [("2024-03", 2, 1)]


def test_closings_of_cases_that_do_not_count_do_not_either() -> None:
    assert closings(version(**CLOSED), version(state="cancelled", modified_at="2024-03-05")) == []


def test_open_cases_are_counted_at_the_ends_of_months_that_had_ended() -> None:
    assert backlog(version(received="2024-01-10", produced="2024-04-30T20:59:00")) == {"2024-01": 1, "2024-02": 1, "2024-03": 1}
    assert backlog(version(received="2024-01-10", produced="2024-04-30T21:00:00")) == {
        "2024-01": 1, "2024-02": 1, "2024-03": 1, "2024-04": 1,
    }  # fmt: skip
    assert backlog(version(received="2024-04-10", produced="2024-04-20")) == {}


def test_the_backlog_is_zero_where_nothing_is_open_and_a_case_that_does_not_come_again_has_not_changed() -> None:
    closed = version("c1", "2024-01-31T22:30:00", "2024-06-15", closed_at="2024-03-31T21:00:00")
    still = version("c2", "2024-04-10", "2024-04-20", organisation_id=ESPOO)

    assert backlog(closed) == {"2024-02": 1, "2024-03": 1, "2024-04": 0, "2024-05": 0}
    assert backlog(closed, still) == {"2024-02": 1, "2024-03": 1, "2024-04": 1, "2024-05": 1}


def test_a_case_closed_nobody_knows_when_was_closed_when_it_was_last_changed() -> None:
    assert backlog(version(state="resolved", modified_at="2024-03-10")) == {
        "2024-01": 1, "2024-02": 1, "2024-03": 0, "2024-04": 0, "2024-05": 0,
    }  # fmt: skip


def test_nothing_delivered_measures_nothing() -> None:
    assert {name: frame.height for name, frame in measured().items()} == {
        "contact_case": 0,
        "contact_closing": 0,
        "contact_backlog": 0,
    }
