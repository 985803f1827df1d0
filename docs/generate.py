"""Write the generated pages from contracts and definitions; `--check` fails when a page on disk is stale.

docs/data-dictionary.md       every table and column of every source, and the published tables
docs/key-figures/index.md     the catalogue; one page per figure beside it
docs/strategy-map.md          the national strategy's goals and indicators, and the figures that speak of them
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from schemas.contract import Column, Contract, Table
from schemas.key_figure import KEY_FIGURE, KeyFigure
from schemas.reference import Reference
from transforms.key_figures import FIGURES
from transforms.registry import SOURCES
from warehouse.publication import deviation, mart, meta, panel, reference_values, revision, strategy

DOCS = Path(__file__).parent
NOTE = "<!-- Written by `make docs`; do not edit. -->\n"
STANDING = {
    "official": "official: definition published by the source named",
    "official_goal": "official goal, formula is ours",
    "proposal": "our proposal, not official",
}


def pages() -> dict[str, str]:
    """Every generated page: path below docs/ -> text."""
    found = {"data-dictionary.md": dictionary()}
    definitions = {figure.figure_id: figure for figure in (item.definition for item in FIGURES.values())}
    found["key-figures/index.md"] = index(definitions)
    found["strategy-map.md"] = strategy_map(definitions)
    for figure in definitions.values():
        found[f"key-figures/{figure.figure_id}.md"] = figure_page(figure)
    return found


def dictionary() -> str:
    """The data dictionary."""
    lines = [NOTE, "# Data dictionary", ""]
    for source in SOURCES.values():
        lines += _contract(source.contract)
    lines += ["## Published: `mart.key_figure`", "", KEY_FIGURE.description, ""]
    lines += [f"Primary key: {', '.join(f'`{name}`' for name in KEY_FIGURE.primary_key)}.", ""]
    lines += _columns(KEY_FIGURE.columns)
    published: Mapping[str, Mapping[str, str]] = {
        "mart.figure": mart.FIGURE,
        "mart.level": mart.LEVEL,
        "mart.deviation": deviation.DEVIATION,
        "mart.revision": revision.REVISION,
        "mart.revision_summary": revision.SUMMARY,
        "mart.panel": panel.PANEL,
        "mart.panel_member": panel.MEMBER,
        "mart.panel_growth": panel.GROWTH,
        "mart.strategy_goal": strategy.GOAL,
        "mart.strategy_indicator": strategy.INDICATOR,
        "mart.strategy_map": strategy.MAP,
        "mart.action_slot": strategy.SLOT,
        "mart.reference_value": reference_values.REFERENCE_VALUE,
        "mart.cpv": reference_values.CPV,
        "meta.delivery": meta.DELIVERY,
        "meta.quality_result": meta.QUALITY,
        "meta.quarantine_summary": meta.QUARANTINE,
        "meta.publication": meta.PUBLICATION,
    }
    for name, columns in published.items():
        lines += [f"## Published: `{name}`", "", "| column | meaning |", "|---|---|"]
        lines += [f"| `{column}` | {_cell(text)} |" for column, text in columns.items()] + [""]
    return "\n".join(lines)


def _contract(contract: Contract) -> list[str]:
    lines = [f"## Source `{contract.source}` (contract {contract.version}, {contract.kind})", "", contract.description, ""]
    if contract.delivered_columns:
        lines += ["Columns that a delivered file's headers are mapped to (all text):", "", "| column | meaning |", "|---|---|"]
        lines += [f"| `{column.name}` | {_cell(column.description)} |" for column in contract.delivered_columns] + [""]
    for table in contract.tables:
        lines += [f"### `{table.name}`", "", table.description, ""]
        if table.primary_key:
            lines += [f"Primary key: {', '.join(f'`{name}`' for name in table.primary_key)}.", ""]
        lines += _columns(table.columns)
        lines += _rules(table)
    return lines


def _columns(columns: Iterable[Column]) -> list[str]:
    lines = ["| column | type | required | meaning |", "|---|---|---|---|"]
    for column in columns:
        codes = f" One of: {', '.join(column.codes)}." if column.codes else ""
        required = "yes" if column.required else ""
        lines.append(f"| `{column.name}` | {_cell(str(column.dtype))} | {required} | {_cell(column.description + codes)} |")
    return [*lines, ""]


def _rules(table: Table) -> list[str]:
    if not table.rules:
        return []
    lines = ["| rule | column | severity | dimension | meaning | refuses the delivery above |", "|---|---|---|---|---|---|"]
    for rule in table.rules:
        limit = "" if rule.limit_share is None else f"{rule.limit_share:.0%} of {rule.of}"
        lines.append(
            f"| `{rule.name}` | {rule.column or ''} | {rule.severity} | {rule.dimension} | {_cell(rule.description)} | {limit} |"
        )
    return [*lines, ""]


def index(definitions: Mapping[str, KeyFigure]) -> str:
    """The catalogue as a table."""
    lines = [NOTE, "# Key figures", "", "| figure | fi | sv | en | unit | standing |", "|---|---|---|---|---|---|"]
    for figure in sorted(definitions.values(), key=lambda item: item.figure_id):
        names = " | ".join(_cell(figure.name[language]) for language in ("fi", "sv", "en"))
        lines.append(f"| [`{figure.figure_id}`]({figure.figure_id}.md) | {names} | {figure.unit} | {figure.standing} |")
    lines += ["", "## Not computed, and what they wait for", "", "| figure | reason |", "|---|---|"]
    waiting = sorted(figure.figure_id for figure in definitions.values() if figure.waits_for)
    lines += [f"| `{figure_id}` | {_cell(definitions[figure_id].waits_for)} |" for figure_id in waiting]
    return "\n".join([*lines, ""])


def figure_page(figure: KeyFigure) -> str:
    """One figure's page: what it means, how it is computed, what is left out."""
    lines = [NOTE, f"# {figure.name['en']} (`{figure.figure_id}`, version {figure.version})", ""]
    lines += [f"- {language}: **{figure.name[language]}** - {figure.definition[language]}" for language in ("fi", "sv", "en")]
    lines += ["", "| | |", "|---|---|", f"| unit | {figure.unit} |", f"| direction | {figure.direction} |"]
    lines += [f"| numerator | {_cell(figure.numerator)} |", f"| denominator | {_cell(figure.denominator or 'none: a sum')} |"]
    lines += [f"| aggregate | {figure.aggregate} |", f"| coverage | {_cell(figure.coverage_text)} |"]
    lines += [
        f"| scopes | {', '.join(figure.scopes)} |",
        f"| variants | {', '.join(name or 'plain' for name in figure.variants)} |",
    ]
    lines += [f"| periods | {', '.join(figure.period_kinds)} |", f"| levels | {', '.join(figure.levels)} |"]
    lines += [f"| sources | {', '.join(figure.sources)} |", f"| standing | {STANDING[figure.standing]} |"]
    lines += [f"| origin | {_cell(figure.origin)} |", f"| strategy | {figure.strategy_intent or '-'} |", ""]
    if figure.waits_for:
        lines += [f"**Not computed** (`no_data: no_source`): {figure.waits_for}", ""]
    for title, sentences in (("Exclusions", figure.exclusions), ("Assumptions", figure.assumptions)):
        if sentences:
            lines += [f"## {title}", "", *(f"- {sentence}" for sentence in sentences), ""]
    return "\n".join(lines)


