"""XML of a stranger, read into a small tree. For the adapters whose suppliers speak it.

By expat, with what makes XML dangerous left out: a document type is refused before anything in it
is looked at, so there are no entities (nothing expands, nothing is fetched), and depth, elements
and bytes are bounded. Where one thing is meant there must be one: of two tokens nobody can say
which.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

BYTES = 64 * 1024
DEPTH = 24
ELEMENTS = 1500
ATTRIBUTES = 24
_XSI_TYPE = "http://www.w3.org/2001/XMLSchema-instance type"


class NotXml(Exception):
    """It is no such document, or more of one than anybody needs; the text says why."""


@dataclass
class Node:
    """One element. Attributes without a namespace go by their own names."""

    namespace: str
    name: str
    attributes: dict[str, str]
    kind: str
    """Its xsi:type, without the prefix; may be empty."""
    children: list[Node] = field(default_factory=list)
    text: str = ""

    def all(self, *path: str) -> Iterator[Node]:
        """Every element at that path of names below this one."""
        for child in self.children:
            if child.name == path[0]:
                if len(path) == 1:
                    yield child
                else:
                    yield from child.all(*path[1:])

    def one(self, *path: str) -> Node | None:
        """The element at that path; None if there is none.

        Raises:
            NotXml: there are several.
        """
        found = list(self.all(*path))
        if len(found) > 1:
            raise NotXml(f"{len(found)} times {'/'.join(path)}")
        return found[0] if found else None

    def value(self, path: str) -> str | None:
        """What stands at "a/b" (its text) or "a/b@c" (an attribute); None if nothing does.

        Raises:
            NotXml: the element is there several times.
        """
        place, _, attribute = path.partition("@")
        node = self.one(*place.split("/")) if place else self
        if node is None:
            return None
        if attribute:
            return node.attributes.get(attribute)
        return node.text.strip()


def read(data: bytes) -> Node:
    """The document's root.

    Raises:
        NotXml: see above.
    """
    if len(data) > BYTES:
        raise NotXml(f"more than {BYTES} bytes")
    builder = _Builder()
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = builder.refuse
    parser.EntityDeclHandler = builder.refuse
    parser.ProcessingInstructionHandler = builder.refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.words
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError) as error:
        raise NotXml(f"it is no XML: {error}") from error
    assert builder.root is not None, "expat takes no document without an element"
    return builder.root


class _Builder:
    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._elements = 0

    def refuse(self, *_what: object) -> NoReturn:
        raise NotXml("it has a document type, an entity or an instruction")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._open) >= DEPTH or self._elements > ELEMENTS or len(attributes) > ATTRIBUTES:
            raise NotXml("too deep, too many elements, or too many attributes")
        kind = attributes.pop(_XSI_TYPE, "").rpartition(":")[2]
        namespace, _, name = tag.rpartition(" ")
        node = Node(namespace, name, attributes, kind)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def end(self, _tag: str) -> None:
        self._open.pop()

    def words(self, text: str) -> None:
        self._open[-1].text += text
