"""Marks of code: what is said of code, and where it stands on the page, changes none; what it does changes those of its units."""

from __future__ import annotations

import ast
import random
from dataclasses import asdict

import pytest

from flows import code_marks, code_trees
from flows.code_marks import marks_of

TEXTS = {
    "schemas": "",
    "schemas.contract": "class Column: ...",
    "schemas.key_figure": 'from schemas.contract import Column\nROW = Column("row", int, "A row.")\n',
    "schemas.errors": "class Broken(Exception): ...",
    "schemas.apples": 'from schemas.contract import Column\nAPPLE = Column("apple", int, "An apple.")\n',
    "transforms": "",
    "transforms.delivery": "from schemas import errors\n",
    "transforms.newest": "",
    "transforms.sources": "",
    "transforms.sources.apples": "from schemas.apples import APPLE\nFORM = APPLE\n",
    "transforms.sources.pears": "from transforms.sources import apples\n\n\ndef read(path): return path\n\n\ndef recognise(path): return 1\n",
    "transforms.sources.doors": "def recognise(path): return 1\n",
    "transforms.measures": "",
    "transforms.measures.apples": 'SQL = "SELECT 1"\n',
    "transforms.measures.pears": 'from transforms.help import twice\nSQL = f"SELECT {twice(1)}"\n',
    "transforms.help": "def twice(number):\n    return 2 * number\n",
    "transforms.settle": "",
    "transforms.registry": (
        "from transforms.delivery import Source, TableMeasures\n"
        "from transforms.measures import apples as apple_measures\n"
        "from transforms.measures import pears as pear_measures\n"
        "from transforms.sources import apples, doors, pears\n"
        "SOURCES: dict[str, Source] = {\n"
        '    "apples": apples.FORM.source(TableMeasures(apple_measures.SQL)),\n'
        '    "pears": Source(read=pears.read, recognise=doors.recognise, measures=TableMeasures(pear_measures.SQL)),\n'
        "}\n"
    ),
    "transforms.key_figures": "from transforms.key_figures import fruit, nuts\nMODULES = (fruit, nuts)\n",
    "transforms.key_figures.fruit": "from transforms.key_figures import shared\n\n\ndef compute(n):\n    return shared.half(n)\n",
    "transforms.key_figures.nuts": "def compute(n):\n    return n + 1\n",
    "transforms.key_figures.shared": "def half(n):\n    return n / 2\n",
    "warehouse": "",
    "warehouse.lake": "",
    "warehouse.ledger": "",
    "warehouse.measures": "",
    "warehouse.slices": "",
    "warehouse.store": "",
    "warehouse.validation": "",
    "flows": "",
    "flows.measuring": "",
    "flows.preparing": "from warehouse import ledger\n",
    "flows.refreshing": "from transforms import registry, settle\nfrom transforms.key_figures import fruit\n",
}
FIGURES = {"sweet": ["transforms.key_figures.fruit"], "hard": ["transforms.key_figures.nuts"]}


def changed(*edits: tuple[str, str, str]) -> set[str]:
    """Units whose mark changes by some edits: (module, text, other text)."""
    texts = dict(TEXTS)
    for module, before, after in edits:
        assert before in texts[module]
        texts[module] = texts[module].replace(before, after)
    return _differing(TEXTS, texts)


def _differing(one: dict[str, str], other: dict[str, str]) -> set[str]:
    was, now = (_flat({name: text.encode() for name, text in texts.items()}) for texts in (one, other))
    return {unit for unit in was.keys() | now.keys() if was.get(unit) != now.get(unit)}


def _flat(texts: dict[str, bytes]) -> dict[str, str]:
    marks = asdict(marks_of(texts, FIGURES))
    flat = {f"{kind} {name}": mark for kind in ("reading", "measures", "blocks") for name, mark in marks[kind].items()}
    return flat | {"engine": marks["engine"]}


@pytest.mark.parametrize(
    "edit",
    [
        ("transforms.help", "def twice", "# why\n\n\ndef twice"),
        ("transforms.help", "    return", '    """Two times."""\n    return  ('),
        ("transforms.key_figures.nuts", "n + 1", "(n +\n        1)  # one more"),
        ("schemas.key_figure", '"A row."', '"A line."'),
        ("schemas.errors", "class Broken", "class Worse(Exception): ...\n\n\nclass Broken"),
        ("transforms.sources.doors", "return 1", "return 2"),
        ("transforms.key_figures", "(fruit, nuts)", "(nuts, fruit)"),
    ],
)
def test_what_changes_no_figure_changes_no_mark(edit: tuple[str, str, str]) -> None:
    module, before, after = edit
    closing = [(module, "number\n", "number)\n")] if "return  (" in after else []
    assert changed((module, before, after), *closing) == set()


