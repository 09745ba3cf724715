"""What one sale is called: by us to its supplier, and by the supplier on a slip. For `vends` and
those who read what it keeps.
"""

from __future__ import annotations

import re

from updater_server.wire import limits


def reference_of(terminal_id: bytes, sequence: int) -> str:
    """Our name for a sale at its supplier: of one sale the same for ever."""
    return f"duka-{terminal_id.hex()}-{sequence}"


def serial_of(reference: str) -> str:
    """A supplier's reference as a slip shows it and a journal keeps it."""
    return re.sub("[^0-9A-Za-z-]", "-", reference)[-limits.SERIAL_BYTES[1] :]


def pin_of(reference: str) -> str:
    """What stands where a voucher has its PIN, if there is none: the reference, in capitals."""
    shown = re.sub("[^0-9A-Z]", "", reference.upper())[-limits.PIN_BYTES[1] :]
    return shown.rjust(limits.PIN_BYTES[0], "0")
