"""Every word fits the place it is shown in, in every language, and none is missing or idle."""

from __future__ import annotations

import ast
import unicodedata
from pathlib import Path

import pytest

from bootloader.shared.calendar import date_time
from firmware.flows.language import NAMES
from firmware.sales.catalogue import KINDS, PIN
from firmware.ui import texts
from firmware.ui.canvas import EXTRA, text_width, wrap
from firmware.ui.money_and_dates import date_text, date_time_text, money
from firmware.ui.screen import LINES, TITLE_PX

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
SOURCES = sorted(FIRMWARE.rglob("*.py"))
WIDE = "99999999"  # the widest number that is ever filled in: a sale's sequence
NAME = "Savanna 1000 MB"  # as long a product name as the menu shows whole

TITLES = [
    *[
        "sign_in",
        "wrong_pin",
        "locked",
        "menu",
        "sell_what",
        "checking",
        "no_paper",
        "printer_bad",
        "selling",
    ],
    *[
        "no_network",
        "n_no_sim",
        "n_sim_locked",
        "n_denied",
        "n_no_gprs",
        "n_no_modem",
        "no_answer",
        "sold",
        "not_sold",
        "not_printed",
        "cut",
        "m_reprint",
        "m_sales",
        "m_day",
        "m_messages",
        "which_operator",
        "to_topup",
        "to_meter",
        "to_bill",
        "once_more",
        "check_it",
        "is_it",
        "favourites",
        "amount",
        "pending",
    ],
    *["deposit", "paid_out"],
    *["m_shift", "m_z", "shift_open", "shift_close", "z_copy"],
    *["rp_today", "rp_yesterday", "rp_week", "rp_x"],
    *["m_set", "m_service", "m_training", "snd", "contrast", "versions", "self_test"],
    *["sim_network", "keys", "display", "battery", "clock", "memory", "program", "sim", "modem"],
    *["shift_copy"],
    *["m_language", "m_info", "m_unfinished", "float", "service", "m_pin", "m_people", "cancel"],
]
MENU = [key for key in texts.keys() if key.startswith("m_")]  # noqa: SIM118
PAGES = {
    "your_pin": (),
    "tries_left": ("3",),
    "locked_for": ("3600",),
    "wait_printer": (),
    "paper_out": (),
    "cover_open": (),
    "error": (),
    "wait_network": (),
    "wait_server": (),
    "wait_office": (),
    "wait_print": (),
    "wait_report": (),
    "stock_q": ("200",),
    "no_answer_t": (WIDE,),
    "sold_t": (),
    "sold_unsure": (),
    "np_paper_out": (),
    "np_cover_open": (),
    "np_error": (),
    "show_pin_q": (),
    "cut_print": (WIDE, NAME),
    "cut_ask": (WIDE, NAME),
    "no_last": (),
    "wait_sales": (),
    "not_among": (WIDE,),
    "last_q": (WIDE, NAME),
    "no_messages": (),
    "waiting": ("4",),
    "type_topup": (),
    "sale_no": (),
    "type_meter": (),
    "type_bill": (),
    "type_again": (),
    "not_the_same": (),
    "bad_length": ("11 - 13",),
    "bad_start": ("07, 011, 020",),
    "bad_meter": (),
    "only_online": (),
    "wait_name": (),
    "no_name": (),
    "pending_t": (WIDE,),
    **{key: () for key in texts.keys() if key.startswith(("e_", "s_"))},  # noqa: SIM118
    "e_other": ("new_code_of_later_times",),
    "cancel_q": (WIDE,),
    "cancel_kept": (WIDE,),
    "cancel_no": (),
    "not_kept": (),
    "pin_kept": (),
    "pin_short": (),
    "pin_easy": (),
    "pin_differs": (),
    "people_kept": (),
    "remove_q": ("M" * 16,),
    "shift_is_open": (),
    "cash_now": (),
    "cash_count": (),
    "z_number": (),
    "z_none": (WIDE,),
    "fav_on": (NAME, "9"),
    "fav_off": (NAME,),
    "fav_full": (),
    "of_another": ("Savanna", "Kilele Mobile"),
    "contrast_t": (),
    "press_all": (" ".join("123A456B789C*0#D"),),
    "lcd_watch": (),
    "lcd_q": (),
    "t_battery": ("3299",),
    "t_clock": (),
    "t_memory": (),
    "t_program": (),
    "t_keys": (" ".join("123A456B789C*0#D"),),
    "t_lcd": (),
    "t_mute": (),
    "wait_modem": (),
    "tr_q": (),
    "tr_done": (),
    "no_shifts": (),
}
languages = pytest.mark.parametrize("language", texts.LANGUAGES)


