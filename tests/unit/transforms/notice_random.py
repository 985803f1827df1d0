"""Random notices with everything that the figures must tell apart, deterministic by seed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from random import Random

import polars as pl

from tests.unit.transforms.notice_facts import tables

Given = dict[str, list[dict[str, object]]]
TYPES = ("open", "open", "open", "restricted", "neg-w-call", "neg-wo-call", "oth-single", None)
BUYERS = (
    ("0201256-6", "business_id"),
    ("2626335-1", "business_id"),
    ("0101263-6", "business_id"),
    (None, "none"),
    ("K-1", "unreadable"),
)
YES_NO = (True, False, None)
ANSWERS = ("new_to_market", "new_to_buyer", "energy_efficiency", "sustainable_food", "employment_condition", "code_of_conduct")


class Maker:
    """Writes the rows of one set of notices."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.given: Given = {
            name: [] for name in ("notice", "procedure", "lot", "lot_result", "tender", "winner", "organisation")
        }
        self.number = 0

    def notice(self, procedure: str | None, form: str, subtype: str, day: date, **more: object) -> str:
        """A notice, sometimes with an older version or the same version from a second delivery."""
        self.number += 1
        notice_id = f"N{self.number:05d}"
        row = {
            "notice_id": notice_id,
            "procedure_id": procedure,
            "form_type": form,
            "subtype": subtype,
            "notice_date": day.isoformat(),
            **more,
        }
        self.given["notice"].append({**row, "notice_version": 2, "delivery_id": "d2"})
        if self.rng.random() < 0.2:
            self.given["notice"].append({**row, "notice_version": 1, "delivery_id": "d9", "is_ted": not more.get("is_ted", True)})
        if self.rng.random() < 0.2:
            self.given["notice"].append({**row, "notice_version": 2, "delivery_id": "d1", "is_ted": not more.get("is_ted", True)})
        return notice_id

    def procedure(self, index: int) -> None:
        rng = self.rng
        name, kind = f"P{index:04d}", rng.choice(TYPES)
        place = {"is_ted": rng.random() < 0.7, "is_national_population": rng.random() < 0.93}
        start = date(2024, 1, 1) + timedelta(days=rng.randrange(300))
        lots = [f"LOT-{number:04d}" for number in range(1, rng.randrange(1, 5))] or ["LOT-0001"]
        described = {
            lot: {
                "lot_id": lot,
                "framework": rng.choice(("none",) * 5 + ("fa-wo-rc", None)),
                "dps": rng.choice(("none",) * 5 + ("dps-list",)),
            }
            for lot in lots
        }
        self.buyers = [(rng.choice(BUYERS), number) for number in range(1, rng.choice((2, 2, 2, 3)))]
        self.said = {"procedure_type": kind, "is_joint": len(self.buyers) > 1, "is_central_purchasing": rng.random() < 0.1}
        if rng.random() < 0.1:
            self._about(self.notice(None, "planning", "4", start - timedelta(days=30), **place), name="")
        if rng.random() < 0.85:
            self._call(name, start, place, described)
        told = start + timedelta(days=rng.randrange(40, 200))
        for part in (lots[:2], lots[2:]):
            if part and rng.random() < 0.85:
                self._result(name, told + timedelta(days=rng.randrange(60)), place, described, part)
        if rng.random() < 0.15:
            self._about(self.notice(name, "cont-modif", "38", told + timedelta(days=90), **place), name)

    def _about(self, notice_id: str, name: str, **values: object) -> None:
        """The notice's procedure row and buyers."""
        if name:
            self.given["procedure"].append({"notice_id": notice_id, **self.said, "estimated_value_cents": values.get("estimate")})
        for (registration, kind), number in self.buyers:
            self.given["organisation"].append(
                {
                    "notice_id": notice_id, "organisation_ref": f"ORG-{9 - number}", "buyer_no": number, "name": f"Buyer {number}",
                    "registration_id": registration, "id_kind": kind,
                }
            )  # fmt: skip

    def _call(self, name: str, start: date, place: Mapping[str, object], described: Mapping[str, Mapping[str, object]]) -> None:
        rng = self.rng
        previous: str | None = None
        for step in range(rng.choice((1, 1, 1, 2, 3))):
            cancels = step > 0 and rng.random() < 0.3
            form = "change" if step and rng.random() < 0.5 else "competition"
            more = {"changed_notice_id": previous, "is_cancelled": cancels} if previous else {}
            call = self.notice(name, form, "16", start + timedelta(days=3 * step), **place, **more)
            self._about(call, name, estimate=rng.choice((None, 10_000, 2_500)))
            for lot in described.values():
                deadline = start + timedelta(days=rng.randrange(5, 60)) if rng.random() < 0.9 else None
                self.given["lot"].append(
                    {
                        "notice_id": call, **lot, "deadline_date": deadline and deadline.isoformat(),
                        "criteria": rng.choice(("price", "price,quality", None)), "is_asked": True, **self._answers(),
                    }
                )  # fmt: skip
            previous = call if rng.random() < 0.7 or previous is None else previous

    def _answers(self) -> dict[str, object]:
        return {f"answer_{name}": self.rng.choice(YES_NO) for name in ANSWERS}

    def _result(
        self, name: str, day: date, place: Mapping[str, object], described: Mapping[str, Mapping[str, object]], part: list[str]
    ) -> None:
        rng = self.rng
        previous: str | None = None
        for step in range(rng.choice((1, 1, 1, 2, 3))):
            more = {"changed_notice_id": previous, "is_cancelled": rng.random() < 0.2} if previous else {}
            result = previous = self.notice(name, "result", "29", day + timedelta(days=20 * step), **place, **more)
            self._about(result, name)
            for position, lot in enumerate(part, start=1):
                own = {**described[lot], "framework": rng.choice((described[lot]["framework"], None))}
                criteria = rng.choice(("price", "cost", "price", None))
                self.given["lot"].append({"notice_id": result, **own, "criteria": criteria, "is_asked": True, **self._answers()})
                self._lot_result(result, f"RES-{position:04d}", lot, day)

    def _lot_result(self, result: str, result_id: str, lot: str, day: date) -> None:
        rng = self.rng
        code = rng.choice(("selec-w",) * 6 + ("clos-nw", "open-nw", None))
        won = code == "selec-w"
        decided = day - timedelta(days=rng.randrange(0, 60)) if won and rng.random() < 0.9 else None
        self.given["lot_result"].append(
            {
                "notice_id": result, "result_id": result_id, "lot_id": lot, "result_code": code,
                "tenders_n": rng.choice((None, 0, 1, 1, 2, 3, 4, 7)), "tenders_sme_n": rng.choice((None, 0, 1, 2, 5)),
                "within_framework": rng.choice((None, False, False, True)), "decision_date": decided and decided.isoformat(),
                "award_value_cents": rng.choice((None, 100, 1_000, 12_345)) if won else None,
            }
        )  # fmt: skip
        for number in range(rng.randrange(0, 3) if won else 0):
            self.given["winner"].append(
                {
                    "notice_id": result, "result_id": result_id, "lot_id": lot, "organisation_ref": f"ORG-W{number}",
                    "size": rng.choice(("micro", "small", "large", "sme", None)), "id_kind": rng.choice(("business_id", "foreign_id", "none")),
                }
            )  # fmt: skip


def random_notices(seed: int, procedures: int) -> dict[str, pl.DataFrame]:
    """The contract's tables of about three notices per procedure, versions and copies included."""
    maker = Maker(seed)
    for index in range(procedures):
        maker.procedure(index)
    return tables(maker.given)
