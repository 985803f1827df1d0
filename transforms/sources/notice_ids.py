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
FORMS_IN_FRONT = "oy|oyj|ab|abp|ky|kb|kiinteistö oy|asunto oy|as oy|koy"
PERSON_NAME = re.compile(r"^[^\W\d_]+(?:-[^\W\d_]+)?(?:[ ]+[^\W\d_]\.?)?(?:[ ]+[^\W\d_]{2,}(?:-[^\W\d_]+)?){1,2}$")
"""Two or three words of letters, as first and last names are (also with an initial); who has no company form is no company."""


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
        forms = words.filter(pl.col("kind") == "company_form")["word"].to_list()
        self._company = _pattern(forms)
        self._formed = re.compile(rf"^(?:{FORMS_IN_FRONT})\.?\s|[\s,(](?:{_any(forms)})\.?\)?$", re.IGNORECASE)
        self._organisation = re.compile(
            rf"(?:{_any(words.filter(pl.col('kind') == 'organisation')['word'].to_list())})(?!\w)", re.IGNORECASE
        )

    def is_company(self, name: str | None) -> bool:
        """A company form stands at the name's end, or one that is written in front at its beginning."""
        return name is not None and self._formed.search(name) is not None

    def kept(self, name: str | None, is_buyer: bool, is_service: bool = False) -> str | None:
        """The name, shortened to 300 characters; None for sole traders, for suppliers whose name reads like a person's first and last
        name, and for names that hold a personal identity code or contact details."""
        if name is None or CONTACT.search(name) or HETU.search(name):
            return None
        if is_buyer or self._company.search(name):
            return name[:NAME_LENGTH]
        if self._private.search(name) or (not is_service and self._is_of_person(name)):
            return None
        return name[:NAME_LENGTH]

    def _is_of_person(self, name: str) -> bool:
        return PERSON_NAME.match(name) is not None and not self._organisation.search(name)

    def frame(self, organisations: Iterable[tuple[str | None, bool, bool]]) -> pl.DataFrame:
        """One row per distinct (name, is_buyer, is_service): kept_name, is_company."""
        rows = [(*given, self.kept(*given), self.is_company(given[0])) for given in organisations]
        flags = dict.fromkeys(("is_buyer", "is_service"), pl.Boolean)
        schema = {"name": pl.String, **flags, "kept_name": pl.String, "is_company": pl.Boolean}
        return pl.DataFrame(rows, schema=schema, orient="row")


def _pattern(words: list[str]) -> re.Pattern[str]:
    """Any of the words standing alone, whatever the case; never matches when there are none."""
    return re.compile(rf"(?<!\w)(?:{_any(words)})(?!\w)", re.IGNORECASE)


def _any(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)) or r"(?!)"
