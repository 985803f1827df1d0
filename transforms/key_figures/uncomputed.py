"""Figures of the catalogue that no source lets us compute: each with the reason, published as one national `no_data` row.

A source that brings what a figure waits for moves its definition to a module that computes it.
"""

from __future__ import annotations

from schemas.key_figure import KeyFigure, Quantity
from transforms.key_figures.facts import ALL, Texts
from transforms.key_figures.form_figures import YEAR_ONLY, form_figure


def _waiting(
    figure_id: str,
    source: str,
    names: Texts,
    definitions: Texts,
    numerator: str,
    denominator: str | None,
    waits_for: str,
    **values: object,
) -> KeyFigure:
    """A figure of forms, whatever its source, that nothing computes; `values` are further fields of KeyFigure."""
    common: dict[str, object] = {
        "direction": "up",
        "numerator": numerator,
        "denominator": denominator,
        "origin": "Catalogue of proposed figures; the formula is ours.",
        "coverage_text": "None: nothing is computed.",
        "scopes": ("all_notices" if source == "procurement_notices" else ALL,),
        "period_kinds": YEAR_ONLY,
        "levels": ("national",),
        "waits_for": waits_for,
    }
    return form_figure(figure_id, source, names, definitions, **(common | values))


CENT: dict[str, Quantity] = {"numerator_quantity": "cent", "denominator_quantity": "cent"}
DEFINITIONS = (
    _waiting(
        "spend_deviation",
        "purchase_invoices",
        ("Hankintamenojen poikkeama", "Avvikelse i upphandlingsutgifter", "Spend deviation"),
        (
            "Hankintamenot verrattuna siihen, mitä oma historia antaa odottaa.",
            "Upphandlingsutgifter jämförda med vad den egna historien låter vänta.",
            "Procurement spend against what its own history lets expect.",
        ),
        "Spend of the month less what is expected.",
        "What is expected.",
        "Told month by month in mart.deviation (spend_total, spend_market) by the rules of METHOD 8, with fences; a yearly figure "
        "has no fence (METHOD 33).",
        direction="context",
        strategy_intent="I3-1",
        **CENT,
    ),
    _waiting(
        "spend_above_thresholds",
        "purchase_invoices",
        ("Hankintamenot kynnysarvojen yli", "Upphandlingsutgifter över tröskelvärdena", "Spend above the thresholds"),
        (
            "Markkinoilta tehdyt hankinnat, jotka ylittävät kynnysarvot.",
            "Upphandling från marknaden som överskrider tröskelvärdena.",
            "Procurement from the market above the thresholds.",
        ),
        "Spend of procurements above the thresholds.",
        None,
        "Invoices do not tell which procurement they belong to, so not what was above the thresholds (scope above_thresholds of METHOD 6).",
        unit="eur",
        direction="context",
        aggregate="sum",
        scopes=("above_thresholds",),
        numerator_quantity="cent",
    ),
    _waiting(
        "einvoice_share",
        "purchase_invoices",
        ("Verkkolaskujen osuus", "E-fakturaandel", "E-invoice share"),
        ("Verkkolaskut osuutena laskuista.", "E-fakturor som andel av fakturorna.", "E-invoices as a share of invoices."),
        "E-invoices.",
        "Invoices.",
        "Invoice data do not tell the channel of an invoice.",
        strategy_intent="I6-3",
    ),
    _waiting(
        "market_dialogue_share",
        "procurement_notices",
        ("Markkinavuoropuhelun osuus", "Andel med marknadsdialog", "Market dialogue share"),
        (
            "Hankinnat, joita edelsi markkinavuoropuhelu, osuutena hankinnoista.",
            "Upphandlingar som föregicks av marknadsdialog, som andel av upphandlingarna.",
            "Procurements preceded by a market dialogue, as a share of procurements.",
        ),
        "Procurements with a dialogue or a prior notice.",
        "Procurements.",
        "No source tells of each procurement whether there was a dialogue: the yearly return counts dialogues (market_dialogues_n) "
        "and no procurements, and planning notices need no procedure.",
        strategy_intent="I5-2",
    ),
    _waiting(
        "food_spend_share",
        "purchase_invoices",
        ("Kestävän ruoan osuus ostoista", "Andel hållbara livsmedel, inköp", "Sustainable food share, spend"),
        (
            "Kestävän ruoan ostot osuutena ruokaostoista.",
            "Inköp av hållbara livsmedel som andel av livsmedelsinköpen.",
            "Sustainable food as a share of food spend.",
        ),
        "Spend on food flagged as sustainable.",
        "Spend on food.",
        "Invoice data do not flag sustainable food; food_notice_share tells what notices say (METHOD 16).",
        strategy_intent="I8-3",
        **CENT,
    ),
    _waiting(
        "food_sustainable_share",
        "purchase_invoices",
        ("Kestävä ruoka", "Hållbara livsmedel", "Sustainable food"),
        (
            "Kestävä ruoka osuutena ruokaostoista.",
            "Hållbara livsmedel som andel av livsmedelsinköpen.",
            "Sustainable food as a share of food spend.",
        ),
        "Spend on food flagged as sustainable.",
        "Spend on food.",
        "METHOD 16 makes it two figures: food_notice_share is computed, food_spend_share waits for invoice data that flag food.",
        strategy_intent="I8-3",
        **CENT,
    ),
    _waiting(
        "cost_saving_share",
        "procurement_notices",
        ("Mitattu kustannussäästö", "Uppmätt kostnadsbesparing", "Measured savings"),
        (
            "Ero dokumentoituun vertailuhintaan osuutena siitä.",
            "Skillnaden mot ett dokumenterat jämförelsepris som andel av det.",
            "The difference to a documented reference price, as a share of it.",
        ),
        "Reference price less awarded price, where a reference is documented.",
        "Reference price.",
        "No source documents a reference price beside the awarded one; savings from a coefficient are a model and no measurement.",
        strategy_intent="I6-2",
        **CENT,
    ),
    _waiting(
        "effect_based_share",
        "procurement_notices",
        ("Vaikuttavuusperusteisten osuus", "Andel effektbaserade upphandlingar", "Effect-based share"),
        (
            "Vaikuttavuusperusteiset hankinnat osuutena hankinnoista.",
            "Effektbaserade upphandlingar som andel av upphandlingarna.",
            "Effect-based procurements as a share of procurements.",
        ),
        "Procurements flagged as effect-based.",
        "Procurements.",
        "No source flags effect-based procurements.",
        standing="official_goal",
        strategy_intent="I3-3",
    ),
    _waiting(
        "impact_assessed_share",
        "procurement_notices",
        ("Vaikutusarvioitujen osuus", "Andel effektbedömda upphandlingar", "Impact-assessed share"),
        (
            "Vaikutusarvioidut hankinnat osuutena rajan ylittävistä hankinnoista.",
            "Effektbedömda upphandlingar som andel av upphandlingarna över gränsen.",
            "Procurements with their effects assessed, as a share of those over a limit.",
        ),
        "Procurements assessed.",
        "Procurements over the limit.",
        "No source tells which procurements over a limit had their effects assessed; impact_coverage tells it of cases.",
        standing="official_goal",
        strategy_intent="I3-2",
    ),
)
