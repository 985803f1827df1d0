"""The action programme for innovative public procurement: 14 actions in 4 categories, followed up per administrative branch.

Origin: Ministry of Economic Affairs and Employment, news of 13 December 2017 (14 actions, 4 categories). The titles of the
actions and categories could not be obtained: they are known by their numbers, and none is made up. A closed series (METHOD 26).
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, Rule
from schemas.forms import coded, column, form, labels, year

ACTIONS = 14
CATEGORIES = 4
STATUSES = {
    "done": ("toteutettu", "genomförd", "done", "valmis", "klar"),
    "in_progress": ("käynnissä", "pågår", "in progress", "kesken"),
    "not_started": ("ei aloitettu", "inte inledd", "not started", "aloittamatta"),
    "not_applicable": ("ei koske", "gäller inte", "not applicable"),
}

ACTION = form(
    "action_state",
    labels("Toimenpideohjelma", "Åtgärdsprogram", "Action programme"),
    "The state of one action in one administrative branch at the end of one year.",
    columns=(
        column("branch", pl.String, "Hallinnonala", "Förvaltningsområde", "Administrative branch", required=True, also=("hallinnonalan koodi", "förvaltningsområdets kod", "branch code"), hint=labels("Valtion talousarvion pääluokan numero.", "Numret på huvudtiteln i statsbudgeten.", "Number of the main title of the state budget.")),
        year(),
        column("action_no", pl.Int64, "Toimenpiteen numero", "Åtgärdens nummer", "Action number", required=True, minimum=1, maximum=ACTIONS),
        column("category", pl.Int64, "Toimenpideluokka", "Åtgärdskategori", "Action category", required=True, minimum=1, maximum=CATEGORIES),
        coded("status", STATUSES, "Tila", "Status", "Status", required=True),
    ),
    key=("branch", "year", "action_no"),
    unit=("branch", "year"),
    rules=(
        Rule("action_in_two_categories", None, "fail", "consistency", "The file puts this action into more than one category.", limit_share=0.5),
    ),
)  # fmt: skip

CONTRACT = Contract(
    source="action_programme",
    version="1.0",
    kind="keyed",
    title=labels(
        "Innovatiivisten julkisten hankintojen toimenpideohjelma",
        "Åtgärdsprogrammet för innovativ offentlig upphandling",
        "Action programme for innovative public procurement",
    ),
    description="State of the programme's 14 actions by administrative branch and year; a closed series.",
    tables=(ACTION,),
)
