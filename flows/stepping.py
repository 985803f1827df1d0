"""Stepping: what comes before a publication for different causes is told apart (METHOD 30).

Whenever something is about to change the warehouse for another cause than what changed it before, the figures are worked out as
they would be without it, in a transaction that is taken back, and kept as a step of the revision. So nothing that is published
depends on how many causes there were; a run with one cause works nothing out twice.

Figures under disclosure control and those of panels have no steps: their revision bears the last cause, but where their code
changed that one, whatever came after it: nobody who delivers is blamed for a formula.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Literal

import polars as pl

from flows import code_marks
from flows.measuring import measure, tell
from flows.publishing import next_number
from flows.refreshing import look_ahead
from schemas.reference import Reference
from transforms.disclosure.rules import protected, rules
from transforms.key_figures import DEFINITIONS
from transforms.settle import PANEL
from warehouse import figures, ledger, revisions
from warehouse.landing import Landed
from warehouse.revisions import CODE, CORRECTION, DEFINITION, LATE, REFERENCE
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
        self._number = next_number(store)

    def registers(self) -> None:
        """Note other definitions, other code and other registers than those of the last run."""
        code = code_marks.of(self._store)
        marks = {"code": code.units, "reference": self._reference.fingerprint}
        known = json.loads(ledger.state(self._store, STATE) or "null")
        if known == marks:
            return
        come: list[Come] = []
        borne: dict[str, str] = {}
        worked_out: Step = None
        if known and self._is_out:
            former = self._reference.replaced(ledger.kept_registers(self._store))
            if known["code"] != marks["code"]:
                come, borne, worked_out = self._code(former, _changed(known["code"], code.units))
            if known["reference"] != marks["reference"]:
                if worked_out is None:
                    worked_out = self._worked_out(former) if come else self._former(REFERENCE, former)
                come.append((REFERENCE, worked_out))
        with self._store.transaction():
            if borne:
                revisions.forget(self._store)  # what waits was loaded before, and former code cannot be run
            self._note(come)
            if borne:
                revisions.note_borne(self._store, borne, self._stepless(self._reference))
            ledger.set_state(self._store, STATE, json.dumps(marks))
            ledger.keep_registers(self._store, self._reference.texts())

    def _code(self, former: Reference, changed: Collection[str]) -> tuple[list[Come], dict[str, str], Step]:
        """The causes that other code is, which figures either concerns, and what the figures are after them under the registers of
        the last run, where that had to be worked out.

        `changed`: the units of code_marks.Marks. Figures whose version differs from the published one have another definition; what
        else moves is code.
        """
        code = code_marks.of(self._store)
        versions = figures.versions(self._store)
        defined = [key for key, figure in DEFINITIONS.items() if versions.get(key, figure.version) != figure.version]
        concerned = [key for key, figure in DEFINITIONS.items() if code.units_of(figure) & set(changed)]
        borne = dict.fromkeys(concerned, CODE) | dict.fromkeys(defined, DEFINITION)
        if not defined:
            return [(CODE, None)] if concerned else [], borne, None
        after = self._worked_out(former)
        if not isinstance(after, pl.DataFrame):
            return [(DEFINITION, None), (CODE, after)], borne, after
        is_defined = pl.col("figure_id").is_in(defined)
        come: list[Come] = [(DEFINITION, None)]
        if not after.filter(~is_defined).is_empty() or CODE in borne.values():
            come.append((CODE, after.filter(is_defined)))
        return come, borne, after

    def data(
        self, moved: Sequence[Landed], brought: Collection[str], apply: Callable[[], None], by_code: bool = False
    ) -> Callable[[], None]:
        """Tell corrections and late deliveries apart in what is about to be loaded; what is returned notes them, in the transaction
        that loads.

        `apply` writes the ledger's rows of what has `moved`; `brought` are the deliveries that bring rows for the first time.
        `by_code`: they are the same deliveries as before, read by other code, and that is the cause.
        """
        if not self._is_out or not moved:
            return lambda: None
        corrected: Step = None
        former = ledger.batches(self._store)
        with self._store.taken_back():
            apply()
            corrects, adds = tell(self._store, moved, brought, former)
            if corrects and adds and not by_code:
                corrected = self._looked_ahead(self._reference, moved, brought)
        come: list[Come] = []
        if by_code:
            return partial(self._note, [(CODE, self._former(CODE, self._reference))] if corrects or adds else [])
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
            guarded = self._stepless(reference)
        except Exception as error:
            log.warning("causes of revisions are told as one: %s", type(error).__name__, exc_info=True)
            return FAILED
        return found.filter(~pl.col("figure_id").is_in(guarded), panel=PANEL)

    def _stepless(self, reference: Reference) -> list[str]:
        """Figures under disclosure control by some registers or by those of this run."""
        return sorted({*protected(rules(reference, DEFINITIONS)), *protected(rules(self._reference, DEFINITIONS))})


def _changed(known: object, units: Mapping[str, str]) -> set[str]:
    """Units whose code is another than in the last run; all where that run did not know units."""
    return {unit for unit, mark in units.items() if not isinstance(known, dict) or known.get(unit) != mark}
