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
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from importlib.metadata import version

import polars as pl

from flows.measuring import Split, measure, plans_of
from flows.publishing import next_number
from flows.refreshing import look_ahead
from schemas.errors import ConfigurationError
from schemas.reference import Reference
from transforms.key_figures import DEFINITIONS
from warehouse import ledger, revisions
from warehouse.landing import Landed
from warehouse.revisions import CORRECTION, DEFINITION, LATE, REFERENCE
from warehouse.store import Store

log = logging.getLogger(__name__)
STATE = "stepped_with"
Come = tuple[str, pl.DataFrame | None]
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
            if known["code"] != marks["code"]:
                come.append((DEFINITION, self._former(DEFINITION)))
            if known["reference"] != marks["reference"]:
                if not come:
                    come.append((REFERENCE, self._former(REFERENCE)))
                elif (defined := self._defined_by_old_registers()) is not None:
                    come.append((REFERENCE, defined))
        with self._store.transaction():
            self._note(come)
            ledger.set_state(self._store, STATE, json.dumps(marks))
            ledger.keep_registers(self._store, self._reference.texts())

    def data(self, moved: Sequence[Landed], brought: Sequence[str], apply: Callable[[], None]) -> Callable[[], None]:
        """Tell corrections and late deliveries apart in what is about to be loaded; what is returned notes them, in the transaction
        that loads.

        `apply` writes the ledger's rows of what has `moved`; `brought` are the deliveries that bring rows.
        """
        if not self._is_out or not moved:
            return lambda: None
        split, corrected = Split(frozenset(brought)), None
        with self._store.taken_back():
            apply()
            measure(self._store, self._reference, moved, self._at, split)
            if split.corrects and split.adds:
                corrected = look_ahead(self._store, self._reference, self._as_of)
        come: list[Come] = []
        if split.corrects:
            come.append((CORRECTION, self._former(CORRECTION)))
        if split.adds:
            come.append((LATE, corrected if split.corrects else self._former(LATE)))
        return partial(self._note, come)

    @property
    def _is_out(self) -> bool:
        """Whether there is a publication to revise."""
        return self._number > 1

    def _former(self, cause: str) -> pl.DataFrame | None:
        """What the causes that have come before `cause` come to, worked out from the warehouse as it is; None where there are none."""
        causes = revisions.pending(self._store, self._number)
        return self._worked_out(self._reference) if causes and causes[-1] != cause else None

    def _note(self, come: Sequence[Come]) -> None:
        for cause, former in come:
            if former is not None:
                revisions.keep_step(self._store, self._number, former)
            revisions.note(self._store, self._number, cause)

    def _worked_out(self, reference: Reference) -> pl.DataFrame:
        with self._store.taken_back():
            measure(self._store, reference, [], self._at)
            return look_ahead(self._store, reference, self._as_of)

    def _defined_by_old_registers(self) -> pl.DataFrame | None:
        """The step of new definitions, worked out with the registers of the last run; None where these no longer fit the
        definitions, which then answer for both."""
        try:
            return self._worked_out(self._reference.replaced(ledger.kept_registers(self._store)))
        except (ConfigurationError, KeyError, ValueError, pl.exceptions.PolarsError) as error:
            log.info("registers of the last run do not fit the new definitions (%s): told as one cause", type(error).__name__)
            return None