STATES = [key for key in texts.keys() if key.startswith("st_") and not key.endswith("_t")]  # noqa: SIM118


def hint_rows() -> list[tuple[tuple[str, str], ...]]:
    """Every row of key hints in the sources: a tuple of pairs whose first is one of the keys."""
    rows = []
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Tuple):
                try:
                    row = ast.literal_eval(node)
                except ValueError:
                    continue
                if row and all(
                    isinstance(pair, tuple) and len(pair) == 2 and str(pair[0]) in "0*#ABCD"
                    for pair in row
                ):
                    rows.append(row)
    return rows


def used_keys() -> set[str]:
    """Every text key that a source names, however it is passed on."""
    named = set()
    for source in SOURCES:
        if source.parent.name == "languages":
            continue
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                named.add(node.value)
                words = node.value.split()
                if all(word.startswith("m_") for word in words):  # the menu's, in one text
                    named.update(words)
    return named


def test_the_sources_do_hint_at_keys() -> None:
    assert (("*", "back"), ("#", "ok")) in hint_rows()


@languages
def test_every_row_of_key_hints_fits(language: str) -> None:
    words = texts.Words(language)
    rows = [*hint_rows(), (("*", "out"), ("D", "copy"), ("#", "ok"))]
    for row in rows:
        needed = sum(text_width(f"{key} {words(word)}") + 1 for key, word in row)
        assert needed + 5 * (len(row) - 1) <= 124, (row, needed)


@languages
def test_every_title_fits(language: str) -> None:
    words = texts.Words(language)
    for key in TITLES:
        text = words(key)
        assert text_width(text, bold=True) <= TITLE_PX, (key, text)


@languages
def test_every_menu_entry_fits(language: str) -> None:
    words = texts.Words(language)
    for key in MENU:
        assert text_width("8 " + words(key)) <= 120, key


@languages
def test_every_text_fits_its_page_without_turning(language: str) -> None:
    words = texts.Words(language)
    for key, filling in PAGES.items():
        lines = wrap(words(key, *filling), 126)
        room = (
            LINES
            - 1
            - (
                2
                if key in ("your_pin", "waiting", "sale_no")
                or key.startswith("type_")
                or key == "contrast_t"
                else 0
            )
            - (1 if key.startswith("sold_") else 0)
        )
        assert len(lines) <= room, (key, lines)


@languages
def test_the_state_of_a_sale_fits_beside_its_number_and_its_time(language: str) -> None:
    words = texts.Words(language)
    assert len(STATES) == 7
    for key in STATES:
        assert text_width(WIDE + " 23:59") + 5 + text_width(words(key)) <= 126, key
        assert text_width(words("state")) + 5 + text_width(words(key)) <= 126, key


@languages
def test_every_word_of_the_status_bar_fits(language: str) -> None:
    words = texts.Words(language)
    for key in ("online", "searching", "offline", "starting"):
        assert text_width(words(key)) <= 128 - 15 - 17 - 9 - text_width("\x01128"), key


@languages
def test_the_mark_of_training_takes_the_status_bar_and_no_more(language: str) -> None:
    assert text_width(texts.Words(language)("tr_mark")) <= 126


@languages
def test_every_word_on_paper_fits_its_line(language: str) -> None:
    words = texts.Words(language)
    assert len(words("r_duplicate")) <= 16
    assert len("0011223344556677 " + words("r_offline")) <= 32
    for key in ("r_serial", "r_valid", "r_sale", "r_copy", "r_tax", "r_help", "r_dial", "cashier"):
        assert len(words(key)) <= 11, key


