"""Purchase invoices: one row is one posting line, not one invoice; equal rows are legitimate and never de-duplicated.

Origin of the fields: the state's open data (`th_data_<year>.csv`), the 6Aika guide of 2016 and the Association of Finnish
Municipalities' guide of 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from schemas.contract import Column, Contract, Rule, Table

SUPPLIER_KINDS = ("business_id", "foreign_id", "no_id", "private_trader", "masked")
"""business_id: valid Finnish business id · foreign_id: another country's id as given · no_id: neither (a name is kept only
for known organisations and company forms) · private_trader: sole traders and persons, one class, no name, no id ·
masked: the deliverer hid the supplier ("Salassa pidettävä")."""

MAX_CENTS = 10_000_000_000_00
"""Ten thousand million euros on one posting line is refused as a mistake (rule amount_out_of_range)."""

# The columns a delivered file is mapped to before cleaning: all text. `schemas/column_maps/purchase_invoices.csv` maps an
# agency's headers to these names.
DELIVERED = (
    Column(
        "organisation_code",
        pl.String,
        "Code of the buying organisation in the deliverer's own register (state: hankintayksikko_tunnus).",
    ),
    Column("organisation_business_id", pl.String, "Business id of the buying organisation."),
    Column("organisation_name", pl.String, "Name of the buying organisation."),
    Column("branch_code", pl.String, "Administrative branch or parent organisation, code."),
    Column("branch_name", pl.String, "Administrative branch or parent organisation, name."),
    Column("sector_name", pl.String, "Sector in the deliverer's words (state file: sektori)."),
    Column("unit_code", pl.String, "Unit, division or cost centre, code."),
    Column("unit_name", pl.String, "Unit, division or cost centre, name."),
    Column("case_id", pl.String, "Invoice or voucher id; several posting lines share it."),
    Column("supplier_business_id", pl.String, "Supplier's business id as delivered.", personal=True),
    Column("supplier_name", pl.String, "Supplier's name as delivered.", personal=True),
    Column("supplier_country", pl.String, "Supplier's country code."),
    Column("account", pl.String, "Account as 'code name' in one cell (state) or the code alone."),
    Column("account_code", pl.String, "Account code; leading zeros are kept."),
    Column("account_name", pl.String, "Account name."),
    Column("category_name", pl.String, "Procurement category or service class."),
    Column("posting_date", pl.String, "Posting or voucher date, as text."),
    Column("net_amount", pl.String, "Amount without VAT, as text."),
    Column("gross_amount", pl.String, "Amount with VAT, as text."),
    Column("vat_amount", pl.String, "VAT, as text."),
    Column("notice_id", pl.String, "Hilma notice the purchase rests on, where given."),
)


@dataclass(frozen=True)
class Need:
    """What figures need of a delivered file: any of the columns; its name and the figures that fall away without it (fi, sv, en)."""

    columns: tuple[str, ...]
    name: Mapping[str, str]
    figures: Mapping[str, str]


NEEDS = (
    Need(("net_amount",), {"fi": "nettosumma", "sv": "nettobelopp", "en": "net amount"},
         {"fi": "kaikki euromäärät (verolliset eivät ole vertailukelpoisia)", "sv": "alla eurobelopp (belopp med moms är inte jämförbara)", "en": "all euro figures (amounts with VAT are not comparable)"}),
    Need(("account", "account_code"), {"fi": "tili", "sv": "konto", "en": "account"},
         {"fi": "kaikki euromäärät (tili kertoo, mikä on hankintaa)", "sv": "alla eurobelopp (kontot visar vad som är upphandling)", "en": "all euro figures (the account tells what is procurement)"}),
    Need(("supplier_business_id",), {"fi": "toimittajan y-tunnus", "sv": "leverantörens FO-nummer", "en": "supplier id"},
         {"fi": "toimittajien määrä ja keskittyminen, markkinoiden osuus", "sv": "antal leverantörer och koncentration, marknadens andel", "en": "number and concentration of suppliers, spend on the market"}),
    Need(("posting_date",), {"fi": "päivämäärä", "sv": "datum", "en": "date"},
         {"fi": "kuukausi- ja neljännesvuosiluvut", "sv": "tal per månad och kvartal", "en": "figures by month and quarter"}),
    Need(("case_id",), {"fi": "tositenumero", "sv": "verifikatnummer", "en": "voucher number"},
         {"fi": "pienten laskujen osuus, rivejä laskua kohti", "sv": "andelen små fakturor, rader per faktura", "en": "share of small invoices, lines per invoice"}),
    Need(("category_name",), {"fi": "hankintaluokka", "sv": "inköpskategori", "en": "category"},
         {"fi": "keskittyminen luokittain", "sv": "koncentration per kategori", "en": "concentration by category"}),
)  # fmt: skip

POSTING_LINE = Table(
    name="posting_line",
    description="Accepted posting lines of purchase invoices.",
    columns=(
        Column(
            "source_line",
            pl.Int64,
            "Line (text) or row (spreadsheet) in the delivered file, 1-based; the header counts.",
            required=True,
            minimum=1,
        ),
        Column(
            "organisation_id",
            pl.String,
            "Buying organisation: business id, with ':unit' where a unit reports for itself; state units 'state:<code>'.",
            required=True,
        ),
        Column("organisation_name", pl.String, "Name of the buying organisation as delivered."),
        Column("branch_code", pl.String, "Administrative branch, code as delivered."),
        Column("branch_name", pl.String, "Administrative branch, name as delivered."),
        Column("sector_name", pl.String, "Sector as delivered."),
        Column("unit_code", pl.String, "Unit or cost centre, code as delivered."),
        Column("unit_name", pl.String, "Unit or cost centre, name as delivered."),
        Column("case_id", pl.String, "Invoice or voucher id; null where the file has none."),
        Column("supplier_kind", pl.String, "How the supplier is known.", required=True, codes=SUPPLIER_KINDS),
        Column("supplier_id", pl.String, "Business id (NNNNNNN-N) or foreign id; null for the other kinds."),
        Column("supplier_name", pl.String, "Name; null for private traders and masked suppliers."),
        Column("supplier_country", pl.String, "Two-letter country code."),
        Column("account_code", pl.String, "Account code."),
        Column("account_name", pl.String, "Account name."),
        Column("category_name", pl.String, "Procurement category or service class as delivered."),
        Column("posting_date", pl.Date, "Posting date; null where the file has no dates."),
        Column(
            "period",
            pl.Date,
            "First day of the month of the posting date; 1 January of the slice's year where rows have no date.",
            required=True,
        ),
        Column(
            "slice_period",
            pl.Date,
            "First day of the covered period that the row belongs to: its own, else the nearest covered one.",
            required=True,
        ),
        Column(
            "net_cents", pl.Int64, "Amount without VAT; null in gross files.", unit="cent", minimum=-MAX_CENTS, maximum=MAX_CENTS
        ),
        Column(
            "gross_cents",
            pl.Int64,
            "Amount with VAT; null where not delivered.",
            unit="cent",
            minimum=-MAX_CENTS,
            maximum=MAX_CENTS,
        ),
        Column("notice_id", pl.String, "Hilma notice id, where given."),
    ),
    rules=(
        Rule("amount_missing", "net_amount", "fail", "completeness", "The amount is blank.", limit_share=0.05),
        Rule(
            "amount_unreadable",
            "net_amount",
            "fail",
            "validity",
            "The amount is not a number in the file's decimal mark.",
            limit_share=0.05,
        ),
        Rule(
            "amount_ambiguous",
            "net_amount",
            "fail",
            "validity",
            "The amount is a text with one mark before three digits (1.000), and no other text tells whether that is a decimal mark.",
            limit_share=0.05,
        ),
        Rule(
            "amount_out_of_range",
            "net_amount",
            "fail",
            "accuracy",
            "The amount is beyond ten thousand million euros.",
            limit_share=0.01,
        ),
        Rule("amount_is_formula", "net_amount", "fail", "validity", "The cell holds a formula; deliver values.", limit_share=0.0),
        Rule(
            "date_missing",
            "posting_date",
            "fail",
            "completeness",
            "The date is blank although the file has a date column.",
            limit_share=0.05,
        ),
        Rule(
            "date_unreadable",
            "posting_date",
            "fail",
            "validity",
            "The date does not follow the file's date format.",
            limit_share=0.05,
        ),
        Rule(
            "date_out_of_range",
            "posting_date",
            "fail",
            "accuracy",
            "The date is before 2000 or more than two years after the delivery.",
            limit_share=0.05,
        ),
        Rule(
            "organisation_missing",
            "organisation_code",
            "fail",
            "completeness",
            "No organisation on the row and none known for the agency.",
            limit_share=0.05,
        ),
        Rule(
            "row_malformed",
            None,
            "fail",
            "validity",
            "The row has another number of cells than the header, or broken characters.",
            limit_share=0.05,
        ),
        Rule(
            "keyless_row",
            None,
            "fail",
            "consistency",
            "Every key of the row is blank and it is not the grand total of the others.",
            limit_share=0.01,
        ),
        Rule(
            "euros_lost",
            "net_amount",
            "fail",
            "completeness",
            "Quarantined rows hold too much of the delivery's euros; an amount that cannot be read is taken for the mean of the others.",
            limit_share=0.01,
            of="euros",
        ),
        Rule(
            "no_final_newline",
            None,
            "warn",
            "completeness",
            "No line break ends the file's last row: its last value, or rows after it, may be cut off.",
        ),
        Rule(
            "organisation_unmatched",
            "organisation_name",
            "warn",
            "consistency",
            "A row of a state file whose sector is not the state's names an organisation that the register does not know; it counts under the state file's code, also where that organisation delivers itself.",
        ),
        Rule(
            "total_without_sum",
            None,
            "warn",
            "consistency",
            "A cell says total, but the amount is not the sum of the rows above: it counts as a posting.",
        ),
        Rule(
            "supplier_id_invalid",
            "supplier_business_id",
            "warn",
            "validity",
            "The business id's check digit is wrong; the supplier counts as without an id.",
        ),
        Rule(
            "id_is_number",
            None,
            "warn",
            "accuracy",
            "A spreadsheet has taken the id for a number or a day (2,02501E+11): what is lost of it cannot be brought back. An invoice's id is marked with its line, another's is left out.",
        ),
        Rule(
            "id_zeros_lost",
            None,
            "warn",
            "accuracy",
            "The id lacks zeros that others of the column begin with: a spreadsheet took it for a number. An invoice's id is marked with its line, another's is left out.",
        ),
        Rule("supplier_id_missing", "supplier_business_id", "warn", "completeness", "No business id on the row."),
        Rule(
            "personal_id_found",
            "supplier_business_id",
            "warn",
            "validity",
            "A personal identity code stood in a cell, or contact details in a name; it was dropped. Where it stood in the supplier's id or name, the supplier counts as a private trader.",
        ),
    ),
)

CONTRACT = Contract(
    source="purchase_invoices",
    version="1.0",
    kind="snapshot",
    title={"fi": "Ostolaskut", "sv": "Inköpsfakturor", "en": "Purchase invoices"},
    description="Posting lines of purchase invoices, as state agencies, municipalities and wellbeing counties publish them.",
    tables=(POSTING_LINE,),
    delivered_columns=DELIVERED,
)
