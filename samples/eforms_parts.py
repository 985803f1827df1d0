"""Pieces of eForms XML: coded elements, amounts and the organisations of a notice."""

from __future__ import annotations

from datetime import date, timedelta
from xml.sax.saxutils import escape

from samples.cellforms import point
from samples.facts import Organisation, Procedure, Supplier

COUNTRIES = {"FI": "FIN", "SE": "SWE", "EE": "EST", "DE": "DEU"}


def offset(day: date) -> str:
    """Finland's offset on that day (summer time from the last Sunday of March to the last Sunday of October)."""
    start = date(day.year, 3, 31) - timedelta(days=(date(day.year, 3, 31).weekday() + 1) % 7)
    end = date(day.year, 10, 31) - timedelta(days=(date(day.year, 10, 31).weekday() + 1) % 7)
    return "+03:00" if start <= day < end else "+02:00"


def coded(element: str, list_name: str, code: str) -> str:
    """An element with its code list."""
    return f'<{element} listName="{list_name}">{code}</{element}>'


def amount(element: str, cents: int, currency: str) -> str:
    """An amount with its currency."""
    return f'<{element} currencyID="{currency}">{point(cents)}</{element}>'


class Organisations:
    """The organisations of one notice; each gets its ORG- reference when it is first named."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._references: dict[object, str] = {}

    def buyer(self, buyer: Organisation, procedure: Procedure) -> str:
        """A buyer has two names (one per language); some write their id with FI, some leave it out."""
        first = buyer is procedure.buyers[0]
        identifier = "" if procedure.buyer_id_missing and first else buyer.business_id
        if len(procedure.procedure_id) and procedure.procedure_id[0] in "01" and procedure.country == "FI" and identifier:
            identifier = "FI" + identifier.replace("-", "")
        central = "true" if procedure.central and first else "false"
        head = f"<efbc:AcquiringCPBIndicator>false</efbc:AcquiringCPBIndicator><efbc:AwardingCPBIndicator>{central}</efbc:AwardingCPBIndicator>"
        names = (("FIN", buyer.name_fi), ("SWE", buyer.name_sv))
        return self._add(buyer.business_id, head, "", names, identifier, procedure.country)

    def winner(self, supplier: Supplier) -> str:
        """A tenderer with its size (BT-165) and, where it has one, its registration number."""
        size = (
            ""
            if supplier.kind == "foreign_id" or not supplier.size
            else coded("efbc:CompanySizeCode", "economic-operator-size", supplier.size)
        )
        return self._add(supplier.name, "", size, (("FIN", supplier.name),), supplier.identity or "", supplier.country)

    def service(self, name: str) -> str:
        """An organisation that only serves: the e-sender, the review body."""
        return self._add(name, "", "", (("FIN", name),), "", "FI")

    def xml(self) -> str:
        return "".join(self._parts)

    def _add(self, key: object, head: str, size: str, names: tuple[tuple[str, str], ...], identifier: str, country: str) -> str:
        if key in self._references:
            return self._references[key]
        reference = f"ORG-{len(self._parts) + 1:04d}"
        self._references[key] = reference
        named = "".join(
            f'<cac:PartyName><cbc:Name languageID="{language}">{escape(name)}</cbc:Name></cac:PartyName>'
            for language, name in names
        )
        legal = f"<cac:PartyLegalEntity><cbc:CompanyID>{identifier}</cbc:CompanyID></cac:PartyLegalEntity>" if identifier else ""
        place = "FI1B1" if country == "FI" else "SE110"
        address = (
            f'<cac:PostalAddress><cbc:CityName>Esimerkkilä</cbc:CityName><cbc:CountrySubentityCode listName="nuts">{place}'
            f"</cbc:CountrySubentityCode><cac:Country>{coded('cbc:IdentificationCode', 'country', COUNTRIES[country])}</cac:Country></cac:PostalAddress>"
        )
        self._parts.append(
            f'<efac:Organization>{head}<efac:Company>{size}<cac:PartyIdentification><cbc:ID schemeName="organization">{reference}</cbc:ID>'
            f"</cac:PartyIdentification>{named}{address}{legal}</efac:Company></efac:Organization>"
        )
        return reference
