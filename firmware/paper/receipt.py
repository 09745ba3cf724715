"""What goes on paper, as ESC/POS bytes; pure. The flows print it.

32 columns of the 58 mm head's font A; text in code page 1252 (ESC t 16), which has every letter of
English and French. Commands: Epson ESC/POS reference (ESC @, ESC t, ESC a, ESC E, ESC d, GS !).
"""

from firmware.drivers.printer import COLUMNS
from firmware.ui.money_and_dates import date_text, date_time_text, money

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware.kept.config import Config
    from firmware.sales.catalogue import Catalogue
    from firmware.sales.sale import Voucher
    from firmware.ui.texts import Words

_START = b"\x1b@\x1bt\x10"
_CENTRE = b"\x1ba\x01"
_LEFT = b"\x1ba\x00"
_BOLD = b"\x1bE\x01"
_PLAIN = b"\x1bE\x00"
_DOUBLE = b"\x1d!\x11"
_TALL = b"\x1d!\x01"
_SINGLE = b"\x1d!\x00"
_FEED = b"\x1bd\x04"


def encode(text: str) -> bytes:
    """`text` in the printer's code page; what it lacks becomes `?`, never another letter."""
    out = bytearray()
    for char in text:
        code = ord(char)
        out.append(code if 32 <= code < 127 or 160 <= code < 256 else 63)
    return bytes(out)


def wrap_columns(text: str, columns: int = COLUMNS) -> list[str]:
    """Lines of at most `columns` characters, broken at spaces where there are any."""
    lines = []
    line = ""
    for word in text.split(" "):
        while len(word) > columns:
            if line:
                lines.append(line)
                line = ""
            lines.append(word[:columns])
            word = word[columns:]
        longer = line + " " + word if line else word
        if len(longer) > columns:
            lines.append(line)
            longer = word
        line = longer
    if line:
        lines.append(line)
    return lines


def pin_lines(pin: str, groups: "Sequence[int]", columns: int = COLUMNS // 2) -> list[str]:
    """The PIN in its operator's groups, as many whole groups a line as fit; all of it, always.

    Digits that `groups` does not cover follow as a last group.
    """
    parts = []
    at = 0
    for size in groups:
        if at < len(pin) and size > 0:
            parts.append(pin[at : at + size])
            at += size
    if at < len(pin):
        parts.append(pin[at:])
    text = " ".join(parts)
    lines = wrap_columns(text, columns)
    while columns > 1:
        # as narrow as the same number of lines allows: 4+4 over 4+4, not 4+4+4 over 4
        columns -= 1
        narrower = wrap_columns(text, columns)
        if len(narrower) > len(lines) or any(" " not in n and n not in parts for n in narrower):
            break
        lines = narrower
    return lines


def _pair(left: str, right: str) -> bytes:
    gap = COLUMNS - len(left) - len(right)
    if gap < 1:
        left = left[: COLUMNS - len(right) - 1]
        gap = COLUMNS - len(left) - len(right)
    return encode(left + " " * gap + right) + b"\n"


def _head(config: "Config") -> bytes:
    out = _START + _CENTRE + _TALL + _BOLD
    for line in wrap_columns(config.merchant_name):
        out += encode(line) + b"\n"
    return out + _SINGLE + _PLAIN


def voucher(
    words: "Words",
    config: "Config",
    catalogue: "Catalogue",
    terminal_id: str,
    sold: "Voucher",
    time: int,
    duplicate: bool,
    offline: bool,
) -> bytes:
    """The receipt of one voucher.

    `sold`: the till's voucher (`.pin .serial .expiry .product .amount_minor .sequence`). `time`:
    Unix seconds of printing, 0 unknown. `duplicate`: mark it as a copy, above and below the PIN.
    """
    product = sold.product
    mark = b""
    if duplicate:
        mark = _CENTRE + _DOUBLE + encode(words("r_duplicate")) + b"\n" + _SINGLE
    # what a cut left of the first print must not run into the copy
    out = bytearray((_FEED if duplicate else b"") + _head(config))
    out += mark + _LEFT + b"-" * COLUMNS + b"\n"
    price = catalogue.currency + " " + money(sold.amount_minor, catalogue.minor_digits)
    out += _BOLD + _pair(product.name, price) + _PLAIN
    if product.operator and not product.name.startswith(product.operator):
        out += encode(product.operator[:COLUMNS]) + b"\n"
    out += b"\n" + _CENTRE + _DOUBLE + _BOLD
    for line in pin_lines(sold.pin, product.pin_groups):
        out += encode(line) + b"\n"
    out += _SINGLE + _PLAIN + b"\n"
    for line in wrap_columns(product.instructions):
        out += encode(line) + b"\n"
    out += _LEFT + b"\n" + _pair(words("r_serial"), sold.serial)
    if sold.expiry:
        out += _pair(words("r_valid"), date_text(sold.expiry, config.utc_offset_s))
    number = words("r_sale") + " " + str(sold.sequence)
    out += _pair(number, date_time_text(time, config.utc_offset_s))
    out += encode(terminal_id + (" " + words("r_offline") if offline else "")[:16]) + b"\n"
    out += b"-" * COLUMNS + b"\n" + mark + _CENTRE + encode(words("r_thanks")) + b"\n" + _LEFT
    return bytes(out + _FEED)


def report(
    words: "Words",
    config: "Config",
    rows: "Sequence[tuple[str, str] | None]",
    terminal_id: str,
    time: int,
) -> bytes:
    """A day report: `rows` are pairs (left, right), or None for a rule."""
    out = bytearray(_head(config))
    out += _BOLD + encode(words("r_day")) + b"\n" + _PLAIN
    out += encode(date_time_text(time, config.utc_offset_s)) + b"\n"
    out += encode(terminal_id) + b"\n" + _LEFT + b"-" * COLUMNS + b"\n"
    for row in rows:
        out += _pair(row[0], row[1]) if row else b"-" * COLUMNS + b"\n"
    return bytes(out + _FEED)
