"""Another kind of CPU for the board: an emulated Cortex-M3, QEMU's `mps2-an385`.

    chip = QemuChip(Path("firmware.elf"))
    with SimulatedBoard(tmp_path / "flash.bin", unique_id=..., chip=chip, description=QEMU_BOARD):
        ...

How it is wired: the PSRAM at 0x21000000 is the flash part's file; UART 0 is the console, UART 1 the
modem, UART 2 the printer; UART 3 carries the bus of docs/formats/sim-bus.md for whatever the
emulated chip has not (pins, display, battery, clock), already greeted: the first eight bytes that
the CPU reads are the reply to *hello*. A reset ends the process, and the board starts a new one.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from hw_sim.bus import Op
from hw_sim.cpu import InterpreterError
from hw_sim.description import REFERENCE
from hw_sim.serial_link import SerialLink

PSRAM_BYTES: Final = 16 * 1024 * 1024
QEMU_BOARD: Final = replace(
    REFERENCE, name="terminal around MPS2 AN385", flash_size_bytes=PSRAM_BYTES
)
_SERIAL_OF_UART: Final = {0: 1, 1: 2}
"""The board's modem and printer UARTs, as the chip counts its own."""
_CONSOLE_SERIAL: Final = 0
_BUS_SERIAL: Final = 3


@dataclass(frozen=True)
class QemuChip:
    """What to run: the interpreter's ELF file, and how.

    With `instruction_shift` an instruction takes 2^shift ns of the chip's time, whatever the host
    does: the chip's counter counts instructions as long as it does not sleep.
    """

    firmware: Path
    instruction_shift: int | None = None

    def start(
        self,
        *,
        flash_file: Path,
        console: int,
        bus: str,
        wires: Mapping[int, SerialLink],
        on_exit: Callable[[QemuCpu, int], None],
    ) -> QemuCpu:
        """Power the chip up; on the running event loop. `console` is a terminal's descriptor.

        Raises:
            InterpreterError: there is no QEMU, or no firmware.
        """
        program = shutil.which("qemu-system-arm")
        if program is None:
            raise InterpreterError("no qemu-system-arm: on Debian, apt-get install qemu-system-arm")
        if not self.firmware.is_file():
            raise InterpreterError(f"no interpreter for QEMU at {self.firmware}: inv qemu.build")
        psram = f"memory-backend-file,id=psram,size={PSRAM_BYTES},mem-path={flash_file},share=on"
        command = [program, "-machine", "mps2-an385,memory-backend=psram", "-object", psram]
        command += ["-display", "none", "-monitor", "none", "-no-reboot"]
        command += ["-kernel", str(self.firmware)]
        if self.instruction_shift is not None:
            command += ["-icount", f"shift={self.instruction_shift}"]
        return QemuCpu(command, console=console, bus=bus, wires=wires, on_exit=on_exit)


class QemuCpu:
    """One running QEMU, from reset to reset. `on_exit(cpu, status)` comes once, from a thread."""

    def __init__(
        self,
        command: list[str],
        *,
        console: int,
        bus: str,
        wires: Mapping[int, SerialLink],
        on_exit: Callable[[QemuCpu, int], None],
    ) -> None:
        """Start it. Raises `InterpreterError` when that cannot be."""
        self.ended_by_watchdog = False
        self._on_exit = on_exit
        self._loop = asyncio.get_running_loop()
        self._wires: list[_Wire] = []
        theirs: dict[int, socket.socket] = {_BUS_SERIAL: _greeted(bus)}
        for uart, link in wires.items():
            ours, theirs[_SERIAL_OF_UART[uart]] = socket.socketpair()
            self._wires.append(_Wire(self._loop, ours, link))
        self._monitor, monitor_end = socket.socketpair()
        passed = [end.fileno() for end in (*theirs.values(), monitor_end)]
        for serial in sorted({_CONSOLE_SERIAL, *theirs}):
            if serial == _CONSOLE_SERIAL:
                channel = f"serial,path={os.ttyname(console)}"
            else:
                channel = f"socket,fd={theirs[serial].fileno()}"
            command += ["-chardev", f"{channel},id=uart{serial}"]
            command += ["-serial", f"chardev:uart{serial}"]
        command += ["-chardev", f"socket,fd={monitor_end.fileno()},id=monitor"]
        command += ["-mon", "chardev=monitor,mode=control"]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=passed,
                start_new_session=True,
            )
        except OSError as error:
            raise InterpreterError(f"cannot start {command[0]}: {error}") from error
        finally:
            for end in (*theirs.values(), monitor_end):
                end.close()
        threading.Thread(target=self._wait, name="qemu-exit", daemon=True).start()

    @property
    def pid(self) -> int:
        """QEMU's process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it as the loss of its supply does: at once, wherever it is. On the event loop.

        Returns when it is gone.
        """
        self._process.kill()
        self._process.wait()
        for wire in self._wires:
            wire.close()

    def _wait(self) -> None:
        # QEMU tells of the watchdog's bite on its monitor (QMP) before it ends.
        try:
            self._monitor.sendall(b'{"execute": "qmp_capabilities"}\n')
            with self._monitor.makefile("rb") as lines:
                for line in lines:
                    if json.loads(line).get("event") == "WATCHDOG":
                        self.ended_by_watchdog = True
        except (OSError, ValueError):
            pass  # it was killed while it spoke
        self._monitor.close()
        assert self._process.stderr is not None
        self.complaint = self._process.stderr.read().decode(errors="replace").strip()
        self._process.stderr.close()
        self._on_exit(self, self._process.wait())


class _Wire:
    """Carries bytes between a device's link and the socket that is the chip's UART."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, ours: socket.socket, link: SerialLink
    ) -> None:
        self._loop = loop
        self._ours = ours
        self._link = link
        ours.setblocking(False)
        loop.add_reader(ours, self._from_cpu)
        # The emulated UART does not tell its rate, so it is always the line's.
        link.open(link.line_baud or 115200)
        link.arrived = self._to_cpu

    def close(self) -> None:
        self._link.arrived = None
        self._loop.remove_reader(self._ours)
        self._loop.remove_writer(self._ours)
        self._ours.close()

    def _from_cpu(self) -> None:
        try:
            data = self._ours.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._link.transmit(data)
        else:
            self._loop.remove_reader(self._ours)  # the CPU is gone

    def _to_cpu(self) -> None:
        try:
            while waiting := self._link.peek():
                self._link.read(self._ours.send(waiting))
            self._loop.remove_writer(self._ours)
        except BlockingIOError:
            self._loop.add_writer(self._ours, self._to_cpu)
        except OSError:
            self._loop.remove_writer(self._ours)  # the CPU is gone


def _greeted(bus: str) -> socket.socket:
    """A connection to the bus on which *hello* is said; its reply is left for the CPU to read."""
    port, _, token = bus.partition(":")
    connection = socket.create_connection(("127.0.0.1", int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(struct.pack("<BBHII", Op.HELLO, 0, len(token), 0, 0) + token.encode())
    return connection
