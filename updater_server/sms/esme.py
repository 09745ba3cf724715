"""A session with a service centre: SMPP 3.4, bound as transceiver. For `worker`.

`smpplib` writes and reads the PDUs (docs/decisions/0075-by-sms.md). What is added here: nothing is
read but what has come, so that no deadline cuts a PDU; none is longer than any that the protocol
knows; a session that has gone quiet is asked, and left if it does not answer.
Source: SMPP Protocol Specification v3.4.
"""

from __future__ import annotations

import select
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smpplib import consts, smpp
from smpplib.client import Client
from smpplib.exceptions import PDUError

from updater_server.sms.answering import Later
from updater_server.sms.gateway import Gateway
from updater_server.wire import limits

PATIENCE_S = 10.0
ENQUIRE_S = 30.0
SILENT_S = 75.0
MOST_UNDER_WAY = 10
_PDU_BYTES = 4096
_DATA_CODINGS = (2, 4)
_DATA_CLASSES = range(0xF4, 0xF8)
_NOT_PLAIN = 0x7C
"""Bits of `esm_class` that mark a receipt, an acknowledgement or a header in the text."""
_VALID_S = "000007000000000R"
"""Words of the office: seven days, as long as a terminal heeds them."""
_VALID_ANSWER_S = "000001000000000R"

Incoming = Callable[[str, bytes], bytes]


class SessionLost(Exception):
    """The service centre is not reached, or not understood; the text says why."""


@dataclass(frozen=True)
class Out:
    """A message on its way. `word`: of the office, its number; 0: an answer."""

    number: str
    data: bytes
    word: int = 0


class _Client(Client):  # type: ignore[misc]  # the library ships no types
    """The library's, that reads no endless PDU."""

    def _recv_exact(self, exact_size: int) -> bytes:
        if not 0 <= exact_size <= _PDU_BYTES:
            raise PDUError(f"a PDU of {exact_size + 4} bytes")
        return bytes(super()._recv_exact(exact_size))

    def has_come(self, wait_s: float) -> bool:
        """Whether bytes wait."""
        if self._socket is None:
            raise SessionLost("closed")
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        return bool(select.select([self._socket], [], [], wait_s)[0])


