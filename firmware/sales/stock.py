"""The sealed vouchers stored on the terminal, one file a batch; for the till and stock delivery.

A file is read in windows of 256 bytes, never as a whole.
Format: docs/formats/messages.md, "Stock file"; bounds: docs/formats/limits.toml.
A PIN is opened here and nowhere else; the till calls `open_pin` only behind a durable intent.
"""

import os
from hashlib import sha256

from bootloader.shared import cbor, cose
from bootloader.shared.compat import const
from firmware.kept.files import digest, put

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from io import BufferedReader
    from typing import Any

    from firmware.sales.product import Product

    Read = Callable[[int, int], bytes | bytearray | memoryview]

MAX_BYTES = const(4096)
MAX_VOUCHERS = const(100)
_WINDOW_BYTES = const(256)  # the longest entry within the bounds below is shorter

# A file's head; behind it, of the entry read last, its index and where it is
_BATCH = const(0)
_PRODUCT = const(1)
_AMOUNT = const(2)
_EXPIRY = const(3)
_COUNT = const(4)
_ENTRIES = const(5)  # offset of entry 0
_INDEX = const(6)
_AT = const(7)


class StockError(ValueError):
    """A stock file is missing, damaged or not as specified: fetch the batch again."""


def _need(condition: bool) -> None:
    if not condition:
        raise StockError("not a stock file as specified")


def _value(read: "Read", at: int, kind: type) -> "tuple[Any, int]":
    try:
        value, size = cbor.load_prefix(read(at, _WINDOW_BYTES))
    except cbor.CborError as error:
        raise StockError(str(error))
    _need(isinstance(value, kind) and not isinstance(value, bool))
    return value, at + size


def _head(read: "Read") -> "list[Any]":
    """[batch id, product id, amount_minor, expiry, count, offset of entry 0]"""
    _need(bytes(read(0, 1)) == b"\xa5")
    at = 1
    head: list[Any] = []
    for key in range(1, 5):
        found, at = _value(read, at, int)
        _need(found == key)
        value, at = _value(read, at, str if key == 2 else int)
        head.append(value)
    start = bytes(read(at, 4))
    _need(len(start) >= 2 and start[0] == 5)
    size = {0x98: 1, 0x99: 2}.get(start[1], 0)
    if size:
        count = int.from_bytes(start[2 : 2 + size], "big")
    else:
        _need(start[1] >> 5 == 4 and start[1] & 31 < 24)
        count = start[1] & 31
    _need(0 < count <= MAX_VOUCHERS)
    _need(0 < head[_AMOUNT] < 1 << 30 and 0 <= head[_EXPIRY] <= 0xFFFFFFFF)
    _need(0 < head[_BATCH] <= 0xFFFFFFFF and 0 < len(head[_PRODUCT]) <= 24)
    return head + [count, at + 2 + size]


def _entry(read: "Read", at: int) -> "tuple[list[Any], int]":
    """([serial, sealed PIN], offset of what is behind it)"""
    entry, at = _value(read, at, list)
    _need(len(entry) == 2)
    serial, sealed = entry
    _need(isinstance(serial, str) and isinstance(sealed, bytes))
    _need(0 < len(serial.encode()) <= 40 and 12 <= len(sealed) <= 40)  # a tag of 8 and a PIN
    return entry, at


