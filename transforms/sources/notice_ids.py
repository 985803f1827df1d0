"""Registration ids and names of organisations in notices: normalised, checked, and freed of personal data.

Check digits by python-stdnum. Only distinct values are looked at: a delivery names the same buyers again and again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
from stdnum.dk import cpr
from stdnum.ee import ik
from stdnum.fi import hetu, ytunnus
from stdnum.lt import asmens
from stdnum.lv import pvn
from stdnum.no import fodselsnummer
from stdnum.se import personnummer

from schemas.reference import Reference

BUSINESS_ID = re.compile(r"(?<![0-9-])(?:FI)?[0-9]{7}-?[0-9](?![0-9-])", re.IGNORECASE)
HETU = re.compile(r"(?<![0-9A-Za-z])[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-Y](?![0-9A-Za-z])", re.IGNORECASE)
FOREIGN_ID = re.compile(r"^[0-9A-Za-z][0-9A-Za-z .,/:()_-]{1,38}[0-9A-Za-z]$")
CONTACT = re.compile(r"@|\+[0-9][0-9 ()-]{6,}")
PERSON_NUMBERS = {"SE": personnummer, "NO": fodselsnummer, "DK": cpr, "EE": ik, "LT": asmens}
"""Countries whose sole traders use the person's own number."""
NAME_LENGTH = 300


@dataclass(frozen=True)
class RegistrationId:
    """What a delivered registration number is: the normalised id, its kind (contract ID_KINDS), whether it was a person's."""

    value: str | None
    kind: str
    is_personal: bool = False


def read_id(text: str | None, country: str | None) -> RegistrationId:
    """A Finnish business id as NNNNNNN-N (also out of `FI09880841`, `09880841`, `X Oy Business ID 2716791-9` when exactly one
    valid id stands in the text), a foreign id upper-cased without spaces, else unreadable. A personal identity code is
    dropped."""
    text = " ".join((text or "").split())
    if not text:
        return RegistrationId(None, "none")
    if _is_personal(text, country):
        return RegistrationId(None, "unreadable", is_personal=True)
    found = _business_ids(text, country)
    if len(found) == 1:
        return RegistrationId(found.pop(), "business_id")
    is_foreign = country not in (None, "FI") and not found
    if is_foreign and sum(character.isdigit() for character in text) >= 3 and FOREIGN_ID.match(text) and not CONTACT.search(text):
        return RegistrationId(f"{country}:{re.sub(r'[ .]', '', text).upper()}", "foreign_id")
    return RegistrationId(None, "unreadable")


def _business_ids(text: str, country: str | None) -> set[str]:
    """Distinct valid business ids in a text. Without the hyphen or FI eight digits may be anything abroad."""
    found = set()
    for match in BUSINESS_ID.finditer(text):
        digits = re.sub(r"[^0-9]", "", match.group())
        plain = match.group().isdigit()
        if digits != "00000000" and ytunnus.is_valid(digits) and not (plain and country not in (None, "FI")):
            found.add(f"{digits[:7]}-{digits[7]}")
    return found


def _is_personal(text: str, country: str | None) -> bool:
    if any(hetu.is_valid(match.group()) for match in HETU.finditer(text)):
        return True
    if country == "LV" and pvn.is_valid(text) and pvn.compact(text)[0] in "0123":
        return True
    module = PERSON_NUMBERS.get(country or "")
    return module is not None and bool(module.is_valid(text))


def ids_frame(pairs: Iterable[tuple[str | None, str | None]]) -> pl.DataFrame:
    """One row per distinct (registration_text, country): registration_id, id_kind, is_personal."""
    rows = []
    for text, country in pairs:
        found = read_id(text, country)
        rows.append((text, country, found.value, found.kind, found.is_personal))
    schema = {
        "registration_text": pl.String,
        "country": pl.String,
        "registration_id": pl.String,
        "id_kind": pl.String,
        "is_personal": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


class Names:
    """Which organisation names may be kept; the words that mark sole traders and companies are a register."""

    def __init__(self, reference: Reference) -> None:
        words = reference.table("supplier_words.csv")
        self._private = _pattern(words.filter(pl.col("kind") == "private_trader")["word"].to_list())
        self._company = _pattern(words.filter(pl.col("kind") == "company_form")["word"].to_list())

    def kept(self, name: str | None, is_buyer: bool) -> str | None:
        """The name, shortened to 300 characters; None for sole traders and for names that hold a personal identity code or
        contact details."""
        if name is None or CONTACT.search(name) or HETU.search(name):
            return None
        if not is_buyer and self._private.search(name) and not self._company.search(name):
            return None
        return name[:NAME_LENGTH]

    def frame(self, pairs: Iterable[tuple[str | None, bool]]) -> pl.DataFrame:
        """One row per distinct (name, is_buyer): kept_name."""
        rows = [(name, is_buyer, self.kept(name, is_buyer)) for name, is_buyer in pairs]
        return pl.DataFrame(rows, schema={"name": pl.String, "is_buyer": pl.Boolean, "kept_name": pl.String}, orient="row")


def _pattern(words: list[str]) -> re.Pattern[str]:
    """Any of the words standing alone, whatever the case; never matches when there are none."""
    alternatives = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)" if alternatives else r"(?!)", re.IGNORECASE)
