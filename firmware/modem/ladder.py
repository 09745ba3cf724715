"""What every modem has in common: one owner at a time, errors in a merchant's words, and the ladder
on failure.

A dialect (`sim800.py`) extends `Ladder`; the rest of the firmware sees the errors and the dialect's
`Modem`.
"""

import asyncio

from bootloader.shared.compat import const, sleep_ms, ticks_diff, ticks_ms

from .chat import ChatError

_RETRY_FIRST_MS = const(5000)
_RETRY_MOST_MS = const(300000)
_CLIMB_MS = const(240000)


class ModemError(Exception):
    """No link. `code` is for logs, `text` says to the merchant what to do; `climb`: stronger means
    may help.
    """

    code = "modem"
    text = "Modem fault. Switch off and on."
    climb = True

    def __init__(self, detail=""):
        super().__init__(self.code + (": " + detail if detail else ""))


class NoModem(ModemError):
    code = "no_modem"
    text = "Modem does not answer. Call for service."


class NoSim(ModemError):
    code = "no_sim"
    text = "No SIM card. Put one in."
    climb = False


class SimLocked(ModemError):
    code = "sim_locked"
    text = "SIM is locked. Remove its PIN in a phone."
    climb = False


class RegistrationDenied(ModemError):
    code = "denied"
    text = "Network refuses this SIM. Ask the operator."
    climb = False


class NoCoverage(ModemError):
    code = "no_coverage"
    text = "No network here. Try another place."


class NoData(ModemError):
    code = "no_gprs"
    text = "No data service. Check SIM credit."


class LinkError(ModemError):
    """The TCP connection could not be made, or is lost; what was under way may or may not have
    arrived.
    """

    code = "link"
    text = "Server not reached. Try again."


class LinkTimeout(LinkError):
    code = "link_timeout"


class Ladder:
    """The state that others may read, and `connect`.

    `lock`: held by whoever talks to the modem. `attached`: data service is up, `open` may be
    called. `registered`, `signal` (0-31, 99 unknown), `state_text`: for the screen. `trouble`: the
    code of the last `connect`'s error, "" if it went well. `retry_ms`: how
    long to leave it after a `connect` that failed; doubles from 5 s to 5 min. `connected`: a TCP
    connection is open.
    """

    rungs = ("as it is", "radio off and on", "power key")

    def __init__(self, log):
        self.lock = asyncio.Lock()
        self.log = log
        self.attached = False
        self.registered = False
        self.connected = False
        self.signal = 99
        self.state_text = "Modem off"
        self.trouble = ""
        self.retry_ms = _RETRY_FIRST_MS
        self.pause_ms = 1000
        self._first_rung = 0

    async def connect(self, apn):
        """Bring data service up: as it is, then after radio off and on, then after the power key.
        No-op when it is up.

        Raises:
            ModemError: the last rung's reason, in a merchant's words.
        """
        async with self.lock:
            self.poll()
            if self.attached:
                return
            start = ticks_ms()
            last = len(self.rungs) - 1
            for rung in range(self._first_rung, last + 1):
                try:
                    try:
                        if rung:
                            self.state_text = "Restarting modem"
                            self.log("modem: " + self.rungs[rung])
                            await (self.radio_cycle if rung == 1 else self.power_cycle)()
                        await self.bring_up(apn)
                    except ChatError as error:
                        raise ModemError(str(error))
                except ModemError as error:
                    self.log("modem: " + str(error))
                    self.state_text = error.text
                    self.trouble = error.code
                    self.attached = False
                    is_long = ticks_diff(ticks_ms(), start) >= _CLIMB_MS
                    if not error.climb or rung == last or is_long:
                        # A card put in later is read only after a power cycle. A climb that took
                        # long goes on at the next call: the caller has others to care for.
                        self._first_rung = 0
                        if isinstance(error, NoSim):
                            self._first_rung = last
                        elif error.climb and rung < last:
                            self._first_rung = rung + 1
                        self.retry_ms = min(self.retry_ms * 2, _RETRY_MOST_MS)
                        raise
                    await sleep_ms(self.pause_ms << rung)
                else:
                    self._first_rung = 0
                    self.retry_ms = _RETRY_FIRST_MS
                    self.state_text = "Online"
                    self.trouble = ""
                    return
