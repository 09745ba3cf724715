"""Real boards' interpreters know the names of the program, so that these take none of the heap."""

from __future__ import annotations

from tools.lab import names

NEWER = 40
"""How many may be newer than the list: some 24 bytes of heap each, on a board of 128 KiB."""


def test_interpreters_are_built_with_the_programs_names() -> None:
    missing = names.missing()
    assert len(missing) <= NEWER, f"`inv names` adds {len(missing)}: {sorted(missing)[:10]} ..."


def test_the_list_is_short_of_nothing_that_is_loaded() -> None:
    assert {"UpdateClient", "firmware.update.client", "run_once", "texts"} <= names.names()
