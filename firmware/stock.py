"""The sealed vouchers stored on the terminal, one file a batch; for the till and stock delivery.

A file is read in windows of 256 bytes, never as a whole.
Format: docs/formats/messages.md, "Stock file"; bounds: docs/formats/limits.toml.
A PIN is opened here and nowhere else; the till calls `open_pin` only behind a durable intent.
"""

import os
from hashlib import sha256

from bootloader.shared import cbor, cose
from bootloader.shared.compat import const

MAX_BYTES = const(4096)
MAX_VOUCHERS = const(100)
_WINDOW_BYTES = const(256)  # the longest entry within the bounds below is shorter


class StockError(ValueError):
    """A stock file is missing, damaged or not as specified: fetch the batch again."""


def _need(condition):
    if not condition:
        raise StockError("not a stock file as specified")


def _value(read, at, kind):
    try:
        value, size = cbor.load_prefix(read(at, _WINDOW_BYTES))
    except cbor.CborError as error:
        raise StockError(str(error))
    _need(isinstance(value, kind) and not isinstance(value, bool))
    return value, at + size


def _head(read):
    """[batch id, product id, amount_minor, expiry, count, offset of entry 0]"""
    _need(bytes(read(0, 1)) == b"\xa5")
    at = 1
    head = []
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
    _need(0 < count <= MAX_VOUCHERS and 0 < head[2] < 1 << 30 and 0 <= head[3] <= 0xFFFFFFFF)
    _need(0 < head[0] <= 0xFFFFFFFF and 0 < len(head[1]) <= 24)
    return head + [count, at + 2 + size]


def _entry(read, at):
    entry, at = _value(read, at, list)
    _need(len(entry) == 2 and isinstance(entry[0], str) and isinstance(entry[1], bytes))
    _need(0 < len(entry[0].encode()) <= 40 and 12 <= len(entry[1]) <= 40)  # a tag of 8 and a PIN
    return entry, at


class Stock:
    """The batches under `folder`, sealed under the terminal's `stock_key`."""

    def __init__(self, stock_key, folder="/data/stock"):
        self._key = stock_key
        self._folder = folder
        self._heads = {}  # batch id: head and [index, offset] of the entry read last
        self._doubtful = set()  # batches of which something did not open since it was stored
        self._asked = {}  # batches asked for again since power-on: whether the file came

    def _path(self, batch_id):
        return "{}/{}.cbor".format(self._folder, batch_id)

    def _reader(self, file):
        def read(at, size):
            file.seek(at)
            return file.read(size)

        return read

    def _open(self, batch_id):
        try:
            return open(self._path(batch_id), "rb")
        except OSError:
            raise StockError("batch %d is not on this terminal" % batch_id)

    def head(self, batch_id):
        """(product id, amount_minor, expiry, count) of a stored batch. Raises StockError."""
        known = self._heads.get(batch_id)
        if not known:
            with self._open(batch_id) as file:
                head = _head(self._reader(file))
            _need(head[0] == batch_id)
            known = self._heads[batch_id] = [head, 0, head[5]]
        return known[0][1:5]

    def entry(self, batch_id, index):
        """[serial, sealed PIN] of one voucher, still sealed. Raises StockError."""
        count = self.head(batch_id)[3]
        _need(0 <= index < count)
        known = self._heads[batch_id]
        if index < known[1]:
            known[1:] = [0, known[0][5]]
        with self._open(batch_id) as file:
            read = self._reader(file)
            at = known[2]
            for i in range(known[1], index + 1):
                known[1:] = [i, at]
                entry, at = _entry(read, at)
        return entry

    def open_pin(self, batch_id, index):
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
        return pin, serial, head[2]

    def store(self, batch_id, data):
        """Check a delivered stock file from end to end and keep it; returns the number of vouchers.

        Written beside and renamed, so that a cut leaves the old file or the new one.

        Raises:
            StockError: no stock file of this batch, or the disk did not keep it; nothing changed.
        """
        _need(len(data) <= MAX_BYTES)
        view = memoryview(data)

        def read(at, size):
            return view[at : at + size]

        head = _head(read)
        _need(head[0] == batch_id)
        at = head[5]
        for _ in range(head[4]):
            _, at = _entry(read, at)
        _need(at == len(data))
        path = self._path(batch_id)
        try:
            os.mkdir(self._folder)
        except OSError:
            pass
        try:
            with open(path + ".new", "wb") as file:
                file.write(data)
            if _digest(path + ".new") != sha256(data).digest():
                raise StockError("the disk did not keep the stock file")
            os.rename(path + ".new", path)
        except OSError as error:
            raise StockError("the stock file cannot be stored: %s" % error)
        self._heads.pop(batch_id, None)
        self._doubtful.discard(batch_id)
        return head[4]

    def doubt(self, batch_id):
        """Something of this batch could not be read or opened: its file wants to be renewed."""
        self._doubtful.add(batch_id)

    def is_sound(self, batch_id):
        """Whether the file is there and nothing of it failed to open since it was stored."""
        try:
            self.head(batch_id)
        except StockError:
            return False
        return batch_id not in self._doubtful

    def may_renew(self, batch_id):
        """Whether to ask for the file again: it is not sound, and this is the first question since
        power-on, as airtime is dear.
        """
        if batch_id in self._asked or self.is_sound(batch_id):
            return False
        self._asked[batch_id] = False
        return True

    def renew(self, batch_id, data):
        """`store` a file that was asked for again. Raises StockError; the old one then stays."""
        self.store(batch_id, data)
        self._asked[batch_id] = True

    def is_renewed(self, batch_id):
        """Whether the file is as the server sent it since power-on: it holds what it ever held."""
        return self._asked.get(batch_id, False)

    def digest(self, batch_id):
        """SHA-256 of a stored file. Raises StockError if it is not there."""
        try:
            return _digest(self._path(batch_id))
        except OSError:
            raise StockError("batch %d is not on this terminal" % batch_id)

    def keep_only(self, batch_ids):
        """Remove the files of all other batches."""
        try:
            names = os.listdir(self._folder)
        except OSError:
            return
        for name in names:
            batch_id = name.split(".")[0]
            if not batch_id.isdigit() or int(batch_id) not in batch_ids:
                self._heads.pop(int(batch_id) if batch_id.isdigit() else None, None)
                try:
                    os.remove(self._folder + "/" + name)
                except OSError:
                    pass


def _digest(path):
    digest = sha256()
    with open(path, "rb") as file:
        while True:
            piece = file.read(_WINDOW_BYTES)
            if not piece:
                return digest.digest()
            digest.update(piece)
