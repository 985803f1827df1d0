"""Register overlays of the sample world: the same headers as the registers that ship in schemas/, rows of the sample only."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from samples import form_files, joint_procurements, reference_inputs, strategy_followup
from samples.agencies import CHART, NOTICES, STATE, Plan
from samples.deliveries import state_aliases
from samples.facts import Organisation
from samples.ids import business_ids
from samples.registry import ACCOUNTS, BRANCHES, FOREVER, REGIONS, SALARIES, World

SINCE = "2016-01-01"
GDP_EUR = {
    2020: 5_200_000_000, 2021: 5_300_000_000, 2022: 5_600_000_000, 2023: 5_700_000_000, 2024: 5_800_000_000, 2025: 5_900_000_000,
}  # fmt: skip
"""Invented gross domestic product of the sample nation, so that its publication rate has a plausible size."""
FORM_AGENCIES = {"sample-cpb": "Näytehankinta Oy (näyte)", "sample-ministry": "Esimerkkiministeriö (näyte)"}
"""A central purchasing body and a ministry: who delivers contacts, surveys, registers and returns."""
FRAME_SECTOR = "municipality"
"""The one sector of the sample nation whose organisations are all registered: the frame of open_invoice_coverage."""
MERGED = date(2023, 12, 30)
"""Last day of a silent municipality: one day too early for the frame of 2023."""

HEADERS = {
    "agencies.csv": "agency,name,language,sources,organisation_id,chart,layout,amount_basis,encoding,delimiter,decimal_mark,date_format,"
    "header_row,rhythm,due_working_days,frame_from,frame_to,precedence,openly_published,confirmed,note",
    "organisations.csv": "organisation_id,business_id,name_fi,name_sv,name_en,sector,branch,region,valid_from,valid_to,predecessor_id,note,in_frame,size",
    "organisation_aliases.csv": "agency,delivered_code,organisation_id,valid_from,valid_to,note",
    "accounts.csv": "chart,account_prefix,is_procurement,name,valid_from,valid_to,confirmed,note",
    "public_bodies.csv": "business_id,name,kind,valid_from,valid_to,note",
    "branches.csv": "branch,name_fi,name_sv,name_en,note",
    "regions.csv": "region,name_fi,name_sv,name_en,nuts",
    "groups.csv": "group,kind,name_fi,name_sv,name_en,origin",
    "group_members.csv": "group,organisation_id,valid_from,valid_to",
    "catalogue/gdp.csv": "year,gdp_eur,source",
    "catalogue/total_expenditure.csv": "organisation_id,year,eur,source",
    "category_models.csv": "delivered,category_model,is_support_service,valid_from,valid_to,source",
    "supplier_domiciles.csv": "business_id,region,valid_from,valid_to,source",
    "supplier_groups.csv": "supplier_group,name,business_id,valid_from,valid_to,source",
    "codelists/agreement_categories.csv": "agency,kind,delivered,category,note",
    "supplier_sizes.csv": "business_id,size,valid_from,valid_to,source",
}


def silent() -> list[tuple[Organisation, date]]:
    """Municipalities of the frame that never publish an invoice, with their last day."""
    numbers = business_ids(9_900_000)
    found = []
    for name_fi, name_sv, region, until in (
        ("Hiljalan kunta (näyte)", "Tystby (prov)", "92", FOREVER),
        ("Vaiteliaan kunta (näyte)", "Ordknapp (prov)", "93", MERGED),
    ):
        number = next(numbers)
        found.append((Organisation(number, number, "", name_fi, name_sv, FRAME_SECTOR, "", region), until))
    return found


def frame(world: World) -> list[tuple[Organisation, date]]:
    """All municipalities that there are, with their last day."""
    cities = [organisation for organisation in world.organisations.values() if organisation.sector == FRAME_SECTOR]
    return [*((organisation, FOREVER) for organisation in cities), *silent()]


def write(folder: Path, world: World, plans: Sequence[Plan]) -> None:
    """Writes every overlay under `folder`; blank cells mean no value."""
    tables: Mapping[str, Iterable[Mapping[str, str]]] = {
        "agencies.csv": _agencies(world, plans),
        "organisations.csv": _organisations(world),
        "organisation_aliases.csv": [
            {"agency": STATE, "delivered_code": code, "organisation_id": organisation_id, "note": "sample"}
            for code, organisation_id in state_aliases(world).items()
        ],
        "accounts.csv": _accounts(),
        "public_bodies.csv": _public_bodies(world),
        "branches.csv": [
            {"branch": code, "name_fi": name, "name_sv": name, "name_en": name, "note": "sample"} for code, name in BRANCHES
        ],
        "regions.csv": [{"region": code, "name_fi": fi, "name_sv": sv, "name_en": fi} for code, fi, sv in REGIONS],
        "groups.csv": [
            {
                "group": group,
                "kind": kind,
                "name_fi": f"{group} (näyte)",
                "name_sv": f"{group} (prov)",
                "name_en": group,
                "origin": "sample",
            }
            for group, kind, _ in _groups(world)
        ],
        "group_members.csv": [
            {
                "group": group,
                "organisation_id": organisation.organisation_id,
                "valid_from": "" if since is None else since.isoformat(),
                "valid_to": "" if until is None else until.isoformat(),
            }
            for group, _, members in _groups(world)
            for organisation, since, until in members
        ],
        "catalogue/gdp.csv": [
            {"year": str(year), "gdp_eur": str(value), "source": "invented for the sample"} for year, value in GDP_EUR.items()
        ],
        **joint_procurements.registers(world),
        **reference_inputs.registers(world),
    }
    for name, rows in tables.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, HEADERS[name].split(","), restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def _groups(world: World) -> Iterable[tuple[str, str, list[tuple[Organisation, date | None, date | None]]]]:
    yield from strategy_followup.groups(world)
    yield from reference_inputs.networks(world)


def _agencies(world: World, plans: Sequence[Plan]) -> Iterable[Mapping[str, str]]:
    for plan in plans:
        yield plan.register_row(world.organisations[plan.key] if plan.key else None)
    yield {
        "agency": NOTICES,
        "name": "Hilma (näyte)",
        "language": "fi",
        "sources": "procurement_notices",
        "amount_basis": "net",
        "rhythm": "month",
        "due_working_days": "20",
        "frame_from": "2021-01-01",
        "precedence": "10",
        "openly_published": "yes",
        "confirmed": "yes",
        "note": "sample agency",
    }
    for agency, sources in form_files.agencies().items():
        yield {
            "agency": agency,
            "name": FORM_AGENCIES[agency],
            "language": "fi",
            "sources": "|".join(sources),
            "amount_basis": "net",
            "rhythm": "year",
            "frame_from": "2021-01-01",
            "precedence": "10",
            "openly_published": "yes",
            "confirmed": "yes",
            "note": "sample agency",
        }


def _organisations(world: World) -> Iterable[Mapping[str, str]]:
    for organisation in world.organisations.values():
        yield {
            "organisation_id": organisation.organisation_id,
            "business_id": organisation.business_id,
            "name_fi": organisation.name_fi,
            "name_sv": organisation.name_sv,
            "name_en": organisation.name_fi,
            "sector": organisation.sector,
            "branch": organisation.branch,
            "region": organisation.region,
            "valid_from": organisation.since.isoformat(),
            "note": "fictional sample organisation",
            "size": reference_inputs.size_of(organisation),
            "in_frame": "yes" if organisation.sector == FRAME_SECTOR else "",
        }
    for organisation, until in silent():
        yield {
            "organisation_id": organisation.organisation_id,
            "business_id": organisation.business_id,
            "name_fi": organisation.name_fi,
            "name_sv": organisation.name_sv,
            "name_en": organisation.name_fi,
            "sector": organisation.sector,
            "region": organisation.region,
            "valid_from": organisation.since.isoformat(),
            "valid_to": "" if until == FOREVER else until.isoformat(),
            "note": "fictional sample organisation that publishes no invoices",
            "in_frame": "yes",
        }


def _accounts() -> Iterable[Mapping[str, str]]:
    """Two-digit groups, and one account that ceases to be procurement: the longest prefix in force decides."""
    for prefix in ("12", "40", "42", "43"):
        yield {
            "chart": CHART,
            "account_prefix": prefix,
            "is_procurement": "yes",
            "name": "Hankintatilit (näyte)",
            "valid_from": SINCE,
        }
    yield {
        "chart": CHART,
        "account_prefix": SALARIES.code[:2],
        "is_procurement": "no",
        "name": "Palkat (näyte)",
        "valid_from": SINCE,
    }
    for account in ACCOUNTS:
        if account.procurement_until is not None and account.procurement_until < FOREVER:
            following = account.procurement_until + timedelta(days=1)
            yield {
                "chart": CHART,
                "account_prefix": account.code,
                "is_procurement": "no",
                "name": account.name,
                "valid_from": following.isoformat(),
            }


def _public_bodies(world: World) -> Iterable[Mapping[str, str]]:
    for supplier in world.publics:
        until = supplier.public_until
        yield {
            "business_id": supplier.identity or "",
            "name": supplier.name,
            "kind": "sample",
            "valid_from": SINCE,
            "valid_to": "" if until is None or until == FOREVER else until.isoformat(),
            "note": "sample",
        }
