"""Procedures: how they were called for and decided (METHOD 11-12), and whether their contracts were changed."""

from __future__ import annotations

import polars as pl

from transforms.key_figures.facts import stacked
from transforms.key_figures.notices import ALL_KNOWN, SCOREBOARD, Measures, contributions, notice_figure, share_of
from transforms.key_figures.parameters import Parameters

AWARDED = "Distinct procedures with an award notice."
KNOWN_TYPE = "Procedures of known type / procedures."
NO_CALL = "neg-wo-call"
SINGLE = "oth-single"

DEFINITIONS = (
    notice_figure(
        "no_call_share",
        ("Suorahankintojen osuus", "Andel utan anbudsinfordran", "No calls for bids"),
        (
            "Ilman hankintailmoitusta neuvotellut menettelyt osuutena menettelyistä, joista on jälki-ilmoitus.",
            "Förfaranden som förhandlats utan annons, som andel av förfaranden med efterannons.",
            "Procedures negotiated without a call, as a share of procedures with an award notice.",
        ),
        direction="down",
        numerator="Procedures of type neg-wo-call; the variant adds oth-single.",
        denominator=f"{AWARDED[:-1]} and a known type.",
        standing="official",
        origin=SCOREBOARD,
        coverage_text=KNOWN_TYPE,
        exclusions=("A voluntary ex-ante notice alone; with its award it counts once.",),
        variants=("", "with_oth_single"),
        variant_names={
            "": {"fi": "Ilman ilmoitusta neuvotellut", "sv": "Förhandlade utan annons", "en": "Negotiated without a call"},
            "with_oth_single": {
                "fi": "Mukana muut yksivaiheiset menettelyt",
                "sv": "Övriga enstegsförfaranden medräknade",
                "en": "Other single-stage procedures included",
            },
        },
    ),
    notice_figure(
        "cooperative_share",
        ("Yhteishankintojen osuus", "Andel gemensam upphandling", "Cooperative procurement"),
        (
            "Menettelyt, joissa on useampi kuin yksi ostaja.",
            "Förfaranden med fler än en upphandlare.",
            "Procedures with more than one public buyer, as a share of procedures with an award notice.",
        ),
        direction="up",
        numerator="Procedures with more than one buyer.",
        denominator=AWARDED,
        standing="official",
        origin=SCOREBOARD,
        coverage_text=ALL_KNOWN,
    ),
    notice_figure(
        "cpb_share",
        ("Yhteishankintayksikön osuus", "Andel genom inköpscentral", "Central purchasing share"),
        (
            "Menettelyt, joissa ostaja toimii yhteishankintayksikkönä.",
            "Förfaranden där upphandlaren är inköpscentral.",
            "Procedures in which a buyer acts as a central purchasing body.",
        ),
        numerator="Procedures with a central purchasing body (OPP-051, OPP-052).",
        denominator=AWARDED,
        origin="KEY_FIGURES 7.1: kept apart from cooperative procurement",
        coverage_text=ALL_KNOWN,
    ),
    notice_figure(
        "price_only_share",
        ("Vain hinta -osuus", "Andel med enbart pris", "Award criteria: price only"),
        (
            "Menettelyt, joiden kaikki valitut osat ratkaistiin vain hinnalla.",
            "Förfaranden där alla tilldelade delar avgjordes enbart med pris.",
            "Procedures all of whose awarded lots were decided on price alone.",
        ),
        direction="down",
        numerator="Procedures whose awarded lots have only the criterion price.",
        denominator="Awarded procedures whose criteria are known for every awarded lot.",
        standing="official",
        origin=SCOREBOARD,
        coverage_text="Awarded procedures with known criteria / awarded procedures.",
        exclusions=("Criteria given as free text only: unknown.", "The criterion cost is not price only."),
    ),
    notice_figure(
        "open_share",
        ("Avoimen menettelyn osuus", "Andel öppet förfarande", "Open procedure share"),
        (
            "Avoimet menettelyt osuutena kaikista keskeyttämättömistä menettelyistä.",
            "Öppna förfaranden som andel av alla som inte avbrutits.",
            "Open procedures as a share of procedures that were not cancelled.",
        ),
        direction="up",
        numerator="Procedures of type open.",
        denominator="Procedures of known type, not cancelled, in the month of the call, else of the award.",
        standing="official",
        origin="Open Contracting Partnership, use case UC003",
        coverage_text=KNOWN_TYPE,
    ),
    notice_figure(
        "lots_share",
        ("Osiin jaettujen osuus", "Andel uppdelade i delar", "Procedures divided into lots"),
        (
            "Hankintailmoitukset, joissa hankinta on jaettu osiin.",
            "Annonser där upphandlingen delats upp i delar.",
            "Calls that divide the procurement into more than one lot.",
        ),
        direction="up",
        numerator="Calls with more than one lot (LOT- ids).",
        denominator="Procedures with a call.",
        standing="official_goal",
        origin=f"{SCOREBOARD}: name official, wording ours",
        coverage_text=ALL_KNOWN,
        exclusions=("Lot groups and parts.",),
    ),
    notice_figure(
        "missing_call_share",
        ("Puuttuva hankintailmoitus", "Saknad annons", "Missing calls for bids"),
        (
            "Jälki-ilmoitukset, joiden hankintailmoitusta ei löydy, vaikka menettely vaatii sellaisen.",
            "Efterannonser vars annons saknas fast förfarandet kräver en.",
            "Award notices that name no call and have none, although the procedure requires one.",
        ),
        direction="down",
        version=2,
        numerator="Procedures of which no call is held and whose awards name none.",
        denominator="Procedures with an eForms award notice, begun after the eForms switch, other than neg-wo-call and oth-single.",
        standing="official_goal",
        origin=f"{SCOREBOARD}: threshold official, formula ours (METHOD 11)",
        coverage_text="Procedures of known type with a call, or that cannot have begun before the feed / procedures with an eForms award notice.",
        exclusions=(
            "Award notices in the older TED schema, which carry no procedure id.",
            "Procedures begun before 25 October 2023: their calls lie in the older schema, without a link.",
        ),
        assumptions=(
            "Switch: standard forms (EU) 2015/1986 repealed by Commission Implementing Regulation (EU) 2019/1780, 25 October 2023.",
            "A call that an award names (OPP-090, BT-125, an earlier OJ number) is a call, held or not.",
            "Without a call a procedure began after the feed of notices did when it was decided at least 365 days later (own reading).",
            "First whole month of the feed: agencies.csv, frame_from; where it is not told, no call counts as missing.",
        ),
    ),
    notice_figure(
        "contract_modification_share",
        ("Sopimusmuutosten osuus", "Andel med kontraktsändring", "Contract modification share"),
        (
            "Ratkaistut menettelyt, joista on sopimusmuutosilmoitus.",
            "Tilldelade förfaranden med annons om kontraktsändring.",
            "Awarded procedures with a contract modification notice.",
        ),
        direction="down",
        numerator="Awarded procedures with a modification notice, in the month of the award.",
        denominator="Awarded procedures.",
        origin="METHOD 17",
        coverage_text="Awarded procedures of eForms notices / awarded procedures.",
        assumptions=("Modifications in the older TED schema name the award notice, not the procedure: they are not found.",),
    ),
)


