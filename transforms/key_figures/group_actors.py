"""Spend by category model, and what of the support services is bought from the state's group actors (METHOD 28)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from transforms.key_figures.parameters import Parameters
from transforms.key_figures.spend import ASSUMPTIONS, COVERAGE, EXCLUSIONS, contribution, months, spend_figure

NO_MODELS, NO_SUPPORT = "no_category_model", "no_support_model"
MODELS = "Categories that files deliver become category models by category_models.csv; none is as shipped."

DEFINITIONS = (
    spend_figure(
        "category_model_spend",
        ("Hankintamenot kategoriamallin mukaan", "Upphandlingsutgifter per kategorimodell", "Spend by category model"),
        (
            "Kategoriamallien kategorioiden hankintamenot; erittely kategoriamallin mukaan.",
            "Upphandlingsutgifterna i kategorimodellernas kategorier; per kategorimodell.",
            "Procurement spend in the categories of category models; by category model.",
        ),
        "all",
        unit="eur",
        aggregate="sum",
        period_kinds=("year",),
        numerator="Procurement spend on delivered categories that belong to a category model.",
        denominator=None,
        origin="PRODUCT S13; formula ours.",
        exclusions=("Rows whose category is in no category model, or that have none.", *EXCLUSIONS),
        assumptions=(*ASSUMPTIONS, MODELS),
    ),
    spend_figure(
        "group_actor_share",
        ("Konsernitoimijoiden osuus tukipalveluista", "Koncernaktörernas andel av stödtjänsterna", "Group actors' share of support services"),
        (
            ("Valtion konsernitoimijoilta (Hansel, Palkeet, Valtori, Senaatti) ostetut tukipalvelut osuutena tukipalvelujen "
            "hankintamenoista; erittely organisaation koon mukaan."),
            ("Stödtjänster köpta av statens koncernaktörer (Hansel, Palkeet, Valtori, Senatfastigheter) som andel av utgifterna "
            "för stödtjänster; per organisationsstorlek."),
            ("Support services bought from the state's group actors (Hansel, Palkeet, Valtori, Senaatti) as a share of spend on "
            "support services; by size of organisation."),
        ),
        "all",
        period_kinds=("year",),
        numerator="Spend on support services from suppliers of the group state_group_actors (supplier_groups.csv).",
        denominator="Spend on support services: category models with is_support_service yes.",
        origin="METHOD 28, PRODUCT S15; formula ours.",
        coverage_text=f"{COVERAGE} Months without any spend on support services cover nothing.",
        exclusions=("Rows whose category is in no category model, or that have none.", *EXCLUSIONS),
        assumptions=(
            *ASSUMPTIONS,
            MODELS,
            "A group actor counts once its business id is registered: as shipped Hansel and Senaatti.",
            "Sizes of organisations are data (size in organisations.csv: small, medium, large); organisations without one are in the whole only.",
        ),
    ),
)  # fmt: skip


def compute(measures: Mapping[str, pl.DataFrame], parameters: Parameters) -> pl.DataFrame:
    """figure_id and CONTRIBUTION rows, with period_kinds, from category_month, spend_month and expected."""
    frame = months(measures).with_row_index("row")
    by_model = _by_model(frame, measures["category_month"])
    support = by_model.filter(pl.col("category_model").is_in(sorted(parameters.support_models)))
    spent = _spent(frame, by_model, None if parameters.category_models else NO_MODELS)
    shared = _spent(frame, support, None if parameters.support_models else NO_SUPPORT)
    seen = (pl.col("lines") > 0) & pl.col("reason").is_null()
    shared = shared.with_columns(covered=pl.when(seen).then("covered").otherwise(0))
    parts = [
        contribution(spent, "category_model_spend", "all", pl.col("cents"), None, pl.col("lines")),
        contribution(shared, "group_actor_share", "all", pl.col("actor_cents"), pl.col("cents"), pl.col("lines")),
    ]
    parts += [
        contribution(of_model, "category_model_spend", "all", pl.col("cents"), None, pl.col("lines")).with_columns(
            breakdown_kind=pl.lit("category_model"), breakdown_id=pl.lit(model)
        )
        for model, of_model in _each(frame, by_model, parameters)
    ]
    parts += [
        contribution(of_size, "group_actor_share", "all", pl.col("actor_cents"), pl.col("cents"), pl.col("lines")).with_columns(
            breakdown_kind=pl.lit("size"), breakdown_id=pl.lit(size)
        )
        for (size,), of_size in _sized(shared, parameters).group_by("size", maintain_order=True)
    ]
    return pl.concat(parts)


def _by_model(frame: pl.DataFrame, category_month: pl.DataFrame) -> pl.DataFrame:
    """row (of `frame`), category_model, cents, actor_cents, lines. Rows without a date go with the year's own row of `months`."""
    keys = ["organisation_id", "month"]
    sums = (
        category_month.rename({"period": "month"})
        .group_by(*keys, "has_date", "category_model")
        .agg(
            pl.col("net_cents").sum().alias("cents"),
            pl.col("group_actor_cents").sum().alias("actor_cents"),
            pl.col("lines").sum(),
        )
    )
    dated = frame.filter(pl.col("period_kinds") == "all").select("row", *keys, has_date=True)
    undated = frame.filter(pl.col("period_kinds") == "year", pl.col("asked") == 0).select("row", *keys, has_date=False)
    return (
        pl.concat([dated, undated])
        .join(sums, on=[*keys, "has_date"])
        .select("row", "category_model", "cents", "actor_cents", "lines")
    )


def _spent(frame: pl.DataFrame, by_model: pl.DataFrame, missing: str | None) -> pl.DataFrame:
    """`frame` with cents, actor_cents and lines over some models: zero where nothing was bought, null where a reason stands.

    `missing`: the reason everywhere, when the register has no such model.
    """
    sums = by_model.group_by("row").agg(pl.col("cents", "actor_cents", "lines").sum())
    joined = frame.join(sums, on="row", how="left", maintain_order="left")
    if missing:
        joined = joined.with_columns(reason=pl.coalesce("reason", pl.lit(missing)), covered=pl.lit(0, pl.Int64))
    counts = pl.col("reason").is_null()
    return joined.with_columns(pl.when(counts).then(pl.col("cents", "actor_cents").fill_null(0)), pl.col("lines").fill_null(0))


def _each(frame: pl.DataFrame, by_model: pl.DataFrame, parameters: Parameters) -> Iterator[tuple[str, pl.DataFrame]]:
    """Every registered model, bought in these months or not: what comes out must not depend on which months are computed
    together."""
    for model in sorted(parameters.category_models):
        yield model, _spent(frame, by_model.filter(pl.col("category_model") == model), None)


def _sized(shared: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """The rows of organisations whose size in the month is registered, with `size`."""
    schema = {"organisation_id": pl.String, "size": pl.String, "since": pl.Date, "until": pl.Date}
    sizes = pl.DataFrame(list(parameters.sizes), schema=schema, orient="row")
    joined = shared.join(sizes, on="organisation_id", maintain_order="left")
    return joined.filter(pl.col("month").dt.month_end().is_between("since", "until")).sort("size", "row")
