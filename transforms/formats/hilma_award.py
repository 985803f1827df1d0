"""Awards of Hilma's own JSON notices, and what its two modules share: values, organisations, what is withheld.

One lot has one result, however many contracts it became: each contract repeats the number of tenders it was awarded from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from transforms.formats.codes import alpha2
from transforms.formats.eforms_parts import Organisation
from transforms.formats.rows import CONTRADICTORY, Notice, Value, agreed
from transforms.formats.ted_parts import UNDIVIDED, lot_name
from transforms.formats.values import UnreadableError, cents, count

Node = Mapping[str, object]
"""A JSON object with its keys in small letters."""
HELSINKI = ZoneInfo("Europe/Helsinki")
NO_MOMENT = "0001-01-01"
"""What a time holds in which nobody put one."""
UNKNOWN_COUNTS = (None, None)
DISCONTINUED = 2
"""failureReason; the other one, 1, does not tell whether there were no tenders or all were rejected."""


def node(value: object) -> Node:
    """The value as an object with its keys in small letters; of a list of one object that object; an empty one for anything else."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return {key.lower(): item for key, item in value.items()} if isinstance(value, dict) else {}


def nodes(value: object) -> list[Node]:
    """The objects in a list, also in lists within it; an object alone is a list of one."""
    if isinstance(value, list):
        return [one for item in value for one in nodes(item)]
    return [node(value)] if isinstance(value, dict) and value else []


def text(value: object) -> str | None:
    """Text without surrounding blanks; numbers as text; None for empty text, truth values and anything that holds others."""
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def code(value: object) -> int | None:
    """A whole number, also as text; None for anything else."""
    found = text(value)
    digits = found.removesuffix(".0") if found else ""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 12 else None


def key(value: object) -> str | None:
    """What a number names, however it is written; 0 is a default and names nothing."""
    number = code(value)
    return text(value) if number is None else str(number) if number else None


def local(value: object) -> tuple[str | None, str | None]:
    """Day and time of day in Finland of a local time, or, with an offset then, of one that states its offset. Text that is no time
    comes back as it is; the first moment of all is a default."""
    moment = text(value)
    if moment is None or moment.startswith(NO_MOMENT):
        return None, None
    try:
        read = datetime.fromisoformat(moment)
        written = (read.astimezone(HELSINKI) if read.tzinfo else read).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return moment, None
    return written[:10], written[11:] if len(moment) > len("2022-03-01") else None


def yes(value: object) -> bool:
    """Whether a flag is set, also as text."""
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


