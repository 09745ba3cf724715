"""The keys of messages: what the terminal's code calls them is what docs/formats/messages.md lists.

On the device a key is a number that the compiler puts in place of its name, so it is read here from
the source: `_CHECK_IN_TIME` is of kind 1's request, `_CHECK_IN_REPLY_TIME` of its reply.
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from firmware.office import messenger

ROOT = Path(__file__).resolve().parents[2]
METRICS = tomllib.loads((ROOT / "docs/formats/metrics.toml").read_text("utf-8"))["counter"]
KINDS = {
    "CHECK_IN": messenger.CHECK_IN,
    "SALE": messenger.SALE,
    "JOURNAL": messenger.JOURNAL,
    "STOCK": messenger.STOCK,
    "STOCK_RECEIVED": messenger.STOCK_RECEIVED,
    "STOCK_HELD": messenger.STOCK_HELD,
    "LOOK_UP": messenger.LOOK_UP,
}
WITH_NOTICES = ("CHECK_IN", "JOURNAL")
"""Kinds with which notices ride: `office.sync.with_notices` adds their keys to either."""
NOT_READ = {
    ("SALE", False): {13},
    ("SALE", True): {7},
    ("LOOK_UP", True): {7},
    ("STOCK_RECEIVED", True): {1},
    ("STOCK_HELD", True): {1},
}
"""Keys that the terminal takes no notice of: a refusal's text, that all is well, and what belongs
to sales that it does not make yet. And counters with a sale: a journal message follows it anyway.
"""


def named_on_the_device() -> dict[tuple[str, bool], dict[int, str]]:
    """{(kind, whether of the reply): {key: name}}, over all files that read or write messages."""
    found: dict[tuple[str, bool], dict[int, str]] = {}
    for kind in KINDS:
        found[kind, False], found[kind, True] = {}, {}
    files = [*(ROOT / "firmware" / "office").glob("*.py"), ROOT / "firmware" / "sales" / "till.py"]
    for node in (node for file in files for node in ast.parse(file.read_text()).body):
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)):
            continue
        target, value = node.targets[0], node.value.args[0]
        if not (isinstance(target, ast.Name) and isinstance(value, ast.Constant)):
            continue
        key = value.value
        if target.id.removeprefix("_").lower() in METRICS:
            continue  # it is counted, and no key
        assert isinstance(key, int)
        for kind in sorted(KINDS, key=len, reverse=True):
            if target.id.startswith(f"_{kind}_"):
                name = target.id.removeprefix(f"_{kind}_")
                keys = found[kind, name.startswith("REPLY_")]
                assert key not in keys, f"key {key} of {kind} has two names"
                keys[key] = name.removeprefix("REPLY_")
                break
        name = target.id.removeprefix("_REPLY_").removeprefix("_")
        for kind in WITH_NOTICES if name in ("NOTICES", "NO_ROOM") else ():
            found[kind, target.id.startswith("_REPLY_")][key] = name
    return found


def documented() -> dict[tuple[str, bool], dict[int, str]]:
    """The same of the table of kinds, with the words that stand behind each key."""
    text = (ROOT / "docs" / "formats" / "messages.md").read_text()
    found = {}
    for kind, number in KINDS.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| {number} "))
        for is_reply, cell in enumerate(row.split(" | ")[1:3]):
            parts = re.split(r"`(\d+)` ", cell)
            keys = dict(zip(map(int, parts[1::2]), parts[2::2], strict=True))
            found[kind, bool(is_reply)] = keys
    return found


@pytest.mark.parametrize("is_reply", [False, True], ids=["request", "reply"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_key_has_the_number_that_the_page_gives_it(kind: str, is_reply: bool) -> None:
    device = named_on_the_device()[kind, is_reply]
    page = documented()[kind, is_reply]
    assert set(device) == set(page) - NOT_READ.get((kind, is_reply), set())
    for key, name in device.items():
        words = re.sub(r"[^a-z0-9]+", "_", page[key].lower())
        assert name.lower() in words, f"key {key}: {name} is called {page[key]!r}"
