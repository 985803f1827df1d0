"""What may be told of the name of a delivered file: the parts that are known, and a short hash for each run of the others.

People name files as they like, after other people too. The whole name stands in landing and in the deliverer's own receipt.
"""

from __future__ import annotations

import hashlib
import re
from itertools import groupby

WORDS = frozenset(
    ["aineisto", "asiakaskysely", "asiakastyytyvaisyys", "avoin", "award", "awards", "contact", "contacts", "contract", "csv", "customer", "data", "delivery", "eform", "eforms", "followup", "forms", "fakturor", "goals", "hankinnat", "hankinta", "hankintaluotsi", "hansel", "hakutulokset", "hilma", "ilmoitukset", "ilmoitus", "incidents", "inkop", "inköp", "invoice", "invoices", "json", "jsonl", "kaavat", "katkennut", "kontakter", "korjattu", "korjaus", "kundenkat", "kunta", "kysely", "kyselykierrokset", "lahetetyt", "laskut", "leverantorer", "luonnos", "marko", "markkinaoikeus", "minikilpailutukset", "minikilpailutuskysely", "notice", "notices", "oma", "osa", "ostodata", "ostolaskudata", "ostolaskut", "ostot", "part", "procurement", "purchase", "q", "ratkaisut", "report", "samat", "strategia", "strategiaseuranta", "supplier", "survey", "tasmennykset", "tavoitteet", "ted", "th", "toimenpiteet", "toimittajakysely", "uusi", "v", "vaikuttavuus", "versio", "version", "w", "xls", "xlsx", "xml", "yhteishankinnat", "yhteishankintaostot", "yhteydenotot", "zip"]
)
"""Words by which systems and offices name what they deliver."""
_ENDING = re.compile(r"\.(?:csv|tsv|txt|xlsx|xlsm|xls|xlsb|ods|json|jsonl|ndjson|parquet|xml|zip|gz)$", re.IGNORECASE)
_PART = re.compile(r"[^\W\d_]+|\d+|[\W_]+")
_LONGEST_NUMBER = 8
"""Dates and running numbers; a longer one may be a telephone's or an account's."""


def told_name(name: str, *known: str) -> str:
    """The name as it may be told; words of `known` (agency, source) stand, too."""
    words = WORDS | {word for text in known for word in re.findall(r"[^\W\d_]+", text.lower())}
    ending = _ENDING.search(name)
    stem = name[: ending.start()] if ending else name
    told = []
    for is_known, parts in groupby(_PART.findall(stem), lambda part: _is_known(part, words)):
        text = "".join(parts)
        told.append(text if is_known else f"#{hashlib.sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()[:8]}")
    return "".join(told) + (ending.group().lower() if ending else "")


def _is_known(part: str, words: frozenset[str]) -> bool:
    if part.isdigit():
        return part.isascii() and len(part) <= _LONGEST_NUMBER
    return part.lower() in words or bool(re.fullmatch(r"[ ._()-]{1,3}", part))
