"""The centre's face to services: SMPP 3.4 over TCP, bound as transceiver, one session a service."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from hw_sim.network.sms_pdu import Message
from hw_sim.pacing import Pace
from hw_sim.smsc import smpp
from hw_sim.smsc.centre import Centre
from hw_sim.smsc.smpp import Pdu, PduError, Short

AGAIN_S = 10.0
"""After so long a message is brought again that a service could not take."""
_UNDER_WAY = 10


@dataclass(frozen=True)
class Account:
    """A service's: what it is reached under, and its password."""

    number: str
    password: str = ""


class Face:
    """`accounts`, by system id. `throttles`: so many submits are refused; `mute`: nothing is said
    any more.
    """

    def __init__(self, centre: Centre, pace: Pace, accounts: Mapping[str, Account]) -> None:
        self._centre = centre
        self._pace = pace
        self._accounts = accounts
        self.sessions = 0
        self.throttles = 0
        self.mute = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, till it ends."""
        session = _Session(self, self._centre, self._pace, writer)
        try:
            while True:
                head = await reader.readexactly(4)
                rest = await reader.readexactly(smpp.length(head) - 4)
                if not self.mute and not session.take(smpp.parse(head + rest), self._accounts):
                    return
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, PduError):
            pass
        finally:
            session.end()
            writer.close()


class _Session:
    def __init__(
        self, face: Face, centre: Centre, pace: Pace, writer: asyncio.StreamWriter
    ) -> None:
        self._face, self._centre, self._pace, self._writer = face, centre, pace, writer
        self._account: Account | None = None
        self._sequence = 0
        self._said = 0
        self._under_way: dict[int, Short] = {}
        self._queue: list[Short] = []

    def end(self) -> None:
        """What the service has not acknowledged is brought to its next session."""
        account, self._account = self._account, None
        if account is None:
            return
        self._face.sessions -= 1
        self._centre.leave(account.number)
        for short in [*self._under_way.values(), *self._queue]:
            self._wait(account, short)

    def _wait(self, account: Account, short: Short) -> None:
        message = Message(account.number, short.coding, False, len(short.data), short.data)
        self._pace.call_later(0, lambda: self._centre.bring(short.source, account.number, message))

    def take(self, pdu: Pdu, accounts: Mapping[str, Account]) -> bool:
        """One PDU of the service's; False: the session is over."""
        if pdu.command == smpp.BIND_TRANSCEIVER:
            return self._bind(pdu, accounts)
        if pdu.command == smpp.ENQUIRE_LINK:
            self._send(pdu.answer())
        elif pdu.command == smpp.UNBIND:
            self._send(pdu.answer())
            return False
        elif self._account is None:
            self._send(pdu.answer(smpp.NOT_BOUND))
        elif pdu.command == smpp.SUBMIT_SM:
            self._submit(pdu)
        elif pdu.command == smpp.DELIVER_SM | smpp.RESPONSE:
            self._acknowledged(pdu)
        elif not pdu.command & smpp.RESPONSE:
            self._send(Pdu(smpp.GENERIC_NACK, pdu.sequence, smpp.INVALID_COMMAND))
        return True

    def _bind(self, pdu: Pdu, accounts: Mapping[str, Account]) -> bool:
        name, password = smpp.bind_of(pdu.body)
        account = accounts.get(name)
        if account is None or account.password != password or self._account is not None:
            wrong = smpp.ALREADY_BOUND if self._account else smpp.BAD_PASSWORD
            self._send(pdu.answer(wrong))
            return False
        self._account = account
        self._face.sessions += 1
        self._send(pdu.answer(body=b"savanna\0"))
        self._centre.reach(account.number, self._deliver)
        return True

    def _submit(self, pdu: Pdu) -> None:
        assert self._account is not None
        short = smpp.short_of(pdu.body)
        status = smpp.OK
        if self._face.throttles > 0:
            self._face.throttles -= 1
            status = smpp.THROTTLED
        elif len(short.data) > 140:
            status = smpp.INVALID_LENGTH
        else:
            message = Message(short.destination, short.coding, False, len(short.data), short.data)
            if not self._centre.submit(self._account.number, short.destination, message):
                status = smpp.QUEUE_FULL
        self._said += 1
        self._send(pdu.answer(status, b"" if status else b"%x\0" % self._said))

    def _deliver(self, source: str, message: Message) -> None:
        assert self._account is not None
        short = Short(source, self._account.number, message.coding, message.data)
        self._queue.append(short)
        self._bring()

    def _bring(self) -> None:
        while self._queue and len(self._under_way) < _UNDER_WAY and not self._face.mute:
            short = self._queue.pop(0)
            self._sequence += 1
            self._under_way[self._sequence] = short
            self._send(Pdu(smpp.DELIVER_SM, self._sequence, body=short.encode()))

    def _acknowledged(self, pdu: Pdu) -> None:
        short = self._under_way.pop(pdu.sequence, None)
        if short is not None and pdu.status and self._account is not None:
            later = short

            def again() -> None:
                if self._account is not None:
                    self._queue.append(later)
                    self._bring()

            self._pace.call_later(AGAIN_S, again)
        self._bring()

    def _send(self, pdu: Pdu) -> None:
        self._writer.write(pdu.encode())
