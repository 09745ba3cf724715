"""What libraries compute again in each test, though it is a function of what they are given: once a
process. Nothing that a test or the product says, stores or decides is remembered here.

- *Compiled statements.* SQLAlchemy keeps them per engine, and nearly each test has an engine of its
  own: a sixth of the CPU of `tests/server` was the same few hundred statements, compiled again.
- *Signatures that are right.* Whoever opens a repository looks at some twelve of them; the key, the
  bytes and the signature are the same ones in each test. One that is wrong is looked at each time.
"""

from __future__ import annotations

import functools
import hashlib
import sys
from typing import Any

_STATEMENTS = 5_000


def remember() -> None:
    """Begin, for those of the libraries that are imported by now."""
    if "sqlalchemy" in sys.modules:
        _share_statements()
    if "securesystemslib.signer" in sys.modules:
        _remember_signatures()


class Statements:
    """An engine's memory of compiled statements, shared by all engines of one kind of database: in
    a key the engine's own dialect object comes first, here it is their kind.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def get(self, key: tuple[Any, ...]) -> Any:
        """The compiled statement, or None."""
        return _compiled().get((self._kind, *key[1:]))

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        _compiled()[(self._kind, *key[1:])] = compiled


@functools.cache
def _compiled() -> Any:
    from sqlalchemy.util import LRUCache

    return LRUCache(_STATEMENTS)


def _share_statements() -> None:
    from sqlalchemy import Engine

    made = Engine.__init__

    @functools.wraps(made)
    def make(self: Engine, *arguments: Any, **named: Any) -> None:
        made(self, *arguments, **named)
        if self._compiled_cache is not None:
            shared: Any = Statements(f"{self.dialect.name}+{self.dialect.driver}")
            self._compiled_cache = shared

    Engine.__init__ = make  # type: ignore[method-assign]


def _remember_signatures() -> None:
    from securesystemslib.signer import SSlibKey

    look = SSlibKey._verify
    right: set[tuple[str, str, str, bytes, bytes]] = set()

    @functools.wraps(look)
    def verify(self: SSlibKey, signature: bytes, data: bytes) -> None:
        content = hashlib.sha256(data).digest()
        what = (self.keytype, self.scheme, self.keyval["public"], signature, content)
        if what not in right:
            look(self, signature, data)
            right.add(what)

    SSlibKey._verify = verify  # type: ignore[method-assign]
