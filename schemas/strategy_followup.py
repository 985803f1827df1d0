"""The yearly return of each unit on the follow-up of the national procurement strategy: one row per unit and year.

Origin: the competence centre KEINO's survey of units asked about strategic guidelines, implementation plan and follow-up
(KEY_FIGURES 3.5); the other questions follow the strategy's goals (KEY_FIGURES 1 and 7.6). No system exports the return, so the
columns are ours and a template writes them. Persons are counted, never named.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Column, Contract
from schemas.forms import coded, column, form, labels, organisation, year

STRATEGY = {
    "strategy": ("strategia", "strategi", "strategy", "hankintastrategia", "upphandlingsstrategi", "procurement strategy"),
    "guidelines": ("linjaukset", "riktlinjer", "guidelines", "strategiset linjaukset", "strategiska riktlinjer", "strategic guidelines"),
    "none": ("ei", "nej", "no", "ei kumpaakaan", "ingendera", "neither"),
    "dont_know": ("en osaa sanoa", "vet ej", "don't know", "eos", "vet inte"),
}  # fmt: skip
"""A unit that does not know has answered: it stays in the denominator, as in KEINO's survey."""
FOLLOW_UP = {
    "regularly": ("säännöllisesti", "regelbundet", "regularly"),
    "irregularly": ("epäsäännöllisesti", "oregelbundet", "irregularly"),
    "no": ("ei", "nej", "no"),
    "dont_know": ("en osaa sanoa", "vet ej", "don't know", "eos", "vet inte"),
}
HIGHEST_LEVEL = 5
"""Levels of competence 1-5: our scale, as no official one was found (KEY_FIGURES 7.6)."""
MOST = 1_000_000
"""No unit has more persons, purchases or events than this: a larger number is a slip."""


def _yes_no(name: str, fi: str, sv: str, en: str, **more: bool) -> Column:
    return column(name, pl.Boolean, fi, sv, en, **more)


def _count(name: str, fi: str, sv: str, en: str) -> Column:
    return column(name, pl.Int64, fi, sv, en, minimum=0, maximum=MOST)


QUESTIONS = (
    coded("strategy", STRATEGY, "Hankintastrategia tai strategiset linjaukset", "Upphandlingsstrategi eller strategiska riktlinjer", "Procurement strategy or strategic guidelines"),
    _yes_no("has_plan", "Operatiivinen toteuttamissuunnitelma", "Operativ genomförandeplan", "Operative implementation plan"),
    coded("follow_up", FOLLOW_UP, "Toteutumisen seuranta", "Uppföljning av genomförandet", "Follow-up of the implementation"),
    _yes_no("has_responsible_person", "Hankinnoille nimetty vastuuhenkilö", "Ansvarig person utsedd för upphandlingen", "Responsible person named for procurement", is_masked=True),
    _yes_no("in_performance_steering", "Hankinnat osana tulosohjausta", "Upphandling en del av resultatstyrningen", "Procurement part of performance steering"),
    _yes_no("in_ownership_steering", "Hankinnat osana omistajaohjausta", "Upphandling en del av ägarstyrningen", "Procurement part of ownership steering"),
    _yes_no("strategic_identified", "Strategisesti merkittävät hankinnat tunnistettu", "Strategiskt betydande upphandlingar identifierade", "Strategically important procurements identified"),
    _yes_no("critical_identified", "Kriittiset hankinnat tunnistettu", "Kritiska upphandlingar identifierade", "Critical procurements identified"),
    _count("critical_n", "Kriittisiä hankintoja", "Antal kritiska upphandlingar", "Critical procurements"),
    _count("critical_prepared_n", "Kriittisiä hankintoja, joissa varautuminen huomioitu", "Kritiska upphandlingar där beredskapen beaktats", "Critical procurements with a preparedness plan or terms"),
    column("competence_level", pl.Int64, "Hankintaosaamisen taso (1-5)", "Upphandlingskompetensens nivå (1-5)", "Level of procurement competence (1-5)", minimum=1, maximum=HIGHEST_LEVEL),
    _count("staff_n", "Hankintahenkilöstö", "Upphandlingspersonal", "Procurement staff"),
    _count("trained_n", "Hankintahenkilöstöstä koulutettuja", "Utbildade av upphandlingspersonalen", "Procurement staff trained in the year, each person once"),
    _count("market_dialogues_n", "Markkinavuoropuheluja", "Marknadsdialoger", "Market dialogues held"),
    _count("green_deals_n", "Green deal -sitoumuksia", "Green Deal-avtal", "Green Deals joined"),
    _count("green_deals_kept_n", "Pidettyjä Green deal -sitoumuksia", "Uppfyllda Green Deal-avtal", "Green Deals whose commitments were kept"),
    _yes_no("has_category_model", "Kategoriamalli käytössä", "Kategorimodell i bruk", "Category model in use"),
    _yes_no("in_large_buyers_network", "Vaikuttavat hankkijat -verkoston jäsen", "Medlem i nätverket Vaikuttavat hankkijat", "Member of the large buyers' network"),
    _yes_no("in_wellbeing_network", "Hyvinvointialueiden hankintaverkoston jäsen", "Medlem i välfärdsområdenas upphandlingsnätverk", "Member of the wellbeing counties' procurement network"),
    _yes_no("uses_overall_picture", "Johdon näkymä: kokonaiskuva", "Ledningsvyn: helhetsbild", "Management view: overall picture"),
    _yes_no("uses_regular_followup", "Johdon näkymä: säännöllinen seuranta", "Ledningsvyn: regelbunden uppföljning", "Management view: regular follow-up"),
    _yes_no("uses_deviations", "Johdon näkymä: poikkeamiin reagointi", "Ledningsvyn: reaktioner på avvikelser", "Management view: reaction to deviations"),
    _yes_no("uses_decisions", "Johdon näkymä: strategiset päätökset", "Ledningsvyn: strategiska beslut", "Management view: strategic decisions"),
    _count("cases_present_state_n", "Kehittämistapauksia: nykytila", "Utvecklingsfall: nuläge", "Development cases: present state"),
    _count("cases_plan_n", "Kehittämistapauksia: suunnitelma", "Utvecklingsfall: plan", "Development cases: plan"),
    _count("cases_measures_n", "Kehittämistapauksia: toimenpiteet", "Utvecklingsfall: åtgärder", "Development cases: measures"),
    _count("experiments_started_n", "Aloitettuja kokeiluja", "Inledda försök", "Experiments started"),
    _count("experiments_in_use_n", "Käyttöön otettuja kokeiluja", "Försök som tagits i bruk", "Experiments taken into use"),
    _count("branch_workshops_n", "Hallinnonalan työpajoja", "Förvaltningsområdets verkstäder", "Workshops of the administrative branch"),
)  # fmt: skip
"""What is asked; a question left blank is not answered, which is neither no nor zero."""

RETURN = form(
    "strategy_return",
    labels("Hankintastrategian seuranta", "Uppföljning av upphandlingsstrategin", "Follow-up of the procurement strategy"),
    "The return of one unit for one year.",
    columns=(*organisation(), year(), *QUESTIONS),
    key=("organisation_id", "year"),
    unit=("organisation_id", "year"),
)

CONTRACT = Contract(
    source="strategy_followup",
    version="1.0",
    kind="keyed",
    title=labels(
        "Kansallisen hankintastrategian seuranta",
        "Uppföljning av den nationella upphandlingsstrategin",
        "Follow-up of the national procurement strategy",
    ),
    description="Yearly return of each unit on strategic management, competence, preparedness, networks and development.",
    tables=(RETURN,),
)
