"""Contact requests: one row per version of a case, as a customer-service system exports them (Dynamics 365 Customer Service,
table `incident`), or as any system writes them under our headings.

Headings in `labels` and `also` stand in order of preference. Logical names (createdon, statuscode ...) and option numbers are
Microsoft's (learn.microsoft.com, incident EntityType); English labels are those of exported views; no Finnish or Swedish export
is published, so those words are ours and an agency's own are data (codelists/contact_headings.csv, contact_words.csv).
Titles, descriptions, people and the customer's name have no column here: they are never stored.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from schemas.contract import Contract, Rule
from schemas.forms import coded, column, form, labels

MOMENT = pl.Datetime("us", "UTC")
STATES = {
    "active": ("aktiivinen", "aktiv", "active"),
    "resolved": ("ratkaistu", "löst", "resolved"),
    "cancelled": ("peruutettu", "avbruten", "cancelled"),
}
STATUSES = {
    "in_progress": ("käsittelyssä", "pågår", "in progress"),
    "on_hold": ("pidossa", "väntar", "on hold"),
    "waiting": ("odottaa tietoja", "väntar på information", "waiting for details"),
    "researching": ("selvitettävänä", "utreds", "researching"),
    "solved": ("ongelma ratkaistu", "problemet har lösts", "problem solved"),
    "information": ("tiedot annettu", "information har lämnats", "information provided"),
    "cancelled": ("peruutettu", "avbruten", "cancelled"),
    "merged": ("yhdistetty", "sammanfogad", "merged"),
    "other": ("muu", "annan", "other"),
}
ORIGINS = {
    "phone": ("puhelin", "telefon", "phone"),
    "email": ("sähköposti", "e-post", "email"),
    "web": ("verkko", "webb", "web"),
    "other": ("muu", "annat", "other"),
}
TYPES = {
    "advice": ("neuvonta", "rådgivning", "advice"),
    "document_comment": ("asiakirjojen kommentointi", "kommentering av dokument", "document comment"),
    "mini_competition": ("minikilpailutus", "minikonkurrensutsättning", "mini-competition"),
    "other": ("muu", "annan", "other"),
    "unmapped": ("luokittelematon", "oklassificerad", "unmapped"),
}
UNMAPPED = "unmapped"
"""Stands where a word was delivered that no register knows: the word itself may be free text and is not stored."""
PARENTS = ("_parentcaseid_value", "parentcaseid", "parent case", "ylätason tapaus", "överordnat ärende")
"""Headings under which a child case names its parent; the name is somebody's title and not stored."""

CASE_ID_HINT = labels(
    "Järjestelmän tunnus, ei otsikkoa eikä henkilön nimeä.",
    "Systemets id, inte rubrik eller personnamn.",
    "The system's id, no title and no person's name.",
)
TIME_HINT = labels(
    "Suomen aikaa, esim. 2.5.2023 14:05.", "Finsk tid, t.ex. 2.5.2023 14:05.", "Finnish time, e.g. 2023-05-02 14:05."
)

JOINT_HINT = labels(
    "Yhteishankinnan tunnus, ei kuvausta.",
    "Den gemensamma upphandlingens kod, ingen beskrivning.",
    "The joint procurement's code, no description.",
)
CUSTOMER_HINT = labels(
    "Asiakasorganisaation Y-tunnus, organisaatiorekisterin tunnus tai nimi; muuta ei säilytetä.",
    "Kundorganisationens FO-nummer, kod eller namn i organisationsregistret; annat bevaras inte.",
    "The customer organisation's business id, or its id or name in the register of organisations; nothing else is kept.",
)