class Stock:
    """The batches under `folder`, sealed under the terminal's `stock_key`."""

    def __init__(self, stock_key: bytes, folder: str = "/data/stock") -> None:
        self._key = stock_key
        self._folder = folder
        self._heads: dict[int, list[Any]] = {}  # by batch id
        # batches of which something did not open since it was stored
        self._doubtful: set[int] = set()
        # batches asked for again since power-on: whether the file came
        self._asked: dict[int, bool] = {}
        self.wiped_through = 0  # batches up to this id were wiped: no copy is worth their files

    def _path(self, batch_id: int) -> str:
        return "{}/{}.cbor".format(self._folder, batch_id)

    def _reader(self, file: "BufferedReader") -> "Read":
        def read(at: int, size: int) -> bytes:
            file.seek(at)
            piece: bytes = file.read(size)
            return piece

        return read

    def _open(self, batch_id: int) -> "BufferedReader":
        try:
            return open(self._path(batch_id), "rb")
        except OSError:
            raise StockError("batch %d is not on this terminal" % batch_id)

    def _known(self, batch_id: int) -> "list[Any]":
        known = self._heads.get(batch_id)
        if not known:
            with self._open(batch_id) as file:
                head = _head(self._reader(file))
            _need(head[_BATCH] == batch_id)
            known = self._heads[batch_id] = head + [0, head[_ENTRIES]]
        return known

    def head(self, batch_id: int) -> "list[Any]":
        """[product id, amount_minor, expiry, count] of a stored batch. Raises StockError."""
        return self._known(batch_id)[_PRODUCT:_ENTRIES]

    def places(
        self, batches: dict[int, list[int]], product: "Product", now: "Callable[[], int]"
    ) -> list[tuple[int, int, int]]:
        """(batch id, next index, vouchers left) of each batch that sells `product`, oldest first.

        `batches` is that of `SalesState`, `now()` gives Unix seconds.
        """
        places = []
        for batch_id, (index, count) in sorted(batches.items()):
            try:
                product_id, amount_minor, expiry, stored = self.head(batch_id)
            except StockError:
                continue
            left = min(count, stored) - index
            if (
                left > 0
                and product_id == product.id
                and amount_minor == product.amount_minor
                and (not expiry or now() < expiry)
            ):
                places.append((batch_id, index, left))
        return places

    def entry(self, batch_id: int, index: int) -> "list[Any]":
        """[serial, sealed PIN] of one voucher, still sealed. Raises StockError."""
        known = self._known(batch_id)
        _need(0 <= index < known[_COUNT])
        if index < known[_INDEX]:
            known[_INDEX] = 0
            known[_AT] = known[_ENTRIES]
        with self._open(batch_id) as file:
            read = self._reader(file)
            at = known[_AT]
            for i in range(known[_INDEX], index + 1):
                known[_INDEX] = i
                known[_AT] = at
                entry, at = _entry(read, at)
        return entry

    def open_pin(self, batch_id: int, index: int) -> tuple[str, str, int]:
        """(PIN, serial, expiry). Only after the intent that names batch and index is in flash.

        Raises:
            StockError: the entry is missing or damaged, or its seal does not open.
        """
        serial, sealed = self.entry(batch_id, index)
        head = self.head(batch_id)
        try:
            pin = cose.open_pin(self._key, batch_id, index, head, serial, sealed)
        except cose.SealError as error:
            raise StockError(str(error))
        _, _, expiry, _ = head
        return pin, serial, expiry

    def store(self, batch_id: int, data: bytes) -> int:
        """Check a delivered stock file from end to end and keep it; returns the number of vouchers.

        Written beside and renamed, so that a cut leaves the old file or the new one.

        Raises:
            StockError: no stock file of this batch, or the disk did not keep it; nothing changed.
        """
        _need(len(data) <= MAX_BYTES)
        view = memoryview(data)

        def read(at: int, size: int) -> memoryview:
            return view[at : at + size]

        head = _head(read)
        _need(head[_BATCH] == batch_id)
        at = head[_ENTRIES]
        for _ in range(head[_COUNT]):
            _, at = _entry(read, at)
        _need(at == len(data))
        try:
            os.mkdir(self._folder)
        except OSError:
            pass
        try:
            put(self._path(batch_id), (data,), sha256(data).digest())
        except OSError as error:
            raise StockError("the stock file cannot be stored: %s" % error)
        self._heads.pop(batch_id, None)
        self._doubtful.discard(batch_id)
        count: int = head[_COUNT]
        return count

    def doubt(self, batch_id: int) -> None:
        """Something of this batch could not be read or opened: its file wants to be renewed."""
        self._doubtful.add(batch_id)

    def is_sound(self, batch_id: int) -> bool:
        """Whether the file is there and nothing of it failed to open since it was stored."""
        try:
            self.head(batch_id)
        except StockError:
            return False
        return batch_id not in self._doubtful

    def may_renew(self, batch_id: int) -> bool:
        """Whether to ask for the file again: it is not sound, and this is the first question since
        power-on, as airtime is dear.
        """
        if batch_id in self._asked or self.is_sound(batch_id):
            return False
        self._asked[batch_id] = False
        return True

    def renew(self, batch_id: int, data: bytes) -> None:
        """`store` a file that was asked for again. Raises StockError; the old one then stays."""
        self.store(batch_id, data)
        self._asked[batch_id] = True

    def is_renewed(self, batch_id: int) -> bool:
        """Whether the file is as the server sent it since power-on: it holds what it ever held."""
        return self._asked.get(batch_id, False)

    def digest(self, batch_id: int) -> bytes:
        """SHA-256 of a stored file. Raises StockError if it is not there."""
        try:
            return digest(self._path(batch_id))
        except OSError:
            raise StockError("batch %d is not on this terminal" % batch_id)

    def keep_only(self, batch_ids: "Collection[int]") -> None:
        """Remove the files of all other batches."""
        try:
            names = os.listdir(self._folder)
        except OSError:
            return
        for name in names:
            stem = name.split(".")[0]
            batch_id = int(stem) if stem.isdigit() else 0
            if batch_id not in batch_ids:
                self._heads.pop(batch_id, None)
                try:
                    os.remove(self._folder + "/" + name)
                except OSError:
                    pass
