"""Strategic goals of units with their targets, status and the procurements tied to them: one row per unit, year and goal.

Origin: Hankintaluotsi (Upphandlingslotsen) is where goals of procurement are set, tied to single procurements and followed up
(PRODUCT S8); it has no published export, so the columns are ours and a template writes them. A goal is known by a code: its
wording is free text, which is not stored.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, Rule
from schemas.forms import coded, column, form, labels, organisation, year

STATUSES = {
    "reached": ("saavutettu", "uppnått", "reached", "toteutunut", "uppfyllt"),
    "on_track": ("aikataulussa", "enligt plan", "on track", "etenee suunnitellusti"),
    "delayed": ("myöhässä", "försenat", "delayed", "jäljessä"),
    "not_reached": ("ei saavutettu", "inte uppnått", "not reached", "ej uppnått"),
    "dropped": ("luovuttu", "slopat", "dropped", "peruttu"),
}

GOAL = form(
    "strategic_goal",
    labels("Strategiset tavoitteet", "Strategiska mål", "Strategic goals"),
    "The state of one goal of one unit in one year.",
    columns=(
        *organisation(),
        year(),
        column("goal_id", pl.String, "Tavoitteen tunnus", "Målets kod", "Goal code", is_id=True, required=True, is_masked=True, hint=labels("Tunnus ilman välilyöntejä, ei tavoitteen sanamuotoa.", "En kod utan blanksteg, inte målets ordalydelse.", "A code without blanks, not the goal's wording.")),
        column("target_hundredths", pl.Int64, "Tavoitearvo", "Målvärde", "Target value", unit="hundredth", description="Target, in hundredths of the goal's own unit."),
        column("actual_hundredths", pl.Int64, "Toteuma", "Utfall", "Actual value", unit="hundredth", description="What was reached, in hundredths of the goal's own unit."),
        coded("status", STATUSES, "Tila", "Status", "Status", hint=labels("Tyhjä: ei raportoitu.", "Tomt: inte rapporterat.", "Blank: not reported.")),
        column("due_on", pl.Date, "Raportoitava viimeistään", "Rapporteras senast", "Report due on", hint=labels("Tyhjä: vuoden viimeisenä päivänä.", "Tomt: årets sista dag.", "Blank: the year's last day.")),
        column("procurements_n", pl.Int64, "Tavoitteeseen kytkettyjä hankintoja", "Upphandlingar kopplade till målet", "Procurements tied to the goal", minimum=0, maximum=100_000),
        column("procurement_ids", pl.String, "Kytkettyjen hankintojen tunnukset", "De kopplade upphandlingarnas nummer", "Ids of the procurements tied", is_masked=True, hint=labels("Hankintojen tunnukset puolipistein erotettuina.", "Upphandlingarnas nummer, åtskilda med semikolon.", "Ids of the procurements, separated by semicolons.")),
    ),
    key=("organisation_id", "year", "goal_id"),
    unit=("organisation_id", "year"),
    rules=(
        Rule("text_not_a_code", None, "fail", "validity", "The cell holds text where codes are asked for; codes have no blanks, and a digit unless they are three letters at most.", limit_share=0.5),
    ),
)  # fmt: skip

CONTRACT = Contract(
    source="strategic_goals",
    version="1.0",
    kind="keyed",
    title=labels("Hankintojen strategiset tavoitteet", "Strategiska mål för upphandlingen", "Strategic goals of procurement"),
    description="Goals of units as set and followed up in Hankintaluotsi, with the procurements tied to them.",
    tables=(GOAL,),
)
