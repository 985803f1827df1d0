"""Source text as what it does: a mark of every module of ours that comments, layout, docstrings and descriptions do not change, and
what each module imports of ours."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable

from schemas.errors import InvariantBroken

PACKAGES = ("schemas", "transforms", "warehouse", "flows")
DESCRIBED = {"Column": 2, "Table": 1, "Rule": 4, "form": 2}
"""Calls whose argument at that place is a description for people."""
MEASURES = frozenset({"SnapshotMeasures", "KeyedMeasures", "TableMeasures"})
DOOR = frozenset({"recognise", "recognise_agency"})
"""What of a source is asked at the door only, not when a delivery is read."""


@dataclass(frozen=True)
class Module:
    """One module: the hash of what it does, and the modules of ours it imports."""

    mark: str
    imports: frozenset[str]


@dataclass(frozen=True)
class Entry:
    """What the registry says of one source: what reads it and what measures it, each by its modules and its own words."""

    reading: frozenset[str]
    reading_words: str
    measures: frozenset[str]
    measures_words: str


@lru_cache(maxsize=1)
def texts() -> Mapping[str, bytes]:
    """The text of every module of ours by its name, as this process found it when it first asked; from a checkout or as installed.

    A package bears its own name.
    """
    return dict(sorted(item for package in PACKAGES for item in _texts(resources.files(package), package)))


def _texts(place: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for child in place.iterdir():
        if child.name.endswith(".py"):
            stem = child.name.removesuffix(".py")
            yield name if stem == "__init__" else f"{name}.{stem}", child.read_bytes()
        elif child.name != "__pycache__" and child.is_dir():
            yield from _texts(child, f"{name}.{child.name}")


@lru_cache(maxsize=1)
def text_mark() -> str:
    """Changes with any character of any module."""
    return hashlib.sha256(b"\0".join(part for name, text in texts().items() for part in (name.encode(), text))).hexdigest()


def module_of(text: bytes, known: Collection[str]) -> Module:
    """What a module does and imports; `known` are the names of the modules of ours."""
    tree = ast.parse(text)
    imported = frozenset(name for _, name in _imports(tree, known))
    return Module(hashlib.sha256(normal(tree).encode()).hexdigest(), imported)


def normal(node: ast.AST, without: Collection[ast.AST] = ()) -> str:
    """A syntax tree as text: without positions, comments, docstrings, the descriptions of columns, tables and rules, and the nodes
    `without`; equal for every Python that reads the same tree."""
    parts: list[str] = []
    _write(node, parts.append, without)
    return "".join(parts)


def _write(value: object, out: Callable[[str], None], without: Collection[object]) -> None:
    if isinstance(value, list):
        out("[")
        for item in value:
            if not (isinstance(item, ast.Expr) and _is_text(item.value)):  # a docstring, wherever it stands
                _write(item, out, without)
        out("]")
    elif not isinstance(value, ast.AST):
        out(repr(value))
    elif not isinstance(value, ast.expr_context) and value not in without:
        out(f"({type(value).__name__}")
        description = _description(value) if isinstance(value, ast.Call) else None
        for name in value._fields:
            held = getattr(value, name, None)
            if name == "value" and isinstance(value, ast.Constant):
                out(repr(held))
            elif held is not None and held != [] and name not in ("kind", "type_comment"):
                out(f" {name}=")
                _write([item for item in held if item is not description] if description and name == "args" else held, out, without)
        out(")")


def _is_text(value: ast.AST) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _description(call: ast.Call) -> ast.expr | None:
    """The argument of a call that is a description for people."""
    place = DESCRIBED.get(call.func.id) if isinstance(call.func, ast.Name) else None
    return call.args[place] if place is not None and len(call.args) > place and _is_text(call.args[place]) else None


def _imports(tree: ast.AST, known: Collection[str]) -> Iterator[tuple[str, str]]:
    """(name in this module, module of ours) of every import, wherever it stands."""
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in known:
                    yield alias.asname or alias.name, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield alias.asname or alias.name, inner if inner in known else str(node.module)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Every statement under a node, without a look into expressions."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        held = getattr(node, name, None)
        for inner in held if isinstance(held, list) else ():
            yield inner
            yield from _statements(inner)


def entries(text: bytes, known: Collection[str]) -> dict[str, Entry]:
    """The sources as the registry's text wires them, one by one, so that no source depends on another's.

    Raises InvariantBroken where the registry does not look as expected.
    """
    tree = ast.parse(text)
    modules = dict(_imports(tree, known))
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "SOURCES":
            assert isinstance(node.value, ast.Dict)  # noqa: S101
            return {
                str(key.value): _entry(value, modules)
                for key, value in zip(node.value.keys, node.value.values, strict=True)
                if isinstance(key, ast.Constant)
            }
    raise InvariantBroken("transforms/registry.py has no SOURCES, from which marks of code are read")


def _entry(value: ast.expr, modules: Mapping[str, str]) -> Entry:
    measures = [
        node
        for node in ast.walk(value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MEASURES
    ]
    door = [node for node in ast.walk(value) if isinstance(node, ast.keyword) and node.arg in DOOR]
    measuring = {node for call in measures for node in ast.walk(call)}
    reading = set(ast.walk(value)) - measuring - {node for part in door for node in ast.walk(part)}
    return Entry(
        _named(reading, modules),
        normal(value, {*measures, *door}),
        _named(measuring, modules),
        "".join(normal(call) for call in measures),
    )


def _named(nodes: Collection[ast.AST], modules: Mapping[str, str]) -> frozenset[str]:
    return frozenset(modules[node.id] for node in nodes if isinstance(node, ast.Name) and node.id in modules)
