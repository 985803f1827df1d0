"""Joint procurements: the register of a central purchasing body (agreements, their suppliers, who may use them) and the purchases
that it reports.

Origin: Hansel's annual reports name the kinds of agreement, contract suppliers by size, volumes in fourteen categories and the
preliminary report's three-level classes; no export of a register is published, so the columns are ours and a template writes
them. Names of agreements and suppliers are not asked for: nothing is computed from them.

An agreement is in force on a day when valid_from <= day < valid_to.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Column, Contract, Rule
from schemas.forms import CODE_HINT, CODE_RULE, coded, column, form, labels, organisation, year

KINDS = {
    "framework": ("puitejärjestely", "ramavtal", "framework agreement", "puitesopimus", "ramarrangemang", "framework"),
    "dps": ("dynaaminen hankintajärjestelmä", "dynamiskt inköpssystem", "dynamic purchasing system", "dps"),
    "small_scale": ("pienhankinta", "småupphandling", "small-scale", "small-scale agreement"),
}
SIZES = {
    "micro": ("mikroyritys", "mikroföretag", "micro", "mikro"),
    "small": ("pieni yritys", "litet företag", "small", "pieni", "litet"),
    "medium": ("keskisuuri yritys", "medelstort företag", "medium", "keskisuuri", "medelstort"),
    "large": ("suuryritys", "stort företag", "large", "suuri", "suuri yritys", "stort"),
    "unknown": ("ei tiedossa", "okänd", "unknown", "tuntematon"),
}
SME = ("micro", "small", "medium")
SECTORS = {
    "state": ("valtio", "staten", "state"),
    "municipality": ("kunnat", "kommuner", "municipalities", "kunta"),
    "wellbeing_county": ("hyvinvointialueet", "välfärdsområden", "wellbeing services counties", "hyvinvointialue"),
    "joint_authority": ("kuntayhtymät", "samkommuner", "joint municipal authorities", "kuntayhtymä"),
    "parish": ("seurakunnat", "församlingar", "parishes", "seurakunta"),
    "university": ("yliopistot", "universitet", "universities", "yliopisto"),
    "other_public": ("muut julkiset organisaatiot", "övriga offentliga organisationer", "other public organisations"),
}
"""Sectors of sectors.csv, with its words."""
LEVELS = labels("Esiselvityksen luokka 1-3.", "Förstudiens klass 1-3.", "Class 1-3 of the preliminary report.")
PART = "is replaced whole by a newer delivery that names it"


def _agreement(required: bool = True) -> Column:
    """The agreement that a row is about."""
    return column(
        "agreement_id", pl.String, "Yhteishankinnan tunnus", "Den gemensamma upphandlingens nummer", "Joint procurement id",
        is_id=True, required=required, is_masked=True, also=("sopimuksen tunnus", "sopimustunnus", "sopimusnumero", "avtalets nummer", "avtalsnummer", "agreement id", "contract id"),
        hint=CODE_HINT,
    )  # fmt: skip


CATEGORY_RULE = Rule("category_unmapped", "category", "warn", "consistency", "The category stands in no row of codelists/agreement_categories.csv; it counts as unmapped. Add the row.")  # fmt: skip


def _category(required: bool = False) -> Column:
    return column(
        "category", pl.String, "Hankintakategoria", "Upphandlingskategori", "Category", required=required, is_masked=True,
        description="Id of the category (codelists/agreement_categories.csv); 'unmapped' where no register knows the delivered word.",
        also=("kategoria", "tuoteryhmä", "kategori", "procurement category"),
    )  # fmt: skip


AGREEMENT = form(
    "agreement",
    labels("Yhteishankinnat", "Gemensamma upphandlingar", "Joint procurements"),
    f"One agreement; it {PART}.",
    columns=(
        _agreement(),
        coded("kind", KINDS, "Muoto", "Form", "Kind", required=True, also=("sopimuksen muoto", "avtalsform", "type")),
        _category(required=True),
        column("cpv", pl.String, "CPV-koodi", "CPV-kod", "CPV code", is_masked=True, also=("cpv",)),
        column("valid_from", pl.Date, "Voimassa alkaen", "Gäller från", "Valid from", required=True, also=("alkaa", "börjar")),
        column("valid_to", pl.Date, "Päättyy", "Upphör", "Ends on", also=("ei enää voimassa alkaen", "upphör den", "gäller inte längre från", "no longer in force from"), last_day=("voimassa asti", "voimassa saakka", "viimeinen voimassaolopäivä", "gäller till", "gäller till och med", "giltig till", "giltig till och med", "valid to", "valid until", "valid through"), description="Day on which it is in force no more; blank: open-ended.", hint=labels("Päivä, jona sopimus ei enää ole voimassa. Tyhjä: toistaiseksi.", "Dagen då avtalet inte längre gäller. Tomt: tills vidare.", "The day on which it is in force no more. Blank: open-ended.")),
        column("lots_n", pl.Int64, "Osia", "Delar", "Lots", minimum=1, maximum=10_000),
        column("procedure_id", pl.String, "Hankintailmoituksen tunnus", "Upphandlingsannonsens nummer", "Notice id", is_id=True, is_masked=True, also=("hilma-tunnus", "hilma-nummer", "ilmoituksen tunnus", "procedure id"), description="Id of the procedure or of its notice; blank: not known."),
        column("is_open_to_all", pl.Boolean, "Avoin kaikille asiakkaille", "Öppen för alla kunder", "Open to all customers", description="No or blank: open to those whom `agreement_open_to` names."),
        column("is_critical", pl.Boolean, "Kriittinen hankinta", "Kritisk upphandling", "Critical"),
        column("has_preparedness_plan", pl.Boolean, "Varautumissuunnitelma tai -ehdot", "Beredskapsplan eller beredskapsvillkor", "Preparedness plan or terms"),
        column("preparedness_level", pl.Int64, "Varautumisen luokka", "Beredskapsklass", "Preparedness class", minimum=1, maximum=3, hint=LEVELS),
        column("data_protection_level", pl.Int64, "Tietosuojan luokka", "Dataskyddsklass", "Data protection class", minimum=1, maximum=3, hint=LEVELS),
        column("information_security_level", pl.Int64, "Tietoturvan luokka", "Informationssäkerhetsklass", "Information security class", minimum=1, maximum=3, hint=LEVELS),
    ),
    key=("agreement_id",),
    unit=("agency", "agreement_id"),
    rules=(CODE_RULE, CATEGORY_RULE),
)  # fmt: skip

SUPPLIER = form(
    "agreement_supplier",
    labels("Sopimustoimittajat", "Avtalsleverantörer", "Contract suppliers"),
    f"One supplier of one agreement; an agreement's list of suppliers {PART}.",
    columns=(
        _agreement(),
        column("supplier_id", pl.String, "Toimittajan Y-tunnus", "Leverantörens FO-nummer", "Supplier's business id", is_id=True, required=True, is_masked=True, also=("y-tunnus", "fo-nummer", "business id", "supplier id"), description="Business id, or the foreign register's id."),
        coded("size", SIZES, "Yrityksen koko", "Företagets storlek", "Size", also=("koko", "kokoluokka", "storlek")),
        column("valid_from", pl.Date, "Mukana alkaen", "Med från", "On the agreement from", hint=labels("Tyhjä: sopimuksen alusta.", "Tomt: från avtalets början.", "Blank: from its beginning.")),
        column("valid_to", pl.Date, "Ei enää mukana alkaen", "Inte längre med från", "Off the agreement from", last_day=("mukana asti", "mukana saakka", "med till", "med till och med", "on the agreement until", "on the agreement through"), description="First day on which it is on the agreement no more; blank: to its end.", hint=labels("Ensimmäinen päivä, jona ei enää mukana.", "Första dagen då leverantören inte längre är med.", "The first day on which it is on it no more.")),
        column("is_liability_checked", pl.Boolean, "Tilaajavastuu kunnossa", "Beställaransvar i skick", "Contractor's liability in order"),
        column("liability_checked_on", pl.Date, "Tilaajavastuu tarkistettu", "Beställaransvar kontrollerat", "Contractor's liability checked on"),
        column("subcontractors_n", pl.Int64, "Alihankkijoita", "Underleverantörer", "Subcontractors", minimum=0, maximum=100_000),
    ),
    key=("agreement_id", "supplier_id"),
    unit=("agency", "agreement_id"),
    rules=(CODE_RULE, Rule("supplier_unknown", "supplier_id", "fail", "validity", "Neither a valid Finnish business id nor a foreign register's id.", limit_share=0.5)),
)  # fmt: skip

OPEN_TO = form(
    "agreement_open_to",
    labels("Ketkä saavat käyttää", "Vilka som får använda", "Who may use"),
    f"An organisation or a whole sector that may use an agreement; an agreement's list {PART}.",
    columns=(
        _agreement(),
        *organisation(required=False, also=("asiakkaan y-tunnus", "kundens fo-nummer", "customer's business id")),
        coded("sector", SECTORS, "Sektori", "Sektor", "Sector", also=("asiakasryhmä", "kundgrupp")),
    ),
    key=(),
    unit=("agency", "agreement_id"),
    rules=(CODE_RULE, Rule("nobody_named", None, "fail", "completeness", "The row names neither an organisation nor a sector.", limit_share=0.5)),
)  # fmt: skip

PURCHASE = form(
    "reported_purchase",
    labels("Raportoidut ostot", "Rapporterade inköp", "Reported purchases"),
    "Purchases through joint procurement, as reported; a newer delivery that holds a year replaces the agency's whole year.",
    columns=(
        year(),
        column("month_number", pl.Int64, "Kuukausi", "Månad", "Month", minimum=1, maximum=12, hint=labels("1-12; tyhjä: koko vuosi.", "1-12; tomt: hela året.", "1-12; blank: the whole year.")),
        _agreement(required=False),
        _category(),
        *organisation(required=False, also=("asiakkaan y-tunnus", "kundens fo-nummer", "customer's business id")),
        column("purchase_cents", pl.Int64, "Ostot euroa", "Inköp euro", "Purchases EUR", required=True, unit="cent", also=("volyymi", "volym", "ostot", "inköp", "purchases", "volume", "value"), description="Purchases without VAT, cents.", hint=labels("Euroina, ilman arvonlisäveroa.", "I euro, utan moms.", "In euros, without VAT.")),
    ),
    key=(),
    unit=("agency", "year"),
    rules=(CODE_RULE, CATEGORY_RULE, Rule("purchase_unplaced", None, "fail", "completeness", "The row names neither a joint procurement nor a category.", limit_share=0.5)),
)  # fmt: skip

CONTRACT = Contract(
    source="joint_procurements",
    version="1.0",
    kind="keyed",
    title=labels("Yhteishankinnat", "Gemensamma upphandlingar", "Joint procurements"),
    description="Agreements of central purchasing bodies, their suppliers and users, and the purchases reported through them.",
    tables=(AGREEMENT, SUPPLIER, OPEN_TO, PURCHASE),
)
