"""Sectors of buyers: cities, joint authorities, counties, the state and companies, in every schema, whatever box they ticked."""

from __future__ import annotations

import json
import re

import pytest

from schemas.reference import Reference
from tests.unit.transforms.hilma_shapes import REFERENCE, notice, organisation
from tests.unit.transforms.test_notices_source import CALL, TED
from transforms.delivery import CleanPart, Limits, RawPart
from transforms.formats import hilma, notices
from transforms.measures.procurement_notices import measure
from transforms.sources import notice_cleaning


def cleaned(data: bytes) -> CleanPart:
    documents = hilma.documents(data) if data.startswith(b"{") else [hilma.Document(1, data)]
    blobs = [notices.Blob("d", item.position, item.data, content=item.content) for item in documents]
    return notice_cleaning.clean(RawPart(frames=notices.read_chunk(blobs, Limits()), refused={}), REFERENCE)


def sector(data: bytes, reference: Reference = REFERENCE) -> str | None:
    [row] = measure(cleaned(data).accepted, reference)["notice_buyer"].to_dicts()
    found: str | None = row["sector"]
    return found


def ted(name: str, kind: str | None = None, authority: str | None = None) -> bytes:
    """The award of the older schema with another buyer; `kind` is CA_TYPE (forms of utilities have none), `authority` the code of the
    coded data."""
    text = TED.decode().replace("Esimerkkilän kaupunki", name).replace("0201256-6", "2345678-4")
    text = text.replace('<CA_TYPE VALUE="REGIONAL_AUTHORITY"/>', f'<CA_TYPE VALUE="{kind}"/>' if kind else "")
    coded = f'<AA_AUTHORITY_TYPE CODE="{authority}">x</AA_AUTHORITY_TYPE>' if authority else ""
    return text.replace("<TD_DOCUMENT_TYPE", f"{coded}<TD_DOCUMENT_TYPE").encode()


@pytest.mark.parametrize(
    ("name", "kind", "authority", "expected"),
    [
        ("Mallilan Energia", None, "4", "other_public"),
        ("Mallilan Vesi Oy", None, "4", "other_public"),
        ("Mallilan kaupunki", None, "4", "municipality"),
        ("Mallilan sairaanhoitopiirin kuntayhtymä", None, "4", "joint_authority"),
        ("Malliväylävirasto", None, "4", "state"),
        ("Mallilan hankintatoimi", "REGIONAL_AUTHORITY", "3", "municipality"),
        ("Mallimaan sairaanhoitopiiri", "REGIONAL_AUTHORITY", "3", "joint_authority"),
        ("Mallimaan elinkeino-, liikenne- ja ympäristökeskus", "REGIONAL_AUTHORITY", "3", "state"),
        ("Mallilan talotoimi", "REGIONAL_AGENCY", "R", "other_public"),
        ("Ulkotalo", None, "N", "state"),
        ("Mallisäätiö sr", None, "8", "other_public"),
        ("Mallitoimi", None, "8", None),
        ("Mallitoimi", None, None, None),
    ],
)
def test_older_schema(name: str, kind: str | None, authority: str | None, expected: str | None) -> None:
    assert sector(ted(name, kind, authority)) == expected


@pytest.mark.parametrize(
    ("name", "types", "expected"),
    [
        ("Mallimaan hyvinvointialue", "ra", "wellbeing_county"),
        ("Malli-sote", "ra", "wellbeing_county"),
        ("Mallimaan liitto", "ra", "joint_authority"),
        ("Mellersta Modells välfärdsområde", "la", "wellbeing_county"),
        ("Modellby stad", "body-pl", "municipality"),
        ("Mallilan seurakuntayhtymä", "la", "parish"),
        ("Mallilan yliopisto", "body-pl-cga", "university"),
        ("Mallilan yliopiston palvelut Oy", "body-pl-cga", "other_public"),
        ("Mallilan kaupungin talot Oy", "body-pl-la", "other_public"),
        ("Malliverkko", "pub-undert", "other_public"),
    ],
)
def test_eforms(name: str, types: str, expected: str) -> None:
    assert sector(eforms(name, f'<cbc:PartyTypeCode listName="buyer-legal-type">{types}</cbc:PartyTypeCode>')) == expected


def eforms(name: str, types: str) -> bytes:
    """A call with this first buyer and these types."""
    text = re.sub(r"(<cbc:Name languageID=\"FIN\">)[^<]*", rf"\g<1>{name}", CALL.decode())
    text = re.sub(r"<cbc:CompanyID>[^<]*", "<cbc:CompanyID>2345678-4", text)
    given = f"<cac:ContractingPartyType>{types}</cac:ContractingPartyType>"
    return re.sub(r"<cac:ContractingPartyType>.*?</cac:ContractingPartyType>", given, text, flags=re.DOTALL).encode()


def test_an_entity_of_the_utilities_without_a_legal_type() -> None:
    entity = '<cbc:PartyTypeCode listName="buyer-contracting-type">cont-ent</cbc:PartyTypeCode>'
    authority = entity.replace("cont-ent", "cont-auth")
    assert sector(eforms("Malliverkko", entity)) == "other_public"
    assert sector(eforms("Malliverkko", authority)) is None


@pytest.mark.parametrize(
    ("name", "told", "expected"),
    [
        ("Malliverkko", {"contractingType": 2, "contractingAuthorityType": 0}, "other_public"),
        ("Malliverkko", {"contractingAuthorityType": 512}, "other_public"),
        ("Mallilan kaupunki", {"contractingType": 2}, "municipality"),
        ("Modellbygdens kyrka", {"contractingAuthorityType": 128}, "parish"),
        ("Malliverkko", {"contractingType": 1, "contractingAuthorityType": 64}, None),
    ],
)
def test_hilma(name: str, told: dict[str, int], expected: str | None) -> None:
    given = notice(200, 5)
    given["project"]["organisation"] = {"information": organisation(name, "2345678-4"), **told}
    assert sector(json.dumps(given).encode()) == expected


def test_words_of_a_home_stand_beside_the_shipped_ones() -> None:
    own = Reference.load({"sector_aliases.csv": "kind,delivered,sector,note\nname_end,hankintatoimi,joint_authority,\n"})
    assert sector(ted("Mallilan hankintatoimi", "REGIONAL_AUTHORITY"), own) == "joint_authority"
