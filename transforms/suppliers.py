"""Who a supplier is: rules for business ids, names, sole traders, persons and masked suppliers (METHOD section 5, class P1).

Everything here looks at unique values; `identify` gathers them back to rows. The words come from
`schemas/supplier_words.csv`. A personal identity code, wherever it stands in the id or the name, is never returned.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl
from stdnum.fi import ytunnus

from schemas.reference import Reference
from transforms.coded import Coded
from transforms.personal import contact_values, has_personal_id, has_swedish_number, is_swedish_number, personal_values

# What an id cell holds.
NONE, VALID, FOREIGN, INVALID, PERSONAL, MASKED_ID = range(6)
# What a name cell says.
BLANK, NAMED, TRADER, MASKED, ANONYMOUS, PERSON = range(6)

KINDS = ("business_id", "foreign_id", "no_id", "private_trader", "masked")
_KIND = {kind: code for code, kind in enumerate(KINDS)}

_FINNISH = re.compile(r"(?:FI)?(?:[ -]*\d){1,8}[ -]*", re.IGNORECASE)  # up to eight digits: meant as a Finnish id
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1)
_FOREIGN = re.compile(r"(?=.*\d)[0-9A-ZÅÄÖ][0-9A-ZÅÄÖ ./:-]{3,24}", re.IGNORECASE)


@lru_cache(maxsize=1 << 17)
def business_id(text: str) -> str | None:
    """A Finnish business id as NNNNNNN-N, or None: FI prefix, missing hyphen and old six-digit numbers are read; the
    check digit must be right; 0000000-0 passes the arithmetic but is nobody."""
    compact = re.sub(r"[\s.\u2010-\u2015\u2212-]", "", text).upper().removeprefix("FI")
    if not compact.isascii() or not compact.isdigit() or len(compact) not in (7, 8):
        return None
    compact = compact.zfill(8)
    if compact == "00000000" or not ytunnus.is_valid(compact):
        return None
    return f"{compact[:7]}-{compact[7]}"


@lru_cache(maxsize=1 << 17)
def read_id(text: str) -> tuple[int, str | None]:
    """(what the cell holds, id as stored) of one trimmed id cell."""
    if not text or not re.search(r"[0-9A-Za-zÅÄÖåäö]", text):
        return NONE, None
    if has_personal_id(text) or is_swedish_number(text) or has_swedish_number(text):
        return PERSONAL, None
    found = business_id(text)
    if found is not None:
        return VALID, found
    if _FINNISH.fullmatch(text) or text.upper().startswith("FI") or not text.strip("0 -"):
        return INVALID, None
    if _FOREIGN.fullmatch(text):
        return FOREIGN, text.upper()
    return INVALID, None


class Words:
    """Supplier words by kind, as regular expressions of Polars (no look-around there), built once per register."""

    def __init__(self, reference: Reference) -> None:
        table = reference.table("supplier_words.csv")
        by_kind: dict[str, set[str]] = {}
        for word, kind in table.select("word", "kind").iter_rows():
            by_kind.setdefault(kind, set()).add(word.lower())
        organisations = by_kind.get("organisation", set())
        forms = _any_of(by_kind.get("company_form", set()))
        # A company form counts at the start or at the end of a name; a full stop after it belongs to it ("Oy.").
        self.company = rf"^(?:{forms})\.?(?:[^\w:/&-]|$)|(?:^|[^\w:./&-])(?:{forms})\.?[)\s]*$"
        self.private = rf"(?:^|[^\w:./&-])(?:{_any_of(by_kind.get('private_person', set()))})(?:[^\w:/&-]|$)"
        self.trader = rf"(?:^|[^\w:./&-])(?:{_any_of(by_kind.get('private_trader', set()))})\.?(?:[^\w:/&-]|$)"
        # Long words also end compounds: Maanmittauslaitos.
        long_words = {word for word in organisations if len(word) >= 6}
        self.organisation = rf"(?:{_any_of(long_words)})(?:\W|$)|(?:^|\W)(?:{_any_of(organisations)})(?:\W|$)"
        self.public = rf"(?:{_any_of(long_words)})$|(?:^|\W)(?:{_any_of(organisations)})$"
        # A first name and one or two more names, or a surname before it as registers write them; a company would have its form.
        given = rf"(?:{_any_of(by_kind.get('first_name', set()))})(?:-\pL+)?"
        surname = r"[\pL-]*(?:nen|la|lä|sson|ström|berg|lund|gren|qvist|kvist|holm)"
        self.person = rf"^{given}(?: \pL\.?)?(?: [\pL-]{{2,}}){{1,2}}$|^{surname},? {given}(?: {given})?$"
        self.masked = sorted(by_kind.get("masked", set()))
        self.totals = sorted(by_kind.get("total", set()))
        self.total = rf"^(?:{_any_of(set(self.totals))})(?:\W|$)|(?:^|\W)(?:{_any_of(set(self.totals))})$"
        self.total_stems = sorted({max(re.findall("[a-z]+", word), key=len) for word in self.totals})
        self.known = sorted(_registered_names(reference))

    def read_names(self, names: pl.Series) -> np.ndarray:
        """What each trimmed name says; only NAMED ones may be stored when there is no valid business id."""
        lower = names.fill_null("").str.to_lowercase().alias("name")
        name = pl.col("name")
        persons = personal_values(lower, surely=False)
        reachable = contact_values(lower)
        said = (
            pl.when(name == "").then(BLANK)
            .when(name.is_in(self.masked)).then(MASKED)
            .when(pl.lit(persons)).then(PERSON)
            .when(pl.lit(reachable)).then(BLANK)  # a name with an address beside it is not kept, whoever's it is
            .when(name.str.contains(self.private)).then(TRADER)  # whatever form the firm has whose address a person uses
            .when(name.str.contains(self.company) | name.is_in(self.known)).then(NAMED)
            .when(name.str.contains(self.trader)).then(TRADER)
            .when(name.str.contains(self.organisation)).then(NAMED)
            .when(name.str.contains(self.person)).then(TRADER)
            .otherwise(ANONYMOUS)
        )  # fmt: skip
        return lower.to_frame().select(said.cast(pl.UInt8)).to_series().to_numpy()


def organisation_names(names: pl.Series, words: Words) -> pl.Series:
    """Trimmed names that are surely an organisation's, null for the rest: people write their own name where an organisation's is
    asked for, alone or beside it. The register's names stay; others need a company form or end in a public organisation's word
    after two words at most, and have none of the marks that set a person's name apart."""
    lower = names.str.to_lowercase()
    apart = names.str.contains(r"[/|;:,()<>@_]|\s\p{Pd}|\p{Pd}\s")
    short = names.str.contains(r"^\S+(?:\s\S+){0,2}$")
    said = pl.Series(words.read_names(names), dtype=pl.UInt8) == NAMED
    formed = lower.str.contains(words.company) | (short & lower.str.contains(words.public))
    surely = lower.is_in(words.known) | (said & ~apart & formed)
    return names.zip_with(surely.fill_null(value=False), pl.Series([None], dtype=pl.String).new_from_index(0, len(names)))


