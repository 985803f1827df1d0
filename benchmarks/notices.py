"""Twenty thousand eForms notices from bytes to raw frames on two cores, against lxml only parsing them on one.

`python -m benchmarks.notices OUT NOTICES RUNS`: notices of 10-40 kB from the samples' own templates (EU and Finnish national
ones), nothing else in the process; best of RUNS, the two in turn. The samples write only what is read; a real notice is
indented and carries contacts, texts in two languages and terms that no figure needs, so they are filled up to look like one.
The bare ones are measured too (`ratio_lxml_bare`): there every element is read.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from lxml import etree

from samples import eforms, procedures, registry
from transforms.formats.notices import read_many

SMALLEST, LARGEST = 10_000, 40_000
Named = tuple[str, bytes]


_TEXT = (
    "Hankinnan kohteena ovat palvelut, jotka tilaaja ostaa sopimuskauden aikana tarjouspyynnön liitteissä kuvatulla tavalla. "
    "Tilaaja ei sitoudu vähimmäismääriin. Sopimukseen voi sisältyä optiokausia, joiden käytöstä tilaaja päättää erikseen."
)
_TEXTS = "".join(
    f'<cbc:{name} languageID="{language}">{_TEXT}</cbc:{name}>' for name in ("Note", "Remark") for language in ("FIN", "SWE")
)
_TERM = (
    '<cac:ContractExecutionRequirement><cbc:ExecutionRequirementCode listName="conditions">{}</cbc:ExecutionRequirementCode>'
    '<cbc:Description languageID="FIN">Ehdot ovat tarjouspyynnön liitteenä.</cbc:Description></cac:ContractExecutionRequirement>'
)
FILLING = (
    (
        "<cac:PostalAddress>",
        "<cac:PostalAddress><cbc:StreetName>Esimerkkikatu 1 B</cbc:StreetName><cbc:PostalZone>00000</cbc:PostalZone>",
    ),
    (
        "</cac:PostalAddress>",
        (
            "</cac:PostalAddress><cac:Contact><cbc:Name>Hankintapalvelut</cbc:Name><cbc:Telephone>+358 9 0000000</cbc:Telephone>"
            "<cbc:ElectronicMail>hankinnat@example.invalid</cbc:ElectronicMail></cac:Contact>"
        ),
    ),
    ("</cac:ProcurementProject>", f"{_TEXTS}</cac:ProcurementProject>"),
    (
        "</cac:TenderingTerms>",
        "".join(_TERM.format(code) for code in ("fin-arrangement", "supplier-form", "other")) + "</cac:TenderingTerms>",
    ),
)
"""Where what real notices carry besides goes in; nothing of it is read."""


def filled(data: bytes) -> bytes:
    """A sample notice with what real ones carry besides, indented."""
    text = data.decode("utf-8")
    for place, filling in FILLING:
        text = text.replace(place, filling)
    root = etree.fromstring(text.encode("utf-8"))
    etree.indent(root)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def made(count: int, fill: Callable[[bytes], bytes] = filled) -> list[Named]:
    """`count` notices of the wanted size, all different."""
    found: list[Named] = []
    for name, bare in _written():
        data = fill(bare)
        if SMALLEST <= len(data) <= LARGEST:
            found.append((name, data))
        if len(found) == count:
            break
    return found


def _written() -> Iterator[Named]:
    rng = Random("notices")
    world = registry.build(rng, 180)
    buyers = list(world.organisations.values())
    while True:
        planted = procedures.plant(rng, world, buyers, per_year=1_000, first_year=2024, last_year=2025)
        for procedure, notice in procedures.in_order(planted):
            if notice.form != "ted":
                yield notice.notice_id, eforms.write(procedure, notice, 1)


def parse_only(blobs: list[Named]) -> None:
    """What any reader must do: every document to a tree, with the same hardening, and nothing else."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    for _, data in blobs:
        etree.fromstring(data, parser)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def best(blobs: list[Named], runs: int) -> tuple[float, float]:
    """Seconds of ours and of lxml, the best of alternating runs."""
    ours, floor = [], []
    for _ in range(runs):
        floor.append(seconds(lambda: parse_only(blobs)))
        ours.append(seconds(lambda: read_many(blobs, processes=2)))
    return min(ours), min(floor)


def main() -> None:
    out, count, runs = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    blobs = made(count)
    frames = read_many(blobs, processes=2)
    assert frames["notice"].height == count, f"{frames['notice'].height} of {count} notices were read"
    del frames
    ours, floor = best(blobs, runs)
    bare_ours, bare_floor = best(made(count, bytes), runs)
    result = {
        "notices": count,
        "bytes": sum(len(data) for _, data in blobs),
        "ours_s": round(ours, 2),
        "lxml_s": round(floor, 2),
        "ratio_lxml": round(ours / floor, 3),
        "ratio_lxml_bare": round(bare_ours / bare_floor, 3),
        "per_second": round(count / ours),
    }
    out.write_text(json.dumps(result), "utf-8")


if __name__ == "__main__":
    main()
