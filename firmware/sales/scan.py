"""Finds the products in a price list that comes in pieces, so that it never lies whole in the heap.

`firmware.sales.catalogue` loads it by its name for one list and lets it go.
"""

from bootloader.shared.compat import const

MAX_HEAD_BYTES = const(1024)


class ScanError(ValueError):
    """What came is no list of products; the text says why."""


class Scan:
    """Finds the products in a list that comes in pieces; what is not of a product is `head`."""

    def __init__(self) -> None:
        self.head = bytearray()
        # (offset, size) of products found and not taken yet
        self.places: list[tuple[int, int]] = []
        self.count = self._commas = 0
        self._at = self._depth = self._start = 0
        self._text = self._escaped = self._listed = False

    def feed(self, piece: bytes | bytearray | memoryview) -> None:
        """Take the next piece. Raises ScanError."""
        for byte in piece:
            inside = self._start
            if self._text:
                if self._escaped:
                    self._escaped = False
                elif byte == 0x5C:
                    self._escaped = True
                elif byte == 0x22:
                    self._text = False
            elif byte == 0x22:
                self._text = True
            elif byte == 0x7B or byte == 0x5B:
                if self._depth == 1 and byte == 0x5B:
                    self._listed = self.head.endswith(b'"products":')
                elif self._depth == 2 and self._listed and byte == 0x7B:
                    inside = self._start = self._at + 1  # + 1: 0 is none
                self._depth += 1
            elif byte == 0x7D or byte == 0x5D:
                self._depth -= 1
                if self._depth == 2 and inside:
                    self.places.append((inside - 1, self._at + 2 - inside))
                    self.count += 1
                    self._start = 0
                elif self._depth == 1 and byte == 0x5D and self._listed:
                    self._listed = False
                    if self._commas != max(0, self.count - 1):
                        raise ScanError("not a JSON list of products")
            elif byte in b" \t\r\n":
                self._at += 1
                continue
            elif byte == 0x2C and self._depth == 2 and self._listed:
                self._commas += 1
                inside = 1
            if not inside:
                if len(self.head) >= MAX_HEAD_BYTES:
                    raise ScanError("too much beside the products")
                self.head.append(byte)
            self._at += 1
