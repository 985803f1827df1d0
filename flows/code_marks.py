"""Marks of code: what was read, measured and computed with other code than the present one is known by its mark (ARCHITECTURE,
"Same data, same code, same figures").

A mark is a hash of what the modules of a unit do (`flows.code_trees`): the unit's own and what they import of ours, each once.
Units are the reading of each source, its measures, each block of figures, and the engine: whatever else figures pass through.
Registers have a fingerprint of their own; no module of ours loads other data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache

from flows import code_trees
from flows.code_trees import Module
from schemas.key_figure import KeyFigure
from transforms.key_figures import FIGURES
from warehouse import ledger
from warehouse.store import Store

STATE = "code_marks"
REGISTRIES = ("transforms.registry", "transforms.key_figures")
"""They name every source and figure; each unit takes its own lines of them."""
ASIDE = (
    "flows.code_marks",
    "flows.code_trees",
    "flows.publishing",
    "flows.stepping",
    "schemas.errors",
    "schemas.register_checks",
    "warehouse.findings",
    "warehouse.home",
    "warehouse.journal",
    "warehouse.landing",
    "warehouse.memory",
    "warehouse.migrations",
    "warehouse.publication",
    "warehouse.revisions",
    "warehouse.upkeep",
)
"""Modules that the others import and no figure's value passes through (registers are known by what they come to)."""
READING = ("flows.preparing", "transforms.delivery", "warehouse.lake", "warehouse.validation")
"""What all deliveries are read by, beside the modules of their source."""
NOT_READING = ("warehouse.ledger", "warehouse.slices", "warehouse.store")
"""What preparing and the gate hand on to."""
MEASURING = ("flows.measuring", "transforms.newest", "warehouse.ledger", "warehouse.measures", "warehouse.slices", "warehouse.store")
"""What all sources are measured by, and what says which deliveries are in force."""
ENGINE = ("flows.refreshing", "schemas.key_figure")
"""Where figures are computed from measures, settled, protected, drawn into panels and judged."""

PUBLICATION = ("flows.publishing", "warehouse.publication")
"""What builds a generation. Other code there changes no figure: the next generation is built from nothing."""


@dataclass(frozen=True)
class Marks:
    """The marks of the code that runs: of sources, of blocks (schemas.key_figure.BLOCKS), and of the engine."""

    reading: Mapping[str, str]
    measures: Mapping[str, str]
    blocks: Mapping[str, str]
    engine: str
    protection: str
    """Of what decides which cells are withheld (METHOD 51); a part of the engine."""
    publication: str
    """Of what builds the published file from the figures."""

    @property
    def figures(self) -> str:
        """Changes with whatever figures are computed from measures by."""
        return json.dumps([dict(self.blocks), self.engine], sort_keys=True)

    @property
    def units(self) -> dict[str, str]:
        """Every mark that a figure's value depends on while nothing is read again, by unit."""
        measures = {f"measures {source}": mark for source, mark in self.measures.items()}
        return measures | {f"block {block}": mark for block, mark in self.blocks.items()} | {"engine": self.engine}

    def units_of(self, figure: KeyFigure) -> set[str]:
        """The units that a figure's value depends on."""
        return {"engine", f"block {figure.block}"} | {f"measures {source}" for source in figure.sources}


def of(store: Store, keeps: bool = True) -> Marks:
    """The marks of the code that runs. The warehouse remembers them with the text's mark, so that nothing is parsed while the text
    is the same; `keeps` False: it is open for reading only."""
    text = code_trees.text_mark()
    known = json.loads(ledger.state(store, STATE) or "{}")
    if known.get("text") == text:
        return Marks(**known["marks"])
    found = worked_out()
    if keeps:
        ledger.set_state(store, STATE, json.dumps({"text": text, "marks": asdict(found)}))
    return found


@lru_cache(maxsize=1)
def worked_out() -> Marks:
    """The marks, from the text of this process's code."""
    return marks_of(code_trees.texts(), figure_modules())


def figure_modules() -> dict[str, set[str]]:
    """Block -> the modules that state its figures."""
    found: dict[str, set[str]] = {}
    for figure in FIGURES.values():
        found.setdefault(figure.definition.block, set()).add(figure.module.__name__)
    return found


def units(texts: Mapping[str, bytes], figure_modules: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """Unit -> the modules it is made of; `reading SOURCE`, and those of Marks.units."""
    return _units(_Modules(texts), figure_modules)


def marks_of(texts: Mapping[str, bytes], figure_modules: Mapping[str, Collection[str]]) -> Marks:
    """The marks of some texts of modules by name; `figure_modules`: block -> the modules that state its figures."""
    modules = _Modules(texts)
    made_of = _units(modules, figure_modules)
    entries = code_trees.entries(texts["transforms.registry"], texts)
    return Marks(
        {source: modules.mark(made_of[f"reading {source}"], entry.reading_words) for source, entry in entries.items()},
        {source: modules.mark(made_of[f"measures {source}"], entry.measures_words) for source, entry in entries.items()},
        {block: modules.mark(made_of[f"block {block}"]) for block in figure_modules},
        modules.mark(made_of["engine"]),
        modules.mark({name for name in made_of["engine"] if name.startswith("transforms.disclosure.")}),
        modules.mark({name for name in texts if name.startswith(PUBLICATION)}),
    )


def _units(modules: _Modules, figure_modules: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    entries = code_trees.entries(modules.texts["transforms.registry"], modules.texts)
    stated = {name for names in figure_modules.values() for name in names}
    wired = {name for entry in entries.values() for name in entry.reading | entry.measures} - {"transforms.delivery"}
    engine = modules.closure(ENGINE, stated | wired)
    found = {"engine": engine}
    for source, entry in entries.items():
        read = modules.closure({*READING, *entry.reading}, NOT_READING)
        found[f"reading {source}"] = read
        contracts = {name for name in read if name.startswith("schemas.")}
        found[f"measures {source}"] = modules.closure({*MEASURING, *entry.measures, *contracts}, ())
    for block, names in figure_modules.items():
        found[f"block {block}"] = modules.closure(names, ()) - engine
    return found


class _Modules:
    """The modules of ours, each parsed when it is first asked for."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self.texts = texts
        self._known: dict[str, Module] = {}

    def _module(self, name: str) -> Module:
        if name not in self._known:
            self._known[name] = code_trees.module_of(self.texts[name], self.texts)
        return self._known[name]

    def closure(self, roots: Iterable[str], walls: Collection[str]) -> set[str]:
        """Modules and what they import, without `walls`, registries and what is aside."""
        found: set[str] = set()
        left = list(roots)
        while left:
            name = left.pop()
            if name not in found and name not in walls and name not in REGISTRIES and not _is_aside(name):
                found.add(name)
                left += self._module(name).imports
        return found

    def mark(self, names: Collection[str], words: str = "") -> str:
        """One mark of several modules and of a registry's words."""
        parts = [f"{name} {self._module(name).mark}" for name in sorted(names)]
        return hashlib.sha256("\n".join([*parts, words]).encode()).hexdigest()


def _is_aside(name: str) -> bool:
    return any(name == aside or name.startswith(f"{aside}.") for aside in ASIDE)
