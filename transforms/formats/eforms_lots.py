"""The lots of an eForms notice."""

from __future__ import annotations

from transforms.formats.eforms_parts import (
    CAC,
    CBC,
    Answers,
    Element,
    Reading,
    children,
    first,
    lot_answers,
    text_in,
    text_of,
    texts_of,
)
from transforms.formats.rows import NO_ANSWERS
from transforms.formats.values import codes, flag

PROCESS = CAC + "TenderingProcess"
PROJECT = CAC + "ProcurementProject"
CLASSIFICATION = CAC + "MainCommodityClassification"
TOTAL = CAC + "RequestedTenderTotal"
SUBORDINATE = CAC + "SubordinateAwardingCriterion"
ADDITIONAL = CAC + "ProcurementAdditionalType"
STRATEGIC_LISTS = ("environmental-impact", "social-objective", "innovative-acquisition", "strategic-procurement")
"""BT-774, BT-775, BT-776, BT-06, in the order of the contract's columns."""


def cpv(project: Element | None) -> str | None:
    """BT-262, the main classification."""
    return text_of(first(project, CLASSIFICATION), CBC + "ItemClassificationCode")


def estimate_of(project: Element | None, reading: Reading) -> int | None:
    """BT-27 in cents; lots and procedure both carry one, which must not be added up."""
    amount = first(first(project, TOTAL), CBC + "EstimatedOverallContractAmount")
    return reading.euros(amount, "estimated_value_cents")


def is_lot(element: Element) -> bool:
    """Whether a ProcurementProjectLot is a lot: groups of lots (GLO-) and parts (PAR-) are not."""
    identifier = first(element, CBC + "ID")
    if identifier is None:
        return True
    scheme = identifier.get("schemeName")
    return scheme == "Lot" or (scheme is None and (identifier.text or "").startswith("LOT-"))


def read_lot(element: Element, reading: Reading, asked: frozenset[str] | None, answers: Answers) -> None:
    """Adds the lot's raw row. `asked` holds the lots whose statistics are asked; None means every lot."""
    parts = children(element)
    project, process = parts.get(PROJECT), parts.get(PROCESS)
    described = children(project)
    lot_id = text_in(parts, CBC + "ID")
    systems: dict[str, str | None] = {}
    for system in process.iterchildren(CAC + "ContractingSystem") if process is not None else ():
        code = first(system, CBC + "ContractingSystemTypeCode")
        if code is not None:
            systems[code.get("listName", "")] = (code.text or "").strip() or None
    deadline = first(process, CAC + "TenderSubmissionDeadlinePeriod")
    lists: dict[str, list[str]] = {name: [] for name in STRATEGIC_LISTS}
    for kind in project.iterchildren(ADDITIONAL) if project is not None and ADDITIONAL in described else ():
        code = first(kind, CBC + "ProcurementTypeCode")
        if code is not None and code.text and code.get("listName", "") in lists:
            lists[code.get("listName", "")].append(code.text.strip())
    is_asked = asked is None or (lot_id or "") in asked
    reading.notice.lots.append(
        (
            lot_id,
            text_in(described, CBC + "ProcurementTypeCode"),
            text_of(described.get(CLASSIFICATION), CBC + "ItemClassificationCode"),
            systems.get("framework-agreement"),
            systems.get("dps-usage"),
            text_of(deadline, CBC + "EndDate"),
            text_of(deadline, CBC + "EndTime"),
            _criteria(parts.get(CAC + "TenderingTerms"), reading),
            estimate_of(project, reading) if TOTAL in described else None,
            flag(text_in(described, CBC + "SMESuitableIndicator")),
            *(codes(lists[name]) for name in STRATEGIC_LISTS),
            is_asked,
            *(lot_answers(answers[lot_id]) if lot_id and lot_id in answers else NO_ANSWERS),
        )
    )


def _criteria(terms: Element | None, reading: Reading) -> str | None:
    """BT-539 kinds; None as soon as one criterion has no kind or a withheld one: then price alone cannot be concluded."""
    awarding = first(terms, CAC + "AwardingTerms")
    if awarding is None:
        return None
    kinds: list[str] = []
    for criterion in awarding.iter(SUBORDINATE):
        found = texts_of(criterion, CBC + "AwardingCriterionTypeCode")
        if not found or "BT-539" in reading.withheld(criterion):
            return None
        kinds += found
    return codes(kinds)
