"""Reading a supplier's delivery of vouchers: a file's bytes in, rows and what is wrong with it out.

For `sales.vouchers` and `sales.imports`. Pure, and it looks at the whole file before anybody
decides: *errors* keep a file out; *doubts* need a person who has seen them. No text here holds a
PIN. Format: docs/formats/delivery.md.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from updater_server.errors import InputError
from updater_server.wire import limits

LIMIT_BYTES = limits.DELIVERY_BYTES[1]
EXPIRY_LIMIT = limits.EXPIRY[1]
"""What a terminal can hold; 7 February 2106."""
EXPIRY_MARGIN_S = 86400
"""A voucher that expires sooner is not taken in: nobody would load it in time."""
EXPIRY_FAR_S = 20 * 366 * 86400
ERRORS_SHOWN = 20
COLUMNS = ("product", "pin", "serial", "expiry")

_HYPHENS_BETWEEN = re.compile("[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?")
_EXPONENT = re.compile(r"[0-9]+(\.[0-9]*)?[Ee][+-]?[0-9]{1,3}")
_FRACTION = re.compile(r"[0-9]+[.,]0*")
_EXACT_DIGITS = 15
"""A spreadsheet's number keeps so many; it writes zeros for the digits behind them."""
_ENDS_IN_ZERO_MINIMUM = 5


class Row(NamedTuple):
    """One voucher of a delivery. Never log it."""

    line: int
    product_id: str
    pin: str
    serial: str
    expires_at: int

    def __repr__(self) -> str:
        return f"Row(line {self.line}, {self.product_id}, serial {self.serial}, PIN hidden)"


class BadRow(NamedTuple):
    """A line that is no voucher; `text` names the line and what to do, never a PIN."""

    line: int
    text: str


@dataclass
class ProductSummary:
    """What a file holds of one product."""

    count: int = 0
    pin_lengths: Counter[int] = field(default_factory=Counter)
    expiries: Counter[int] = field(default_factory=Counter)
    long_pins: int = 0
    long_pins_ending_in_zero: int = 0


