"""QR codes: from data to the modules that are printed. The sole module here that needs qrcode."""

from __future__ import annotations

from typing import Final

import qrcode  # type: ignore[import-untyped]
from qrcode.exceptions import DataOverflowError  # type: ignore[import-untyped]

_QR_LEVELS: Final = {
    "L": qrcode.ERROR_CORRECT_L,
    "M": qrcode.ERROR_CORRECT_M,
    "Q": qrcode.ERROR_CORRECT_Q,
    "H": qrcode.ERROR_CORRECT_H,
}


def qr_matrix(data: bytes, level: str) -> list[list[bool]] | None:
    """Modules of the QR code, without a quiet zone; None when the data fits no QR code."""
    code = qrcode.QRCode(error_correction=_QR_LEVELS[level], border=0)
    code.add_data(data)
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError):
        return None
    return [[bool(module) for module in row] for row in code.get_matrix()]
