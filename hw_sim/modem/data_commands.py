"""What the TCP/IP commands of all dialects share: which connection a command is about, where it is
to go, and what is said alike. For `commands_tcp` and `commands_tcp_m95`.
"""

from __future__ import annotations

from dataclasses import replace

from hw_sim.modem.at import AtCommand, AtError
from hw_sim.modem.command_table import NO_RESULT
from hw_sim.modem.connection import Connection
from hw_sim.modem.ip_stack import CONNECTIONS, IpStack
from hw_sim.modem.serial_line import SerialLine
from hw_sim.modem.settings import Settings
from hw_sim.pacing import Pace


def host_name(command: AtCommand, place: int) -> str:
    """A name or an address at that place. AtError for none, or one that is too long."""
    name = command.text(place)
    if not name or len(name) > 100:
        raise AtError(50)
    return name


def chosen(ip: IpStack, command: AtCommand) -> tuple[Connection, AtCommand]:
    """The connection that a command is about, and the command without its number."""
    if not ip.modes.several:
        return ip.connections[0], command
    number = command.number(0, 0, CONNECTIONS - 1)
    return ip.connections[number], replace(command, arguments=command.arguments[1:])


def where_to(command: AtCommand) -> tuple[str, str, int]:
    """(TCP or UDP, name, port) of a connection that is to be made."""
    kind = command.text(0).upper()
    if kind not in ("TCP", "UDP"):
        raise AtError(50)
    return kind, host_name(command, 1), command.number(2, 1, 65535)


class DataCommands:
    """The commands of one modem's stack, as far as every part has them."""

    def __init__(self, ip: IpStack, line: SerialLine, settings: Settings, pace: Pace) -> None:
        self._ip = ip
        self._line = line
        self._settings = settings
        self._pace = pace

    def _set_mux(self, command: AtCommand) -> None:
        several = bool(command.number(0, 0, 1))
        if several != self._ip.modes.several and self._ip.state.value != "IP INITIAL":
            raise AtError(3)
        self._ip.modes.several = several

    def _say_address(self) -> str:
        self._line.line(self._ip.local_address())
        return NO_RESULT  # the part answers with the address alone, without OK