@dataclass
class Delivery:
    """A whole file, looked at once."""

    sha256: str
    text: str
    products: dict[str, ProductSummary] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    error_count: int = 0
    doubts: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Vouchers in the file."""
        return sum(summary.count for summary in self.products.values())

    def refuse(self, text: str) -> None:
        """Note an error; the first `ERRORS_SHOWN` are kept in words."""
        self.error_count += 1
        if len(self.errors) < ERRORS_SHOWN:
            self.errors.append(text)

    def rows(self, now: int) -> Iterator[Row]:
        """The vouchers, once there are no errors."""
        for row in rows(self.text, now):
            assert isinstance(row, Row)
            yield row


def decode(data: bytes) -> str:
    """The text of a file.

    Raises:
        InputError: empty, too large, or not UTF-8; the text says what it looks like instead.
    """
    if len(data) > LIMIT_BYTES:
        raise InputError(f"the file is over {LIMIT_BYTES >> 20} MiB: split it")
    if not data.strip():
        raise InputError(f"the file is empty: the first line must be {','.join(COLUMNS)}")
    for start, what in (
        (b"PK\x03\x04", "an Excel workbook"),
        (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
        (b"\x1f\x8b", "compressed with gzip"),
        (b"%PDF", "a PDF"),
        (b"\xff\xfe", 'UTF-16 text (Excel calls it "Unicode Text")'),
        (b"\xfe\xff", 'UTF-16 text (Excel calls it "Unicode Text")'),
    ):
        if data.startswith(start):
            raise InputError(f'the file is {what}: save it as "CSV UTF-8"')
    if b"\0" in data[:4096]:
        raise InputError('the file looks like UTF-16 or is no text: save it as "CSV UTF-8"')
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"line {line} is not UTF-8; the file may be Latin-1 or Windows-1252: "
            'save it as "CSV UTF-8"'
        ) from error


def read(data: bytes, now: int) -> Delivery:
    """Look at a whole file; what is wrong is in the result.

    Raises:
        InputError: it is no such file at all (encoding, header).
    """
    found = Delivery(hashlib.sha256(data).hexdigest(), decode(data))
    pins: set[int] = set()
    serials: set[int] = set()
    last: Row | None = None
    serial_lengths: Counter[int] = Counter()
    for row in rows(found.text, now):
        if isinstance(row, BadRow):
            found.refuse(row.text)
            continue
        for seen, value, what in (
            (pins, row.pin.lstrip("0"), "this PIN"),
            (serials, f"{row.product_id}\0{row.serial}", f"serial {row.serial}"),
        ):
            short = int.from_bytes(hashlib.blake2b(value.encode(), digest_size=8).digest(), "big")
            if short in seen:
                found.refuse(f"line {row.line}: {what} is in the file twice")
            seen.add(short)
        _count(found, row)
        serial_lengths[len(row.serial)] += 1
        last = row
    if not found.count and not found.error_count:
        found.refuse("there is no voucher in the file")
    _doubt_end(found, last, serial_lengths)
    for product_id, summary in found.products.items():
        _doubt_pins(found, product_id, summary)
        far = sum(count for at, count in summary.expiries.items() if at > now + EXPIRY_FAR_S)
        if far:
            found.doubts.append(f"{product_id}: {far:,} expire more than 20 years from now")
    return found


def _count(found: Delivery, row: Row) -> None:
    summary = found.products.setdefault(row.product_id, ProductSummary())
    summary.count += 1
    summary.pin_lengths[len(row.pin)] += 1
    summary.expiries[row.expires_at] += 1
    if len(row.pin) > _EXACT_DIGITS and row.pin.isdigit():
        summary.long_pins += 1
        summary.long_pins_ending_in_zero += not row.pin[_EXACT_DIGITS:].strip("0")


def _doubt_end(found: Delivery, last: Row | None, serial_lengths: Counter[int]) -> None:
    if last is None:
        return
    if not found.text.endswith(("\n", "\r")):
        found.doubts.append(
            f"line {last.line}, the last one, has no line end: the file may be cut off "
            f"(it reads {last.product_id}, serial {last.serial}, a PIN of {len(last.pin)})"
        )
    shortest = min(serial_lengths)
    alone = len(serial_lengths) > 1 and serial_lengths[shortest] == 1
    if alone and len(last.serial) == shortest:
        found.doubts.append(f"the last serial, {last.serial}, is shorter than all others: cut off?")


def _doubt_pins(found: Delivery, product_id: str, summary: ProductSummary) -> None:
    lengths = summary.pin_lengths
    if len(lengths) > 1:
        counts = ", ".join(f"{count:,} of {length}" for length, count in lengths.most_common(6))
        found.doubts.append(
            f"{product_id}: PINs of several lengths ({counts}): a spreadsheet takes leading zeros "
            "away"
        )
    if summary.long_pins >= _ENDS_IN_ZERO_MINIMUM and (
        summary.long_pins_ending_in_zero == summary.long_pins
    ):
        found.doubts.append(
            f"{product_id}: every digit behind the {_EXACT_DIGITS}th is 0: a spreadsheet keeps "
            f"only {_EXACT_DIGITS} digits of a number"
        )


def doubt_lengths(found: Delivery, product_id: str, usual: set[int], whose: str) -> None:
    """Note when a product's PINs are not as long as `usual`, which `whose` says."""
    lengths = set(found.products[product_id].pin_lengths)
    if usual and lengths - usual:
        found.doubts.append(
            f"{product_id}: PINs of {_listed(lengths)}, but {whose} {_listed(usual)}: lost zeros, "
            "or another product?"
        )


def _listed(lengths: set[int]) -> str:
    return " or ".join(str(length) for length in sorted(lengths))


def rows(text: str, now: int) -> Iterator[Row | BadRow]:
    """Every line behind the header, read or refused.

    Raises:
        InputError: the first line is not the header.
    """
    first = text.split("\n", 1)[0].strip("\r")
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    order: list[int] | None = None
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            if order is None:
                raise InputError(f"the first line must be {','.join(COLUMNS)}: {error}") from error
            yield BadRow(reader.line_num, f"line {reader.line_num}: {error}")
            return  # where quotes are open, nothing behind them is a line
        if order is None:
            order = _header(cells)
        elif cells:
            yield _row(cells, order, reader.line_num, now)
    if order is None:
        raise InputError(f"the first line must be {','.join(COLUMNS)}")