@pytest.mark.parametrize(
    ("edit", "units"),
    [
        (("transforms.key_figures.nuts", "n + 1", "n + 2"), {"blocks hard"}),
        (("transforms.key_figures.shared", "/ 2", "/ 3"), {"blocks sweet"}),
        (("transforms.measures.apples", "SELECT 1", "SELECT  1"), {"measures apples"}),
        (("transforms.help", "2 *", "3 *"), {"measures pears"}),
        (("transforms.sources.pears", "return path", "return str(path)"), {"reading pears"}),
        (("transforms.sources.apples", "FORM = APPLE", "FORM = [APPLE]"), {"reading apples", "reading pears"}),
        (("transforms.registry", "TableMeasures(apple_measures.SQL)", "TableMeasures(apple_measures.SQL, 1)"), {"measures apples"}),
        (("transforms.registry", "read=pears.read", "read=apples.read"), {"reading pears"}),
        (("transforms.registry", "{\n", '{\n    "figs": apples.FORM.source(TableMeasures(1)),\n'), {"reading figs", "measures figs"}),
        (("schemas.apples", '"apple"', '"fruit"'), {"reading apples", "reading pears", "measures apples", "measures pears"}),
        (("schemas.key_figure", '"row"', '"line"'), {"engine"}),
        (("flows.measuring", "", "SQL = 1\n"), {"measures apples", "measures pears"}),
        (("transforms.settle", "", "LEAST = 5\n"), {"engine"}),
    ],
)  # fmt: skip
def test_what_code_does_changes_the_marks_of_its_units(edit: tuple[str, str, str], units: set[str]) -> None:
    assert changed(edit) == units


def test_no_module_of_ours_is_forgotten() -> None:
    """What is in no unit is named here: no figure's value passes through it."""
    texts = code_trees.texts()
    known = set().union(*code_marks.units(texts, code_marks.figure_modules()).values())
    aside = {
        name for name in texts if any(name == aside or name.startswith(f"{aside}.") for aside in (*code_marks.ASIDE, *code_marks.REGISTRIES))
    }  # fmt: skip
    packages = {name for name in texts if any(other.startswith(f"{name}.") for other in texts)}
    left = {name for name in set(texts) - known - aside - packages if not name.startswith("flows.")}
    assert left == {
        "schemas.file_names",  # what may be told of them
        "schemas.plain",  # how names and values stand on a terminal
        "transforms.cpv",  # loads a register
        "transforms.formats.gzipped",  # unpacks at the door
        "transforms.reference_values",  # what others have published
        "transforms.rhythm",  # what is expected when
        "transforms.sources.invoice_agency",  # whose file it is, at the door
        "warehouse.alerts",
        "warehouse.backup",
        "warehouse.backup_restoring",
        "warehouse.figure_tables",  # made and widened as contracts say; what fills them is computed
        "warehouse.landed",  # what stands in landing beside a file
        "warehouse.overlay",  # what a night would do, looked at and let go
        "warehouse.planned",
        "warehouse.refused",
        "warehouse.restoring",
        "warehouse.retention",
    }
    computing = ("absent", "deviating", "measuring", "panelling", "preparing", "protecting", "refreshing")
    assert {f"flows.{name}" for name in computing} <= known


def test_the_marks_of_a_process_are_those_of_its_text() -> None:
    texts = code_trees.texts()
    assert code_trees.texts() is texts
    assert marks_of(texts, code_marks.figure_modules()) == code_marks.worked_out()


@pytest.mark.parametrize("seed", range(12))
def test_random_edits_of_our_own_modules(seed: int) -> None:
    """A module set otherwise, without its comments, has the same mark; one constant of it changed, another."""
    texts = code_trees.texts()
    chance = random.Random(seed)
    name = chance.choice([name for name, text in texts.items() if text.count(b"\n") > 20])
    tree = ast.parse(texts[name])
    mark = code_trees.module_of(texts[name], texts).mark
    assert code_trees.module_of(ast.unparse(tree).encode(), texts).mark == mark
    numbers = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and type(node.value) is int]
    words = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    if numbers:
        node = chance.choice(numbers)
        assert isinstance(node.value, int)
        node.value += 1
    else:
        chance.choice(words).id += "_other"
    assert code_trees.module_of(ast.unparse(tree).encode(), texts).mark != mark