_COLUMNS = (
    column("case_id", pl.String, "Yhteydenoton tunnus", "Ärendets id", "Case id", is_id=True, required=True, hint=CASE_ID_HINT, also=("incidentid", "incident", "ticketnumber", "case number", "tapausnumero", "tapauksen numero", "ärendenummer")),
    column("received_at", MOMENT, "Saapunut", "Inkom", "Received at", required=True, hint=TIME_HINT, also=("createdon", "created on", "luotu", "luontiaika", "skapades den", "skapad den", "skapad")),
    column("modified_at", MOMENT, "Muokattu", "Ändrad", "Modified at", also=("modifiedon", "modified on", "muokkausaika", "muokattu viimeksi", "ändrades den", "ändrad den")),
    column("first_response_at", MOMENT, "Ensimmäinen vastaus", "Första svar", "First response at", also=("firstresponseat", "first response", "first response sent on", "ensivastaus", "ensivaste", "första svaret")),
    column("closed_at", MOMENT, "Ratkaistu klo", "Löst kl.", "Closed at", also=("deactivatedon", "resolution date", "resolved on", "closed on", "actualend", "ratkaisupäivä", "ratkaisuaika", "suljettu", "löst den", "lösningsdatum", "avslutad")),
    column("reopened_at", MOMENT, "Avattu uudelleen", "Återöppnad", "Reopened at", also=("reopened on", "reactivated on", "uudelleenavattu", "återöppnades den")),
    coded("state", STATES, "Tila", "Status", "State", also=("statecode", "tapauksen tila")),
    coded("status_reason", STATUSES, "Tilan syy", "Statusorsak", "Status reason", also=("statuscode", "orsak till status")),
    coded("origin", ORIGINS, "Yhteydenottotapa", "Ursprung", "Origin", also=("caseorigincode", "case origin", "alkuperä", "kanava", "kanal", "channel", "saapumistapa")),
    coded("request_type", TYPES, "Yhteydenoton tyyppi", "Typ av kontakt", "Request type", also=("casetypecode", "case type", "type", "tyyppi", "typ", "tapauksen tyyppi", "ärendetyp")),
    column("joint_procurement", pl.String, "Yhteishankinta", "Gemensam upphandling", "Joint procurement", hint=JOINT_HINT, description="Its id or delivered code; 'unmapped' where only free text was delivered.", also=("_productid_value", "productid", "product", "tuote", "produkt", "_subjectid_value", "subjectid", "subject", "aihe", "ämne")),
    column("organisation_id", pl.String, "Asiakas", "Kund", "Customer", hint=CUSTOMER_HINT, description="The customer's id in the register of organisations, null when it does not know the customer.", also=("_customerid_value", "customerid", "_accountid_value", "account", "asiakasorganisaatio", "asiakkaan y-tunnus", "y-tunnus", "kundens fo-nummer", "fo-nummer", "customer's business id", "business id", "organisaatio")),
    column("is_merged", pl.Boolean, "Yhdistetty", "Sammanfogad", "Merged"),
    column("is_child", pl.Boolean, "Alitapaus", "Underordnat ärende", "Child case", also=PARENTS),
)  # fmt: skip
"""Delivered text of broken rows is hidden throughout: a row whose cells slipped shows titles and people in any column."""

CASE = form(
    "contact_request",
    labels("Yhteydenotot", "Kontakter", "Contact requests"),
    "One version of one contact request.",
    columns=tuple(replace(item, is_masked=True) for item in _COLUMNS),
    key=("case_id", "modified_at"),
    unit=("agency", "case_id", "modified_at", "closed_at"),
    rules=(
        Rule("closing_time_missing", "closed_at", "warn", "completeness", "The case is closed and nothing says when: it counts in no time of resolution and in no month's closings."),
        Rule("type_unmapped", "request_type", "warn", "consistency", "The type of request stands in no register (codelists/contact_words.csv)."),
        Rule("joint_procurement_unmapped", "joint_procurement", "warn", "consistency", "The joint procurement is neither a code nor known to codelists/contact_joint_procurements.csv."),
    ),
)  # fmt: skip
"""The unit is a version, not a case: earlier closings of a case that was opened again are counted too. Of the versions of a
case the newest tells all else (transforms/measures/contact_requests.py)."""

CONTRACT = Contract(
    source="contact_requests",
    version="1.0",
    kind="keyed",
    title=labels("Yhteydenotot", "Kontakter", "Contact requests"),
    description="Contact requests that customers make of a central purchasing body: when, of which type, how fast and how long.",
    tables=(CASE,),
    is_personal=True,
)