def compute(measures: Measures, _parameters: Parameters) -> pl.DataFrame:
    """figure_id and CONTRIBUTION rows from procedure_start and procedure_result."""
    return stacked([*_awarded(measures["procedure_result"]), *_started(measures["procedure_start"])])


def _awarded(awarded: pl.DataFrame) -> list[pl.LazyFrame]:
    kind = pl.col("procedure_type")
    always = pl.lit(value=True)
    won = awarded.filter(pl.col("awarded_n") > 0)
    required = awarded.filter(pl.col("is_eforms") & ~kind.is_in([NO_CALL, SINGLE]).fill_null(value=False))
    # what began before the switch stands outside; of what has no call and may have, nobody knows
    required = required.filter(pl.col("begun_after_switch") | ~pl.col("has_call"))
    return [
        share_of(awarded, "no_call_share", kind == NO_CALL, kind.is_not_null()),
        share_of(awarded, "no_call_share", kind.is_in([NO_CALL, SINGLE]), kind.is_not_null(), variant="with_oth_single"),
        share_of(awarded, "cooperative_share", pl.col("is_joint"), always),
        share_of(awarded, "cpb_share", pl.col("is_central"), always),
        share_of(won, "price_only_share", pl.col("is_price_only"), pl.col("is_price_only").is_not_null()),
        share_of(required, "missing_call_share", ~pl.col("has_call"), kind.is_not_null() & pl.col("begun_after_switch")),
        contributions(won, "contract_modification_share", pl.col("is_modified"), always, covered=pl.col("is_eforms")),
    ]


def _started(procedures: pl.DataFrame) -> list[pl.LazyFrame]:
    standing = procedures.filter(~pl.col("is_cancelled"))
    kind = pl.col("procedure_type")
    called = procedures.filter("has_call")
    return [
        share_of(standing, "open_share", kind == "open", kind.is_not_null()),
        share_of(called, "lots_share", pl.col("lots_n") > 1, pl.col("lots_n").is_not_null()),
    ]
