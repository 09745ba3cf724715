"""The modules that a port of MicroPython has in C, as far as terminals' programs use them.

Where CPython's own does the same, it is given as it is. The chip's own (`machine`, `norflash`,
`time`, `select`, the tasks of asyncio) are the interpreter's files in `hw_sim/micropython`, which
lie on what is here.
"""

from __future__ import annotations

import array
import binascii
import errno
import gc
import io
import json
import math
import random
import struct
import types
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from types import ModuleType, SimpleNamespace
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from hw_sim.hosted import framebuf
from hw_sim.hosted.console import Input, Output, exception_text
from hw_sim.hosted.errors import DeviceError
from hw_sim.hosted.files import Mounts
from hw_sim.hosted.imports import Make, Modules
from hw_sim.hosted.literals import in_order

HEAP_FREE_BYTES: Final = 92_000
"""What `gc.mem_free()` says: about what a terminal has when its tasks start."""
_EINVAL = 22
_ECB, _CBC = 1, 2
_POLLIN, _POLLPRI, _POLLOUT, _POLLERR, _POLLHUP = 1, 2, 4, 8, 16


class IOBase:
    """`io.IOBase`: what a program's own streams are made from."""


class HostPoll:
    """The port's own `select.poll`, of the one stream that is not the program's: the console."""

    def __init__(self) -> None:
        self._streams: list[Input] = []

    def register(self, stream: Input, _events: int = 5) -> None:
        """Wait for that stream, too."""
        self._streams.append(stream)

    def unregister(self, stream: Input) -> None:
        """No more."""
        self._streams.remove(stream)

    def modify(self, stream: Input, events: int) -> None:
        """Other events: input is the only one that comes."""

    def poll(self, _timeout_ms: int = -1) -> list[tuple[Input, int]]:
        """Which have something to be read."""
        found = []
        for stream in self._streams:
            if stream.held:
                found.append((stream, _POLLIN))
        return found


class Inflater:
    """`deflate.DeflateIO(stream, deflate.ZLIB)`, which reads no byte more than it needs."""

    def __init__(self, stream: Any, format: int = 0, *_: Any) -> None:
        if format != 2:
            raise DeviceError(_EINVAL)
        self._stream = stream
        self._expander = zlib.decompressobj()
        self._one = bytearray(1)

    def readinto(self, buf: Any) -> int:
        """How much of `buf` was filled: all of it before the end. EOFError on a cut, OSError on
        damage.
        """
        size, at = len(buf), 0
        expander = self._expander
        tail = expander.unconsumed_tail
        while at < size and not expander.eof:
            if not tail:
                if not self._stream.readinto(self._one):
                    raise EOFError
                tail = bytes(self._one)
            try:
                data = expander.decompress(tail, size - at)
            except zlib.error:
                raise DeviceError(_EINVAL) from None
            tail = expander.unconsumed_tail
            buf[at : at + len(data)] = data
            at += len(data)
        return at

    def read(self, size: int) -> bytes:
        """At most so many bytes."""
        buf = bytearray(size)
        return bytes(buf[: self.readinto(buf)])


class Aes:
    """`cryptolib.aes(key, mode[, iv])`."""

    def __init__(self, key: Any, mode: int, iv: Any = None) -> None:
        if mode not in (_ECB, _CBC):
            raise ValueError("mode")
        chain = modes.ECB() if mode == _ECB else modes.CBC(bytes(iv))  # noqa: S305  the program's
        self._cipher: Any = Cipher(algorithms.AES(bytes(key)), chain)
        self._coder: Any = None

    def encrypt(self, data: Any, out: Any = None) -> Any:
        """Whole blocks of 16 bytes; the chain goes on."""
        return self._code(data, out, self._cipher.encryptor)

    def decrypt(self, data: Any, out: Any = None) -> Any:
        """Whole blocks of 16 bytes; the chain goes on."""
        return self._code(data, out, self._cipher.decryptor)

    def _code(self, data: Any, out: Any, begin: Callable[[], Any]) -> Any:
        if len(data) % 16:
            raise ValueError("blksize % 16")
        if self._coder is None:
            self._coder = begin()
        coded = self._coder.update(bytes(data))
        if out is None:
            return coded
        out[: len(coded)] = coded
        return None