class Session:
    """`answer(sender, data)` is asked for each message that came; `accepted(word)` is told of each
    word that the centre has taken.
    """

    def __init__(
        self,
        gateway: Gateway,
        password: str,
        answer: Incoming,
        accepted: Callable[[int], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gateway = gateway
        self._password = password
        self._answer = answer
        self._accepted = accepted
        self._clock = clock
        self._client: _Client | None = None
        self._heard_at = self._asked_at = clock()
        self._under_way: dict[int, Out] = {}
        self.came = self.went = self.refused = 0

    @property
    def room(self) -> int:
        """How many more messages may be under way."""
        return MOST_UNDER_WAY - len(self._under_way)

    def bind(self) -> None:
        """Reach the centre. Raises SessionLost."""
        gateway = self._gateway
        context = ssl.create_default_context() if gateway.tls else None
        self._client = client = _Client(
            gateway.host,
            gateway.port,
            timeout=PATIENCE_S,
            ssl_context=context,
            allow_unknown_opt_params=True,
        )
        client.set_message_received_handler(self._came)
        client.set_message_sent_handler(self._was_sent)
        client.set_error_pdu_handler(self._was_refused)
        try:
            client.connect()
            client.bind_transceiver(
                system_id=gateway.system_id,
                password=self._password,
                system_type=gateway.system_type,
            )
        except Exception as error:
            self.close()
            raise SessionLost(_in_words(error)) from error
        self._heard_at = self._asked_at = self._clock()

    def close(self) -> None:
        """Leave; what is under way is not known to have arrived."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            if client.state == consts.SMPP_CLIENT_STATE_BOUND_TRX:
                client.send_pdu(smpp.make_pdu("unbind", client=client))
        except Exception:  # noqa: S110  it is left anyway
            pass
        client.state = consts.SMPP_CLIENT_STATE_OPEN
        client.disconnect()

    def step(self, wait_s: float) -> None:
        """See to what has come, at most one PDU; wait so long for it. Raises SessionLost."""
        client = self._bound()
        try:
            if client.has_come(wait_s):
                client.read_once(auto_send_enquire_link=False)
                self._heard_at = self._clock()
                return
            now = self._clock()
            if now - self._heard_at > SILENT_S:
                raise SessionLost("the centre says nothing")
            if now - max(self._heard_at, self._asked_at) > ENQUIRE_S:
                self.enquire()
        except SessionLost:
            raise
        except Exception as error:  # whatever the centre sent: a new session begins at a PDU
            raise SessionLost(_in_words(error)) from error

    @property
    def heard_at(self) -> float:
        """When the centre last said something, by the session's clock."""
        return self._heard_at

    def enquire(self) -> float:
        """Ask the centre whether it is there; when. Raises SessionLost."""
        client = self._bound()
        self._asked_at = self._clock()
        try:
            client.send_pdu(smpp.make_pdu("enquire_link", client=client))
        except Exception as error:
            raise SessionLost(_in_words(error)) from error
        return self._asked_at

    def send(self, out: Out) -> None:
        """Hand a message to the centre. Raises SessionLost."""
        client = self._bound()
        try:
            pdu = client.send_message(
                source_addr_ton=_kind(self._gateway.number),
                source_addr_npi=consts.SMPP_NPI_ISDN,
                source_addr=self._gateway.number.lstrip("+"),
                dest_addr_ton=_kind(out.number),
                dest_addr_npi=consts.SMPP_NPI_ISDN,
                destination_addr=out.number.lstrip("+"),
                short_message=out.data,
                data_coding=4,
                esm_class=0,
                registered_delivery=0,
                validity_period=_VALID_S if out.word else _VALID_ANSWER_S,
            )
        except Exception as error:
            raise SessionLost(_in_words(error)) from error
        self._under_way[pdu.sequence] = out
        self.went += 1

    def _bound(self) -> _Client:
        if self._client is None:
            raise SessionLost("not bound")
        return self._client

    def _came(self, pdu: Any) -> int:
        if pdu.command != "deliver_sm":
            return int(consts.SMPP_ESME_ROK)
        data = pdu.short_message or getattr(pdu, "message_payload", None) or b""
        is_data = pdu.data_coding in _DATA_CODINGS or pdu.data_coding in _DATA_CLASSES
        if (
            not is_data
            or pdu.esm_class & _NOT_PLAIN
            or not limits.within(len(data), limits.SMS_BYTES)
        ):
            return int(consts.SMPP_ESME_ROK)  # a receipt, or somebody's words: never again
        sender = _text(pdu.source_addr)
        if pdu.source_addr_ton == consts.SMPP_TON_INTL and not sender.startswith("+"):
            sender = "+" + sender
        self.came += 1
        try:
            said = self._answer(sender, bytes(data))
        except Later:
            return int(consts.SMPP_ESME_RX_T_APPN)
        if said and limits.SMS_NUMBER_PATTERN.fullmatch(sender):
            self.send(Out(sender, said))
        return int(consts.SMPP_ESME_ROK)

    def _was_sent(self, pdu: Any) -> None:
        out = self._under_way.pop(pdu.sequence, None)
        if out is not None and out.word:
            self._accepted(out.word)

    def _was_refused(self, pdu: Any) -> None:
        """A word waits on and is tried again; who asked for a sale asks again."""
        if self._under_way.pop(pdu.sequence, None) is None:
            raise SessionLost(f"{pdu.command}: status {pdu.status:#x}")
        self.refused += 1


def _kind(number: str) -> int:
    return int(consts.SMPP_TON_INTL if number.startswith("+") else consts.SMPP_TON_UNK)


def _text(value: Any) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def _in_words(error: Exception) -> str:
    words = str(error)
    return f"{type(error).__name__}: {words}"[:200] if words else type(error).__name__
