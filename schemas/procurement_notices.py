"""Procurement notices: eForms (EU and Hilma national), Hilma's API delivery, and the older TED schema, in one set of tables.

Grains are kept apart: notice, procedure, lot, lot result, tender, winner, contract, organisation. Field numbers (BT, OPP,
OPT) are those of the eForms SDK. Withheld fields are missing, never zero. Times are UTC; dates are the notice's own.
Every table carries `notice_id` and `notice_version` (the key of a notice) and `delivery_id`.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Column, Contract, Rule, Table

FORM_TYPES = ("planning", "competition", "change", "result", "dir-awa-pre", "cont-modif", "bri", "consultation", "completion")
RESULT_CODES = ("selec-w", "clos-nw", "open-nw")
SME_SIZES = ("micro", "small", "medium", "sme")
"""BT-165: sizes of small and medium-sized enterprises."""
ID_KINDS = ("business_id", "foreign_id", "unreadable", "none")

KEY = (
    Column("delivery_id", pl.String, "Delivery that brought the notice.", required=True),
    Column("notice_id", pl.String, "BT-701; older TED schema, and Hilma's JSON of an EU notice: the document number NNNNNN-YYYY; other JSON: hilma-<id>.", required=True),
    Column("notice_version", pl.Int32, "BT-757; older TED schema: 1.", required=True, minimum=0),
)

NOTICE = Table(
    "notice",
    "One version of one notice.",
    KEY
    + (
        Column(
            "source_line",
            pl.Int64,
            "Position of the notice in its delivery (member of a zip, element of a batch), 1-based.",
            required=True,
            minimum=1,
        ),
        Column("schema", pl.String, "eforms, ted (R2.0.8, R2.0.9), hilma (Hilma's own JSON).", required=True, codes=("eforms", "ted", "hilma")),
        Column("schema_version", pl.String, "SDK or schema version, e.g. 1.13 or R2.0.9.S04."),
        Column("form_type", pl.String, "BT-03.", required=True, codes=FORM_TYPES),
        Column("notice_type", pl.String, "BT-02, e.g. cn-standard; older TED schema: the form, e.g. F03."),
        Column("subtype", pl.String, "OPP-070: 1-40, CEI, T01, T02, X01, X02, E1-E6; older TED schema: the form, e.g. F03; Hilma's JSON: also 9901-9913, 2101, 2201, 2203."),
        Column("legal_basis", pl.String, "BT-01."),
        Column("is_ted", pl.Boolean, "Published in TED by rule (EU notice), not a national notice only.", required=True),
        Column("procedure_id", pl.String, "BT-04; older TED schema: the document number of the call it follows, else its own; Hilma's JSON: hilma-<project>, which measures name as TED does."),
        Column(
            "previous_notice_id",
            pl.String,
            "Notice this one follows (older TED schema: NOTICE_NUMBER_OJ as NNNNNN-YYYY; eForms: OPP-090).",
        ),
        Column("changed_notice_id", pl.String, "BT-758: the notice that this change or modification is about."),
        Column("is_cancelled", pl.Boolean, "Change notice that cancels the procedure or lot (BT-140 reason 'cancel')."),
        Column("dispatch_date", pl.Date, "BT-05(a)."),
        Column("dispatch_at", pl.Datetime("us", "UTC"), "BT-05(a,b) in UTC."),
        Column("publication_date", pl.Date, "OPP-012; null before publication."),
        Column("publication_number", pl.String, "OPP-010, e.g. 00137599-2024."),
        Column(
            "notice_date",
            pl.Date,
            "Publication date, else dispatch date: the date that gives the notice its period.",
            required=True,
        ),
        Column("language", pl.String, "BT-702, three letters."),
        Column("country", pl.String, "Country of the first buyer, two letters."),
        Column(
            "is_national_population",
            pl.Boolean,
            "The first buyer is Finnish; others are accepted and stand outside the figures.",
            required=True,
        ),
        Column(
            "total_value_cents",
            pl.Int64,
            "BT-161 in EUR cents; null when withheld, absent or in another currency; national award notices: sum of FI-70.",
            unit="cent",
        ),
        Column("other_currency", pl.String, "Currencies other than EUR that amounts of the notice stood in, comma-separated."),
        Column("withheld_fields", pl.String, "BT-195 codes of fields withheld anywhere in the notice, comma-separated."),
    ),
    primary_key=("notice_id", "notice_version"),
    rules=(
        Rule("xml_refused", None, "fail", "validity", "Not well-formed XML, a DOCTYPE, or beyond the limits of size and depth."),
        Rule("notice_unknown", None, "fail", "validity", "The root element or form is not one this contract knows."),
        Rule("notice_id_missing", "notice_id", "fail", "completeness", "No notice id (BT-701)."),
        Rule("notice_version_invalid", "notice_version", "fail", "validity", "The notice version (BT-757) is not a number."),
        Rule(
            "notice_date_missing",
            "notice_date",
            "fail",
            "completeness",
            "Neither a publication date nor a dispatch date that is a real date.",
        ),
        Rule("form_type_unknown", "form_type", "fail", "validity", "The form type (BT-03) is not known."),
        Rule(
            "subtype_unknown",
            "subtype",
            "warn",
            "validity",
            "The notice subtype (OPP-070) is missing or not one this contract knows; the form type (BT-03) says what the notice is.",
        ),
        Rule(
            "buyer_missing", "organisation_ref", "fail", "completeness", "No buyer, or the buyer is not among the organisations."
        ),
        Rule("lot_missing", "lot_id", "warn", "completeness", "A call or result notice without lots; it counts as a notice only."),
        Rule("result_missing", "result_id", "warn", "completeness", "A result notice without a lot result: how it ended is unknown."),
        Rule(
            "identifier_missing",
            None,
            "fail",
            "completeness",
            "An organisation, lot, lot result, tender or contract of the notice has no identifier.",
        ),
        Rule(
            "identifier_duplicate",
            None,
            "fail",
            "uniqueness",
            "Two organisations, lots or lot results of the notice have the same identifier.",
        ),
        Rule(
            "notice_repeated",
            "notice_id",
            "fail",
            "uniqueness",
            "The delivery holds the same notice and version again; the last one dispatched counts.",
        ),
        Rule("value_unreadable", None, "warn", "validity", "An amount, number, date or code cannot be read and was left out."),
        Rule(
            "personal_id_found",
            None,
            "warn",
            "validity",
            "A personal identity code stood in the notice; it and the name beside it were dropped.",
        ),
        Rule("date_is_dummy", None, "warn", "validity", "A date is a placeholder (2000-01-01, 1970-01-01) and was left out."),
        Rule(
            "hilma_ted_unknown",
            None,
            "warn",
            "validity",
            "A count, size or day that Hilma wrote into TED XML (12/2019-2023) also where none was told; it was left out.",
        ),
        Rule("currency_not_eur", None, "warn", "consistency", "Amounts in another currency are not summed."),
        Rule(
            "value_implausible",
            None,
            "warn",
            "accuracy",
            "A value is a placeholder: at most one euro, nines only, or above the limit implausible_notice_value; it counts as not given.",
        ),
        Rule(
            "notice_contradictory",
            None,
            "warn",
            "consistency",
            "The notice says two things of one (awards above its own total, two numbers of tenders of one lot, fewer tenders of SMEs than SMEs won); the value is unknown.",
        ),
        Rule(
            "result_repeated",
            "result_id",
            "warn",
            "uniqueness",
            "Award sections without a lot number repeat the same counts and value: they are one result.",
        ),
        Rule(
            "value_shared",
            "award_value_cents",
            "warn",
            "consistency",
            "Several lot results name one tender: its value is that of all of them together, and not known of each.",
        ),
        Rule(
            "reference_broken",
            None,
            "warn",
            "consistency",
            "An identifier points to nothing in the notice; what it would have joined is left out.",
        ),
    ),
)

PROCEDURE = Table(
    "procedure",
    "What one notice version says of the procedure.",
    KEY
    + (
        Column("procedure_id", pl.String, "BT-04.", required=True),
        Column(
            "procedure_type",
            pl.String,
            "BT-105: open, restricted, neg-w-call, neg-wo-call, comp-dial, innovation, comp-tend, exp-int-rail, oth-single, oth-mult; older TED types mapped to these.",
        ),
        Column("is_accelerated", pl.Boolean, "BT-106."),
        Column("nature", pl.String, "BT-23: works, supplies, services."),
        Column("cpv", pl.String, "BT-262, eight digits."),
        Column("buyers_n", pl.Int32, "Distinct buyers.", required=True, minimum=0),
        Column(
            "is_joint",
            pl.Boolean,
            "More than one buyer (older TED schema: JOINT_PROCUREMENT_INVOLVED or several contracting bodies).",
        ),
        Column(
            "is_central_purchasing",
            pl.Boolean,
            "A buyer acts as a central purchasing body (OPP-051 awarding or OPP-052 acquiring; CENTRAL_PURCHASING).",
        ),
        Column("buyer_legal_type", pl.String, "BT-11 of the first buyer."),
        Column("buyer_activity", pl.String, "BT-10 of the first buyer."),
        Column(
            "estimated_value_cents",
            pl.Int64,
            "BT-27 of the procedure in EUR cents. (FI-30 of national notices is a yes/no in Hilma's schema; an amount there is taken.)",
            unit="cent",
        ),
        Column(
            "lots_n",
            pl.Int32,
            "Lots with an id that begins with LOT-; older TED schema: OBJECT_DESCR elements.",
            required=True,
            minimum=0,
        ),
    ),
    primary_key=("notice_id", "notice_version"),
)

ANSWERS = (
    "energy_efficiency",
    "low_carbon",
    "circular_economy",
    "biodiversity",
    "sustainable_food",
    "listed_green_criteria",
    "just_working_conditions",
    "employment_condition",
    "code_of_conduct",
    "innovation_considered",
    "new_to_buyer",
    "new_to_market",
    "sme_considered",
    "end_user_involved",
)
"""hilmaStatistics answers (yes/no); the Hilma keys are in transforms/formats. employment_opportunities is the integer one."""

LOT = Table(
    "lot",
    "One lot (LOT-) in one notice version; lot groups and parts are not lots.",
    KEY
    + (
        Column("lot_id", pl.String, "BT-137; older TED schema: LOT-<number>, LOT-0000 when undivided.", required=True),
        Column("nature", pl.String, "BT-23 of the lot."),
        Column("cpv", pl.String, "BT-262 of the lot."),
        Column("framework", pl.String, "BT-765: none, fa-wo-rc, fa-w-rc, fa-mix; null unknown."),
        Column("dps", pl.String, "BT-766: none, dps-list, dps-nlist; null unknown."),
        Column("deadline_date", pl.Date, "BT-131(d), local date as given."),
        Column("deadline_at", pl.Datetime("us", "UTC"), "BT-131(d,t) in UTC."),
        Column(
            "criteria",
            pl.String,
            "Kinds of award criteria, sorted, comma-separated: cost, price, quality; null unknown (free text only).",
        ),
        Column("estimated_value_cents", pl.Int64, "BT-27 of the lot in EUR cents.", unit="cent"),
        Column("sme_suitable", pl.Boolean, "BT-726."),
        Column("green_codes", pl.String, "BT-774 codes, comma-separated; null when none given."),
        Column("social_codes", pl.String, "BT-775 codes."),
        Column("innovation_codes", pl.String, "BT-776 codes."),
        Column("strategic_codes", pl.String, "BT-06 codes."),
        Column(
            "is_asked", pl.Boolean, "The Hilma statistics questions are asked for this notice (subtype) and lot.", required=True
        ),
    )
    + tuple(Column(f"answer_{name}", pl.Boolean, f"Hilma statistics answer {name}; null unanswered.") for name in ANSWERS)
    + (Column("answer_employment_opportunities", pl.Int32, "howManyOpportunitiesIsEstimated.", minimum=0),),
    primary_key=("notice_id", "notice_version", "lot_id"),
)

LOT_RESULT = Table(
    "lot_result",
    "The result of one lot in one result notice version.",
    KEY
    + (
        Column("result_id", pl.String, "OPT-322 (RES-); older TED schema: RES-<award number>.", required=True),
        Column("lot_id", pl.String, "BT-13713.", required=True),
        Column("result_code", pl.String, "BT-142; null when withheld.", codes=RESULT_CODES),
        Column("non_award_reason", pl.String, "BT-144."),
        Column("tenders_n", pl.Int32, "BT-759 of type 'tenders' only; null unknown or withheld.", minimum=0),
        Column(
            "tenders_sme_n",
            pl.Int32,
            "BT-759 of type t-sme; without it the sum of micro, small and medium when all three are given.",
            minimum=0,
        ),
        Column("requests_n", pl.Int32, "BT-759 of type part-req: requests to participate, not tenders.", minimum=0),
        Column("within_framework", pl.Boolean, "A settled contract lies within a framework agreement or DPS (BT-768)."),
        Column(
            "decision_date",
            pl.Date,
            "Earliest BT-1451 of the result's settled contracts; dummies left out; older TED schema: DATE_CONCLUSION_CONTRACT.",
        ),
        Column(
            "award_value_cents",
            pl.Int64,
            "Sum of BT-720 of the winning tenders in EUR cents (E4: FI-70); null when unknown or withheld.",
            unit="cent",
        ),
        Column("lowest_cents", pl.Int64, "BT-710.", unit="cent"),
        Column("highest_cents", pl.Int64, "BT-711.", unit="cent"),
        Column("review_requests_n", pl.Int32, "BT-712(b) of the list review-type; irregularities are another count.", minimum=0),
        Column("irregularities_n", pl.Int32, "BT-635 of the list irregularity-type.", minimum=0),
    ),
    primary_key=("notice_id", "notice_version", "result_id"),
)

TENDER = Table(
    "tender",
    "A tender named in a result notice; winners are those in a settled contract of their lot result.",
    KEY
    + (
        Column("tender_id", pl.String, "OPT-321 (TEN-).", required=True),
        Column("result_id", pl.String, "Lot result that names the tender."),
        Column("lot_id", pl.String, "BT-13714."),
        Column("is_winner", pl.Boolean, "In a settled contract of its lot result.", required=True),
        Column("rank", pl.Int32, "BT-171."),
        Column("value_cents", pl.Int64, "BT-720 in EUR cents; null when withheld or in another currency.", unit="cent"),
        Column("currency", pl.String, "Currency of the value as given."),
        Column("contract_id", pl.String, "OPT-316 (CON-) of the contract that holds the tender."),
    ),
    primary_key=("notice_id", "notice_version", "tender_id", "result_id"),
)

WINNER = Table(
    "winner",
    "A contractor: distinct (lot result, tenderer). Service organisations are never here.",
    KEY
    + (
        Column("result_id", pl.String, "Lot result.", required=True),
        Column("lot_id", pl.String, "Lot of the result.", required=True),
        Column("organisation_ref", pl.String, "Organisation within the notice (ORG-).", required=True),
        Column(
            "size",
            pl.String,
            "BT-165: micro, small, medium, sme, large; older TED schema: sme, large.",
            codes=("micro", "small", "medium", "sme", "large"),
        ),
        Column("supplier_id", pl.String, "Business id or foreign id; null where neither."),
        Column("id_kind", pl.String, "How the registration number reads.", required=True, codes=ID_KINDS),
    ),
    primary_key=("notice_id", "notice_version", "result_id", "organisation_ref"),
)

CONTRACT_TABLE = Table(
    "contract",
    "A settled contract of a result notice.",
    KEY
    + (
        Column("contract_id", pl.String, "OPT-316 (CON-).", required=True),
        Column("decision_date", pl.Date, "BT-1451."),
        Column("signed_date", pl.Date, "BT-145."),
        Column("within_framework", pl.Boolean, "BT-768."),
        Column("value_cents", pl.Int64, "FI-70 in national award notices, EUR cents.", unit="cent"),
    ),
    primary_key=("notice_id", "notice_version", "contract_id"),
)

ORGANISATION = Table(
    "organisation",
    "An organisation in a notice, with one name (Finnish, else Swedish, else English, else the first) and its roles.",
    KEY
    + (
        Column("organisation_ref", pl.String, "OPT-200 (ORG-).", required=True),
        Column("name", pl.String, "BT-500; null for natural persons and sole traders."),
        Column("registration_id", pl.String, "BT-501 normalised: NNNNNNN-N when Finnish."),
        Column("id_kind", pl.String, "How BT-501 reads.", required=True, codes=ID_KINDS),
        Column("country", pl.String, "BT-514, two letters."),
        Column("nuts", pl.String, "BT-507."),
        Column("size", pl.String, "BT-165."),
        Column("is_buyer", pl.Boolean, "Contracting party of the notice.", required=True),
        Column("buyer_no", pl.Int32, "Position among the distinct buyers, 1 the first; null for others.", minimum=1),
        Column("is_winner", pl.Boolean, "Tenderer of a winning tender.", required=True),
        Column("is_service", pl.Boolean, "Service provider, review body or e-sender only: never a supplier.", required=True),
        Column("legal_type", pl.String, "BT-11 where the organisation is a buyer."),
        Column("is_central_purchasing", pl.Boolean, "OPP-051 or OPP-052.", required=True),
    ),
    primary_key=("notice_id", "notice_version", "organisation_ref"),
)

CONTRACT = Contract(
    source="procurement_notices",
    version="1.0",
    kind="keyed",
    title={"fi": "Hankintailmoitukset", "sv": "Upphandlingsannonser", "en": "Procurement notices"},
    description="Procurement notices from Hilma and TED.",
    tables=(NOTICE, PROCEDURE, LOT, LOT_RESULT, TENDER, WINNER, CONTRACT_TABLE, ORGANISATION),
)