def _loads(text: Any) -> Any:
    try:
        return json.loads(text if isinstance(text, str) else bytes(text))
    except ValueError:
        raise ValueError("syntax error in JSON") from None


def _dumps(value: Any, **options: Any) -> str:
    return json.dumps(_as_hashed(value), ensure_ascii=False, **options)


def _as_hashed(value: Any) -> Any:
    """The same with the keys in the order that MicroPython writes them."""
    if isinstance(value, (list, tuple)):
        return [_as_hashed(each) for each in value]
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        return value
    return {key: _as_hashed(value[key]) for key in in_order(value)}


def _json() -> Mapping[str, Any]:
    return {
        "loads": _loads,
        "dumps": _dumps,
        "load": lambda stream: _loads(stream.read()),
        "dump": lambda value, stream: stream.write(_dumps(value)),
    }


def _sys(stdin: Input, stdout: Output) -> Mapping[str, Any]:
    def print_exception(error: BaseException, file: Any = None) -> None:
        (file or stdout).write(exception_text(error))

    def leave(code: Any = 0) -> None:
        raise SystemExit(code)

    return {
        "argv": [],
        "implementation": SimpleNamespace(name="micropython", version=(1, 29, 0)),
        "platform": "linux",
        "byteorder": "little",
        "maxsize": (1 << 63) - 1,
        "version": "3.4.0; MicroPython",
        "stdin": stdin,
        "stdout": stdout,
        "stderr": stdout,
        "print_exception": print_exception,
        "exit": leave,
    }


def _os(mounts: Mounts) -> Mapping[str, Any]:
    names = ("listdir", "stat", "statvfs", "remove", "mkdir", "rename", "mount", "umount")
    return {name: getattr(mounts, name) for name in names} | {
        "unlink": mounts.remove,
        "sync": lambda: None,
    }


def _copy(module: ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if name[:2] != "__"}


def make(modules: Modules, mounts: Mounts, stdin: Input, stdout: Output) -> dict[str, Make]:
    """How each of them is made, by name."""
    plain: dict[str, Mapping[str, Any]] = {
        "os": _os(mounts),
        "io": {
            "IOBase": IOBase,
            "BytesIO": io.BytesIO,
            "StringIO": io.StringIO,
            "open": mounts.open,
        },
        "gc": {
            "collect": lambda: 0,
            "threshold": lambda size_bytes=-1: -1,
            "mem_free": lambda: HEAP_FREE_BYTES,
            "mem_alloc": lambda: 256 * 1024 - HEAP_FREE_BYTES,
            "enable": gc.isenabled,
            "disable": gc.isenabled,
        },
        "micropython": {
            "const": lambda value: value,
            "native": lambda function: function,
            "viper": lambda function: function,
            "kbd_intr": lambda character: None,
        },
        "machine": {},
        "time": {},
        "select": {
            "poll": HostPoll,
            "POLLIN": _POLLIN,
            "POLLPRI": _POLLPRI,
            "POLLOUT": _POLLOUT,
            "POLLERR": _POLLERR,
            "POLLHUP": _POLLHUP,
        },
        "json": _json(),
        "deflate": {"DeflateIO": Inflater, "AUTO": 0, "RAW": 1, "ZLIB": 2, "GZIP": 3},
        "cryptolib": {"aes": Aes},
        "hashlib": {"sha256": sha256},  # MicroPython's has no sha512
        "framebuf": {"FrameBuffer": framebuf.FrameBuffer, "MONO_VLSB": framebuf.MONO_VLSB},
        "types": {"coroutine": types.coroutine},
        "struct": _copy(struct),
        "array": {"array": array.array},
        "binascii": _copy(binascii),
        "errno": _copy(errno),
        "math": _copy(math),
        "random": _copy(random),
    }
    vars(modules.sys).update(_sys(stdin, stdout))
    made: dict[str, Make] = {
        name: partial(modules.native, name, names) for name, names in plain.items()
    }
    return made | {"sys": lambda: modules.sys}
