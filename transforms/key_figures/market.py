"""Who takes part: small and medium-sized enterprises (METHOD 13), registration numbers, the volume of notices and their value."""

from __future__ import annotations

import polars as pl

from transforms.key_figures.facts import stacked
from transforms.key_figures.notices import ALL_KNOWN, SCOREBOARD, Measures, contributions, notice_figure, share_of
from transforms.key_figures.parameters import Parameters

SME = "Recommendation 2003/361/EC, as the notice itself declares (BT-165)."
DEFINITIONS = (
    notice_figure(
        "sme_contractor_share",
        ("Pk-toimittajien osuus", "Andel SMF bland vinnare", "SME contractors"),
        (
            "Pienet ja keskisuuret yritykset osuutena voittajista, joiden koko tiedetään.",
            "Små och medelstora företag som andel av vinnare av känd storlek.",
            "Small and medium-sized enterprises among winners of known size.",
        ),
        direction="up",
        numerator="Contractors declared micro, small, medium or SME.",
        denominator="Distinct (lot result, tenderer) of known size.",
        standing="official_goal",
        origin=f"{SCOREBOARD}: name official. {SME}",
        coverage_text="Contractors of known size / contractors.",
        exclusions=("Service organisations of the notice.",),
    ),
    notice_figure(
        "sme_bid_share",
        ("Pk-tarjousten osuus", "Andel SMF-anbud", "SME bids"),
        (
            "Pk-yritysten tarjoukset osuutena kaikista tarjouksista.",
            "SMF:s anbud som andel av alla anbud.",
            "Tenders from SMEs as a share of all tenders.",
        ),
        direction="up",
        numerator="Tenders of type t-sme; without it micro, small and medium when all three are given.",
        denominator="Tenders of lots where both are known and SME tenders do not exceed tenders.",
        standing="official_goal",
        origin=f"{SCOREBOARD}: name official. {SME}",
        coverage_text="Lot results with both counts / lot results with tenders or without a known number.",
    ),
    notice_figure(
        "missing_seller_id_share",
        ("Toimittajan Y-tunnus puuttuu", "Leverantörens FO-nummer saknas", "Missing seller registration numbers"),
        (
            "Voittajat, joilta puuttuu kelvollinen tunnus.",
            "Vinnare utan giltigt registreringsnummer.",
            "Contractors without a valid registration number.",
        ),
        direction="down",
        numerator="Contractors with neither a valid Finnish business id nor a foreign id.",
        denominator="Contractors: distinct (lot result, tenderer).",
        standing="official_goal",
        origin=f"{SCOREBOARD}: joint threshold of 2016, split ours",
        coverage_text=ALL_KNOWN,
    ),
    notice_figure(
        "missing_buyer_id_share",
        ("Ostajan Y-tunnus puuttuu", "Upphandlarens FO-nummer saknas", "Missing buyer registration numbers"),
        (
            "Ilmoitusten ostajat, joilta puuttuu kelvollinen tunnus.",
            "Upphandlare i annonser utan giltigt registreringsnummer.",
            "Buyers in notices without a valid registration number.",
        ),
        direction="down",
        numerator="Buyers of notices without a valid registration number.",
        denominator="Buyers of notices.",
        standing="official_goal",
        origin=f"{SCOREBOARD}: joint threshold of 2016, split ours",
        coverage_text=ALL_KNOWN,
    ),
    notice_figure(
        "value_stated_share",
        ("Arvotieto ilmoitettu", "Värde angivet", "Notices stating value"),
        (
            "Ilmoitukset, joissa on julkinen arvo euroina.",
            "Annonser med ett offentligt värde i euro.",
            "Notices that give a public value in EUR.",
        ),
        direction="up",
        numerator="Notices with an estimated, award or total value in EUR.",
        denominator="Notices.",
        origin="KEY_FIGURES 7.1, proposal",
        coverage_text=ALL_KNOWN,
        exclusions=("Values in other currencies; withheld values.",),
    ),
    notice_figure(
        "notices_n",
        ("Ilmoitukset", "Annonser", "Notices"),
        (
            "Ilmoitusten määrä, kustakin uusin versio.",
            "Antal annonser, den nyaste versionen av var och en.",
            "Notices, each in its newest version.",
        ),
        unit="count",
        aggregate="sum",
        numerator="Notices of Finnish buyers.",
        denominator=None,
        standing="official",
        origin="Hilma's published yearly counts",
        coverage_text=ALL_KNOWN,
    ),
    notice_figure(
        "procurements_n",
        ("Hankinnat", "Upphandlingar", "Procurements"),
        ("Eri menettelyjen määrä.", "Antal olika förfaranden.", "Distinct procedures with a notice in the period."),
        unit="count",
        aggregate="distinct",
        numerator="Distinct procedure ids of notices in the period.",
        exclusions=("Notices without a procedure id: planning notices need none.",),
        denominator=None,
        standing="official",
        origin="Hilma's published yearly counts",
        coverage_text=ALL_KNOWN,
        assumptions=("A procedure with notices in two periods counts in both: not additive over periods.",),
    ),
    notice_figure(
        "publication_rate_gdp",
        ("Julkaisuaste", "Publiceringsgrad", "Publication rate"),
        (
            "TED-hankintailmoitusten arvo suhteessa bruttokansantuotteeseen.",
            "Värdet av annonser i TED i förhållande till bruttonationalprodukten.",
            "Value called for in TED in relation to gross domestic product.",
        ),
        direction="up",
        numerator="Advertised value of TED calls: the procedure's estimate, else the sum of its lots'.",
        denominator="Gross domestic product of the year (catalogue/gdp.csv).",
        numerator_quantity="cent",
        denominator_quantity="cent",
        standing="official",
        origin=SCOREBOARD,
        coverage_text="Calls with a value in EUR / calls.",
        scopes=("ted",),
        levels=("national",),
        period_kinds=("year",),
        minimum_coverage=0.8,
        exclusions=("No imputation of missing values; not computable under 80 % coverage.",),
    ),
)


