"""The few small things the terminal remembers besides money: wrong PINs, language."""

import json

from bootloader.shared.compat import const
from bootloader.shared.tidy import tidy
from firmware import counts
from firmware.kept.files import put
from firmware.log import log

_LOG_ERRORS = const(22)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    Kind = TypeVar("Kind")


class Memory:
    """A dictionary of settings at `path`; an unreadable file counts as empty."""

    def __init__(self, path: str = "/data/merchant.json") -> None:
        self._path = path
        self._kept: dict[str, Any] = {}
        try:
            with open(path) as file:
                kept = json.load(file)
            if isinstance(kept, dict):
                self._kept = kept
        except (OSError, ValueError):
            pass

    def get(self, name: str, default: "Kind") -> "Kind":
        """What was put under `name`, if it has the type of `default`; else `default`."""
        value = self._kept.get(name, default)
        return value if type(value) is type(default) else default

    def put(self, name: str, value: "Any") -> None:
        """Remember `value`; it outlives a power cut.

        A disk that takes nothing ends no sale: then it is remembered until the next start only.
        """
        if self._kept.get(name) == value:
            return
        self._kept[name] = value
        try:
            self._store()
        except OSError:
            tidy(True)
            try:
                self._store()
            except OSError as error:
                counts.add(_LOG_ERRORS)
                log("memory", "not kept: " + str(error))

    def _store(self) -> None:
        put(self._path, (json.dumps(self._kept).encode(),))
