"""The file in which a terminal gets a batch of stock: its bytes, and what a terminal has room for.
For `stock`. Pure; source: docs/formats/messages.md, "Stock file".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from updater_server.sales.vault import Voucher
from updater_server.wire import cbor, limits
from updater_server.wire.keys import StockFile
from updater_server.wire.sealed import DeviceKeys, seal_pin

BATCH_LIMIT = limits.BATCH_VOUCHERS[1]
_HEAD_ROOM_BYTES = 64  # the longest head: ids, product, amount, expiry
_ENTRY_ROOM_BYTES = 13  # an entry beside serial and PIN: an array, two lengths, a tag of 8
_NEVER_OPENS = bytes(12)
"""Stands for a PIN that nobody has any more: a terminal that comes to it gives the sale back."""


def fitting(opened: Sequence[Voucher]) -> int:
    """How many of these, from the first one, make a stock file that a terminal has room for."""
    room = limits.STOCK_FILE_BYTES[1] - _HEAD_ROOM_BYTES
    for count, item in enumerate(opened[:BATCH_LIMIT]):
        room -= len(item.serial) + len(item.pin) + _ENTRY_ROOM_BYTES
        if room < 0:
            return count
    return min(len(opened), BATCH_LIMIT)


def seal(
    keys: DeviceKeys, batch: Row[Any], serials: Sequence[str], opened: Sequence[Voucher | None]
) -> bytes:
    """The file of a batch: its vouchers by index, each with its serial number; None in `opened`
    stands for one that nobody can open any more.
    """
    head = (batch.product_id, batch.face_minor, batch.expires_at)
    entries = [
        [
            serial,
            _NEVER_OPENS
            if item is None
            else seal_pin(keys, batch.id, index, head, serial, item.pin),
        ]
        for index, (serial, item) in enumerate(zip(serials, opened, strict=True))
    ]
    return cbor.dumps(
        {
            StockFile.BATCH: batch.id,
            StockFile.PRODUCT: batch.product_id,
            StockFile.FACE_AMOUNT: batch.face_minor,
            StockFile.EXPIRY: batch.expires_at,
            StockFile.ENTRIES: entries,
        }
    )


def unfit(batch: Row[Any], serials: Sequence[str], size_bytes: int) -> str | None:
    """Why a terminal could not store the file of a batch, or None."""
    if not limits.within(size_bytes, limits.STOCK_FILE_BYTES):
        return f"{size_bytes} bytes, at most {limits.STOCK_FILE_BYTES[1]}"
    if not limits.within(len(serials), limits.BATCH_VOUCHERS):
        return f"{len(serials)} vouchers, at most {BATCH_LIMIT}"
    if not all(limits.SERIAL_PATTERN.fullmatch(serial) for serial in serials):
        return "a serial number that no terminal takes"
    for what, value, bounds in (
        ("number", batch.id, limits.BATCH_ID),
        ("face value", batch.face_minor, limits.AMOUNT_MINOR),
        ("expiry", batch.expires_at, limits.EXPIRY),
    ):
        if not limits.within(value, bounds):
            return f"its {what} is {value}"
    return None
