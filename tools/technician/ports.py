"""What is on a serial port: a blank board, recovery, a terminal that sells, or nothing.

For every job of the technician's: each first asks what it has before it.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

import serial.tools.list_ports

from tools.errors import LinkError
from tools.technician.console_link import ConsoleLink
from tools.technician.recovery_link import RecoveryLink

BLANK, RECOVERY, SELLING, NOTHING = "blank", "recovery", "selling", "nothing"
_CONSOLE_S = 1.2
_BUSY_S = 15.0
"""A terminal that checks signatures looks at its console again only afterwards."""
_SMP_S = 1.0


@dataclass(frozen=True)
class Found:
    """`what` is one of the words above; `facts` is what it said of itself."""

    port: str
    what: str
    facts: dict[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def uid(self) -> str:
        """The chip's unique id, hexadecimal; empty if it cannot tell."""
        return str(self.facts.get("uid") or "")

    @property
    def terminal(self) -> str:
        """The terminal id, 16 hex digits; empty without an identity."""
        return str(self.facts.get("terminal") or "")

    def words(self) -> str:
        """One line for the technician."""
        facts = self.facts
        if self.what == NOTHING:
            return self.problem or "nothing answers"
        if self.what == BLANK:
            return "blank board: MicroPython's prompt, ready for provision"
        board = f"{facts['class']} revision {facts['revision']}, bootloader {facts['bootloader']}"
        if self.what == RECOVERY:
            who = f", terminal {self.terminal}" if self.terminal else ""
            return f"recovery ({facts['state']}), {board}, chip {self.uid}{who}"
        state = "on trial" if facts["trial"] else "confirmed"
        service = "selling" if facts["service"] else "OUT OF SERVICE"
        waiting = f", {facts['unsynced']} records not sent" if facts.get("unsynced") else ""
        locked = ", LOCKED" if facts.get("locked") else ""
        return (
            f"{service}, terminal {self.terminal}, release {facts['release']} in slot "
            f"{facts['slot']} {state}, {board}{waiting}{locked}"
        )


def serial_ports() -> list[tuple[str, str]]:
    """(device, description) of this computer's serial ports."""
    return [(port.device, port.description) for port in serial.tools.list_ports.comports()]


def probe(port: str) -> Found:
    """Ask `port` what is on it; a port that cannot be opened is `NOTHING` with the problem."""
    found = _probe_console(port, _CONSOLE_S)
    if found.what == NOTHING and not found.problem:
        found = _probe_recovery(port) or _probe_console(port, _BUSY_S)
    return found


def _probe_console(port: str, patience_s: float) -> Found:
    try:
        with ConsoleLink(port) as link:
            link.word("status")
            said = link.heard(patience_s)
    except LinkError as error:
        return Found(port, NOTHING, problem=str(error))
    for line in said.splitlines():
        if line.startswith(b"= {"):
            try:
                facts = json.loads(line[2:])
            except ValueError:
                continue
            if facts.get("done") == "status":
                return Found(port, SELLING, facts)
    if b">>> " in said:
        return Found(port, BLANK)
    return Found(port, NOTHING)


def _probe_recovery(port: str) -> Found | None:
    try:
        with RecoveryLink(port, timeout_s=_SMP_S) as recovery:
            status = recovery.status()
    except LinkError:
        return None
    return Found(
        port,
        RECOVERY,
        {
            "state": status.state,
            "class": status.hardware_class,
            "revision": status.revision,
            "bootloader": status.bootloader,
            "uid": status.uid.hex(),
            "terminal": status.terminal.hex() if status.terminal else "",
        },
    )


def wait_for(port: str, *wanted: str, timeout_s: float = 40) -> Found:
    """What is on `port` as soon as it is one of `wanted`.

    Raises:
        LinkError: it is not within `timeout_s`; the text says what is there instead.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        found = probe(port)
        if found.what in wanted:
            return found
        if time.monotonic() > deadline:
            raise LinkError(f"{port}: waited for {' or '.join(wanted)}, found: {found.words()}")
        time.sleep(0.2)


def into_recovery(port: str) -> Found:
    """Have the terminal on `port` in recovery, from wherever it is.

    Raises:
        LinkError: it is blank, or does not answer.
    """
    found = wait_for(port, BLANK, RECOVERY, SELLING, timeout_s=15)
    if found.what == BLANK:
        raise LinkError(f"{port}: this board is blank: provision it")
    if found.what == SELLING:
        with ConsoleLink(port) as link:
            link.word("recovery")
        found = wait_for(port, RECOVERY)
    return found