def strategy_map(definitions: Mapping[str, KeyFigure]) -> str:
    """The strategy map: every goal and official slot with the figures that are there for it."""
    defined = {figure_id for figure_id, figure in definitions.items() if not figure.waits_for}
    goals, indicators, links, _slots = (table.frame for table in strategy.tables(Reference.load(), defined))
    lines = [NOTE, "# Strategy map", "", "What the key figures say of the national public procurement strategy (2020)."]
    lines += [
        "Wordings of goals are shortened and ours. Here, `no_data` means that no figure is computed; `mart.strategy_goal` and"
    ]
    lines += ["`mart.strategy_indicator` say the same of each publication, by the figures that have values in it.", ""]
    for (intent, name, theme), own in goals.group_by("intent", "intent_fi", "theme_en", maintain_order=True):
        lines += [f"## {intent} {theme}", "", f"{name}.", "", "| goal | en | data | figures |", "|---|---|---|---|"]
        for row in own.iter_rows(named=True):
            lines.append(
                f"| {row['goal']} | {_cell(row['summary_en'] or row['status'])} | {row['data']} | {_links(row['figures'])} |"
            )
        whole = links.filter(pl.col("intent") == intent, pl.col("goal").is_null())
        if whole.height:
            lines += ["", f"Of the intent as a whole: {_links(','.join(whole['figure_id']))}."]
        lines.append("")
    lines += ["## The 27 official indicators", "", "| no | official name | data | figures |", "|---|---|---|---|"]
    for row in indicators.iter_rows(named=True):
        name = row["official_name_fi"] or row["status"]
        lines.append(f"| {row['official_no']} | {_cell(name)} | {row['data']} | {_links(row['figures'])} |")
    notes = links.drop_nulls("note")
    lines += ["", *(f"- {_links(figure)}: {note}." for figure, note in notes.select("figure_id", "note").iter_rows()), ""]
    lines += [
        "## Not computed",
        "",
        "Figures with a goal that no source lets us compute; each is published as `no_data` with its reason.",
        "",
    ]
    waiting = links.filter(~pl.col("has_value")).sort("goal", "figure_id", nulls_last=True).drop_nulls("intent")
    lines += [f"- {row['goal'] or row['intent']}: {_links(row['figure_id'])}" for row in waiting.iter_rows(named=True)]
    lines += ["", "## Context", "", "Figures that speak of no intent:", ""]
    return "\n".join([*lines, f"{_links(','.join(links.filter(relation='context')['figure_id']))}.", ""])


def _links(figures: str) -> str:
    return ", ".join(f"[`{name}`](key-figures/{name}.md)" for name in figures.split(",") if name)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main(check: bool) -> int:
    """Write the pages, or with `check` report stale, missing and left-over ones; returns the exit code."""
    wanted = pages()
    directory = DOCS / "key-figures"
    left_over = (
        [path for path in directory.glob("*.md") if f"key-figures/{path.name}" not in wanted] if directory.is_dir() else []
    )
    stale = [name for name, text in wanted.items() if not (DOCS / name).is_file() or (DOCS / name).read_text("utf-8") != text]
    if check:
        for name in (*stale, *(str(path.relative_to(DOCS)) for path in left_over)):
            sys.stderr.write(f"docs/{name} is stale; run `make docs`\n")
        return 1 if stale or left_over else 0
    directory.mkdir(exist_ok=True)
    for path in left_over:
        path.unlink()
    for name in stale:
        (DOCS / name).write_text(wanted[name], "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
