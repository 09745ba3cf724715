"""The terminal's settings: `/data/config.json`, read strictly; for `firmware.main`.

Whatever is wrong is refused with the name of the field, for the technician's log: a setting that is
silently replaced is found by a merchant, weeks later. The technician's tool asks this very reader
before it writes a file. Bounds: docs/formats/limits.toml.
"""

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    Text = TypeVar("Text", str, bytes)
    Value = TypeVar("Value")

MAX_BYTES = 4096


class ConfigError(ValueError):
    """The settings cannot be used; the text names the field and what is wrong with it."""


def _need(
    table: "Any",
    name: str,
    kind: "type[Value]",
    low: int | None = None,
    high: int | None = None,
) -> "Value":
    value: Any = table.get(name) if isinstance(table, dict) else None
    measure: Any = value
    # bool is an int to Python, but never a port or a number of seconds
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ConfigError("{}: missing or not {}".format(name, kind.__name__))
    if kind is not int:
        measure = len(measure)
    if (low is not None and measure < low) or (high is not None and measure > high):
        raise ConfigError("{}: not within {}..{}".format(name, low, high))
    checked: Value = value
    return checked


def _bytes(table: "Any", name: str, size: int) -> bytes:
    text = _need(table, name, str, 2 * size, 2 * size)
    out = bytearray(size)
    for n in range(size):
        pair = text[2 * n : 2 * n + 2]
        for digit in pair:
            if digit not in "0123456789abcdefABCDEF":
                raise ConfigError(name + ": not hexadecimal")
        out[n] = int(pair, 16)
    return bytes(out)


def _in_command(table: "Any", name: str, low: int, high: int) -> str:
    """Text that goes between quotes in a command of the modem; bounded in bytes."""
    text = _need(table, name, str)
    if not low <= len(text.encode()) <= high:
        raise ConfigError("{}: not within {}..{} bytes".format(name, low, high))
    for char in text:
        if not 32 < ord(char) < 127 or char == '"':
            raise ConfigError(name + ": a letter that the modem does not take")
    return text


def _shop(table: "Any", merchant: "Any") -> "dict[str, Any]":
    """What slips and screens say of the shop besides its name, as far as it is set."""
    shop: dict[str, Any] = {}
    for name, most in (("place", 64), ("telephone", 24), ("tax_number", 24)):
        if name in merchant:
            shop[name] = _need(merchant, name, str, 1, most)
    for name, most in (("helpline", 24), ("number", 8)):
        if name in table:
            shop[name] = _need(table, name, str, 1, most)
    if "vat_permille" in table:
        shop["vat_permille"] = _need(table, "vat_permille", int, 0, 1000)
    if "terms" in table:
        shop["terms"] = _need(table, "terms", dict, 0, 8)
        for language in shop["terms"]:
            if len(language) != 2:
                raise ConfigError("terms: a language is two letters")
            _need(shop["terms"], language, str, 0, 200)
    return shop


class Config:
    """The settings as attributes, every one checked.

    `shop`: those of `place`, `telephone`, `tax_number`, `helpline`, `number` (the terminal's short
    one), `vat_permille` and `terms` (by language) that are set.
    """

    def __init__(self, text: "Text") -> None:
        """Read `text` (str or bytes of JSON).

        Raises:
            ConfigError: it is not JSON, too large, or a field is missing, mistyped or out of range.
        """
        if len(text) > MAX_BYTES:
            raise ConfigError("config.json: over {} bytes".format(MAX_BYTES))
        try:
            table = json.loads(text)
        except ValueError:
            raise ConfigError("config.json: not JSON")
        if not isinstance(table, dict):
            raise ConfigError("config.json: not an object")
        server = _need(table, "server", dict)
        self.host = _in_command(server, "host", 1, 100)
        self.port = _need(server, "port", int, 1, 65535)
        self.apn = _in_command(table, "apn", 0, 60)
        self.apn_login = ("", "")
        if "apn_user" in table:
            user = _in_command(table, "apn_user", 0, 32)
            password = _in_command(table, "apn_password", 0, 32) if "apn_password" in table else ""
            self.apn_login = (user, password)
        self.channel = _need(table, "channel", str, 1, 32)
        self.catalogue = _need(table, "catalogue", str, 1, 64)
        self.language = _need(table, "language", str, 2, 2)
        self.poll_s = _need(table, "poll_s", int, 1, 86400)
        self.sync_s = _need(table, "sync_s", int, 1, 86400)
        self.paper_mm = 58
        if "paper_mm" in table:
            self.paper_mm = _need(table, "paper_mm", int, 58, 80)
            if self.paper_mm not in (58, 80):
                raise ConfigError("paper_mm: not 58 or 80")
        self.utc_offset_s = 0
        if "utc_offset_s" in table:
            self.utc_offset_s = _need(table, "utc_offset_s", int, -43200, 50400)
        merchant = _need(table, "merchant", dict)
        self.merchant_name = _need(merchant, "name", str, 1, 32)
        self.shop = _shop(table, merchant)
        self.pin_salt = _bytes(merchant, "pin_salt", 16)
        self.pin_hash = _bytes(merchant, "pin_hash", 32)
        self.pin_rounds = _need(merchant, "pin_rounds", int, 1, 20000)


def load(path: str = "/data/config.json") -> Config:
    """The settings in the file at `path`.

    Raises:
        ConfigError: it is missing or cannot be used.
    """
    try:
        size_bytes = min(os.stat(path)[6], MAX_BYTES) + 1
        with open(path, "rb") as file:
            return Config(file.read(size_bytes))
    except OSError:
        raise ConfigError("config.json: missing")