@languages
def test_every_letter_is_in_the_font(language: str) -> None:
    words = texts.Words(language)
    for key in texts.keys():  # noqa: SIM118
        for char in words(key):
            assert 32 <= ord(char) < 127 or char in EXTRA, (key, char)


@languages
def test_every_language_has_every_text_and_none_besides(language: str) -> None:
    assert unfit(texts.table(language), texts.table("en")) == []


def unfit(table: str, english: str) -> list[str]:
    """What is wrong with a language's texts beside the English ones."""
    wrong = []
    lines, other = (
        [line.split("|") for line in one.strip().split("\n")] for one in (table, english)
    )
    if [line[0] for line in lines] != [line[0] for line in other]:
        wrong.append("the keys are not those of English, in their order")
    for line, beside in zip(lines, other, strict=False):
        if len(line) != 2 or not line[1] or line[1].count("{}") != beside[1].count("{}"):
            wrong.append("|".join(line))
    if not unicodedata.is_normalized("NFC", table):
        wrong.append("a letter in two characters that Unicode has in one")
    return wrong


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\nback|Voltar", ""),
        ("\nback|Voltar", "\nback|"),
        ("\nback|Voltar", "\nback|Voltar\nforth|Avançar"),
        ("não é uma das últimas 20", "não é {} das últimas 20"),
        ("Cópia", "Co\u0301pia"),
    ],
    ids=["one missing", "one empty", "one too many", "a filling too many", "not composed"],
)
def test_a_language_that_is_not_whole_is_noticed(old: str, new: str) -> None:
    table = texts.table("pt")
    assert old in table
    assert unfit(table.replace(old, new), texts.table("en"))


def test_no_key_stands_twice() -> None:
    keys = texts.keys("en")
    assert len(keys) == len(set(keys))


def test_every_text_is_used() -> None:
    built = ("e_", "n_", "np_", "s_", "d_", "to_", "type_", "st_")
    idle = {key for key in texts.keys() if not key.startswith(built)} - used_keys()  # noqa: SIM118
    assert not idle


def test_every_kind_that_others_make_has_its_words() -> None:
    kinds = set(KINDS) - {PIN}
    for before in ("to_", "type_"):
        known = {key.removeprefix(before) for key in texts.keys() if key.startswith(before)}  # noqa: SIM118
        assert known - {"again"} == kinds


def test_every_label_of_the_messages_has_its_words() -> None:
    page = (FIRMWARE.parent / "docs/formats/messages.md").read_text()
    labels = {key for key in texts.keys() if key.startswith("d_")} - {"d_other"}  # noqa: SIM118
    known = "customer units_kwh tariff tax arrears fixed_charge free_units"
    assert labels == {f"d_{label}" for label in known.split()}
    assert all(f"`{label.removeprefix('d_')}`" in page for label in labels)


def test_every_language_is_called_by_its_own_name() -> None:
    assert len(NAMES) == len(texts.LANGUAGES) == len(set(NAMES))
    for name in NAMES:
        assert text_width("1 " + name) <= 120


def test_a_language_nobody_wrote_gives_english() -> None:
    assert texts.Words("xx")("back") == "Back"


@pytest.mark.parametrize(
    ("minor", "digits", "text"),
    [
        (5000, 2, "50.00"),
        (0, 2, "0.00"),
        (7, 2, "0.07"),
        (123456789, 2, "1 234 567.89"),
        (1500, 0, "1 500"),
        (-250, 2, "-2.50"),
    ],
)
def test_money_reads_as_people_write_it(minor: int, digits: int, text: str) -> None:
    assert money(minor, digits) == text


def test_the_calendar_agrees_with_pythons() -> None:
    from datetime import UTC, datetime

    for seconds in [
        *range(1, 4_102_444_800, 86400 * 97 + 12345),
        951782400,
        1709164800,
        1709251199,
    ]:
        then = datetime.fromtimestamp(seconds, UTC)
        expected = (then.year, then.month, then.day, then.hour, then.minute)
        assert date_time(seconds) == expected


def test_an_unknown_time_is_not_1970() -> None:
    assert date_text(0) == "--" and date_time_text(0) == "--"
