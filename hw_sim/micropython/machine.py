# The `machine` module of the simulated chip: it extends the interpreter's own (MicroPython takes a
# file of that name on its path first), and each peripheral access is a request on the bus socket.
# Only start.py prepares it; programs use it as they would on a board. docs/formats/sim-bus.md.
import io
import os
import socket
import struct
import sys

from micropython import const

# The built-in module of the same name is found once the path is empty.
_path, sys.path = sys.path, []
from machine import *  # noqa: E402, F403

sys.path = _path

_CHUNK = const(32768)

_socket = None
_request = bytearray(12)
_reply = bytearray(8)


def _lost():
    # The board is gone, so this CPU must not run on, not even in its program's bare `except`.
    os.system("kill -9 $PPID")
    raise SystemExit


def _post(op, unit=0, arg=0, arg2=0, payload=b""):
    struct.pack_into("<BBHII", _request, 0, op, unit, len(payload), arg, arg2)
    try:
        _socket.write(_request)
        if payload:
            _socket.write(payload)
    except OSError:
        _lost()


def _into(buf):
    got = 0
    view = memoryview(buf)
    while got < len(buf):
        n = _socket.readinto(view[got:] if got else view)
        if not n:
            _lost()
        got += n


def _call(op, unit=0, arg=0, arg2=0, payload=b"", into=None):
    # (value, payload); with `into`, (value, length) and the payload is in there.
    _post(op, unit, arg, arg2, payload)
    try:
        _into(_reply)
        status, changed, size, value = struct.unpack("<BBHI", _reply)
        data = size
        if into is not None and status == 0:
            _into(memoryview(into)[:size])
        else:
            data = bytearray(size)
            if size:
                _into(data)
    except OSError:
        _lost()
    if changed:
        _flash_changed()
    if status:
        text = data.decode()
        raise OSError(value, text) if status == 2 else ValueError(text)
    return value, data


def _flash_changed():
    # Cells are no more what the CPU saw, by no doing of its own; norflash.py puts its own here.
    pass


def _connect():
    global _socket
    where, token = os.getenv("HW_SIM_BUS").split(":")
    if where[0] == "/":
        _socket = socket.socket(socket.AF_UNIX)
        _socket.connect(struct.pack("H", socket.AF_UNIX) + where.encode() + b"\0")
    else:
        _socket = socket.socket()
        _socket.connect(socket.getaddrinfo("127.0.0.1", int(where))[0][-1])
        _socket.setsockopt(6, 1, 1)  # IPPROTO_TCP, TCP_NODELAY: requests are small and waited for
    _call(0x01, payload=token.encode())


_connect()

PWRON_RESET = const(1)
HARD_RESET = const(2)
WDT_RESET = const(3)
SOFT_RESET = const(5)
BROWNOUT_RESET = const(6)


def reset():
    _call(0x02)  # never answered: the board ends this CPU


soft_reset = reset


def reset_cause():
    return _call(0x03)[0]


def unique_id():
    return bytes(_call(0x04)[1])


def noise(n):
    """`n` bytes, 1 to 256, of the chip's noise source; ports have it as registers, not as this."""
    return bytes(_call(0x58, arg=n)[1])


class Pin:
    IN = const(0)
    OUT = const(1)
    OPEN_DRAIN = const(2)
    PULL_UP = const(1)
    PULL_DOWN = const(2)

    def __init__(self, id, mode=0, pull=None, *, value=None):
        self.id = id.id if isinstance(id, Pin) else id
        self.init(mode, pull, value=value)

    def init(self, mode=0, pull=None, *, value=None):
        latch = 2 if value is None else 1 if value else 0
        _call(0x10, self.id, mode | (pull or 0) << 8 | latch << 16)

    def value(self, x=None):
        if x is None:
            return _call(0x12, self.id)[0]
        _post(0x11, self.id, 1 if x else 0)
        return None

    __call__ = value

    def on(self):
        _post(0x11, self.id, 1)

    def off(self):
        _post(0x11, self.id, 0)

    high = on
    low = off

    def toggle(self):
        self.value(not self.value())


class ADC:
    def __init__(self, channel):
        # As on RP2: a channel number, or the pin that it is on.
        self.channel = channel.id - 26 if isinstance(channel, Pin) else channel
        self.read_u16()

    def read_u16(self):
        return _call(0x18, self.channel)[0]


class PWM:
    def __init__(self, pin, *, freq=0, duty_u16=0):
        self.pin = pin.id
        self._freq = freq
        self._duty = duty_u16
        self._set()

    def _set(self):
        _call(0x50, self.pin, self._freq, self._duty)

    def freq(self, hz=None):
        if hz is None:
            return self._freq
        self._freq = hz
        self._set()
        return None

    def duty_u16(self, duty=None):
        if duty is None:
            return self._duty
        self._duty = duty
        self._set()
        return None

    def deinit(self):
        self._duty = 0
        self._set()


class UART(io.IOBase):
    def __init__(self, id, baudrate=9600, **options):
        self.id = id
        _call(0x20, id, baudrate)

    def any(self):
        return _call(0x21, self.id)[0]

    def readinto(self, buf, nbytes=None):
        n = len(buf) if nbytes is None else min(nbytes, len(buf))
        # Never waits, as with timeout=0 on a board; None when there is nothing.
        return _call(0x22, self.id, min(n, _CHUNK), into=buf)[1] or None

    def read(self, nbytes=-1):
        return bytes(_call(0x22, self.id, _CHUNK if nbytes < 0 else nbytes)[1]) or None

    def readline(self):
        # What there is of a line: the caller (asyncio's streams) puts the pieces together.
        line = b""
        while line[-1:] != b"\n":
            byte = self.read(1)
            if byte is None:
                break
            line += byte
        return line or None

    def write(self, buf):
        view = memoryview(buf)
        for at in range(0, len(view), _CHUNK):
            _call(0x23, self.id, payload=view[at : at + _CHUNK])
        return len(view)

    def ioctl(self, request, arg):
        if request == 3:  # poll: readable when bytes wait, always writable
            return arg & (4 | (1 if self.any() else 0))
        return 0 if request == 4 else -1  # close


class SPI:
    MSB = const(0)

    def __init__(self, id, baudrate=1_000_000, **options):
        self.id = id
        _call(0x28, id, baudrate)

    def write(self, buf):
        view = memoryview(buf)
        for at in range(0, len(view), _CHUNK):
            _post(0x29, self.id, payload=view[at : at + _CHUNK])


class WDT:
    def __init__(self, id=0, timeout=5000):
        _call(0x40, 0, timeout)

    def feed(self):
        _post(0x41)


class RTC:
    def datetime(self, when=None):
        # (year, month, day, weekday (0 is Monday), hours, minutes, seconds, subseconds), UTC.
        if when is not None:
            _call(0x49, payload=struct.pack("<HBBBBBBB", *when[:7], 0))
            return None
        return struct.unpack("<HBBBBBBB", _call(0x48)[1])
