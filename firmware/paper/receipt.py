"""What goes on paper, as ESC/POS bytes; pure. The flows print it.

As many columns as the head has of font A, 32 on 58 mm and 48 on 80 mm; letters by `letters`.
Commands: Epson ESC/POS reference (ESC @, ESC t, ESC a, ESC E, ESC d, GS !, GS ( k).
"""

from bootloader.shared.compat import const
from firmware.drivers.printer import COLUMNS
from firmware.paper.letters import columns_of, encode, is_plain
from firmware.sales.catalogue import BILL, METER, PIN, TOPUP
from firmware.ui.font import MARKS
from firmware.ui.money_and_dates import date_text, date_time_text, grouped, money

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware.kept.config import Config
    from firmware.sales.catalogue import Catalogue
    from firmware.sales.product import Product
    from firmware.sales.sale import Gone, Voucher
    from firmware.ui.texts import Words

_COLUMNS_80 = const(48)
_START = b"\x1b@\x1bt\x10"
_CENTRE = b"\x1ba\x01"
_LEFT = b"\x1ba\x00"
_BOLD = b"\x1bE\x01"
_PLAIN = b"\x1bE\x00"
_DOUBLE = b"\x1d!\x11"
_TALL = b"\x1d!\x01"
_SINGLE = b"\x1d!\x00"
_FEED = b"\x1bd\x04"
# a module of five dots, error correction M: 21 characters of a dialled PIN are 25 mm wide
_QR_LOOK = b"\x1d(k\x03\x001C\x05\x1d(k\x03\x001E1"


def columns_on(config: "Config") -> int:
    """Columns of the paper in the printer (58 mm: 384 dots, 80 mm: 576, 12 a column)."""
    return _COLUMNS_80 if config.paper_mm > 58 else COLUMNS


def wrap_columns(text: str, columns: int) -> list[str]:
    """Lines of at most `columns` characters, broken at spaces where there are any."""
    lines = []
    line = ""
    for word in text.split(" "):
        while columns_of(word) > columns:
            if line:
                lines.append(line)
                line = ""
            end = columns
            while columns_of(word[:end]) < columns or word[end] in MARKS:
                end += 1
            lines.append(word[:end])
            word = word[end:]
        longer = line + " " + word if line else word
        if columns_of(longer) > columns:
            lines.append(line)
            longer = word
        line = longer
    if line:
        lines.append(line)
    return lines


