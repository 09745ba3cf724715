"""What is on a slip: all of it, in order, wrapped and never cut, for the longest allowed texts."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.drivers.printer import COLUMNS
from firmware.paper import letters, receipt
from firmware.sales.catalogue import BILL, KINDS, METER, PIN, TOPUP, Catalogue
from firmware.sales.product import Product
from firmware.sales.sale import Sale, Voucher
from firmware.ui.font import EXTRA, MARKS
from firmware.ui.money_and_dates import date_time_text, grouped, money
from firmware.ui.texts import LANGUAGES, Words, table
from hw_sim.printer import EscPosPrinter
from tests.money.shop import CATALOGUE

LETTERS = st.one_of(
    st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f\xad|").filter(
        lambda letter: not 127 <= ord(letter) < 161
    ),
    st.sampled_from([*"ẹọṣẸỌṢɓɗƙƴƁƊƘƳŋŊńǹœŒ€"]),
)
TONES = st.sampled_from(["ẹ̀", "ẹ́", "ọ̀", "ọ́", "Ẹ̀", "Ọ́", "ń", "b"])


def texts(least: int, most: int) -> st.SearchStrategy[str]:
    """Words and one long word, up to the bound."""
    return st.one_of(
        st.text(LETTERS, min_size=least, max_size=most),
        st.lists(st.text(LETTERS, min_size=1, max_size=9), min_size=1, max_size=9)
        .map(" ".join)
        .filter(lambda text: least <= len(text) <= most),
        st.lists(TONES, min_size=max(1, least), max_size=most // 2).map("".join),
        st.just("W" * most),
    )


DIGITS = st.text("0123456789", min_size=20, max_size=20)
LABELS = ["customer", "units_kwh", "tariff", "tax", "arrears", "free_units", "of_later_times_x"]
MORE = st.fixed_dictionaries(
    {},
    optional={
        "place": texts(1, 64),
        "telephone": texts(1, 24),
        "tax_number": texts(1, 24),
        "helpline": texts(1, 24),
        "number": texts(1, 8),
        "vat_permille": st.integers(0, 1000),
        "terms": st.dictionaries(st.sampled_from(["en", "yo"]), texts(0, 200)),
    },
)
SALES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(KINDS),
        "name": texts(1, 32),
        "operator": texts(1, 32),
        "instructions": texts(0, 200),
        "amount": st.one_of(st.integers(1, 2**30 - 1), st.just(2**30 - 1)),
        "digits": st.integers(0, 3),
        "number": st.text("0123456789", min_size=4, max_size=20),
        "pin": DIGITS,
        "serial": st.text("0123456789ABCabc-", min_size=1, max_size=40),
        "keys": st.lists(DIGITS, max_size=2),
        "tokens": st.lists(DIGITS, max_size=3),
        "details": st.lists(st.tuples(st.sampled_from(LABELS), texts(0, 64)), max_size=7),
        "shop": texts(1, 32),
        "helpline": texts(1, 24),
        "more": MORE,
        "paper_mm": st.sampled_from([58, 80]),
        "sequence": st.integers(1, 2**32 - 1),
        "copy": st.integers(0, 999),
        "expiry": st.sampled_from([0, 1_900_000_000]),
        "language": st.sampled_from(LANGUAGES),
    }
)
ON_PAPER = {58: 32, 80: 48}
"""Columns, by the width of the roll in mm."""
SOLD_AT, PRINTED_AT = 1_790_000_000, 1_790_086_400


def slip(made: dict[str, Any]) -> tuple[bytes, Voucher, Catalogue]:
    """The bytes of the receipt of a sale."""
    table = {**CATALOGUE, "minor_digits": made["digits"], "products": []}
    catalogue = Catalogue(json.dumps(table))
    product = {
        "id": "x",
        "name": made["name"],
        "operator": made["operator"],
        "amount_minor": made["amount"],
        "commission_minor": 0,
        "instructions": made["instructions"],
        "pin_groups": [4, 4, 4, 4, 4],
        "kind": made["kind"],
        "helpline": made["helpline"],
        **({"dial": "*130*PIN#"} if made["kind"] == PIN else {}),
    }
    online = made["kind"] != PIN
    if online:
        product["recipient"] = {"digits": [4, 20], "starts": []}
    number = made["number"] if online else None
    said = [3, SOLD_AT, "x", made["amount"], 0, number, b"", "S", 0]
    details = [[f"key_change_{n + 1}", key] for n, key in enumerate(made["keys"])]
    details += [[f"token_{n + 2}", token] for n, token in enumerate(made["tokens"])]
    details += [list(pair) for pair in made["details"]]
    sold = Voucher(
        (made["pin"], made["serial"], made["expiry"]),
        details if online else [],
        Product(product),
        Sale([made["sequence"], 1, 0, 1], said, False),
    )
    sold.copy = made["copy"]
    config = SimpleNamespace(
        merchant_name=made["shop"],
        utc_offset_s=10800,
        shop=made["more"],
        paper_mm=made["paper_mm"],
    )
    words = Words(made["language"])
    is_copy = made["copy"] > 0
    data = receipt.voucher(
        words, config, catalogue, "0011223344556677", sold, PRINTED_AT, is_copy, not online
    )
    return data, sold, catalogue


def drawn_letters() -> dict[bytes, str]:
    """Every letter that is sent as a picture, by the columns of its picture."""
    found: dict[bytes, str] = {}
    for letter in [*EXTRA, *(letter + mark for letter in "ẹọẸỌm" for mark in MARKS)]:
        if letter not in MARKS:
            columns = letters.image(letter)[5:]
            found.setdefault(columns, letter)
            if len(letter) > 1 or letters.encode(letter)[:1] == b"\x1b":
                found[columns] = letter
    return found


def printed(data: bytes, paper_mm: int = 58) -> list[str]:
    """The lines that a printer puts on paper, without the blanks around them."""
    printer = EscPosPrinter(mm_per_s=None, paper_dots=12 * ON_PAPER[paper_mm])
    printer.send = lambda _: None
    printer.on_power(True)
    printer.on_host_bytes(data)
    assert not printer.unknown
    pictures = drawn_letters()
    return [
        "".join(pictures[b"".join(run.dots)] if run.dots else run.text for run in line.runs).strip()
        for receipt_ in printer.receipts()
        for line in receipt_.lines
        if line.kind == "text"
    ]


def sent_lines(data: bytes) -> list[str]:
    """The text of each line that is sent, commands taken out, a picture as the letter `@`."""
    pieces = data.split(b"\x1b*\x21\x0c\x00")
    text = b"@".join([pieces[0], *(piece[36:] for piece in pieces[1:])])
    text = re.sub(rb"\x1d\(k\x03\x001.[^\x1d]|\x1d\(k.\x001P0[^\x1d]*", b"", text)
    text = text.replace(receipt._START, b"").replace(receipt._FEED, b"")
    for command in ("_CENTRE", "_LEFT", "_BOLD", "_PLAIN", "_SINGLE"):
        text = text.replace(getattr(receipt, command), b"")
    return text.decode("latin-1").split("\n")


def wider_than_paper(data: bytes, columns: int) -> list[str]:
    """Lines that the head would break where it likes."""
    wrong = []
    for line in sent_lines(data):
        wide = "\x1d!\x11" in line
        plain = line.replace("\x1d!\x11", "").replace("\x1d!\x01", "")
        if len(plain) > (columns // 2 if wide and plain != "-" * columns else columns):
            wrong.append(plain)
    return wrong


def squeezed(text: str) -> str:
    """`text` without its blanks: a line end may stand in the place of one."""
    return "".join(text.split())


def judge(made: dict[str, Any]) -> None:
    data, _, catalogue = slip(made)
    assert wider_than_paper(data, ON_PAPER[made["paper_mm"]]) == []
    lines = printed(data, made["paper_mm"])
    paper = squeezed("".join(lines))
    words = Words(made["language"])
    online = made["kind"] != PIN
    price = f"{catalogue.currency} {money(made['amount'], made['digits'])}"
    wanted = [made["shop"], made["name"], price, made["serial"], "0011223344556677"]
    wanted += [made["instructions"], date_time_text(SOLD_AT, 10800), str(made["sequence"])]
    more = made["more"]
    terms = more.get("terms", {})
    wanted += [made["helpline"], terms.get(made["language"]) or terms.get("en", "")]
    wanted += [more.get(n, "") for n in ("place", "telephone", "tax_number", "helpline", "number")]
    if made["kind"] == PIN:
        wanted += ["*130*" + made["pin"] + "#"]
        assert b"tel:*130*" + made["pin"].encode() + b"%23" in data
    if not made["name"].startswith(made["operator"]):
        wanted.append(made["operator"])
    if online:
        wanted.append(grouped(made["number"], made["kind"]))
        wanted += [value for _, value in made["details"]]
    if made["copy"]:
        wanted += [words("r_copy") + str(made["copy"]), date_time_text(PRINTED_AT, 10800)]
        assert lines.count(words("r_duplicate")) == 2
    for text in wanted:
        assert squeezed(text) in paper, f"{text!r} is not whole on {lines}"
    assert any(price in line for line in lines), "an amount is broken over two lines"
    if made["kind"] == METER:
        order = [*made["keys"], made["pin"], *made["tokens"]]
        at = -1
        for token in order:
            first, second = (
                f"{token[:4]} {token[4:8]} {token[8:12]}",
                f"{token[12:16]} {token[16:]}",
            )
            at = lines.index(first, at + 1)
            assert lines[at + 1] == second
        first = squeezed(words("key_first", len(made["keys"])))
        assert (first in paper) >= bool(made["keys"])
    elif made["kind"] == PIN:
        assert f"{made['pin'][:4]} {made['pin'][4:8]} {made['pin'][8:12]}" in lines


@settings(max_examples=80, deadline=None, derandomize=True)
@given(SALES)
def test_everything_is_on_the_slip_and_nothing_is_cut(made: dict[str, Any]) -> None:
    judge(made)


LONGEST = {
    "kind": METER,
    "name": "W" * 32,
    "operator": "M" * 32,
    "instructions": "x" * 200,
    "amount": 2**30 - 1,
    "digits": 0,
    "number": "9" * 20,
    "pin": "1" * 20,
    "serial": "S" * 40,
    "keys": ["2" * 20, "3" * 20],
    "tokens": ["4" * 20, "5" * 20, "6" * 20],
    "details": [(label, label + "é" * (64 - len(label))) for label in LABELS],
    "shop": "Q" * 32,
    "helpline": "8" * 24,
    "paper_mm": 58,
    "more": {
        "place": "P" * 64,
        "telephone": "7" * 24,
        "tax_number": "T" * 24,
        "helpline": "H" * 24,
        "number": "N" * 8,
        "vat_permille": 1000,
        "terms": {"en": "e" * 200, "yo": "ẹ̀" * 100},
    },
    "sequence": 2**32 - 1,
    "copy": 999,
    "expiry": 1_900_000_000,
    "language": "fr",
}


def test_every_letter_of_the_languages_is_on_paper_and_looks_like_no_other() -> None:
    pictures: dict[bytes, str] = {}
    known = set("".join(table(language) for language in LANGUAGES)) - set("\n" + "".join(MARKS))
    tones = [letter + mark for letter in "ẹọẸỌ" for mark in MARKS]
    for letter in [*sorted(known), *"ãõñœŒẹọṣɗƙɓƴƘƊƁƳŋŊ", *tones]:
        assert printed(receipt._START + letters.encode(letter) + b"\n") == [letter.strip()], letter
        assert pictures.setdefault(letters.image(letter), letter) == letter


@pytest.mark.parametrize(
    ("amount", "digits", "permille", "line"),
    [
        (11600, 2, 160, "16% in it 16.00"),
        (5000, 2, 160, "16% in it 6.90"),
        (5000, 0, 75, "7.5% in it 349"),
        (1, 3, 180, "18% in it 0.000"),
    ],
)
def test_the_vat_in_a_price(amount: int, digits: int, permille: int, line: str) -> None:
    made = {**LONGEST, "amount": amount, "digits": digits, "more": {"vat_permille": permille}}
    for kind, is_told in ((PIN, True), (TOPUP, True), (METER, False), (BILL, False)):
        lines = printed(slip({**made, "kind": kind, "language": "en"})[0])
        assert any(" ".join(one.split()) == "VAT " + line for one in lines) == is_told


def test_a_camera_dials_the_voucher() -> None:
    printer = EscPosPrinter(mm_per_s=None)
    printer.send = lambda _: None
    printer.on_power(True)
    printer.on_host_bytes(slip({**LONGEST, "kind": PIN})[0])
    (paper,) = printer.receipts()
    assert paper.qr_codes == ["tel:*130*" + "1" * 20 + "%23"]


def test_a_shop_that_said_nothing_has_the_slip_of_before() -> None:
    bare = {**LONGEST, "more": {}, "copy": 0, "kind": TOPUP}
    lines = printed(slip(bare)[0])
    assert lines[:2] == ["Q" * 32, "-" * COLUMNS]


def test_a_letter_that_nobody_has_is_seen_on_paper() -> None:
    assert letters.encode("жẹ") == b"?" + letters.image("ẹ")
    assert letters.encode("\u0301x") == b"?x"


def test_a_name_with_a_letter_that_heads_lack_is_of_one_size() -> None:
    plain, _, _ = slip({**LONGEST, "shop": "Mama Asha"})
    dotted, _, _ = slip({**LONGEST, "shop": "Màmá Ṣadé"})
    assert receipt._TALL in plain and receipt._TALL not in dotted


def test_a_letter_as_a_picture_costs_forty_one_bytes() -> None:
    assert len(letters.encode("ẹ")) == len(letters.encode("ẹ́")) == 41
    assert len(letters.encode("é")) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_longest_of_everything_is_on_the_slip(kind: str, language: str) -> None:
    for paper_mm in ON_PAPER:
        judge({**LONGEST, "kind": kind, "language": language, "paper_mm": paper_mm})


def test_a_wide_roll_has_longer_lines() -> None:
    narrow, wide = (slip({**LONGEST, "paper_mm": mm})[0] for mm in ON_PAPER)
    assert b"-" * 48 in wide and b"-" * 33 not in narrow
    assert len(printed(wide, 80)) < len(printed(narrow))
    assert wider_than_paper(wide, ON_PAPER[58]), "a wide slip on a narrow roll is noticed"


def test_the_reference_of_a_topup_is_no_code_to_type() -> None:
    for kind in (TOPUP, BILL):
        _, sold, _ = slip({**LONGEST, "kind": kind})
        lines = printed(slip({**LONGEST, "kind": kind})[0])
        assert not any("1111 1111" in line for line in lines) and sold.pin == "1" * 20


def _cut(left: str, right: str, columns: int) -> bytes:
    """As it was: what does not fit beside the other is cut."""
    gap = columns - len(left) - len(right)
    if gap < 1:
        left = left[: columns - len(right) - 1]
        gap = columns - len(left) - len(right)
    line: bytes = receipt.encode(left + " " * gap + right) + b"\n"
    return line


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("_pair", _cut),
        ("wrap_columns", lambda text, columns: [text]),
        ("_is_code", lambda label: not label.startswith("units")),
    ],
    ids=["a pair that cuts", "lines that are not wrapped", "a detail left out"],
)
def test_a_wrong_slip_is_noticed(name: str, wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(LONGEST)
    monkeypatch.setattr(receipt, name, wrong)
    with pytest.raises(AssertionError):
        judge(LONGEST)


def test_codes_in_the_wrong_order_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = receipt.codes
    monkeypatch.setattr(receipt, "codes", lambda words, sold: right(words, sold)[::-1])
    with pytest.raises((AssertionError, ValueError)):
        judge(LONGEST)
