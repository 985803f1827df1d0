"""Targets and lights (METHOD 9): compared exactly on integers, never on rounded values.

A threshold is a decimal in the register; a share is numerator / denominator. `a / b >= t` is computed as `a * q >= t_p * b`
with t = t_p / q, so 10 % is 10 % to the last unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import polars as pl

from schemas.errors import ConfigurationError
from schemas.reference import Reference

OPERATORS: Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    ">=": lambda left, right: left >= right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    "<": lambda left, right: left < right,
}
MINIMUM_COVERAGE = Fraction(8, 10)
MINIMUM_N = 30
OWN_TOLERANCE = Fraction(1, 10)
"""Own targets without a band: missed by at most a tenth of the target, inclusive, is yellow."""


@dataclass(frozen=True)
class Target:
    """A dated target. `rule`: official (bands of an edition), own (METHOD 35), line (drawn, never a light)."""

    figure_id: str
    variant: str
    scope: str
    level: str
    valid_from: date
    valid_to: date
    target: Fraction
    operator: str
    green: tuple[str, Fraction]
    red: tuple[str, Fraction] | None
    rule: str
    confirmed: bool


def targets(reference: Reference) -> list[Target]:
    """The register of targets, checked. Raises ConfigurationError naming row and column."""
    return [
        _target(number, row) for number, row in enumerate(reference.table("catalogue/targets.csv").iter_rows(named=True), start=2)
    ]


def _target(number: int, row: Mapping[str, str | None]) -> Target:
    def fraction(column: str) -> Fraction:
        try:
            return Fraction(row[column] or "")
        except ValueError as error:
            raise ConfigurationError(f"catalogue/targets.csv, row {number}: {column} {row[column]!r} is not a number") from error

    def operator(column: str) -> str:
        if row[column] not in OPERATORS:
            raise ConfigurationError(
                f"catalogue/targets.csv, row {number}: {column} {row[column]!r} is not one of {', '.join(OPERATORS)}"
            )
        return str(row[column])

    goal, sign = fraction("target"), operator("target_operator")
    return Target(
        figure_id=row["figure_id"] or "",
        variant=row["variant"] or "",
        scope=row["scope"] or "",
        level=row["level"] or "",
        valid_from=date.fromisoformat(row["valid_from"] or "1900-01-01"),
        valid_to=date.fromisoformat(row["valid_to"] or "9999-12-31"),
        target=goal,
        operator=sign,
        green=(operator("green_operator"), fraction("green_value")) if row["green_operator"] else (sign, goal),
        red=(operator("red_operator"), fraction("red_value")) if row["red_operator"] else None,
        rule=row["rule"] or "official",
        confirmed=row["confirmed"] == "yes",
    )


def compares(sign: str, threshold: Fraction) -> pl.Expr:
    """numerator / denominator <sign> threshold, exactly; a sum has denominator 1. Columns `numerator`, `denominator`."""
    denominator = pl.col("denominator").fill_null(1).cast(pl.Int128)
    return OPERATORS[sign](pl.col("numerator").cast(pl.Int128) * threshold.denominator, denominator * threshold.numerator)


def light(target: Target) -> pl.Expr:
    """green, yellow or red for rows the target applies to."""
    green = compares(*target.green)
    if target.rule == "own":
        slack = abs(target.target) * OWN_TOLERANCE
        edge = target.target - slack if target.operator.startswith(">") else target.target + slack
        near = compares(">=" if target.operator.startswith(">") else "<=", edge)
        return pl.when(green).then(pl.lit("green")).when(near).then(pl.lit("yellow")).otherwise(pl.lit("red"))
    if target.red is None:
        return pl.when(green).then(pl.lit("green")).otherwise(pl.lit("red"))
    return pl.when(green).then(pl.lit("green")).when(compares(*target.red)).then(pl.lit("red")).otherwise(pl.lit("yellow"))


def with_targets(frame: pl.DataFrame, known: list[Target]) -> pl.DataFrame:
    """Adds target (text), target_operator, light. Needs figure_id, variant, scope, level, breakdown_kind, period_end,
    numerator, denominator, n, covered, asked and `has_value`.

    No light: no target of that scope and level, unconfirmed or merely drawn thresholds, coverage under 80 %, n under 30.
    """
    goal, sign, shown = pl.lit(None, pl.String), pl.lit(None, pl.String), pl.lit("none")
    covered = pl.col("covered") * MINIMUM_COVERAGE.denominator >= pl.col("asked") * MINIMUM_COVERAGE.numerator
    exact = pl.col("numerator").is_not_null()  # a median has no integers to compare
    trusted = pl.col("has_value") & exact & covered & (pl.col("asked") > 0) & (pl.col("n") >= MINIMUM_N)
    for target in known:
        applies = (
            (pl.col("figure_id") == target.figure_id)
            & (pl.col("variant") == target.variant)
            & (pl.col("scope") == target.scope)
            & (pl.col("level") == target.level)
            & (pl.col("breakdown_kind") == "")
            & pl.col("period_end").is_between(target.valid_from, target.valid_to)
        )
        goal = pl.when(applies).then(pl.lit(_decimal(target.target))).otherwise(goal)
        sign = pl.when(applies).then(pl.lit(target.operator)).otherwise(sign)
        if target.confirmed and target.rule != "line":
            shown = pl.when(applies & trusted).then(light(target)).otherwise(shown)
    return frame.with_columns(target=goal, target_operator=sign, light=shown)


def _decimal(value: Fraction) -> str:
    """A threshold as a plain decimal with eight places."""
    scaled = value * 10**8
    if scaled.denominator != 1:
        raise ConfigurationError(f"a target has more than eight decimals: {value}")
    whole, rest = divmod(abs(scaled.numerator), 10**8)
    return f"{'-' if value < 0 else ''}{whole}.{rest:08d}"