@dataclass(eq=False)
class Reading:
    """One notice being read: its rows, its organisations by (name, id, country), what is withheld."""

    notice: Notice = field(default_factory=Notice)
    withheld: list[str] = field(default_factory=list)
    _organisations: dict[tuple[str, str | None, str | None], Organisation] = field(default_factory=dict)

    def hides(self, flag: object, withheld: str) -> bool:
        """Whether a flag keeps something from publication; noted as withheld."""
        if yes(flag):
            self.withheld.append(withheld)
            return True
        return False

    def euros(self, value: object, column: str, withheld: str = "not-val") -> int | None:
        """Cents of a ValueRange's exact value; its `type` may be 0 all the same. None for ranges, withheld values, no value,
        and other currencies or what cannot be read (both noted)."""
        given = node(value)
        if not given or self.hides(given.get("disagreetobepublished"), withheld) or code(given.get("type")) == 2:
            return None
        return self._cents(given.get("value"), given, column)

    def bounds(self, value: object) -> tuple[int | None, int | None]:
        """Lowest and highest offer of a ValueRange of type 2 that is not withheld."""
        given = node(value)
        if code(given.get("type")) != 2 or yes(given.get("disagreetobepublished")):
            return None, None
        low = self._cents(given.get("minvalue"), given, "lowest_cents")
        return low, self._cents(given.get("maxvalue"), given, "highest_cents")

    def _cents(self, value: object, given: Node, column: str) -> int | None:
        amount = text(value)
        if amount is None:
            return None
        currency = (text(given.get("currency")) or "").upper()
        try:
            read = cents(amount)
        except UnreadableError:
            self.notice.found("value_unreadable", column, amount)
            return None
        if read == 0 and code(given.get("type")) in (0, None):  # the default of a value that was never given
            return None
        if currency != "EUR":
            self.notice.currencies.add(currency if currency.isalpha() and len(currency) == 3 else "unknown")
            return None
        return read

    def number(self, value: object, column: str) -> int | None:
        """A count; None when absent or unreadable (noted)."""
        given = text(value)
        try:
            return count(given) if given else None
        except UnreadableError:
            self.notice.found("value_unreadable", column, given)
            return None

    def organisation(self, block: Node) -> Organisation | None:
        """The organisation that an address block describes; the same block twice is one. None without a name."""
        name = " ".join((text(block.get("officialname")) or "").split())
        if not name:
            return None
        registration = text(block.get("nationalregistrationnumber"))
        country = alpha2(text(node(block.get("postaladdress")).get("country")))
        key = (name.casefold(), registration, country)
        if key not in self._organisations:
            codes = block.get("nutscodes")
            listed = [level for item in codes if (level := text(item))] if isinstance(codes, list) else []
            nuts = max(listed, key=len, default=None)
            ref = f"ORG-{len(self._organisations) + 1:04d}"
            found = Organisation(ref, name, registration, country, nuts, None, is_central=False, is_person=False)
            self._organisations[key] = found
        return self._organisations[key]

    def organisation_rows(self) -> list[tuple[Value, ...]]:
        """Raw organisation rows in the order met."""
        return [organisation.row() for organisation in self._organisations.values()]


def results(lots: list[tuple[str, Node]], reading: Reading) -> set[str]:
    """Lot results, tenders, winners, contracts of lots and their descriptions; the lots that found a winner. An award object
    with contractAwarded 0 is a default, not a result."""
    awarded: set[str] = set()
    for lot, description in lots:
        award = node(description.get("awardcontract"))
        state = code(award.get("contractawarded"))
        if state == 1:
            awarded.add(lot)
            many = nodes(award.get("awardedcontracts"))
            _awarded(lot, many or nodes(award.get("awardedcontract")), reading)
        elif state == 2:
            reason = code(node(award.get("noawardedcontract")).get("failurereason"))
            _result(lot, "clos-nw", "other" if reason == DISCONTINUED else None, reading)
    return awarded


def defence(content: Node, lots: list[str], reading: Reading) -> set[str]:
    """The results of a defence award (2009/81), which stand beside the lots, gathered by lot."""
    by_lot: dict[str, list[Node]] = {}
    for award in nodes(content.get("contractawardsdefence")):
        number = text(award.get("lotnumber"))
        lot = lot_name(number) if number else lots[0] if len(lots) == 1 else UNDIVIDED
        counts = award.get("numberoftenders")
        by_lot.setdefault(lot, []).append(
            {
                "conclusiondate": award.get("contractawarddecisiondate"),
                "numberoftenders": counts if isinstance(counts, dict) else {"total": counts},
                "contractors": nodes(award.get("contractor")),
                "finaltotalvalue": award.get("finaltotalvalue"),
            }
        )
    for lot, contracts in by_lot.items():
        _awarded(lot, contracts, reading)
    return set(by_lot)


def contest(content: Node, lot: str, reading: Reading) -> set[str]:
    """The result of a design contest, which stands beside its one lot. Its participants are no tenders."""
    given = node(content.get("resultsofcontest"))
    winners = nodes(given.get("winners"))
    if yes(given.get("contestwasterminated")) or code(given.get("noprizetype")):
        _result(lot, "clos-nw", None, reading)
        return set()
    if not winners:
        return set()
    hidden = next((value for name, value in given.items() if name.startswith("disagree") and "winner" in name), None)
    told = {
        "conclusiondate": given.get("dateofjurydecision"),
        "contractors": winners,
        "disagreecontractorinformationtobepublished": hidden,
    }
    _awarded(lot, [told], reading)
    return {lot}


