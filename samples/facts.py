"""Planted facts: what the sample deliveries say, before any file is written.

The writers turn facts into files, `samples.truth` turns the same facts into key figures. Nothing here reads a file back.
Money is integer cents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date


@dataclass(frozen=True, slots=True)
class Organisation:
    """A fictional buyer. `code` is its code in the state's files; `delivered_code` what aliases are written for."""

    organisation_id: str
    business_id: str
    code: str
    name_fi: str
    name_sv: str
    sector: str
    branch: str
    region: str
    city_code: str = ""

    @property
    def since(self) -> date:
        """The day it began: wellbeing services counties on 1 January 2023."""
        return date(2023, 1, 1) if self.sector == "wellbeing_county" else date(2016, 1, 1)

    def memberships(self) -> tuple[tuple[str, str], ...]:
        """(level, level_id) of every level that the organisation belongs to; constant over the sample's years."""
        levels = [("national", "FI"), ("sector", self.sector), ("region", self.region), ("organisation", self.organisation_id)]
        if self.branch:
            levels.append(("branch", self.branch))
        return tuple(levels)


@dataclass(frozen=True, slots=True)
class Supplier:
    """A fictional supplier. `kind` is how a careful reader must know it; `identity` is its id then, else None.

    `id_texts` are the spellings of its id met in files. `public_until` is set for public bodies (date.max: for good).
    """

    name: str
    kind: str
    identity: str | None
    id_texts: tuple[str, ...]
    country: str = "FI"
    size: str = "sme"
    public_until: date | None = None

    def is_public(self, day: date) -> bool:
        return self.public_until is not None and day <= self.public_until


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a sample chart: `procurement_until` is the last day on which it counts as procurement, None: never.

    `known` is False for accounts that stand in no account map.
    """

    code: str
    name: str
    group: str
    category: str
    procurement_until: date | None
    known: bool = True

    def is_procurement(self, day: date) -> bool:
        return self.known and self.procurement_until is not None and day <= self.procurement_until


@dataclass(slots=True)
class Posting:
    """One posting line. `file_year` is the accounting year whose file holds it; `part` the file's part.

    `defect` is the rule that the written row breaks (it is quarantined then), `defect_text` what stands in the cell instead.
    `counted` is False on the copy that does not count (the organisation delivers the month itself) and in gross files.
    `category` is the procurement category that the file states, None where it states none.
    `dated` is False where the file has no date column: only the year is known then.
    """

    organisation: Organisation
    day: date
    file_year: int
    part: str
    case_id: str | None
    account: Account
    supplier: Supplier
    cents: int
    vat_cents: int
    id_text: str
    name_text: str
    unit: int
    defect: str = ""
    defect_text: str = ""
    counted: bool = True
    dated: bool = True
    category: str | None = None

    @property
    def accepted(self) -> bool:
        return not self.defect


@dataclass(slots=True)
class Award:
    """A winning tender: value in cents (None: not stated), its currency, its tenderers."""

    cents: int | None
    winners: tuple[Supplier, ...]
    currency: str = "EUR"


@dataclass(slots=True)
class Result:
    """The result of one lot. `tenders` None: unknown or withheld."""

    code: str
    tenders: int | None = None
    sme_tenders: int | None = None
    decision: date | None = None
    awards: list[Award] = field(default_factory=list)
    within_framework: bool = False
    withheld: tuple[str, ...] = ()
    sme_by_size: bool = False
    requests: int | None = None
    reason: str = ""


@dataclass(slots=True)
class Lot:
    """A lot of a procedure; answers are hilmaStatistics answers by their Hilma key.

    `former` is the result that an award notice told of before it was corrected.
    """

    lot_id: str
    cpv: str
    nature: str
    criteria: tuple[str, ...]
    framework: str = "none"
    dps: str = "none"
    estimated_cents: int | None = None
    free_text_criteria: bool = False
    call_answers: Mapping[str, bool | None] = field(default_factory=dict)
    result_answers: Mapping[str, bool | None] = field(default_factory=dict)
    result: Result | None = None
    former: Result | None = None


@dataclass(slots=True)
class Notice:
    """One notice in its newest version. `role`: planning, call, change, veat, result, modification.

    `published` None: the file was taken before publication, its dispatch date counts. `also_ted`: it comes a second time, as the
    TED XML that Hilma made of its own notice. `small_value`, besides the roles above: a purchase under the national threshold.
    """

    notice_id: str
    role: str
    subtype: str
    dispatched: date
    published: date | None
    versions: int = 1
    lot_ids: tuple[str, ...] = ()
    deadline: date | None = None
    cancels: bool = False
    states_value: bool = True
    form: str = "xml"
    number: str = ""
    also_ted: bool = False

    @property
    def day(self) -> date:
        return self.published or self.dispatched


@dataclass(slots=True)
class Procedure:
    """A procurement procedure with its lots and notices. `schema` eforms, ted or hilma (Hilma's own JSON); `is_ted`: EU notice, else
    national; `outside`: of no public buyer, or no procurement at all: stands in no figure.

    A second result notice corrects the first one.
    """

    procedure_id: str
    schema: str
    is_ted: bool
    buyers: tuple[Organisation, ...]
    procedure_type: str
    lots: list[Lot]
    notices: list[Notice] = field(default_factory=list)
    country: str = "FI"
    currency: str = "EUR"
    central: bool = False
    accelerated: bool = False
    estimated_cents: int | None = None
    buyer_id_missing: bool = False
    title: str = ""
    outside: bool = False

    def notice(self, role: str) -> Notice | None:
        """The newest notice of the role; None where the procedure has none."""
        return max(self._of(role), key=lambda notice: notice.day, default=None)

    def first(self, role: str) -> Notice | None:
        """The oldest notice of the role; None where the procedure has none."""
        return min(self._of(role), key=lambda notice: notice.day, default=None)

    def _of(self, role: str) -> list[Notice]:
        return [notice for notice in self.notices if notice.role == role]

    def told(self, notice: Notice) -> list[Lot]:
        """The lots as a notice tells of them: an award that was corrected gives other results and the opposite answers."""
        if notice.role != "result" or notice is self.notice("result"):
            return self.lots
        return [replace(lot, result=lot.former, result_answers=_opposite(lot.result_answers)) for lot in self.lots]


def _opposite(answers: Mapping[str, bool | None]) -> Mapping[str, bool | None]:
    return {key: None if value is None else not value for key, value in answers.items()}


@dataclass(slots=True)
class Canary:
    """Personal data planted in a file; it must stand in no output. `kind`: personal_id, person_name, email, phone, free_text."""

    text: str
    kind: str
    file: str
    where: str


@dataclass(slots=True)
class Outcome:
    """What must become of a delivered file. Cents are those of rows whose amount can be read; `rows_set_aside` holds grand
    totals and the `blank_lines`."""

    file: str
    agency: str
    source: str
    expected: str
    reason: str = ""
    rows_accepted: int = 0
    rows_set_aside: int = 0
    rows_quarantined: int = 0
    blank_lines: int = 0
    cents_accepted: int = 0
    cents_set_aside: int = 0
    cents_quarantined: int = 0
    amounts_unreadable: int = 0
    rules: Mapping[str, int] = field(default_factory=dict)


Holding = tuple[str, Organisation, tuple[int, ...]]
"""An agency, an organisation that its files name, and the years it delivered."""
