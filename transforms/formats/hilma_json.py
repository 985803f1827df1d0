"""Hilma's own JSON notices (12/2019 on; small value to this day) to raw rows: the read API's layout, the sending API's in its
wrapper, with keys in any case. Field by field: hilma-api and hilma-migration.

Deadlines are local time; times of publication are UTC. What the defaults of an object say is not told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count

from transforms.formats import hilma_codes as own
from transforms.formats.codes import UTILITIES_ENTITY, alpha2
from transforms.formats.eforms_parts import Organisation, lot_answers
from transforms.formats.hilma_award import (
    HELSINKI,
    NO_MOMENT,
    Node,
    Reading,
    code,
    contest,
    defence,
    key,
    local,
    node,
    nodes,
    results,
    text,
    yes,
)
from transforms.formats.rows import NO_ANSWERS, Notice, Value
from transforms.formats.ted import oj_number
from transforms.formats.ted_parts import UNDIVIDED, lot_name
from transforms.formats.values import codes

PUBLISHED, REJECTED_LATER = 2, 16
"""Flags of `state`: published; published in Hilma and then rejected by TED."""
BARE = "a notice as it was sent, without number and day of publication; deliver what the read API or the status list tells of notices"
NOT_PUBLIC = "a draft, or a notice that is not public; deliver published notices only"
DEFENCE_AWARD = 1800
CONTEST = 1300
MODIFICATION = 2000
DPS_AWARD = 301
TED_NUMBER = re.compile(r"[0-9]{5,6}-20[0-9]{2}")
BUSINESS_ID = re.compile(r"(FI)?[0-9]{7}-?[0-9]", re.IGNORECASE)


class NotTakenError(ValueError):
    """The document is no published notice; the message says what to deliver."""


def is_notice(keys: Mapping[str, object]) -> bool:
    """Whether an object (keys in small letters) is a notice of this shape, or the wrapper around one."""
    if isinstance(keys.get("notice"), dict):
        return "noticenumber" in keys or "hilmastatus" in keys
    return isinstance(keys.get("project"), dict) and bool({"objectdescriptions", "procurementobject", "lotsinfo"} & keys.keys())


def read(document: Mapping[str, object]) -> Notice:
    """Raw rows of one notice. Raises NotTakenError for drafts, what is not public, and senders' notices without a wrapper."""
    outer = node(document)
    content = node(outer.get("notice")) or outer
    published = _published(outer, content)
    kind, project = code(content.get("type")) or 0, node(content.get("project"))
    category = code(project.get("procurementcategory")) or 0
    form_type, subtype = own.FORMS.get(kind) or _unknown_form(kind, content)
    subtype = own.BY_CATEGORY.get(kind, {}).get(category, subtype)
    reading = Reading()
    buyers = _buyers(content, project, reading)
    country = buyers[0].country if buyers else None
    if not buyers:
        reading.notice.found("buyer_missing", "organisation_ref")
    is_national = kind >= own.FIRST_NATIONAL
    number = _own_oj_number(outer, content)
    previous = _oj_number(content.get("previousnoticeojsnumber"))
    internal = key(outer.get("noticeid")) or key(content.get("id"))
    parent = key(content.get("parentid"))
    notice_id = number or (f"hilma-{internal}" if internal else None)
    earlier = previous or (f"hilma-{parent}" if parent else text(content.get("corrigendumpreviousnoticenumber")))
    # senders forget the flag; a list of what was altered is as sure
    altered = bool(nodes(content.get("changes"))) or yes(content.get("iscancelled"))
    is_change = yes(content.get("iscorrigendum")) or (altered and earlier is not None)
    follows = is_change or form_type in ("result", "cont-modif")
    procedure_id = _procedure_id(content, outer) or (earlier if follows else None) or notice_id
    lots = _lots(content, project, kind, form_type, published[0], country, reading)
    if procedure_id:
        reading.notice.procedure = (procedure_id, *_procedure(content, project, buyers, lots, reading))
    # a national call that names an earlier call of its project corrects it, also where the sender forgot the flag
    changes = is_change or kind == MODIFICATION or (is_national and form_type == "competition")
    notice = reading.notice
    if form_type is not None and kind not in own.FORMS:
        notice.found("subtype_unknown", "subtype", str(kind))
    whole = node(content.get("procurementobject")).get("totalvalue") or content.get("totalvalue")
    if kind == MODIFICATION:
        whole = node(content.get("modifications")).get("totalvalue") or whole
    total = reading.euros(whole, "total_value_cents")
    notice.notice = (
        notice_id,
        "1",
        "hilma",
        None,
        "change" if is_change and form_type else form_type,
        str(kind) if kind else None,
        subtype,
        text(content.get("legalbasis")),
        not is_national,
        procedure_id,
        earlier,
        earlier if changes else None,
        yes(content.get("iscancelled")) or yes(content.get("iscontractawardcancellationnotice")),
        *published,
        published[0],
        number or text(outer.get("noticenumber")),
        own.LANGUAGES.get((text(content.get("language")) or "").upper()),
        country,
        total,
        codes(list(notice.currencies)),
        codes(reading.withheld),
    )
    notice.organisations = reading.organisation_rows()
    return notice