def compute(measures: Measures, parameters: Parameters) -> pl.DataFrame:
    """figure_id and CONTRIBUTION rows from lot_result_fact, notice_fact and procedure_start."""
    lots, notices = measures["lot_result_fact"], measures["notice_fact"]
    winners, sized = pl.col("winners_n"), pl.col("winners_sized_n")
    tenders, small = pl.col("tenders_n"), pl.col("tenders_sme_n")
    both = ((tenders > 0) & small.is_not_null() & (small <= tenders)).fill_null(value=False)
    buyers = pl.col("buyers_n")
    won = lots.filter(winners > 0)
    return stacked(
        [
            contributions(won, "sme_contractor_share", pl.col("winners_sme_n"), sized, n=sized, covered=sized, asked=winners),
            contributions(
                lots.filter((tenders > 0).fill_null(value=True)),
                "sme_bid_share",
                pl.when(both).then(small).otherwise(0),
                pl.when(both).then(tenders).otherwise(0),
                n=both,
                covered=both,
            ),
            contributions(won, "missing_seller_id_share", pl.col("winners_without_id_n"), winners, n=winners),
            contributions(notices, "missing_buyer_id_share", pl.col("buyers_without_id_n"), buyers, n=buyers),
            share_of(notices, "value_stated_share", pl.col("states_value"), pl.lit(value=True)),
            contributions(notices, "notices_n", pl.lit(1)),
            contributions(notices.filter("has_procedure"), "procurements_n", pl.lit(None), unit_id=pl.col("procedure_id")),
            _publication_rate(measures["procedure_start"], parameters),
        ]
    )


def _publication_rate(procedures: pl.DataFrame, parameters: Parameters) -> pl.LazyFrame:
    """The nation's GDP stands in one contribution of each year, so that national sums hold it once: beside an organisation of
    the year's last month with a call, which is a member of the nation at the year's end if any is."""
    calls = procedures.filter(pl.col("is_ted") & pl.col("has_call")).with_columns(year=pl.col("month").dt.year())
    calls = calls.sort("month", "organisation_id", "procedure_id", descending=[True, False, False])
    gdp = pl.DataFrame(list(parameters.gdp_cents.items()), schema={"year": pl.Int32, "gdp_cents": pl.Int64}, orient="row")
    first = pl.int_range(pl.len()).over("year") == 0
    joined = calls.join(gdp, on="year", how="left", maintain_order="left")
    stated = pl.col("call_value_state") == "known"
    missing = pl.col("gdp_cents").is_null()
    rows = contributions(
        joined,
        "publication_rate_gdp",
        pl.col("call_value_cents").fill_null(0),
        pl.when(missing).then(None).when(first).then("gdp_cents").otherwise(0),
        n=stated,
        covered=stated,
        reason=pl.when(missing).then(pl.lit("gdp_missing")),
    )
    return rows.filter(pl.col("scope") == "ted")