def _header(cells: list[str]) -> list[int]:
    names = [cell.strip().lower() for cell in cells]
    if sorted(names) != sorted(COLUMNS):
        found = ",".join(names)[:80]
        raise InputError(
            f"the first line must be {','.join(COLUMNS)} (in any order), not {found!r}"
        )
    return [names.index(name) for name in COLUMNS]


def _row(cells: list[str], order: list[int], line: int, now: int) -> Row | BadRow:
    if len(cells) != len(COLUMNS):
        return BadRow(
            line, f"line {line}: {len(COLUMNS)} columns are needed, there are {len(cells)}"
        )
    product_id, pin, serial, expiry = (cells[at].strip(" ") for at in order)
    pin = pin.replace(" ", "")
    for what, value, check in (
        ("the product", product_id, _product_problem),
        ("the PIN", pin, _pin_problem),
        ("the serial number", serial, _serial_problem),
    ):
        problem = _odd_character(value) or check(value)
        if problem:
            return BadRow(line, f"line {line}: {what} {problem}")
    try:
        expires_at = _expiry(expiry, now)
    except InputError as error:
        return BadRow(line, f"line {line}: {error}")
    return Row(line, product_id, pin, serial, expires_at)


def _odd_character(value: str) -> str:
    for character in value:
        if not 0x20 <= ord(character) < 0x7F:
            name = unicodedata.name(character, "a control character").lower()
            return f"holds U+{ord(character):04X} ({name}): take it out"
    return ""


def _product_problem(value: str) -> str:
    if limits.PRODUCT_ID_PATTERN.fullmatch(value):
        return ""
    return f"{value[:40]!r} is no product id: small letters, digits, . _ -, as in the price list"


def _pin_problem(value: str) -> str:
    if _EXPONENT.fullmatch(value):
        return "is in scientific notation: a spreadsheet spoiled it; get the file anew as text"
    if limits.PIN_PATTERN.fullmatch(value):
        return ""
    if not value:
        return "is missing"
    if _FRACTION.fullmatch(value):
        return "is written as a number with a decimal point: a spreadsheet changed it"
    if value[0] in "'=\"":
        return "begins with a quote or =: export it as plain text"
    return "has {} to {} digits or capital letters, and this one has not".format(*limits.PIN_BYTES)


def _serial_problem(value: str) -> str:
    if limits.SERIAL_PATTERN.fullmatch(value) and _HYPHENS_BETWEEN.fullmatch(value):
        return ""
    if not value:
        return "is missing"
    if value.endswith("-"):
        return f"{value[:40]!r} ends in a hyphen: the line is cut off?"
    most = limits.SERIAL_BYTES[1]
    return f"{value[:40]!r} is not 1 to {most} letters and digits (hyphens between them)"


def _expiry(text: str, now: int) -> int:
    """Unix seconds, or 0 for none.

    Raises:
        InputError: no day, past, or beyond what a terminal can hold.
    """
    if text in ("", "0"):
        return 0
    shown = repr(text[:40])
    if re.fullmatch("[0-9]+", text):
        expires_at = int(text[:20])
        if expires_at > EXPIRY_LIMIT:
            hint = " (milliseconds?)" if len(text) == 13 else ""
            raise InputError(
                f"the expiry {shown} is beyond 2106{hint}: write a day as 2027-01-31, or nothing"
            )
    else:
        if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise InputError(f"the expiry {shown} is no day: write it as 2027-01-31")
        try:
            day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError as error:
            raise InputError(f"the expiry {shown} is no day of the calendar") from error
        expires_at = int(day.timestamp()) + 86399
        if expires_at > EXPIRY_LIMIT:
            raise InputError(
                f"the expiry {shown} is beyond 2106: leave it empty if it does not expire"
            )
    if expires_at <= now:
        date = datetime.fromtimestamp(expires_at, UTC).strftime("%Y-%m-%d")
        raise InputError(f"the voucher has expired: {shown} is {date}")
    if expires_at <= now + EXPIRY_MARGIN_S:
        raise InputError(f"the voucher expires within a day ({shown}): nobody could use it in time")
    return expires_at
