"""The M95's TCP/IP commands: QICSGP, QIREGAPP, QIACT, QILOCIP, QIDNSGIP, QIOPEN, QISEND, QIRD and
kin. What they do is in `hw_sim.modem.ip_stack` and `connection`; here is what the host says and
hears. Source: M95 AT commands manual 3.2, chapter 8.

Choices worth knowing: SEND OK means that the data lie in the part's buffer, as the manual says.
AT+QIDNSIP=0, as after a start, takes addresses only. AT+QIRD answers OK alone where nothing waits.
"""

from __future__ import annotations

from typing import Final

from hw_sim.modem.at import AtCommand, AtError
from hw_sim.modem.command_table import NO_RESULT, Command, Table
from hw_sim.modem.connection import Step
from hw_sim.modem.data_commands import DataCommands, chosen, host_name, where_to
from hw_sim.modem.ip_stack import CONNECTIONS, IpStack
from hw_sim.modem.prompt import typed_data
from hw_sim.modem.serial_line import SerialLine
from hw_sim.modem.settings import Settings
from hw_sim.pacing import Pace

_DEACTIVATES_S: Final = 0.3
_LIMIT_BYTES: Final = 1500
_STATES: Final = {None: 0, Step.CONNECTING: 1, Step.CONNECTED: 2, Step.CLOSED: 4}


class M95TcpCommands(DataCommands):
    """The commands of one modem's stack."""

    def __init__(self, ip: IpStack, line: SerialLine, settings: Settings, pace: Pace) -> None:
        super().__init__(ip, line, settings, pace)
        self._apn = "CMNET"
        self._login = ("", "")
        self._takes_names = False

    def commands(self) -> Table:
        """The commands about data."""
        ip, modes = self._ip, self._ip.modes
        return {
            "+QIDEACT": Command(every=self._deactivate),
            "+QIFGCNT": Command(read=lambda: "0,0", write=_nothing_else, test="(0,1)"),
            "+QICSGP": Command(read=lambda: f'1,"{self._apn}"', write=self._set_access_point),
            "+QIMODE": Command(read=lambda: "0", write=_nothing_else, test="(0)"),
            "+QIMUX": Command(
                read=lambda: str(int(modes.several)), write=self._set_mux, test="(0,1)"
            ),
            "+QINDI": Command(
                read=lambda: str(int(modes.manual_receive)), write=self._set_notice, test="(0,1)"
            ),
            "+QIDNSIP": Command(
                read=lambda: str(int(self._takes_names)), write=self._set_names, test="(0,1)"
            ),
            "+QIREGAPP": Command(write=self._set_and_start, run=self._start_task),
            "+QIACT": Command(run=lambda c: ip.bring_up()),
            "+QILOCIP": Command(every=lambda c: self._say_address()),
            "+QISTAT": Command(every=lambda c: self._say_state()),
            "+QISTATE": Command(write=self._say_one, test=None),
            "+QIDNSGIP": Command(write=self._resolve, test=None),
            "+QIOPEN": Command(write=self._open, test='("TCP","UDP"),"address","port"'),
            "+QISEND": Command(write=self._send, run=self._send, test="<length>"),
            "+QISACK": Command(every=self._say_acknowledged),
            "+QIRD": Command(write=self._receive, test="(0,1),(1,2),(0-5),(1-1500)"),
            "+QICLOSE": Command(write=self._close, run=self._close),
        }

    def _set_access_point(self, command: AtCommand) -> None:
        command.number(0, 1, 1)
        self._apn = command.text(1)
        self._login = command.text(2, ""), command.text(3, "")

    def _set_notice(self, command: AtCommand) -> None:
        self._ip.modes.manual_receive = bool(command.number(0, 0, 1))

    def _set_names(self, command: AtCommand) -> None:
        self._takes_names = bool(command.number(0, 0, 1))

    def _set_and_start(self, command: AtCommand) -> None:
        self._apn = command.text(0)
        self._login = command.text(1, ""), command.text(2, "")
        self._start_task(command)

    def _start_task(self, command: AtCommand) -> None:
        self._ip.set_apn(self._apn, self._login)

    async def _deactivate(self, command: AtCommand) -> str:
        await self._pace.sleep(_DEACTIVATES_S)
        self._ip.shut()
        return "DEACT OK"

    def _say_state(self) -> str:
        self._line.line("OK")
        self._line.line(f"STATE: {self._ip.said}")
        return NO_RESULT

    def _say_one(self, command: AtCommand) -> None:
        command.number(0, 1, 1)
        number = command.number(1, 0, CONNECTIONS - 1)
        connection = self._ip.connections[number]
        name, port = connection.remote
        state = _STATES[connection.state]
        self._line.line(
            f'+QISTATE: {number},"{connection.kind}","{name}",{port},0,{state},1,0,0,"uart1"'
        )

    def _resolve(self, command: AtCommand) -> str:
        name = host_name(command, 0)
        self._ip.resolve_later(name, lambda address: self._line.line(address or "ERROR: 8"))
        return NO_RESULT

    def _open(self, command: AtCommand) -> str:
        connection, command = chosen(self._ip, command)
        kind, name, port = where_to(command)
        if not (self._takes_names or name.replace(".", "").isdigit()):
            raise AtError(50)
        if connection.occupied:
            self._line.line("ERROR")
            connection.say("ALREADY CONNECT")
            return NO_RESULT
        if not self._ip.may_connect():
            raise AtError(3)
        self._line.line("OK")
        self._ip.start_connecting(connection, kind, name, port)
        return NO_RESULT

    async def _send(self, command: AtCommand) -> str | None:
        connection, command = chosen(self._ip, command)
        if connection.state is not Step.CONNECTED:
            raise AtError(3)
        data = await typed_data(self._line, self._settings, command)
        if data is None:
            return None
        return "SEND OK" if connection.send_quickly(data) else "SEND FAIL"

    def _say_acknowledged(self, command: AtCommand) -> None:
        connection, _ = chosen(self._ip, command)
        sent, acknowledged = connection.sent_bytes, connection.acknowledged_bytes
        self._line.line(f"+QISACK: {sent}, {acknowledged}, {sent - acknowledged}")

    def _receive(self, command: AtCommand) -> None:
        command.number(0, 0, 0)
        command.number(1, 1, 1)
        connection = self._ip.connections[command.number(2, 0, CONNECTIONS - 1)]
        data, _ = connection.read(command.number(3, 1, _LIMIT_BYTES))
        if data:
            name, port = connection.remote
            header = f"\r\n+QIRD: {name}:{port},{connection.kind},{len(data)}\r\n"
            self._line.write(header.encode() + data)

    def _close(self, command: AtCommand) -> str:
        connection, _ = chosen(self._ip, command)
        connection.close()
        connection.say("CLOSE OK")
        return NO_RESULT


def _nothing_else(command: AtCommand) -> None:
    command.number(0, 0, 0)
