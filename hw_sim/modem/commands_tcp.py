"""The SIM800's TCP/IP commands: CSTT, CIICR, CIFSR, CDNSGIP, CIPSTART, CIPSEND, CIPRXGET and kin.

What they do is in `hw_sim.modem.ip_stack` and `connection`; here is what the host says and hears.
With AT+CIPMUX=1 each connection has a number, from 0 to 5, which stands before all else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hw_sim.modem.at import AtCommand, AtError
from hw_sim.modem.command_table import NO_RESULT, Command, Table
from hw_sim.modem.connection import Connection, Step
from hw_sim.modem.data_commands import DataCommands, chosen, host_name, where_to
from hw_sim.modem.ip_stack import CONNECTIONS
from hw_sim.modem.prompt import typed_data

_SHUT_S: Final = 0.3
_DEFAULT_APN: Final = "CMNET"
_HEX_LIMIT_BYTES: Final = 730
_BYTES_LIMIT: Final = 1460
_STATES: Final = {
    None: "INITIAL",
    Step.CONNECTING: "CONNECTING",
    Step.CONNECTED: "CONNECTED",
    Step.CLOSED: "CLOSED",
}


class TcpCommands(DataCommands):
    """The commands of one modem's stack."""

    def commands(self) -> Table:
        """The commands about data."""
        ip, modes = self._ip, self._ip.modes
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
            "+CIPSTATUS": Command(write=self._say_one, every=lambda c: self._say_state()),
            "+CIPSTART": Command(
                write=self._start,
                test='("TCP","UDP"),("(0-255).(0-255).(0-255).(0-255)"),("port")',
            ),
            "+CDNSGIP": Command(write=self._resolve, test=None),
            "+CDNSCFG": Command(read=lambda: "0.0.0.0,0.0.0.0", write=lambda c: None),
            "+CIPSEND": Command(
                read=lambda: str(ip.connections[0].send_room_bytes),
                write=self._send,
                run=self._send,
                test="<length>",
            ),
            "+CIPRXGET": Command(
                read=lambda: str(int(modes.manual_receive)),
                write=self._receive,
                test="(0-4),(1-1460)",
            ),
            "+CIPCLOSE": Command(write=self._close_how, every=self._close, test="(0,1)"),
            "+CIPMUX": Command(
                read=lambda: str(int(modes.several)), write=self._set_mux, test="(0,1)"
            ),
            "+CIPQSEND": Command(
                read=lambda: str(int(modes.quick_send)), write=self._set_quick_send, test="(0,1)"
            ),
            "+CIPHEAD": Command(
                read=lambda: str(int(modes.header)), write=self._set_header, test="(0,1)"
            ),
            "+CIPSSL": Command(read=lambda: "0", write=_plain_only, test="(0)"),
            "+CIPACK": Command(
                show=lambda: self._acknowledgements(ip.connections[0]), write=self._say_acknowledged
            ),
        }

    def _set_quick_send(self, command: AtCommand) -> None:
        self._ip.modes.quick_send = bool(command.number(0, 0, 1))

    def _set_header(self, command: AtCommand) -> None:
        self._ip.modes.header = bool(command.number(0, 0, 1))

    def _acknowledgements(self, connection: Connection) -> str:
        sent, acknowledged = connection.sent_bytes, connection.acknowledged_bytes
        return f"+CIPACK: {sent},{acknowledged},{sent - acknowledged}"

    def _say_acknowledged(self, command: AtCommand) -> None:
        self._line.line(self._acknowledgements(chosen(self._ip, command)[0]))

    async def _shut(self, command: AtCommand) -> str:
        await self._pace.sleep(_SHUT_S)
        self._ip.shut()
        return "SHUT OK"

    def _say_state(self) -> str:
        self._line.line("OK")
        self._line.line(f"STATE: {self._ip.said}")
        if self._ip.modes.several:
            for number in range(CONNECTIONS):
                self._line.line(f"C: {self._of_one(number)}")
        return NO_RESULT

    def _say_one(self, command: AtCommand) -> None:
        if not self._ip.modes.several:
            raise AtError(3)
        self._line.line(f"+CIPSTATUS: {self._of_one(command.number(0, 0, CONNECTIONS - 1))}")

    def _of_one(self, number: int) -> str:
        connection = self._ip.connections[number]
        state = _STATES[connection.state]
        if connection.state is None:
            return f'{number},,"","","","{state}"'
        name, port = connection.remote
        return f'{number},0,"{connection.kind}","{name}","{port}","{state}"'

    def _start(self, command: AtCommand) -> str:
        connection, command = chosen(self._ip, command)
        kind, name, port = where_to(command)
        if connection.occupied:
            self._line.line(AtError(3).result(self._settings.now.verbose_errors))
            connection.say("ALREADY CONNECT")
            return NO_RESULT
        if not self._ip.may_connect():
            raise AtError(3)
        self._line.line("OK")
        self._ip.start_connecting(connection, kind, name, port)
        return NO_RESULT

    def _resolve(self, command: AtCommand) -> str:
        name = host_name(command, 0)

        def tell(address: str | None) -> None:
            # 8 is the part's "DNS common error"
            found = f'1,"{name}","{address}"' if address else "0,8"
            self._line.line(f"+CDNSGIP: {found}")

        self._ip.resolve_later(name, tell)
        return NO_RESULT

    async def _send(self, command: AtCommand) -> str | None:
        several = self._ip.modes.several
        connection, command = chosen(self._ip, command)
        if connection.state is not Step.CONNECTED:
            raise AtError(3)
        data = await typed_data(self._line, self._settings, command)
        if data is None:
            return None
        if self._ip.modes.quick_send:
            if connection.send_quickly(data):
                number = f"{self._ip.connections.index(connection)}," if several else ""
                self._line.line(f"DATA ACCEPT:{number}{len(data)}")
            else:
                connection.say("SEND FAIL")
        else:
            connection.say("SEND OK" if await connection.send(data) else "SEND FAIL")
        return NO_RESULT

    def _receive(self, command: AtCommand) -> None:
        mode = command.number(0, 0, 4)
        if mode in (0, 1):
            if self._ip.occupied:  # the manual: to be set before connecting
                raise AtError(3)
            self._ip.modes.manual_receive = bool(mode)
            return
        rest = replace(command, arguments=command.arguments[1:])
        connection, rest = chosen(self._ip, rest)
        number = f"{command.arguments[1]}," if self._ip.modes.several else ""
        if mode == 4:
            self._line.line(f"+CIPRXGET: 4,{number}{connection.unread_bytes()}")
        else:
            limit = rest.number(0, 1, _BYTES_LIMIT if mode == 2 else _HEX_LIMIT_BYTES)
            data, left = connection.read(limit)
            header = f"\r\n+CIPRXGET: {mode},{number}{len(data)},{left}\r\n".encode()
            self._line.write(header + (data if mode == 2 else data.hex().upper().encode()))

    def _close_how(self, command: AtCommand) -> str:
        connection, command = chosen(self._ip, command)
        command.number(0, 0, 1, default=0)
        connection.close()
        connection.say("CLOSE OK")
        return NO_RESULT

    def _close(self, command: AtCommand) -> str:
        if self._ip.modes.several:
            raise AtError(50)
        self._ip.connections[0].close()
        return "CLOSE OK"


def _plain_only(command: AtCommand) -> None:
    if command.number(0, 0, 1):
        raise AtError(4)