def _unknown_form(kind: int, content: Node) -> tuple[str | None, str | None]:
    """Form type and subtype of a type that later versions may have brought: awards, which defaults never say, are those of a
    result; anything else does not tell what it is."""
    states = {code(node(item.get("awardcontract")).get("contractawarded")) for item in nodes(content.get("objectdescriptions"))}
    return ("result", str(kind)) if kind and states & {1, 2} else (None, None)


def _published(outer: Node, content: Node) -> tuple[str | None, str | None]:
    """Day and time of publication in Finland, with the offset. A time without an offset is UTC."""
    if yes(content.get("isprivatesmallvalueprocurement")) or yes(node(content.get("project")).get("isprivate")):
        raise NotTakenError(NOT_PUBLIC)
    state = code(outer.get("hilmastatus") if "hilmastatus" in outer else content.get("state"))
    if state is not None and not state & (PUBLISHED | REJECTED_LATER):
        raise NotTakenError(NOT_PUBLIC)
    given = text(outer.get("hilmapublicationdate")) or text(outer.get("datepublished")) or text(content.get("datepublished"))
    if given is None or given.startswith(NO_MOMENT):
        raise NotTakenError(BARE)
    try:
        moment = datetime.fromisoformat(given)
        local = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(HELSINKI)
    except (ValueError, OverflowError):
        return given, None
    written = local.isoformat(timespec="seconds")
    return written[:10], written[11:]


def _own_oj_number(outer: Node, content: Node) -> str | None:
    """The notice's own number in the Official Journal, also where only the account of its publication there holds it."""
    account = node(content.get("tedpublicationinfo")) or node(outer.get("tedpublicationinfo"))
    given = (
        content.get("noticeojsnumber"),
        outer.get("noticeojsnumber"),
        account.get("no_doc_ojs"),
        account.get("documentnumber"),
    )
    return next((number for value in given if (number := _oj_number(value))), None)


def _oj_number(value: object) -> str | None:
    """A number in the Official Journal, written as there or as TED does."""
    given = text(value)
    return oj_number(given) or (given.zfill(len("123456-2022")) if given and TED_NUMBER.fullmatch(given) else None)


def _procedure_id(content: Node, outer: Node) -> str | None:
    """Hilma's key of the procedure. That the Official Journal names it otherwise is known once all its notices are there
    (measures.notice_projects)."""
    keys = (content.get("procurementprojectid"), outer.get("projectid"), node(content.get("project")).get("id"))
    project = next((found for given in keys if (found := key(given))), None)
    return f"hilma-{project}" if project else None


def _buyers(content: Node, project: Node, reading: Reading) -> list[Organisation]:
    """The buyer and the further ones of a joint purchase, distinct, in order."""
    organisation = node(project.get("organisation")) or node(content.get("organisation"))
    legal = own.LEGAL_TYPES.get(code(organisation.get("contractingauthoritytype")) or 0)
    if legal is None and code(organisation.get("contractingtype")) == own.CONTRACTING_ENTITY:
        legal = UTILITIES_ENTITY
    buyers: list[Organisation] = []
    home = alpha2(text(organisation.get("country")))  # beside the address, from 2023 on
    for block in [node(organisation.get("information")), *nodes(project.get("copurchasers"))]:
        buyer = reading.organisation(block)
        if buyer is not None and buyer not in buyers:
            buyers.append(buyer)
            buyer.is_buyer, buyer.buyer_no = True, len(buyers)
            # without a country a buyer stood outside every figure; its number tells where it is registered
            buyer.country = buyer.country or home or ("FI" if BUSINESS_ID.fullmatch(buyer.registration or "") else None)
    if buyers:
        buyers[0].legal_type = legal
        buyers[0].is_central = yes(project.get("centralpurchasing"))
    return buyers


