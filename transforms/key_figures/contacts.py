"""Contact requests: how many, of which types, how many opened again, how many still open."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.contact_requests import UNMAPPED
from transforms.key_figures.facts import contributions, share_of, stacked
from transforms.key_figures.form_figures import MONTHS_KNOWN, form_figure
from transforms.key_figures.parameters import Parameters
from transforms.reach import reached

SOURCE = "contact_requests"
EXCLUSIONS = (
    "Cases merged into another, child cases, cancelled cases.",
    "Requests by telephone: telephone help stands outside (METHOD 23).",
)
WHOSE = "A case belongs to the customer where the register knows it, else to the organisation that delivers; it always counts for the nation."
BEGAN = "The system was taken into use at the end of April 2023: 2023 is a partial year."
TYPED = f"Requests whose type was delivered and is known / requests{MONTHS_KNOWN}"

DEFINITIONS = (
    form_figure(
        "contacts_n",
        SOURCE,
        ("Yhteydenotot", "Kontakter", "Contact requests"),
        (
            "Vastaanotetut yhteydenotot, myös tyypeittäin ja yhteishankinnoittain.",
            "Mottagna kontakter, även per typ och gemensam upphandling.",
            "Contact requests received, by type and by joint procurement too.",
        ),
        unit="count",
        aggregate="sum",
        numerator="Cases, by the Helsinki day of receipt.",
        denominator=None,
        origin="Hansel, annual report 2023 (over 800 from the end of April on); KEY_FIGURES 7.3",
        standing="official",
        coverage_text=f"Every delivered case: 1{MONTHS_KNOWN}",
        exclusions=EXCLUSIONS,
        assumptions=(WHOSE, BEGAN),
    ),
    form_figure(
        "contacts_advice_share",
        SOURCE,
        ("Neuvonnan osuus yhteydenotoista", "Rådgivningens andel av kontakterna", "Advice share"),
        (
            "Yhteishankintojen käytön neuvonta osuutena yhteydenotoista, joiden tyyppi tiedetään.",
            "Rådgivning om gemensamma upphandlingar som andel av de kontakter vars typ är känd.",
            "Advice on joint procurements as a share of the requests whose type is known.",
        ),
        numerator="Cases of the type advice.",
        denominator="Cases whose type was delivered and is known.",
        origin="Hansel, annual report 2023 (about 570); KEY_FIGURES 7.3",
        coverage_text=TYPED,
        exclusions=EXCLUSIONS,
        assumptions=(WHOSE, BEGAN, "Which delivered words mean advice is data (codelists/contact_words.csv)."),
    ),
    form_figure(
        "contacts_doc_comment_n",
        SOURCE,
        ("Asiakirjakommentit", "Kommenterade dokument", "Document comments"),
        (
            "Yhteydenotot, joissa pyydettiin kommentteja asiakirjoihin.",
            "Kontakter där kommentarer till dokument begärdes.",
            "Requests for comments on documents.",
        ),
        unit="count",
        aggregate="sum",
        numerator="Cases of the type document comment.",
        denominator=None,
        origin="Hansel, annual report 2023 (a little over 200); KEY_FIGURES 7.3",
        standing="official",
        coverage_text=TYPED,
        exclusions=EXCLUSIONS,
        assumptions=(WHOSE, BEGAN),
    ),
    form_figure(
        "contact_reopen_share",
        SOURCE,
        ("Uudelleen avattujen osuus", "Andel återöppnade", "Reopened share"),
        (
            "Kauden aikana ratkaistut yhteydenotot, jotka avattiin uudelleen 30 päivän kuluessa, osuutena ratkaistuista.",
            "Kontakter som löstes under perioden och öppnades på nytt inom 30 dagar, som andel av de lösta.",
            "Requests closed in the period and reopened within 30 days, as a share of those closed.",
        ),
        direction="down",
        numerator="Closings after which the case was open again within 30 days.",
        denominator="Closings, by Helsinki day.",
        origin="KEY_FIGURES 7.3; METHOD 23",
        coverage_text=f"Every delivered closing: 1{MONTHS_KNOWN}",
        exclusions=EXCLUSIONS,
        assumptions=(
            WHOSE,
            "A reopening is told by its own time, a later version of the case that is open, or a later closing.",
            "Where only versions tell of it, it is dated by the version: deliveries that are far between miss some.",
        ),
    ),
    form_figure(
        "contact_backlog",
        SOURCE,
        ("Avoimet yhteydenotot", "Öppna kontakter", "Open contact requests"),
        (
            "Kauden lopussa avoinna olevat yhteydenotot.",
            "Kontakter som är öppna vid periodens slut.",
            "Contact requests open at the end of the period.",
        ),
        unit="count",
        direction="down",
        aggregate="sum",
        is_stock=True,
        period_kinds=("month", "quarter", "year"),
        numerator="Cases received by the end of the period and not closed by then.",
        denominator=None,
        origin="KEY_FIGURES 7.3",
        coverage_text="Every delivered case: 1.",
        exclusions=EXCLUSIONS,
        assumptions=(
            WHOSE,
            "Told of periods that had ended when the newest delivery was produced; a case that does not come again has not changed.",
            "A case that is open again counts as open since its receipt.",
        ),
    ),
)  # fmt: skip


def compute(measures: Mapping[str, pl.DataFrame], _parameters: Parameters) -> pl.DataFrame:
    """Contributions from `contact_case`, `contact_closing` and `contact_backlog`."""
    cases, closings = (reached(measures, name, SOURCE) for name in ("contact_case", "contact_closing"))
    backlog = measures["contact_backlog"]
    kind = pl.col("request_type").fill_null(UNMAPPED)
    one, is_known = pl.lit(1), kind != UNMAPPED
    about = cases.drop_nulls("joint_procurement")
    closed = pl.col("closed_n")
    return stacked(
        [
            contributions(cases, "contacts_n", one),
            contributions(cases, "contacts_n", one, breakdown_kind="request_type", breakdown_id=kind),
            contributions(about, "contacts_n", one, breakdown_kind="joint_procurement", breakdown_id=pl.col("joint_procurement")),
            share_of(cases, "contacts_advice_share", kind == "advice", is_known),
            contributions(cases, "contacts_doc_comment_n", kind == "document_comment", covered=is_known),
            contributions(closings, "contact_reopen_share", pl.col("reopened_n"), closed, n=closed, covered=closed, asked=closed),
            contributions(backlog, "contact_backlog", pl.col("open_n"), n=pl.col("open_n")),
        ]
    )
