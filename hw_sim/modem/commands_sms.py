"""Short messages in text and PDU mode, kept on the card: CMGF, CMGS, CMGW, CMSS, CMGR, CMGL, CMGD,
CNMI, CPMS, CSCA, CSMP, CSCS, CSMS. Reports of delivery are not modelled.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from hw_sim.modem.at import AtCommand, AtError, Kind
from hw_sim.modem.command_table import Command, Table
from hw_sim.modem.commands_sim import SimHolder
from hw_sim.modem.serial_line import SerialLine
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.sim_card import StoredSms
from hw_sim.network.sms_pdu import (
    Message,
    PduError,
    address,
    centre_address,
    deliver,
    of_text,
    parse_submit,
)

_SEND_S: Final = 2.0
_SEND_NOW, _GIVE_UP = 0x1A, 0x1B
_STATES: Final = ("REC UNREAD", "REC READ", "STO UNSENT", "STO SENT")
_UNREAD, _READ, _UNSENT, _ALL = 0, 1, 2, 4
_MEMORY_FULL, _BAD_INDEX, _BAD_PDU, _NO_NETWORK, _NOT_ALLOWED = 322, 321, 304, 331, 302


class CmsError(AtError):
    """The command ends in +CMS ERROR (3GPP TS 27.005 section 3.2.5)."""

    TEXTS: Final = {  # type: ignore[misc]  # other codes than +CME ERROR has
        _NOT_ALLOWED: "operation not allowed",
        _BAD_PDU: "Invalid PDU mode parameter",
        _BAD_INDEX: "Invalid memory index",
        _MEMORY_FULL: "SIM SMS memory full",
        _NO_NETWORK: "no network service",
    }

    def result(self, cmee: int) -> str:
        """The final result line; numbers unless words were asked for."""
        assert self.code is not None
        return f"+CMS ERROR: {self.TEXTS[self.code] if cmee == 2 else self.code}"


class Messages:
    """The commands of one part; `registered` says whether it has a network."""

    def __init__(self, network: GsmNetwork, sim: SimHolder, line: SerialLine) -> None:
        self._network = network
        self._sim = sim
        self._line = line
        self.registered: Callable[[], bool] = lambda: False
        self.reset()

    def reset(self) -> None:
        """The modem starts."""
        self._is_text = False
        self._notices = (2, 1, 0, 0, 0)
        self._parameters = "17,167,0,0"
        self._alphabet = "IRA"
        self._centre = self._network.sms.number
        self._reference = 0

    def collect(self) -> None:
        """Take what waits at the centre, as far as there is a network and room on the card."""
        while self.registered() and self._sim.usable:
            message = self._network.sms.take()
            if message is None:
                return
            pdu = deliver(message, self._network.sms.number, self._network.time_unix_s())
            if self._notices[1] == 2:
                self._show("+CMT: ", f",{_length(pdu)}", StoredSms(_UNREAD, pdu, message))
                continue
            index = self._keep(StoredSms(_UNREAD, pdu, message))
            if index is None:
                self._network.sms.give_back(message)
                self._line.line('+CIEV: "SMSFULL",1')
                return
            if self._notices[1] == 1:
                self._line.line(f'+CMTI: "SM",{index}')

    def commands(self) -> Table:
        """The commands about messages."""
        return {
            "+CSMS": Command(
                read=lambda: "0,1,1,1",
                write=lambda c: self._line.line("+CSMS: 1,1,1"),
                test="(0,1)",
            ),
            "+CMGF": Command(
                read=lambda: str(int(self._is_text)), write=self._set_mode, test="(0,1)"
            ),
            "+CSCA": Command(read=lambda: f'"{self._centre}",145', write=self._set_centre),
            "+CSMP": Command(read=lambda: self._parameters, write=self._set_parameters),
            "+CSCS": Command(
                read=lambda: f'"{self._alphabet}"', write=self._set_alphabet, test='("IRA","GSM")'
            ),
            "+CNMI": Command(
                read=lambda: ",".join(map(str, self._notices)),
                write=self._set_notices,
                test="(0-2),(0-2),(0),(0),(0,1)",
            ),
            "+CPMS": Command(
                read=lambda: ",".join([f'"SM",{self._room()}'] * 3),
                write=self._set_memory,
                test='("SM"),("SM"),("SM")',
            ),
            "+CMGS": Command(write=self._send),
            "+CMGW": Command(write=self._write, run=self._write),
            "+CMSS": Command(write=self._send_stored),
            "+CMGR": Command(write=self._read),
            "+CMGL": Command(write=self._list, run=self._list, test="(0-4)"),
            "+CMGD": Command(write=self._delete, test="(1-20),(0-4)"),
        }

    # -- settings -----------------------------------------------------------------------------

    def _set_mode(self, command: AtCommand) -> None:
        self._is_text = bool(command.number(0, 0, 1))

    def _set_centre(self, command: AtCommand) -> None:
        self._centre = command.text(0)

    def _set_parameters(self, command: AtCommand) -> None:
        self._parameters = ",".join(command.arguments)

    def _set_alphabet(self, command: AtCommand) -> None:
        alphabet = command.text(0).upper()
        if alphabet not in ("IRA", "GSM"):
            raise AtError(4)
        self._alphabet = alphabet

    def _set_notices(self, command: AtCommand) -> None:
        figures = [command.number(n, 0, 3, default=0) for n in range(5)]
        if figures[2] > 2 or figures[3] > 2:
            raise CmsError(_NOT_ALLOWED)
        self._notices = (figures[0], figures[1], figures[2], figures[3], figures[4])

    def _set_memory(self, command: AtCommand) -> None:
        if any(each not in ("SM", "") for each in command.arguments):
            raise CmsError(_NOT_ALLOWED)
        self._line.line("+CPMS: " + ",".join([self._room()] * 3))

    def _room(self) -> str:
        card = self._sim.ready()
        return f"{sum(each is not None for each in card.messages)},{len(card.messages)}"

    # -- sending ------------------------------------------------------------------------------

    async def _send(self, command: AtCommand) -> str | None:
        message = await self._enter(command)
        if message is None:
            return None
        await self._submit(message)
        return None

    async def _submit(self, message: Message) -> None:
        await self._network.pace.sleep(_SEND_S)
        if not self.registered():
            raise CmsError(_NO_NETWORK)
        self._network.sms.submit(message)
        self._reference = (self._reference + 1) % 256
        self._line.line(f"+CMGS: {self._reference}")

    async def _write(self, command: AtCommand) -> str | None:
        message = await self._enter(command)
        if message is None:
            return None
        head = bytes([0x41 if message.has_header else 1, 0]) + address(message.number)
        head += bytes([message.protocol, message.coding, message.length])
        pdu = centre_address(self._centre) + head + message.data
        index = self._keep(StoredSms(_UNSENT, pdu, message))
        if index is None:
            raise CmsError(_MEMORY_FULL)
        self._line.line(f"+CMGW: {index}")
        return None

    async def _send_stored(self, command: AtCommand) -> str | None:
        stored = self._at(command)
        stored.state = 3
        await self._submit(stored.message)
        return None

    async def _enter(self, command: AtCommand) -> Message | None:
        """A message typed after the prompt; None if it was given up."""
        self._sim.ready()
        number = command.text(0, "")
        if command.kind is not Kind.WRITE or (not self._is_text and not number.isdigit()):
            raise CmsError(_NOT_ALLOWED)
        self._line.prompt()
        typed = bytearray()
        while (byte := await self._line.byte()) != _SEND_NOW:
            if byte == _GIVE_UP:
                return None
            self._line.echo(byte)
            typed.append(byte)
        text = typed.decode("latin-1").replace("\r", "\n").strip("\n\x00")
        try:
            if self._is_text:
                return of_text(number, text)
            pdu = bytes.fromhex(text)
            if _length(pdu) != int(number):
                raise PduError("another length than was told")
            return parse_submit(pdu)
        except (PduError, ValueError, IndexError):
            raise CmsError(_BAD_PDU) from None

    # -- what is kept on the card -------------------------------------------------------------

    def _keep(self, stored: StoredSms) -> int | None:
        slots = self._sim.ready().messages
        for place, there in enumerate(slots):
            if there is None:
                slots[place] = stored
                return place + 1
        return None

    def _at(self, command: AtCommand) -> StoredSms:
        slots = self._sim.ready().messages
        index = command.number(0, 0, 255)
        stored = slots[index - 1] if 1 <= index <= len(slots) else None
        if stored is None:
            raise CmsError(_BAD_INDEX)
        return stored

    def _show(self, name: str, tail: str, stored: StoredSms) -> None:
        if self._is_text:
            sent = time.strftime("%y/%m/%d,%H:%M:%S+00", time.gmtime(self._network.time_unix_s()))
            words = f'"{stored.message.number}","","{sent}"'
            state = "" if name == "+CMT: " else f'"{_STATES[stored.state]}",'
            self._line.line(name + state + words)
            self._line.write(stored.message.text.encode("latin-1", "replace") + b"\r\n")
        else:
            self._line.line(name + tail)
            self._line.write(stored.pdu.hex().upper().encode() + b"\r\n")

    def _read(self, command: AtCommand) -> None:
        stored = self._at(command)
        self._show("+CMGR: ", f'{stored.state},"",{_length(stored.pdu)}', stored)
        if stored.state == _UNREAD:
            stored.state = _READ

    def _list(self, command: AtCommand) -> None:
        wanted = command.text(0, "REC UNREAD" if self._is_text else "0")
        names = (*_STATES, "ALL")
        if self._is_text and wanted in names:
            wanted = str(names.index(wanted))
        if wanted not in ("0", "1", "2", "3", "4"):
            raise CmsError(_NOT_ALLOWED)
        for place, stored in enumerate(self._sim.ready().messages):
            if stored is None or int(wanted) not in (_ALL, stored.state):
                continue
            tail = f'{stored.state},"",{_length(stored.pdu)}'
            self._show(f"+CMGL: {place + 1},", tail, stored)
            if stored.state == _UNREAD:
                stored.state = _READ

    def _delete(self, command: AtCommand) -> None:
        slots = self._sim.ready().messages
        which = command.number(1, 0, 4, default=0)
        gone = {1: (_READ,), 2: (_READ, 3), 3: (_READ, 2, 3), 4: (0, 1, 2, 3)}
        if which:
            for place, stored in enumerate(slots):
                if stored is not None and stored.state in gone[which]:
                    slots[place] = None
        else:
            index = command.number(0, 0, 255)
            if not 1 <= index <= len(slots):
                raise CmsError(_BAD_INDEX)
            slots[index - 1] = None
        self.collect()


def _length(pdu: bytes) -> int:
    """Bytes of the TPDU, without the service centre before it."""
    return len(pdu) - pdu[0] - 1
