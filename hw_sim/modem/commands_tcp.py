"""The TCP/IP commands: CSTT, CIICR, CIFSR, CDNSGIP, CIPSTART, CIPSEND, CIPRXGET and their kin.

What they do is in `hw_sim.modem.ip_stack`; here is what the host says and hears.
"""

from __future__ import annotations

from typing import Final

from hw_sim.modem.at import AtCommand, AtError, Kind
from hw_sim.modem.command_table import NO_RESULT, Command, Table
from hw_sim.modem.ip_stack import MAXIMUM_SEND_BYTES, IpStack, IpState
from hw_sim.modem.serial_line import SerialLine
from hw_sim.modem.settings import Settings
from hw_sim.pacing import Pace

_SHUT_S: Final = 0.3
_DEFAULT_APN: Final = "CMNET"
_SEND_NOW, _GIVE_UP = 0x1A, 0x1B
_HEX_LIMIT_BYTES: Final = 730
_BYTES_LIMIT: Final = 1460


class TcpCommands:
    """The commands of one modem's stack."""

    def __init__(self, ip: IpStack, line: SerialLine, settings: Settings, pace: Pace) -> None:
        self._ip = ip
        self._line = line
        self._settings = settings
        self._pace = pace

    def commands(self) -> Table:
        """The commands about data."""
        ip = self._ip
        return {
            "+CIPSHUT": Command(every=self._shut),
            "+CSTT": Command(
                read=lambda: f'"{ip.apn}","{ip.login[0]}","{ip.login[1]}"',
                write=lambda c: ip.set_apn(c.text(0), (c.text(1, ""), c.text(2, ""))),
                run=lambda c: ip.set_apn(_DEFAULT_APN),
                test='"APN","USER","PWD"',
            ),
            "+CIICR": Command(run=lambda c: ip.bring_up()),
            "+CIFSR": Command(every=lambda c: self._say_address()),
            "+CIPSTATUS": Command(every=lambda c: self._say_state()),
            "+CIPSTART": Command(
                write=self._start,
                test='("TCP","UDP"),("(0-255).(0-255).(0-255).(0-255)"),("port")',
            ),
            "+CDNSGIP": Command(write=self._resolve, test=None),
            "+CIPSEND": Command(
                read=lambda: str(ip.send_room_bytes),
                write=self._send,
                run=self._send,
                test="<length>",
            ),
            "+CIPRXGET": Command(
                read=lambda: str(int(ip.manual_receive)),
                write=self._receive,
                test="(0-4),(1-1460)",
            ),
            "+CIPCLOSE": Command(write=self._close_how, every=self._close, test="(0,1)"),
            "+CIPMUX": Command(read=lambda: "0", write=self._set_mux, test="(0)"),
            "+CIPQSEND": Command(
                read=lambda: str(int(ip.quick_send)), write=self._set_quick_send, test="(0,1)"
            ),
            "+CIPHEAD": Command(
                read=lambda: str(int(ip.header)), write=self._set_header, test="(0,1)"
            ),
            "+CIPACK": Command(show=self._acknowledgements),
        }

    def _set_mux(self, command: AtCommand) -> None:
        if command.number(0, 0, 1) == 1:
            raise AtError(4)
        if self._ip.occupied:
            raise AtError(3)

    def _set_quick_send(self, command: AtCommand) -> None:
        self._ip.quick_send = bool(command.number(0, 0, 1))

    def _set_header(self, command: AtCommand) -> None:
        self._ip.header = bool(command.number(0, 0, 1))

    def _acknowledgements(self) -> str:
        sent, acknowledged = self._ip.sent_bytes, self._ip.acknowledged_bytes
        return f"+CIPACK: {sent},{acknowledged},{sent - acknowledged}"

    async def _shut(self, command: AtCommand) -> str:
        await self._pace.sleep(_SHUT_S)
        self._ip.shut()
        return "SHUT OK"

    def _say_address(self) -> str:
        self._line.line(self._ip.local_address())
        return NO_RESULT  # the part answers with the address alone, without OK

    def _say_state(self) -> str:
        self._line.line("OK")
        self._line.line(f"STATE: {self._ip.said}")
        return NO_RESULT

    def _start(self, command: AtCommand) -> str:
        kind = command.text(0).upper()
        if kind not in ("TCP", "UDP"):
            raise AtError(50)
        name, port = command.text(1), command.number(2, 1, 65535)
        if not name or len(name) > 100:
            raise AtError(50)
        if self._ip.occupied:
            self._line.line(AtError(3).result(self._settings.now.verbose_errors))
            return "ALREADY CONNECT"
        if not self._ip.may_connect():
            raise AtError(3)
        self._line.line("OK")
        self._ip.start_connecting(kind, name, port)
        return NO_RESULT

    def _resolve(self, command: AtCommand) -> str:
        name = command.text(0)
        if not name or len(name) > 100:
            raise AtError(50)
        self._ip.start_resolving(name)
        return NO_RESULT

    async def _send(self, command: AtCommand) -> str | None:
        if self._ip.state is not IpState.CONNECTED:
            raise AtError(3)
        length = None
        if command.kind is Kind.WRITE:
            length = command.number(0, 1, MAXIMUM_SEND_BYTES)
        self._line.write(b"\r\n> ")
        data = bytearray()
        while length is None or len(data) < length:
            byte = await self._line.byte()
            if length is None and byte == _SEND_NOW:
                break
            if length is None and byte == _GIVE_UP:
                return None
            if self._settings.now.echo:
                self._line.write(bytes((byte,)))
            if len(data) < MAXIMUM_SEND_BYTES:
                data.append(byte)
        return await self._ip.send(bytes(data))

    def _receive(self, command: AtCommand) -> None:
        mode = command.number(0, 0, 4)
        if mode in (0, 1):
            if self._ip.occupied:  # the manual: to be set before connecting
                raise AtError(3)
            self._ip.manual_receive = bool(mode)
        elif mode == 4:
            self._line.line(f"+CIPRXGET: 4,{self._ip.unread_bytes()}")
        else:
            limit = command.number(1, 1, _BYTES_LIMIT if mode == 2 else _HEX_LIMIT_BYTES)
            data, left = self._ip.read(limit)
            header = f"\r\n+CIPRXGET: {mode},{len(data)},{left}\r\n".encode()
            self._line.write(header + (data if mode == 2 else data.hex().upper().encode()))

    def _close_how(self, command: AtCommand) -> str:
        command.number(0, 0, 1)
        return self._close(command)

    def _close(self, command: AtCommand) -> str:
        self._ip.close()
        return "CLOSE OK"