def _awarded(lot: str, contracts: list[Node], reading: Reading) -> None:
    notice = reading.notice
    result_id = f"RES-{len(notice.lot_results) + 1}"
    counts: list[tuple[int | None, int | None]] = []
    values: list[int | None] = []
    lows: list[int] = []
    highs: list[int] = []
    days: list[str] = []
    winners: dict[str, str | None] = {}
    small_parties: set[frozenset[str]] = set()  # as many tenders of SMEs have won, at least
    for contract in contracts:
        counts.append(_counts(node(contract.get("numberoftenders")), reading))
        final = contract.get("finaltotalvalue")
        value = reading.euros(final, "award_value_cents", "win-ten-val")
        low, high = reading.bounds(final)
        lows += [low] if low is not None else []
        highs += [high] if high is not None else []
        values.append(value)
        day, _ = local(contract.get("conclusiondate"))
        days += [day] if day else []
        number = len(notice.contracts) + 1
        notice.contracts.append((f"CON-{number}", day, None, None, value))
        currency = text(node(final).get("currency")) if value is not None else None
        notice.tenders.append((f"TEN-{number}", result_id, lot, True, None, value, currency, f"CON-{number}"))
        own = dict(_contractors(contract, reading))
        if own and all(own.values()):
            small_parties.add(frozenset(own))
        for ref, size in own.items():
            winners[ref] = winners.get(ref) or size
    notice.winners.extend((result_id, lot, ref, size) for ref, size in winners.items())
    tenders, small = _one(counts, 0, reading), agreed(_one(counts, 1, reading), len(small_parties), notice)
    total = sum(value for value in values if value is not None) if values and None not in values else None
    extra = (min(days, default=None), total, min(lows, default=None), max(highs, default=None))
    _result(lot, "selec-w", None, reading, (tenders, small), extra)


def _result(
    lot: str,
    result_code: str,
    reason: str | None,
    reading: Reading,
    counts: tuple[int | None, int | None] = UNKNOWN_COUNTS,
    extra: tuple[Value, ...] = (None, None, None, None),
) -> None:
    results = reading.notice.lot_results
    results.append((f"RES-{len(results) + 1}", lot, result_code, reason, *counts, None, None, *extra, None, None))


def _counts(counts: Node, reading: Reading) -> tuple[int | None, int | None]:
    """Tenders and those of SMEs. A total of 0 is the default of what was not told: an awarded contract had a tender."""
    if reading.hides(counts.get("disagreetenderinformationtobepublished"), "rec-sub-cou"):
        return UNKNOWN_COUNTS
    total = reading.number(counts.get("total"), "tenders_n")
    return (total, reading.number(counts.get("sme"), "tenders_sme_n")) if total else UNKNOWN_COUNTS


def _one(counts: list[tuple[int | None, int | None]], which: int, reading: Reading) -> int | None:
    """The count that all contracts of the lot which tell it repeat; None, noted, when they differ."""
    known = {pair[which] for pair in counts if pair[which] is not None}
    if len(known) > 1:
        reading.notice.found(CONTRADICTORY, ("tenders_n", "tenders_sme_n")[which])
    return next(iter(known)) if len(known) == 1 else None


def _contractors(contract: Node, reading: Reading) -> list[tuple[str, str | None]]:
    """Winners with their size: a box that is not ticked says nothing."""
    if reading.hides(contract.get("disagreecontractorinformationtobepublished"), "winner"):
        return []
    found: list[tuple[str, str | None]] = []
    for block in nodes(contract.get("contractors")):
        organisation = reading.organisation(block)
        if organisation is not None:
            organisation.is_tenderer = organisation.is_winner = True
            size = "sme" if yes(block.get("issmallmediumenterprise")) else None
            organisation.size = organisation.size or size
            found.append((organisation.ref, size))
    return found
