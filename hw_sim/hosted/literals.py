"""Dictionaries as MicroPython lays them out: a display makes a table of just its size, in which the
keys stand by their hashes; one that is full grows to the next size of a list, and all is put in
anew. `json.dumps` writes the keys in that order, and a file's bytes hang on it.

Source: MicroPython's py/map.c (`mp_map_lookup`, `mp_map_rehash`), with 16 bits of each hash.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any, Final

_NAME: Final = "_literal"
_SIZES: Final = (
    *(1, 2, 4, 6, 8, 10, 12, 17, 23, 29, 37, 47, 59, 73, 97, 127, 167, 223, 293, 389, 521, 691),
    *(919, 1223, 1627, 2161, 3229, 4831, 7243, 10861, 16273, 24407, 36607, 54907),
)


class Literal(dict[Any, Any]):
    """What a display of `size` items makes."""

    def __init__(self, items: dict[Any, Any]) -> None:
        super().__init__(items)
        self.size = len(items)


NAMES: Final = {_NAME: Literal}
"""What marked programs look for among the built-in names."""


class _Marking(ast.NodeTransformer):
    def visit_Dict(self, node: ast.Dict) -> ast.expr:
        self.generic_visit(node)
        if not node.keys:
            return node
        call = ast.Call(ast.Name(_NAME, ast.Load()), [node], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))


def marked(text: str, name: str) -> ast.Module:
    """A program whose displays of dictionaries make `Literal`s. Raises SyntaxError."""
    module = ast.parse(text, name)
    _Marking().visit(module)
    return module


def in_order(said: dict[str, Any]) -> list[str]:
    """The keys as MicroPython has them, if none was ever deleted."""
    slots: list[str | None] = [None] * (said.size if isinstance(said, Literal) else 0)
    for used, key in enumerate(said):
        if used == len(slots):
            slots = _filled(slots, next(size for size in _SIZES if size > used))
        _put(slots, key)
    return [key for key in slots if key is not None]


def _filled(keys: Iterable[str | None], size: int) -> list[str | None]:
    slots: list[str | None] = [None] * size
    for key in keys:
        if key is not None:
            _put(slots, key)
    return slots


def _put(slots: list[str | None], key: str) -> None:
    at = _hash(key) % len(slots)
    while slots[at] is not None:
        at = (at + 1) % len(slots)
    slots[at] = key


def _hash(text: str) -> int:
    """Of a string, 16 bits."""
    found = 5381
    for byte in text.encode():
        found = found * 33 ^ byte
    return found & 0xFFFF or 1
