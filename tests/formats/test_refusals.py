"""One table of the codes that a merchant is told: terminal, server and texts hold the same ones."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.drivers import printer
from firmware.net.modem import no_link
from firmware.net.modem.errors import ModemError
from firmware.ui import texts
from updater_server.sales import online

ROOT = Path(__file__).resolve().parents[2]
TABLE: dict[str, Any] = tomllib.loads((ROOT / "docs/formats/refusals.toml").read_text())
SALE: dict[str, dict[str, Any]] = TABLE["sale"]
TEXTS = (
    {entry["text"] for entry in SALE.values()}
    | set(TABLE["network"].values())
    | set(TABLE["printer"]["before"].values())
    | set(TABLE["printer"]["after"].values())
)
OTHER = "e_other"
"""Tells a code of later times."""


def said_by(who: str) -> set[str]:
    return {code for code, entry in SALE.items() if who in entry["by"]}


def trees(*rooms: str) -> Iterator[ast.AST]:
    for room in rooms:
        for file in (ROOT / room).rglob("*.py"):
            yield ast.parse(file.read_text(encoding="utf-8"))


def strings(node: ast.AST) -> set[str]:
    return {
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }


def raised_by_the_till() -> set[str]:
    """The codes in `SaleRefused("…")`, and those that `offline_refusal` returns."""
    found: set[str] = set()
    for tree in trees("firmware"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "SaleRefused":
                found |= set().union(*(strings(argument) for argument in node.args[:1]))
            if isinstance(node, ast.FunctionDef) and node.name == "offline_refusal":
                for part in ast.walk(node):
                    if isinstance(part, ast.Return) and part.value:
                        found |= strings(part.value)
    return found


def final_errors() -> set[str]:
    """The codes of error replies after which the terminal asks for a sale no more."""
    found: set[str] = set()
    for tree in trees("firmware/office"):
        for node in ast.walk(tree):
            if isinstance(node, ast.AsyncFunctionDef) and node.name == "ask":
                for part in ast.walk(node):
                    if isinstance(part, ast.Compare) and isinstance(part.ops[0], ast.NotIn):
                        found |= strings(part)
    return found


def modem_codes(error: type[Any]) -> set[str]:
    return {error.code}.union(*(modem_codes(other) for other in error.__subclasses__()))


@pytest.mark.parametrize("language", texts.LANGUAGES)
@pytest.mark.parametrize("key", sorted(TEXTS | {OTHER}))
def test_every_code_has_a_text_in_every_language(key: str, language: str) -> None:
    words = texts.Words(language)
    assert words.language == language
    assert words(key) not in ("", key), f"{key} has no text"


def test_no_text_is_kept_for_a_code_that_nobody_says() -> None:
    kept = {key for key in texts.keys() if key.startswith(("e_", "n_", "np_"))}  # noqa: SIM118
    assert kept - TEXTS == {OTHER} - TEXTS


def test_the_till_refuses_with_the_codes_of_the_table() -> None:
    assert raised_by_the_till() == said_by("terminal")


def test_the_server_refuses_with_the_codes_of_the_table() -> None:
    errors = final_errors()
    assert errors == {"conflict", "bad_message"}
    assert set(online.REFUSALS) | errors == said_by("server")
    assert errors <= set().union(*(strings(tree) for tree in trees("updater_server/faces")))


def test_the_modem_fails_with_the_codes_of_the_table() -> None:
    assert no_link.NoModem  # brings the reasons of the ladder
    assert modem_codes(ModemError) == set(TABLE["network"])


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_printer_answers_with_the_codes_of_the_table(when: str) -> None:
    assert set(TABLE["printer"][when]) == {printer.PAPER_OUT, printer.COVER_OPEN, printer.ERROR}


@pytest.mark.parametrize("code", sorted(SALE))
def test_the_text_of_a_code_is_the_one_that_the_terminal_shows(code: str) -> None:
    words = texts.Words("en")
    text = SALE[code]["text"]
    assert words.either("e_" + code, OTHER, code) == words(text, code)


@pytest.mark.parametrize("code", sorted(TABLE["network"]))
def test_the_text_of_a_dead_link_is_the_one_that_the_terminal_shows(code: str) -> None:
    words = texts.Words("en")
    assert words.either("n_" + code, "no_network") == words(TABLE["network"][code])