@lru_cache(maxsize=8)
def words_of(reference: Reference) -> Words:
    return Words(reference)


def _any_of(words: set[str]) -> str:
    """Alternatives, the longest first; a pattern that matches nothing when there are none."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word))) or r"[^\s\S]"


def _registered_names(reference: Reference) -> set[str]:
    bodies = reference.table("public_bodies.csv")["name"].to_list()
    organisations = reference.table("organisations.csv")
    names = [name for column in ("name_fi", "name_sv", "name_en") for name in organisations[column].to_list()]
    return {name.lower() for name in (*bodies, *names) if name}


@dataclass(frozen=True)
class Suppliers:
    """Per row: kind, id, name as stored, and which rows earn a warning."""

    kind: pl.Series
    id: pl.Series
    name: pl.Series
    invalid: np.ndarray
    missing: np.ndarray
    personal: np.ndarray


def identify(ids: Coded | None, names: Coded | None, rows: int, words: Words) -> Suppliers:
    """Suppliers of `rows` rows from their (trimmed) id and name cells; None where the file has no such column."""
    id_state, id_text = _ids(ids, rows, words)
    name_state, name_text = _names(names, rows, words)
    personal = (id_state == PERSONAL) | (name_state == PERSON)
    masked = (name_state == MASKED) | (id_state == MASKED_ID)
    trader = (personal | (name_state == TRADER)) & ~masked
    valid = (id_state == VALID) & ~masked & ~trader
    foreign = (id_state == FOREIGN) & ~masked & ~trader
    kind = np.full(rows, _KIND["no_id"], dtype=np.uint32)
    kind[valid], kind[foreign] = _KIND["business_id"], _KIND["foreign_id"]
    kind[trader], kind[masked] = _KIND["private_trader"], _KIND["masked"]
    known = valid | foreign
    # A name may be a person's, with or without a business id: only known organisations and company forms keep it.
    keep_name = (name_state == NAMED) & ~masked & ~trader
    return Suppliers(
        pl.Series("supplier_kind", KINDS, dtype=pl.String).gather(pl.Series(kind)),
        _keep(id_text, known).alias("supplier_id"),
        _keep(name_text, keep_name).alias("supplier_name"),
        invalid=(id_state == INVALID) & ~masked,
        missing=((id_state == NONE) & ~masked & ~personal) if ids is not None else np.zeros(rows, dtype=bool),
        personal=personal,
    )


def _ids(ids: Coded | None, rows: int, words: Words) -> tuple[np.ndarray, pl.Series]:
    if ids is None:
        return np.full(rows, NONE, dtype=np.uint8), _nothing(rows)
    values = ids.values
    states = np.full(len(values), NONE, dtype=np.uint8)
    valid, usual = check_usual(values)
    states[usual] = np.where(valid[usual], VALID, INVALID)
    texts = values.zip_with(pl.Series(valid), _nothing(len(values)))
    rest = pl.Series(np.flatnonzero(~usual & values.is_not_null().to_numpy()), dtype=pl.UInt32)
    read = [(MASKED_ID, None) if text.lower() in words.masked else read_id(text) for text in values.gather(rest).to_list()]
    states[rest.to_numpy()] = [state for state, _ in read]
    texts = texts.scatter(rest, pl.Series([text for _, text in read], dtype=pl.String))
    return states[ids.codes], ids.spread(texts)


def check_usual(values: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """(which are valid, which are written NNNNNNN-N at all): the arithmetic of stdnum.fi.ytunnus for many values at once;
    one value at a time would take longer than everything else together."""
    usual: np.ndarray = values.str.contains(r"^[0-9]{7}-[0-9]$").fill_null(False).to_numpy()
    number = values.str.replace("-", "", literal=True).cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    total = sum(number // 10 ** (7 - place) % 10 * weight for place, weight in enumerate(_WEIGHTS))
    return usual & (total % 11 == 0) & (number > 0), usual


def _names(names: Coded | None, rows: int, words: Words) -> tuple[np.ndarray, pl.Series]:
    if names is None:
        return np.full(rows, BLANK, dtype=np.uint8), _nothing(rows)
    return words.read_names(names.values)[names.codes], names.spread(names.values)


def _nothing(rows: int) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, rows)


def _keep(values: pl.Series, wanted: np.ndarray) -> pl.Series:
    if bool(wanted.all()):
        return values
    return values.zip_with(pl.Series(wanted), _nothing(len(values)))
