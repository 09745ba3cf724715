"""The simulated chip's clock: time passes by what its program asks of it, and while that waits."""

# In place of the interpreter's `time` where the board's time is simulated (start.py loads it before
# anything else does). The program's own steps cost what `_REQUEST_US` and `_TICKS_US` say; the
# board is told with the next wait, or once a millisecond has come together. docs/simulated-time.md.
import sys

import machine
from micropython import const

# The built-in module of the same name is found once the path is empty.
_path, sys.path = sys.path, []
from time import *  # noqa: E402, F403

sys.path = _path

_WAIT = const(0x60)
_REQUEST_US = const(20)
_TICKS_US = const(5)
_TELL_US = const(1000)
_FOR_EVER = const(0xFFFFFFFF)
_MASK = const(0x3FFFFFFF)  # ticks wrap as a board's do, of milliseconds after twelve days
_HALF = const(0x20000000)

_handlers = {}  # by interrupt line; called where the program next waits
_now_us = 0
_spent_us = 0
_send = machine._post


def before_wait():
    """Look for what has been loaded; costs.py puts its own here."""


def _post(op, unit=0, arg=0, arg2=0, payload=b""):
    global _spent_us
    _spent_us += _REQUEST_US
    if _spent_us >= _TELL_US:
        wait(0)
    _send(op, unit, arg, arg2, payload)


def spend(us):
    """The program has computed for so long."""
    global _spent_us
    _spent_us += us
    if _spent_us >= _TELL_US:
        wait(0)


def wait(ms):
    """Let the board's time pass: what was spent, and `ms` more; None is for ever."""
    global _now_us, _spent_us
    before_wait()
    spent, _spent_us = _spent_us, 0
    machine._post = _send
    lines, now = machine._call(_WAIT, 0, _FOR_EVER if ms is None else min(ms, _FOR_EVER - 1), spent)
    machine._post = _post
    _now_us = int.from_bytes(now, "little")
    if lines:
        for line, (source, handler) in _handlers.items():
            if lines >> line & 1:
                handler(source)


def _listen(op, source, line, handler, trigger):
    machine._call(op, source.id, trigger if handler else 0)
    _handlers[line] = source, handler or (lambda source: None)


def _pin_irq(pin, handler=None, trigger=12):
    _listen(0x13, pin, pin.id, handler, trigger)


def _uart_irq(uart, handler=None, trigger=1):
    _listen(0x24, uart, 30 + uart.id, handler, trigger)


def ticks_us():
    spend(_TICKS_US)
    return _now_us + _spent_us & _MASK


def ticks_ms():  # asked most of all: without a call
    global _spent_us
    _spent_us += _TICKS_US
    if _spent_us >= _TELL_US:
        wait(0)
    return (_now_us + _spent_us) // 1000 & _MASK


def ticks_add(ticks, delta):
    return ticks + delta & _MASK


def ticks_diff(later, earlier):
    return (later - earlier + _HALF & _MASK) - _HALF


ticks_cpu = ticks_us


def sleep_us(us):
    spend(max(0, us))


def sleep_ms(ms):
    until_us = _now_us + _spent_us + 1000 * max(0, ms)
    wait(max(0, ms))
    while _now_us < until_us:  # an interrupt does not end it
        wait((until_us - _now_us + 999) // 1000)


def sleep(s):
    sleep_ms(int(s * 1000))


def _lightsleep(ms=None):
    wait(ms)


machine._post = _post
machine.lightsleep = _lightsleep
machine.Pin.IRQ_FALLING = 4
machine.Pin.IRQ_RISING = 8
machine.Pin.irq = _pin_irq
machine.UART.IRQ_RXIDLE = 1
machine.UART.irq = _uart_irq
