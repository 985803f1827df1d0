"""Stepping: what comes before a publication for different causes is told apart (METHOD 30).

Whenever something is about to change the warehouse for another cause than what changed it before, the figures are worked out as
they would be without it, in a transaction that is taken back, and kept as a step of the revision. So nothing that is published
depends on how many causes there were; a run with one cause works nothing out twice.

Figures under disclosure control and those of panels have no steps: their revision bears the last cause.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from functools import partial
from importlib.metadata import version
from typing import Literal

import polars as pl

from flows.measuring import measure, plans_of, tell
from flows.publishing import next_number
from flows.refreshing import look_ahead
from schemas.reference import Reference
from transforms.disclosure.rules import protected, rules
from transforms.key_figures import DEFINITIONS
from transforms.settle import PANEL
from warehouse import ledger, revisions
from warehouse.landing import Landed
from warehouse.revisions import CORRECTION, DEFINITION, LATE, REFERENCE
from warehouse.store import Store

log = logging.getLogger(__name__)
STATE = "stepped_with"
FAILED: Literal["failed"] = "failed"
Step = pl.DataFrame | Literal["failed"] | None
Come = tuple[str, Step]
"""A cause that has come, and what the figures were before it where another one had come already."""


class Steps:
    """The causes of one run, told apart."""

    def __init__(self, store: Store, reference: Reference, as_of: date, at: datetime) -> None:
        self._store = store
        self._reference = reference
        self._as_of = as_of
        self._at = at
        revisions.create(store)
        self._number = next_number(store)

    def registers(self) -> None:
        """Note other definitions and other registers than those of the last run."""
        basis = repr((version("nyckeltal"), sorted(DEFINITIONS.items()), plans_of()))
        marks = {"code": hashlib.sha256(basis.encode()).hexdigest(), "reference": self._reference.fingerprint}
        known = json.loads(ledger.state(self._store, STATE) or "null")
        if known == marks:
            return
        come: list[Come] = []
        if known and self._is_out:
            former = self._reference.replaced(ledger.kept_registers(self._store))
            if known["code"] != marks["code"]:
                come.append((DEFINITION, self._former(DEFINITION, former)))
            if known["reference"] != marks["reference"]:
                defined = self._worked_out(former) if come else self._former(REFERENCE, former)
                come.append((REFERENCE, defined))
        with self._store.transaction():
            self._note(come)
            ledger.set_state(self._store, STATE, json.dumps(marks))
            ledger.keep_registers(self._store, self._reference.texts())

    def data(self, moved: Sequence[Landed], brought: Collection[str], apply: Callable[[], None]) -> Callable[[], None]:
        """Tell corrections and late deliveries apart in what is about to be loaded; what is returned notes them, in the transaction
        that loads.

        `apply` writes the ledger's rows of what has `moved`; `brought` are the deliveries that bring rows for the first time.
        """
        if not self._is_out or not moved:
            return lambda: None
        corrected: Step = None
        with self._store.taken_back():
            apply()
            corrects, adds = tell(self._store, moved, brought)
            if corrects and adds:
                corrected = self._looked_ahead(self._reference, moved, brought)
        come: list[Come] = []
        if corrects:
            come.append((CORRECTION, self._former(CORRECTION, self._reference)))
        if adds:
            come.append((LATE, corrected if corrects else self._former(LATE, self._reference)))
        return partial(self._note, come)

    @property
    def _is_out(self) -> bool:
        """Whether there is a publication to revise."""
        return self._number > 1

    def _former(self, cause: str, reference: Reference) -> Step:
        """What the causes that have come before `cause` come to, worked out from the warehouse as it is; None where there are none."""
        causes = revisions.pending(self._store, self._number)
        return self._worked_out(reference) if causes and causes[-1] != cause else None

    def _note(self, come: Sequence[Come]) -> None:
        """Remember causes with what was before them; one whose step could not be worked out is told as one with the cause before."""
        for cause, former in come:
            if former is FAILED:
                continue
            if isinstance(former, pl.DataFrame):
                revisions.keep_step(self._store, self._number, former)
            revisions.note(self._store, self._number, cause)

    def _worked_out(self, reference: Reference) -> Step:
        with self._store.taken_back():
            return self._looked_ahead(reference, [], None)

    def _looked_ahead(self, reference: Reference, moved: Sequence[Landed], without: Collection[str] | None) -> Step:
        """The figures that would be; FAILED where they cannot be told: no delivery waits for that.

        Figures under disclosure control, by the registers of either run, and those of panels have no steps.
        """
        try:
            measure(self._store, reference, moved, self._at, without)
            found = look_ahead(self._store, reference, self._as_of)
            guarded = {*protected(rules(reference, DEFINITIONS)), *protected(rules(self._reference, DEFINITIONS))}
        except Exception as error:
            log.warning("causes of revisions are told as one: %s", type(error).__name__, exc_info=True)
            return FAILED
        return found.filter(~pl.col("figure_id").is_in(list(guarded)), panel=PANEL)