def _procedure(
    content: Node, project: Node, buyers: list[Organisation], lots: list[tuple[str, Node]], reading: Reading
) -> tuple[Value, ...]:
    information = node(content.get("procedureinformation"))
    organisation = node(project.get("organisation")) or node(content.get("organisation"))
    activity = own.ACTIVITIES.get(code(organisation.get("mainactivity")) or 0)
    estimate = node(content.get("procurementobject")).get("estimatedvalue") or content.get("estimatedvalue")
    contest = {1: "open", 2: "restricted"}.get(code(information.get("contesttype")) or 0)
    accelerated = information.get("acceleratedprocedure")
    return (
        own.PROCEDURES.get(code(information.get("proceduretype")) or 0) or contest,
        yes(accelerated) if accelerated is not None else None,
        own.NATURES.get(code(project.get("contracttype")) or 0),
        _cpv(content),
        len(buyers),
        yes(project.get("jointprocurement")) or len(buyers) > 1,
        yes(project.get("centralpurchasing")),
        buyers[0].legal_type if buyers else None,
        activity or own.UTILITIES.get(code(organisation.get("mainactivityutilities")) or 0),
        reading.euros(estimate, "estimated_value_cents", "BT-27"),
        len(lots),
    )


def _cpv(content: Node) -> str | None:
    main = node(node(content.get("procurementobject")).get("maincpvcode")) or node(content.get("maincpvcode"))
    return (text(main.get("code")) or "")[:8] or None


def _lots(
    content: Node, project: Node, kind: int, form_type: str | None, day: str | None, country: str | None, reading: Reading
) -> list[tuple[str, Node]]:
    """The lots with their descriptions, and their results where the type is of a result. An undivided purchase is LOT-0000."""
    descriptions = nodes(content.get("objectdescriptions"))
    if form_type == "planning":
        return []
    divided = len(descriptions) > 1 or any(text(item.get("lotnumber")) for item in descriptions)
    named: dict[str, Node] = {}
    taken = {lot_name(number) for item in descriptions if (number := text(item.get("lotnumber")))}
    free = (name for position in count(1) if (name := lot_name(str(position))) not in taken)
    for item in descriptions:
        number = text(item.get("lotnumber"))
        lot = UNDIVIDED if not divided else lot_name(number) if number else next(free)
        if named.setdefault(lot, item) is not item:
            reading.notice.found("reference_broken", "lot_id", lot)
    lots = list((named or {UNDIVIDED: {}}).items())
    awarded: set[str] = set()
    if form_type in ("result", "dir-awa-pre"):
        awarded = results(lots, reading)
        if kind == CONTEST and not awarded:
            awarded = contest(content, lots[0][0], reading)
        if kind == DEFENCE_AWARD:
            awarded |= defence(content, [lot for lot, _ in lots], reading)
    statistics = node(content.get("hilmastatistics"))
    asked = kind not in own.NOT_ASKED and country == "FI" and (day or "") >= own.FIRST_ASKED
    answers = lot_answers(statistics) if statistics and kind not in own.NOT_ASKED else NO_ANSWERS
    common = _common(content, project)
    for lot, item in lots:
        of_result = form_type == "result" and lot not in awarded
        reading.notice.lots.append(
            (
                lot,
                common[0],
                (text(node(item.get("maincpvcode")).get("code")) or "")[:8] or _cpv(content),
                *common[1:],
                _criteria(item),
                reading.euros(item.get("estimatedvalue"), "estimated_value_cents", "BT-27"),
                *(None,) * 5,
                asked and not of_result,
                *(NO_ANSWERS if of_result else answers),
            )
        )
    return lots


def _common(content: Node, project: Node) -> tuple[Value, ...]:
    """Nature, framework, DPS and deadline, which stand once for all lots. Whether competition is reopened is not told: fa-mix.
    No object of a framework at all tells nothing; an award of a DPS says so by its type, also where the flag is forgotten."""
    given = node(node(content.get("procedureinformation")).get("frameworkagreement"))
    framework = yes(given.get("includesframeworkagreement")) or yes(given.get("includesconclusionofframeworkagreement"))
    others = yes(given.get("dynamicpurchasingsysteminvolvesadditionalpurchasers"))
    is_within = code(content.get("type")) == DPS_AWARD
    dps = ("dps-nlist" if others else "dps-list") if is_within or yes(given.get("includesdynamicpurchasingsystem")) else "none"
    deadline = node(content.get("tenderinginformation")).get("tendersorrequeststoparticipateduedatetime")
    return (
        own.NATURES.get(code(project.get("contracttype")) or 0),
        ("fa-mix" if framework else "none") if given else None,
        dps if given or is_within else None,
        *local(deadline),
    )


def _criteria(item: Node) -> str | None:
    """Kinds of criteria; None where they stand in the documents, are withheld or are not told."""
    criteria = node(item.get("awardcriteria"))
    if yes(item.get("disagreeawardcriteriatobepublished")) or yes(criteria.get("criteriastatedinprocurementdocuments")):
        return None
    return own.CRITERIA.get(code(criteria.get("criteriontypes")) or 0)
