"""Mini-competitions under joint procurements: one row per mini-competition, as the support of a central purchasing body keeps them.

Origin: Hansel's annual reports tell how many customers' mini-competitions were assisted (120 in 2023, 127 in 2022); no export of
the support's list is published, so the columns are ours and a template writes them. Satisfaction with the support is asked in the
survey (source `satisfaction_surveys`), not here.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Column, Contract, Rule
from schemas.forms import CODE_HINT, CODE_RULE, coded, column, form, labels, organisation

STATUSES = {
    "ongoing": ("käynnissä", "pågår", "ongoing", "kesken", "pågående"),
    "completed": ("päättynyt", "avslutad", "completed", "valmis", "ratkaistu", "slutförd", "avgjord"),
    "cancelled": ("keskeytetty", "avbruten", "cancelled", "peruttu", "inställd"),
}


def agreement() -> Column:
    """The joint procurement under which a mini-competition is held: its id in `joint_procurements`."""
    return column(
        "agreement_id", pl.String, "Yhteishankinnan tunnus", "Den gemensamma upphandlingens nummer", "Joint procurement id",
        is_id=True, is_masked=True, also=("sopimuksen tunnus", "avtalets nummer", "agreement id"), hint=CODE_HINT,
    )  # fmt: skip


MINI_COMPETITION = form(
    "mini_competition",
    labels("Minikilpailutukset", "Minikonkurrensutsättningar", "Mini-competitions"),
    "One mini-competition of a customer under a joint procurement.",
    columns=(
        column("competition_id", pl.String, "Minikilpailutuksen tunnus", "Minikonkurrensutsättningens nummer", "Mini-competition id", is_id=True, required=True, is_masked=True, hint=CODE_HINT),
        agreement(),
        *organisation(also=("asiakkaan y-tunnus", "kundens fo-nummer", "customer id")),
        coded("status", STATUSES, "Tila", "Status", "Status", required=True),
        column("started_on", pl.Date, "Alkamispäivä", "Inleddes den", "Started on", also=("alkoi", "startdatum")),
        column("decided_on", pl.Date, "Päätöspäivä", "Beslutsdatum", "Decided on", also=("hankintapäätös", "upphandlingsbeslut"), hint=labels("Pakollinen, kun kilpailutus on päättynyt.", "Obligatoriskt när konkurrensutsättningen är avslutad.", "Needed once it is completed.")),
        column("invited_n", pl.Int64, "Kutsuttuja toimittajia", "Inbjudna leverantörer", "Suppliers invited", minimum=1, maximum=10_000),
        column("bids_n", pl.Int64, "Saatuja tarjouksia", "Inkomna anbud", "Bids received", minimum=0, maximum=10_000, also=("tarjoukset", "anbud", "tarjousten määrä", "antal anbud")),
        column("is_assisted", pl.Boolean, "Tuettu kilpailutus", "Stöd gavs", "Assisted", description="Whether the central purchasing body helped; blank: not told."),
    ),
    key=("competition_id",),
    unit=("competition_id",),
    rules=(
        CODE_RULE,
        Rule("more_bids_than_invited", "bids_n", "warn", "consistency", "More bids than suppliers invited: possible where suppliers bid more than once; check the numbers."),
    ),
)  # fmt: skip

CONTRACT = Contract(
    source="mini_competitions",
    version="1.0",
    kind="keyed",
    title=labels("Minikilpailutukset", "Minikonkurrensutsättningar", "Mini-competitions"),
    description="Customers' mini-competitions under joint procurements: invited, bids, start and decision.",
    tables=(MINI_COMPETITION,),
)
