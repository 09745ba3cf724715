"""The few small things the terminal remembers besides money: wrong PINs, language; one JSON file.

Replaced by write-to-`.new`, then rename: a cut leaves the old file or the new one.
"""

import json
import os

from bootloader.shared.tidy import tidy
from firmware.log import log


class Memory:
    """A dictionary of settings at `path`; an unreadable file counts as empty."""

    def __init__(self, path="/data/merchant.json"):
        self._path = path
        self._kept = {}
        try:
            with open(path) as file:
                kept = json.load(file)
            if isinstance(kept, dict):
                self._kept = kept
        except (OSError, ValueError):
            pass

    def get(self, name, default):
        """What was put under `name`, if it has the type of `default`; else `default`."""
        value = self._kept.get(name, default)
        return value if type(value) is type(default) else default

    def put(self, name, value):
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
                log("memory", "not kept: " + str(error))

    def _store(self):
        new = self._path + ".new"
        with open(new, "w") as file:
            json.dump(self._kept, file)
        os.rename(new, self._path)
