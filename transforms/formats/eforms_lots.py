"""The lots of an eForms notice."""

from __future__ import annotations

from transforms.formats.eforms_parts import CAC, CBC, Answers, Element, Reading, first, lot_answers, text_of, texts_of
from transforms.formats.rows import NO_ANSWERS
from transforms.formats.values import codes, flag

PROCESS = CAC + "TenderingProcess"
PROJECT = CAC + "ProcurementProject"
SUBORDINATE = CAC + "SubordinateAwardingCriterion"
ADDITIONAL = CAC + "ProcurementAdditionalType"
STRATEGIC_LISTS = ("environmental-impact", "social-objective", "innovative-acquisition", "strategic-procurement")
"""BT-774, BT-775, BT-776, BT-06, in the order of the contract's columns."""


def cpv(project: Element | None) -> str | None:
    """BT-262, the main classification."""
    return text_of(first(project, CAC + "MainCommodityClassification"), CBC + "ItemClassificationCode")


def estimate_of(project: Element | None, reading: Reading) -> int | None:
    """BT-27 in cents; lots and procedure both carry one, which must not be added up."""
    amount = first(first(project, CAC + "RequestedTenderTotal"), CBC + "EstimatedOverallContractAmount")
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
    lot_id = text_of(element, CBC + "ID")
    project, process = first(element, PROJECT), first(element, PROCESS)
    systems: dict[str, str | None] = {}
    for system in process.iterchildren(CAC + "ContractingSystem") if process is not None else ():
        code = first(system, CBC + "ContractingSystemTypeCode")
        if code is not None:
            systems[code.get("listName", "")] = (code.text or "").strip() or None
    deadline = first(process, CAC + "TenderSubmissionDeadlinePeriod")
    lists: dict[str, list[str]] = {name: [] for name in STRATEGIC_LISTS}
    for kind in project.iterchildren(ADDITIONAL) if project is not None else ():
        code = first(kind, CBC + "ProcurementTypeCode")
        if code is not None and code.text and code.get("listName", "") in lists:
            lists[code.get("listName", "")].append(code.text.strip())
    is_asked = asked is None or (lot_id or "") in asked
    reading.notice.lots.append(
        (
            lot_id,
            text_of(project, CBC + "ProcurementTypeCode"),
            cpv(project),
            systems.get("framework-agreement"),
            systems.get("dps-usage"),
            text_of(deadline, CBC + "EndDate"),
            text_of(deadline, CBC + "EndTime"),
            _criteria(first(element, CAC + "TenderingTerms"), reading),
            estimate_of(project, reading),
            flag(text_of(project, CBC + "SMESuitableIndicator")),
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
