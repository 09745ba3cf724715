"""How a PIN is kept: sealed under the server key, and marked so that the same one is known again.
For `vault` and `incoming`, which alone know PINs.
"""

from __future__ import annotations

from updater_server.errors import VaultError
from updater_server.server_key import ServerKey

PURPOSE = "voucher"
"""What a PIN is sealed for (`ServerKey.seal`)."""
SEALING_BYTES = 12 + 16
"""What sealing adds to a PIN (`ServerKey.seal`), besides its mark."""


def context(product_id: str, serial: str) -> bytes:
    """What a PIN is sealed to: under another product or serial number it does not open."""
    return f"{product_id}\0{serial}".encode()


def seal(key: ServerKey, product_id: str, serial: str, pin: str) -> bytes:
    """A PIN as the vault keeps it."""
    return key.seal(PURPOSE, context(product_id, serial), pin.encode())


def open_sealed(key: ServerKey, product_id: str, serial: str, sealed: bytes) -> str:
    """The PIN that `seal` sealed.

    Raises:
        VaultError: it does not open under this server key, or is no text.
    """
    pin = key.open(PURPOSE, context(product_id, serial), sealed)
    try:
        return pin.decode("ascii")
    except UnicodeDecodeError as error:
        raise VaultError("a voucher's PIN is no text") from error


def mark(key: ServerKey, pin: str) -> bytes:
    """The same for the same PIN of any operator; tells nothing of it without the key."""
    # A PIN that lost its leading zeros in a spreadsheet is the same PIN.
    return key.digest("pin mark", pin.lstrip("0").encode())


def digest(key: ServerKey, operator: str, pin: str) -> bytes:
    """The same for the same PIN of one operator; unique in the vault."""
    return key.digest("pin digest", f"{operator}\0{pin.lstrip('0')}".encode())
