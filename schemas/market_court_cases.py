"""Market Court cases on public procurement: one row per case, as a register of the court or of a follower of it keeps them.

Origin: the Market Court's yearly statistics name cases filed and decided (markkinaoikeus.fi); no export of the register is
published, so the columns are ours and a template writes them. Appellants are not asked for: they may be people.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract
from schemas.forms import CODE_HINT, CODE_RULE, coded, column, form, labels, organisation

OUTCOMES = {
    "pending": ("vireillä", "anhängig", "pending"),
    "granted": ("hyväksytty", "bifallen", "granted", "osittain hyväksytty", "delvis bifallen", "partly granted"),
    "rejected": ("hylätty", "avslagen", "rejected"),
    "inadmissible": ("jätetty tutkimatta", "avvisad", "inadmissible"),
    "withdrawn": ("peruutettu", "återkallad", "withdrawn", "rauennut", "förfallen", "lapsed"),
}

CASE = form(
    "market_court_case",
    labels("Markkinaoikeusasiat", "Ärenden i marknadsdomstolen", "Market Court cases"),
    "One procurement case in the Market Court.",
    columns=(
        column("case_number", pl.String, "Diaarinumero", "Diarienummer", "Case number", is_id=True, required=True, is_masked=True, hint=CODE_HINT, also=("dnro", "dnr", "asianumero")),
        *organisation(also=("hankintayksikön y-tunnus", "upphandlande enhetens fo-nummer", "contracting authority id")),
        column("filed_on", pl.Date, "Vireilletulopäivä", "Inkom den", "Filed on", required=True, also=("vireille", "anhängig den")),
        column("decided_on", pl.Date, "Ratkaisupäivä", "Avgjord den", "Decided on", also=("ratkaistu", "avgjort")),
        coded("outcome", OUTCOMES, "Ratkaisu", "Avgörande", "Outcome"),
        column("procedure_id", pl.String, "Hankintamenettelyn tunnus", "Upphandlingens nummer", "Procedure id", is_id=True, is_masked=True, hint=labels("Hilman menettelyn tunnus, jos tiedossa.", "Hilmas nummer, om känt.", "Hilma's procedure id where known.")),
    ),
    key=("case_number",),
    unit=("case_number",),
    rules=(CODE_RULE,),
)  # fmt: skip

CONTRACT = Contract(
    source="market_court_cases",
    version="1.0",
    kind="keyed",
    title=labels("Markkinaoikeusasiat", "Ärenden i marknadsdomstolen", "Market Court cases"),
    description="Public-procurement cases filed with the Market Court, by contracting authority.",
    tables=(CASE,),
)