def pin_lines(pin: str, groups: "Sequence[int]", columns: int = COLUMNS // 2) -> list[str]:
    """The PIN in its operator's groups, as many whole groups a line as fit (of 16 columns: the
    double letters of the narrow paper, and the screen); all of it, always.

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


def _pair(left: str, right: str, columns: int) -> bytes:
    """Two texts on one line, one at each side; on more where they do not fit, and never cut."""
    gap = columns - columns_of(left) - columns_of(right)
    if gap > 0:
        return encode(left + " " * gap + right) + b"\n"
    lines = wrap_columns(left, columns) if left else []
    return _lines(
        lines + [" " * (columns - columns_of(part)) + part for part in wrap_columns(right, columns)]
    )


def _wrapped(text: str, columns: int) -> bytes:
    return _lines(wrap_columns(text, columns))


def _lines(lines: "Sequence[str]") -> bytes:
    return b"".join([encode(line) + b"\n" for line in lines])


def codes(words: "Words", sold: "Voucher") -> list[tuple[str, list[str]]]:
    """What the customer types, in the order in which it is typed: (words about it or "", lines).

    A meter takes its new keys before it takes a credit token.
    """
    if sold.product.kind != METER:
        return [("", pin_lines(sold.pin, sold.product.pin_groups))]
    keys = []
    more = []
    for label, value in sold.details:
        if label.startswith("key_change_"):
            keys.append(value)
        elif label.startswith("token_"):
            more.append(value)
    found = []
    for n, token in enumerate(keys):
        about = words("key_first", len(keys)) + "\n" if not n else ""
        found.append((about + words("key_n", n + 1, len(keys)), _token(token)))
    for n, token in enumerate([sold.pin] + more):
        about = words("then_token") if keys and not n else ""
        if more:
            about += ("\n" if about else "") + words("token_n", n + 1, len(more) + 1)
        found.append((about, _token(token)))
    return found


def _token(token: str) -> list[str]:
    return pin_lines(token, (4,) * 10)


def _is_code(label: str) -> bool:
    return label.startswith(("key_change_", "token_"))


def _head(words: "Words", config: "Config") -> bytes:
    # a letter that is sent as a picture is never tall, and half a name must not be
    out = _START + _CENTRE + (_TALL if is_plain(config.merchant_name) else b"") + _BOLD
    columns = columns_on(config)
    out += _wrapped(config.merchant_name, columns) + _SINGLE + _PLAIN
    shop = config.shop
    for text in (shop.get("place", ""), _named("Tel.", shop.get("telephone"))):
        out += _wrapped(text, columns)
    return out + _wrapped(_named(words("r_tax"), shop.get("tax_number")), columns)


def _named(name: str, value: str | None) -> str:
    return name + " " + value if value else ""


def _vat(words: "Words", config: "Config", catalogue: "Catalogue", sold: "Voucher") -> bytes:
    """The line of the VAT in a price; who makes electricity or a bill tells its own."""
    permille: int = config.shop.get("vat_permille", 0)
    if not permille or sold.product.kind not in (PIN, TOPUP):
        return b""
    part_minor = (2 * sold.amount_minor * permille + 1000 + permille) // (2 * (1000 + permille))
    percent = str(permille // 10) + ("." + str(permille % 10) if permille % 10 else "")
    part = money(part_minor, catalogue.minor_digits)
    return _pair(words("r_vat", percent), part, columns_on(config))


def _to_dial(words: "Words", sold: "Voucher", columns: int) -> bytes:
    """What a telephone dials, with the PIN in it: to read, and to be read by its camera."""
    if not sold.product.dial:
        return b""
    dial = sold.product.dial.replace("PIN", sold.pin)
    uri = b"tel:" + dial.replace("#", "%23").encode()
    size = len(uri) + 3
    out = _CENTRE + _lines([words("r_dial")]) + _BOLD + _wrapped(dial, columns) + _PLAIN
    out += _QR_LOOK + b"\x1d(k" + bytes((size & 255, size >> 8)) + b"1P0" + uri
    return out + b"\x1d(k\x03\x001Q0\n"


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
    """The receipt of one sale.

    `sold`: the till's voucher. `time`: Unix seconds of printing, 0 unknown. `duplicate`: mark it as
    a copy, above and below what it is worth.
    """
    product = sold.product
    columns = columns_on(config)
    mark = b""
    if duplicate:
        mark = _CENTRE + _DOUBLE + encode(words("r_duplicate")) + b"\n" + _SINGLE
    # what a cut left of the first print must not run into the copy
    out = bytearray((_FEED if duplicate else b"") + _head(words, config))
    out += mark + _LEFT + b"-" * columns + b"\n"
    price = catalogue.currency + " " + money(sold.amount_minor, catalogue.minor_digits)
    out += _BOLD + _pair(product.name, price, columns) + _PLAIN
    if product.operator and not product.name.startswith(product.operator):
        out += _wrapped(product.operator, columns)
    if sold.recipient:
        kind = words.either("to_" + product.kind, "number")
        out += _pair(kind, grouped(sold.recipient, product.kind), columns)
    for label, value in sold.details:
        if not _is_code(label):
            out += _pair(words.either("d_" + label, "d_other", label), value, columns)
    out += _vat(words, config, catalogue, sold)
    if product.kind not in (TOPUP, BILL):
        out += _codes(words, sold, columns) + _to_dial(words, sold, columns)
    out += b"\n" + _CENTRE + _wrapped(product.instructions, columns) + _LEFT
    out += b"\n"
    out += _pair(words("r_serial"), sold.serial, columns)
    if sold.expiry:
        out += _pair(words("r_valid"), date_text(sold.expiry, config.utc_offset_s), columns)
    number = words("r_sale") + " " + str(sold.sequence)
    out += _pair(number, date_time_text(sold.time, config.utc_offset_s), columns)
    if sold.seller:
        out += _pair(words("cashier"), sold.seller, columns)
    if duplicate:
        number = words("r_copy") + (" " + str(sold.copy) if sold.copy else "")
        out += _pair(number, date_time_text(time, config.utc_offset_s), columns)
    out += _foot(words, config, product, terminal_id, offline)
    out += b"-" * columns + b"\n" + mark + _CENTRE + encode(words("r_thanks")) + b"\n" + _LEFT
    return bytes(out + _FEED)


def _foot(
    words: "Words", config: "Config", product: "Product | Gone", terminal_id: str, offline: bool
) -> bytes:
    shop = config.shop
    columns = columns_on(config)
    out = encode(terminal_id + (" " + words("r_offline") if offline else "")[:16]) + b"\n"
    if "number" in shop:
        out = _pair(words("terminal"), shop["number"], columns) + out
    if product.helpline:
        out += _pair(words("r_help") + " " + product.operator, product.helpline, columns)
    if "helpline" in shop:
        out += _pair(words("r_help"), shop["helpline"], columns)
    terms = shop.get("terms", {})
    text = terms.get(words.language) or terms.get("en", "")
    return bytes(out + _CENTRE + _wrapped(text, columns) + _LEFT)


def _codes(words: "Words", sold: "Voucher", columns: int) -> bytes:
    out = b""
    for about, lines in codes(words, sold):
        out += b"\n" + _CENTRE
        for part in about.split("\n") if about else ():
            out += _wrapped(part, columns)
        out += _DOUBLE + _BOLD + _lines(lines) + _SINGLE + _PLAIN
    return out


def report(
    words: "Words",
    config: "Config",
    title: str,
    rows: "Sequence[tuple[str, str] | None]",
    terminal_id: str,
    time: int,
    is_copy: bool = False,
) -> bytes:
    """A slip that sells nothing: `rows` are pairs (left, right), or None for a rule."""
    columns = columns_on(config)
    out = bytearray(_head(words, config))
    if is_copy:
        out += _DOUBLE + encode(words("r_duplicate")) + b"\n" + _SINGLE
    out += _BOLD + encode(title) + b"\n" + _PLAIN
    out += encode(date_time_text(time, config.utc_offset_s)) + b"\n"
    out += encode(terminal_id) + b"\n" + _LEFT + b"-" * columns + b"\n"
    for row in rows:
        out += _pair(row[0], row[1], columns) if row else b"-" * columns + b"\n"
    return bytes(out + _FEED)
