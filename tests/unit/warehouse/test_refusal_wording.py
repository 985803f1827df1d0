"""Every code with which anything can be refused has a sentence in each language."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from transforms.registry import SOURCES
from warehouse.publication import wording

ROOT = Path(__file__).parents[3]
MAKERS = {"Reason", "refusal", "_refusal"}
LANGUAGES = ("fi", "sv")


def codes_of(tree: ast.AST) -> set[str]:
    """Codes written out where a reason is made; those put together (`{what}_invalid`) with each of their words."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS and node.args:
            code = node.args[0]
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                found.add(code.value)
            elif isinstance(code, ast.JoinedStr):
                found |= {f"{what}_invalid" for what in ("agency", "source")}
    return found


CODES = sorted(
    set().union(
        *(
            codes_of(ast.parse(path.read_text("utf-8")))
            for folder in ("flows", "transforms", "warehouse", "schemas")
            for path in (ROOT / folder).rglob("*.py")
        )
    )
)
RULES = sorted({rule.name for source in SOURCES.values() for table in source.contract.tables for rule in table.rules})


def test_the_search_finds_codes() -> None:
    assert {"agency_unknown", "zip_ratio", "file_too_large", "sheet_too_large", "source_invalid"} <= set(CODES)
    assert len(CODES) > 50


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_sentence(code: str) -> None:
    _, sentences = wording.REASONS[code]
    for language in LANGUAGES:
        assert len(sentences[language]) > 10
        assert sentences[language] != sentences[LANGUAGES[language == "fi"]]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_words(rule: str) -> None:
    assert all(wording.RULES[rule][language] for language in LANGUAGES)


TEXTS = {
    "source_unknown": "source None is not known; say --source, one of a, b",
    "agency_unknown": "agency 'kylä' is not in agencies.csv; say --agency, or add a row for it",
    "source_not_agreed": "agency x does not deliver purchase_invoices by agencies.csv; correct the row or the place",
    "zip_ratio": "unpacks to more than 100 times its size; deliver the plain file",
    "zip_too_large": "unpacked 5 bytes, at most 4; deliver in parts",
    "zip_too_many_members": "5 members, at most 4; deliver in parts",
    "file_too_large": "the file is larger than 100 bytes",
    "file_not_taken": "could not be taken in (KeyError); it stays where it is and is tried again with the next run",
}


@pytest.mark.parametrize("code", TEXTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_take_their_values(code: str, language: str) -> None:
    told = wording.reason_text(code, TEXTS[code], language)
    assert told != TEXTS[code]
    assert "{" not in told
