"""Where MicroPython and CPython differ, in one place. Any device module may import it.

AES comes from MicroPython's `cryptolib`, from `cryptography` on CPython, or, on a port that has
neither, from the plain Python in `aes.py`; SHA-512 from `hashlib` or from `sha512.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from io import BytesIO
    from typing import Any, Protocol

    Bytes = bytes | bytearray | memoryview

    class Blocks(Protocol):
        """AES under one key and mode."""

        def encrypt(self, __data: Bytes) -> bytes: ...

    class Expanded(Protocol):
        """What a zlib stream holds."""

        def readinto(self, __buf: bytearray) -> int | None: ...


try:
    from gc import collect, threshold

    from micropython import const
except ImportError:

    def const(value: int) -> int:  # type: ignore[misc]  # the stubs' takes more
        """MicroPython's has the compiler put the number in place of its name."""
        return value

    def collect() -> int | None:
        """Only MicroPython's heap needs it: it does not move what lies in it, so it frays."""
        return 0

    def threshold(size_bytes: int = -1) -> int:  # type: ignore[no-redef]  # overloaded there
        """How much may be allocated between sweeps, -1 for no limit but the heap's; or what is."""
        return -1


try:
    from hashlib import sha512  # type: ignore[attr-defined]  # only some ports
except ImportError:
    from bootloader.shared.crypto.sha512 import sha512


try:
    from time import ticks_add, ticks_diff, ticks_ms, ticks_us
except ImportError:
    from time import monotonic_ns as _now_ns  # type: ignore[attr-defined]  # CPython's

    _PERIOD = 1 << 30  # as MicroPython: ticks wrap, so only ticks_diff may compare them

    def ticks_ms() -> int:  # type: ignore[misc]  # the stubs' ticks are no int
        """A count of milliseconds that wraps."""
        return int(_now_ns() // 1000000 % _PERIOD)

    def ticks_us() -> int:  # type: ignore[misc]
        """A count of microseconds that wraps."""
        return int(_now_ns() // 1000 % _PERIOD)

    def ticks_add(ticks: int, delta: int) -> int:  # type: ignore[misc]
        """`ticks` and `delta` later, wrapped."""
        return (ticks + delta) % _PERIOD

    def ticks_diff(later: int, earlier: int) -> int:  # type: ignore[no-redef]
        """From `earlier` to `later`, less than half of the period."""
        return (later - earlier + _PERIOD // 2) % _PERIOD - _PERIOD // 2


def sleep_ms(duration_ms: int) -> "Coroutine[Any, Any, None]":
    """Awaitable pause. The first caller imports asyncio: the bootloader does without it."""
    import asyncio

    if hasattr(asyncio, "sleep_ms"):
        return asyncio.sleep_ms(duration_ms)
    return asyncio.sleep(duration_ms / 1000)


try:
    from cryptolib import aes as _aes

    def aes_ecb(key: bytes) -> "Blocks":
        """An object whose `encrypt(data)` is AES-ECB over whole 16-byte blocks."""
        return _aes(key, 1)

    def aes_cbc(key: bytes, iv: bytes) -> "Blocks":
        """An object whose `encrypt(data)` is AES-CBC; the chain goes on from call to call."""
        return _aes(key, 2, iv)

except ImportError:
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        class _Encryptor:
            def __init__(self, key: bytes, mode: "Any") -> None:
                self.encrypt = Cipher(algorithms.AES(key), mode).encryptor().update

        def aes_ecb(key: bytes) -> "Blocks":
            """As above."""
            return _Encryptor(key, modes.ECB())  # the raw block function that CCM is built from

        def aes_cbc(key: bytes, iv: bytes) -> "Blocks":
            """As above."""
            return _Encryptor(key, modes.CBC(iv))

    except ImportError:
        from bootloader.shared.crypto.aes import aes_cbc, aes_ecb

try:
    from deflate import ZLIB, DeflateIO

    def inflater(stream: "BytesIO") -> "Expanded":
        """A stream that expands the zlib `stream` (of `readinto`); its window comes from there.

        `readinto(buf)` returns 0 at the end, raises EOFError on a cut and OSError on damage.
        """
        return DeflateIO(stream, ZLIB)

except ImportError:
    import zlib as _zlib  # type: ignore[import-not-found]  # CPython's

    class _Inflater:
        def __init__(self, stream: "BytesIO") -> None:
            self._stream = stream
            self._expander = _zlib.decompressobj()

        def readinto(self, buf: bytearray) -> int:
            chunk = bytearray(256)
            while not self._expander.eof:
                tail = self._expander.unconsumed_tail
                if not tail:
                    tail = bytes(chunk[: self._stream.readinto(chunk)])
                try:
                    data = self._expander.decompress(tail, len(buf))
                except _zlib.error as error:
                    raise OSError(22, str(error))
                if data:
                    buf[: len(data)] = data
                    return len(data)
                if not tail:
                    raise EOFError
            return 0

    def inflater(stream: "BytesIO") -> "Expanded":
        """As above."""
        return _Inflater(stream)


__all__ = (
    "aes_cbc",
    "aes_ecb",
    "collect",
    "const",
    "inflater",
    "sha512",
    "sleep_ms",
    "threshold",
    "ticks_add",
    "ticks_diff",
    "ticks_ms",
    "ticks_us",
    "utf8",
)


def utf8(data: "Bytes") -> str:
    """The text in `data` (bytes), if it is valid UTF-8 (RFC 3629).

    MicroPython lets overlong forms and surrogates through; two parsers that read one text
    differently is how a checked name becomes another name.

    Raises:
        ValueError: it is not.
    """
    text = str(data, "utf-8")
    if len(text) != len(data):
        size = 0
        for character in text:
            code = ord(character)
            if 0xD800 <= code < 0xE000 or code > 0x10FFFF:
                raise ValueError("not UTF-8")
            size += 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
        if size != len(data):
            raise ValueError("not UTF-8")
    return text
