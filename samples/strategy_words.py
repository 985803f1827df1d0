"""What the sample's strategy returns are written with: columns in order, their headings and the words of answers."""

from __future__ import annotations

from collections.abc import Mapping

HEADINGS = {
    "fi": (
        "Organisaation Y-tunnus", "Organisaatio", "Vuosi", "Hankintastrategia tai strategiset linjaukset",
        "Operatiivinen toteuttamissuunnitelma", "Toteutumisen seuranta", "Hankinnoille nimetty vastuuhenkilö",
        "Hankinnat osana tulosohjausta", "Hankinnat osana omistajaohjausta", "Strategisesti merkittävät hankinnat tunnistettu",
        "Kriittiset hankinnat tunnistettu", "Kriittisiä hankintoja", "Kriittisiä hankintoja, joissa varautuminen huomioitu",
        "Hankintaosaamisen taso (1-5)", "Hankintahenkilöstö", "Hankintahenkilöstöstä koulutettuja", "Markkinavuoropuheluja",
        "Green deal -sitoumuksia", "Pidettyjä Green deal -sitoumuksia", "Kategoriamalli käytössä",
        "Vaikuttavat hankkijat -verkoston jäsen", "Hyvinvointialueiden hankintaverkoston jäsen", "Johdon näkymä: kokonaiskuva",
        "Johdon näkymä: säännöllinen seuranta", "Johdon näkymä: poikkeamiin reagointi", "Johdon näkymä: strategiset päätökset",
        "Kehittämistapauksia: nykytila", "Kehittämistapauksia: suunnitelma", "Kehittämistapauksia: toimenpiteet",
        "Aloitettuja kokeiluja", "Käyttöön otettuja kokeiluja", "Hallinnonalan työpajoja",
    ),
    "sv": (
        "Organisationens FO-nummer", "Organisation", "År", "Upphandlingsstrategi eller strategiska riktlinjer",
        "Operativ genomförandeplan", "Uppföljning av genomförandet", "Ansvarig person utsedd för upphandlingen",
        "Upphandling en del av resultatstyrningen", "Upphandling en del av ägarstyrningen",
        "Strategiskt betydande upphandlingar identifierade", "Kritiska upphandlingar identifierade",
        "Antal kritiska upphandlingar", "Kritiska upphandlingar där beredskapen beaktats",
        "Upphandlingskompetensens nivå (1-5)", "Upphandlingspersonal", "Utbildade av upphandlingspersonalen", "Marknadsdialoger",
        "Green Deal-avtal", "Uppfyllda Green Deal-avtal", "Kategorimodell i bruk", "Medlem i nätverket Vaikuttavat hankkijat",
        "Medlem i välfärdsområdenas upphandlingsnätverk", "Ledningsvyn: helhetsbild", "Ledningsvyn: regelbunden uppföljning",
        "Ledningsvyn: reaktioner på avvikelser", "Ledningsvyn: strategiska beslut", "Utvecklingsfall: nuläge",
        "Utvecklingsfall: plan", "Utvecklingsfall: åtgärder", "Inledda försök", "Försök som tagits i bruk",
        "Förvaltningsområdets verkstäder",
    ),
}  # fmt: skip
ORDER = (
    "strategy", "has_plan", "follow_up", "has_responsible_person", "in_performance_steering", "in_ownership_steering",
    "strategic_identified", "critical_identified", "critical_n", "critical_prepared_n", "competence_level", "staff_n", "trained_n",
    "market_dialogues_n", "green_deals_n", "green_deals_kept_n", "has_category_model", "in_large_buyers_network",
    "in_wellbeing_network", "uses_overall_picture", "uses_regular_followup", "uses_deviations", "uses_decisions",
    "cases_present_state_n", "cases_plan_n", "cases_measures_n", "experiments_started_n", "experiments_in_use_n",
    "branch_workshops_n",
)  # fmt: skip
WORDS: Mapping[str, Mapping[str | int | bool, str]] = {
    "fi": {True: "Kyllä", False: "Ei", "strategy": "Strategia", "guidelines": "linjaukset", "none": "Ei kumpaakaan",
           "dont_know": "En osaa sanoa", "regularly": "Säännöllisesti", "irregularly": "epäsäännöllisesti", "no": "ei"},
    "sv": {True: "ja", False: "nej", "strategy": "strategi", "guidelines": "Riktlinjer", "none": "ingendera",
           "dont_know": "vet ej", "regularly": "regelbundet", "irregularly": "Oregelbundet", "no": "Nej"},
    "en": {True: "yes", False: "no"},
}  # fmt: skip
