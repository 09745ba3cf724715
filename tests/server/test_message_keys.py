"""The server's names for the keys of a message (`updater_server.wire.keys`) are those of
docs/formats/messages.md: every key of the page has a name, no name a key that the page has not, and
each name's words stand in what the page says of that key.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from updater_server.faces import messages
from updater_server.wire import keys

PAGE = (Path(__file__).resolve().parents[2] / "docs/formats/messages.md").read_text("utf-8")
KINDS: dict[int, tuple[type, type]] = {
    keys.Kind.CHECK_IN: (keys.CheckIn, keys.CheckInReply),
    keys.Kind.SALE: (keys.Sale, keys.SaleReply),
    keys.Kind.JOURNAL: (keys.Journal, keys.JournalReply),
    keys.Kind.STOCK: (keys.Stock, keys.StockReply),
    keys.Kind.STOCK_RECEIVED: (keys.StockReceived, keys.Done),
    keys.Kind.STOCK_HELD: (keys.StockHeld, keys.Done),
    keys.Kind.LOOK_UP: (keys.LookUp, keys.LookUpReply),
}
BLOCKED = " `7` blocked"
"""Said below the table, where blocked terminals are, of the replies to kinds 1 and 3."""


def names(table: type) -> dict[int, str]:
    return {value: name for name, value in vars(table).items() if isinstance(value, int)}


def described(text: str) -> dict[int, str]:
    """{key: what the page says of it} of text such as "`1` time, `2` running release"."""
    parts = re.split(r"`(\d+)`", text)[1:]
    return {int(key): said for key, said in zip(parts[::2], parts[1::2], strict=True)}


def rows() -> dict[int, tuple[str, str, str]]:
    found = re.findall(r"^\| (\d) ([a-z -]+) \| (.*) \| (.*) \|$", PAGE, re.M)
    return {int(kind): (name, asked, told) for kind, name, asked, told in found}


def fits(name: str, said: str) -> bool:
    words = said.lower().replace("-", " ")
    return all(word.lower() in words for word in name.split("_"))


def differences(table: type, said: dict[int, str]) -> list[str]:
    mine = names(table)
    wrong = [f"{key} has no name" for key in said.keys() - mine.keys()]
    wrong += [f"{mine[key]} is not on the page" for key in mine.keys() - said.keys()]
    shared = mine.keys() & said.keys()
    return wrong + [
        f"{key} {mine[key]}: {said[key]}" for key in shared if not fits(mine[key], said[key])
    ]


def test_every_kind_has_a_name_and_somebody_who_answers_it() -> None:
    page = {kind: name for kind, (name, _, _) in rows().items()}
    mine = {kind: name for kind, name in names(keys.Kind).items() if kind != keys.Kind.ERROR}
    assert page.keys() == mine.keys() == messages.ANSWERS.keys() == KINDS.keys()
    assert all(fits(name, page[kind]) for kind, name in mine.items())
    assert f"`{{0: {keys.Kind.ERROR}, {keys.ErrorReply.CODE}: code (tstr), " in PAGE
    assert f"{keys.ErrorReply.TEXT}: text (tstr)}}`" in PAGE


@pytest.mark.parametrize("kind", KINDS)
def test_the_keys_of_a_message_are_those_of_the_page(kind: int) -> None:
    _, asked, told = rows()[kind]
    request, reply = KINDS[kind]
    assert differences(request, described(asked)) == []
    if kind in (keys.Kind.CHECK_IN, keys.Kind.JOURNAL):
        assert "`7` true" in PAGE
        told += BLOCKED
    assert differences(reply, described(told)) == []


def test_what_a_sale_came_to_has_the_numbers_of_the_page() -> None:
    values = f"{keys.DELIVERED} delivered, {keys.REFUSED} refused, {keys.PENDING} pending"
    assert f"status ({values})" in PAGE


def test_the_keys_of_a_stock_file_are_those_of_the_page() -> None:
    section = PAGE[PAGE.index("## Stock file") :]
    said = described(section[: section.index(". At most")])
    said[keys.StockFile.ENTRIES] += " entries"
    assert differences(keys.StockFile, said) == []


def test_a_key_that_differs_would_be_noticed() -> None:
    class Wrong:
        TIME = 1
        PRICE = 2

    assert differences(Wrong, {1: " time, ", 2: " product id"}) == ["2 PRICE:  product id"]
    assert differences(Wrong, {1: " time, ", 3: " more"}) == [
        "3 has no name",
        "PRICE is not on the page",
    ]
