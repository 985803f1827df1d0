"""Satisfaction surveys of customers, suppliers and users of mini-competition support: one row per answer, and who was invited.

Origin: Webropol's REST answers (both generations) and wide or long exports of any survey tool (DATA_SOURCES 5). Which question
asks what, and which answer has which value, is data: codelists/survey_questions.csv and survey_scales.csv. The wordings that
ship there are ours; the surveys' own texts are added by rows. Names, e-mail addresses and open answers are never read on.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, Rule
from schemas.forms import coded, column, form, labels, organisation, year

SURVEYS = {
    "customer": ("asiakaskysely", "kundenkät", "customer survey", "asiakastyytyväisyyskysely", "kundnöjdhetsenkät"),
    "supplier": ("toimittajakysely", "leverantörsenkät", "supplier survey", "toimittajatyytyväisyyskysely"),
    "minicomp": (
        "minikilpailutuskysely", "minikonkurrensutsättningsenkät", "mini-competition survey", "minikilpailutuksen tuki",
    ),
}  # fmt: skip
"""Survey (and with it the audience) -> what people call it: fi, sv, en, others."""
ITEM_KINDS = ("area", "grade", "nps", "support", "organisation", "company")
"""What a question of the register asks: one of the areas whose means are published; a school grade; how likely one would
recommend; the support in a mini-competition; the respondent's organisation; the supplier's business id."""
QUESTIONS_MAX = 10
"""Respondents' means stay exact integers over up to ten questions of a kind (schemas.key_figure.SCALE)."""

_RULES = (
    Rule("answer_unknown", "value", "fail", "validity", "The answer is no code and no word of the question's scale; add it to survey_scales.csv.", limit_share=0.5),
    Rule("scale_contradicts", "value", "fail", "consistency", "The question's labels number its scale in both directions, or its numbers count on a longer scale; what they mean is not known.", limit_share=0.5),
    Rule("wave_unknown", "wave_year", "fail", "completeness", "Neither a response date nor a year says to which wave the answer belongs.", limit_share=0.5),
    Rule("answers_contradict", "value", "warn", "consistency", "A later row with the same response id answers the question otherwise: the respondent's last answer counts, this one is set aside."),
    Rule("response_id_lost", "respondent", "warn", "accuracy", "A spreadsheet has taken the response id for a number: the row counts as a respondent of its own. Deliver ids as text."),
    Rule("organisation_not_mapped", "organisation_id", "warn", "validity", "The respondent's organisation is no business id and not in the registers: counted in the nation only."),
)  # fmt: skip

ANSWER = form(
    "survey_answer",
    labels("Vastaukset", "Svar", "Answers"),
    "One respondent's answer to one question; the respondent is a running number within the delivery.",
    columns=(
        coded("survey", SURVEYS, "Kysely", "Enkät", "Survey", required=True),
        year("Vuosi, jota kysytään", "År som enkäten gäller", "Year asked about", also=("vuosi", "år", "year", "kyselyvuosi", "wave year")),
        column("wave_month", pl.Int64, "Kuukausi (jatkuva kysely)", "Månad (fortlöpande enkät)", "Month (continuous survey)", minimum=1, maximum=12, description="Month of the response in surveys that run all year; blank in yearly waves."),
        column("respondent", pl.Int64, "Vastaaja", "Svarande", "Respondent", required=True, minimum=1, also=("vastaajan numero", "vastaajatunnus", "respondentid", "responseid", "respondent id", "response id", "vastauksen tunnus", "vastaustunnus", "svars-id", "svarsid", "svarandes id", "response_id", "respondent_id"), hint=labels("Juokseva numero, ei nimeä eikä sähköpostia.", "Löpande nummer, inte namn eller e-post.", "A running number, no name or e-mail address.")),
        column("responded_on", pl.Date, "Vastauspäivä", "Svarsdatum", "Response date", also=("vastausaika", "vastattu", "responsedate", "completion time", "slutförandetid", "valmistumisaika", "submitted on")),
        organisation(required=False)[0],
        column("company_id", pl.String, "Yrityksen Y-tunnus", "Företagets FO-nummer", "Company's business id", also=("toimittajan y-tunnus", "leverantörens fo-nummer", "supplier id")),
        column("item", pl.String, "Kysymys", "Fråga", "Question", required=True, also=("kysymyksen teksti", "question text", "questionid", "item")),
        column("value", pl.Int64, "Vastaus", "Svar", "Answer", minimum=0, maximum=10, also=("arvo", "värde", "value", "vastauksen arvo"), description="Value on the question's scale; null: asked and not known (does not know)."),
    ),
    key=("survey", "year", "wave_month", "respondent", "item"),
    unit=("agency", "survey", "year", "wave_month"),
    rules=_RULES,
)  # fmt: skip

WAVE = form(
    "survey_wave",
    labels("Kyselykierrokset", "Enkätomgångar", "Survey waves"),
    "How many were invited to a survey's wave and how many answered.",
    columns=(
        coded("survey", SURVEYS, "Kysely", "Enkät", "Survey", required=True),
        year("Vuosi, jota kysytään", "År som enkäten gäller", "Year asked about", also=("vuosi", "år", "year", "kyselyvuosi", "wave year")),
        column("invited_n", pl.Int64, "Kutsuttuja", "Inbjudna", "Invited", required=True, minimum=0, also=("lähetettyjä kutsuja", "utskickade inbjudningar", "invitations")),
        column("responded_n", pl.Int64, "Vastanneita", "Svarande, antal", "Responded", minimum=0, also=("vastauksia", "antal svar", "responses")),
    ),
    key=("survey", "year"),
    unit=("agency", "survey", "year"),
)  # fmt: skip

CONTRACT = Contract(
    source="satisfaction_surveys",
    version="1.0",
    kind="keyed",
    title=labels("Tyytyväisyyskyselyt", "Nöjdhetsenkäter", "Satisfaction surveys"),
    description="Answers to satisfaction surveys of customers, suppliers and users of mini-competition support.",
    tables=(ANSWER, WAVE),
    is_personal=True,
)
