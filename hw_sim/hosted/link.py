"""The way of one start of a hosted CPU to its chip: the strict hand-over between two threads.

The program has a thread of its own, so that its stack can stand still anywhere; but it and the
event loop never run at once. A request of the chip is a call, as long as nothing else would have
come first (`SimulatedLoop.is_quiet`); a wait hands over to the loop. A program that computes for
long and asks for nothing is left behind: the loop goes on, and the watchdog may bite.
"""

from __future__ import annotations

import asyncio
import ctypes
import threading
import time
from asyncio import _set_running_loop
from collections.abc import Callable

from hw_sim import simulated
from hw_sim.bus import Answer, BadArgument, FlashRefused, Handler, Op
from hw_sim.hosted.errors import Gone
from hw_sim.hosted.spins import stands_for_ever
from hw_sim.pacing import Turn
from hw_sim.simulated import SimulatedLoop

_LOOK_S = 0.05
_END_LIMIT_S = 2.0
"""How long the end of a killed program is waited for; one that goes on after it is left alone."""
_PATIENCE = 1000
"""So many requests after its end a program may make before its thread stands still for ever."""


class Link:
    """One program's thread and its requests. All but `request` belongs to the loop's thread."""

    def __init__(
        self, loop: SimulatedLoop, turn: Turn, serve: Handler, run: Callable[[], None]
    ) -> None:
        """`run` is the program; it ends with `Gone` when the link is cut."""
        self._loop = loop
        self._turn = turn
        self._serve = serve
        self._program = run
        self._guard = threading.Lock()
        self._to_cpu, self._to_loop = threading.Lock(), threading.Lock()
        self._to_cpu.acquire()
        self._to_loop.acquire()
        self._handed_over = True
        self._astray = False
        self._serving = False
        self._requests = 0
        self.is_cut = False
        """Whether there is no chip for the program any more."""
        self._after_cut = 0
        self._fault: Exception | None = None
        self.ended = False
        """Whether the program has come to its end."""
        self._thread = threading.Thread(target=self._run, name="hosted-cpu", daemon=True)

    # on the loop's thread

    def start(self) -> None:
        """Let the program run until it first waits."""
        self._thread.start()
        assert self._thread.ident is not None
        self._loop.guests.add(self._thread.ident)
        self._let_compute()

    @property
    def is_here(self) -> bool:
        """Whether this is the program's own thread."""
        return threading.get_ident() == self._thread.ident

    def cut(self) -> None:
        """End the program wherever it is. Called from within a request, it ends with that."""
        self.is_cut = True
        if self.ended or self.is_here or self._thread.ident is None:
            return
        if self._astray:
            self._throw()
        else:
            self._handed_over = False
            self._to_cpu.release()
        if not self._to_loop.acquire(timeout=_END_LIMIT_S):
            self._throw()

    def _throw(self) -> None:
        ident = ctypes.c_ulong(self._thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(Gone))

    def _let_compute(self) -> None:
        if self.ended or self.is_cut:
            return
        self._handed_over = False
        self._to_cpu.release()
        if not self._to_loop.acquire(timeout=_LOOK_S):
            self._wait_for_it()
        if self._fault is not None:
            fault, self._fault = self._fault, None
            said = {"message": "a fault of the hosted CPU, not of its program", "exception": fault}
            self._loop.call_exception_handler(said)

    def _wait_for_it(self) -> None:
        used_s, asked = self._used_s(), self._requests
        while not self._to_loop.acquire(timeout=_LOOK_S):
            if asked != self._requests:
                used_s, asked = self._used_s(), self._requests
            elif self._spins(used_s):
                with self._guard:
                    self._astray = True
                    if not (self._handed_over or self._serving):
                        self._turn.rest()  # time passes it by, and its watchdog may bite
                        break
                    self._astray = False

    def _spins(self, used_before_s: float) -> bool:
        used_s = self._used_s() - used_before_s
        return used_s > simulated.SPINS_AFTER_CPU_S or stands_for_ever(self._thread.ident or 0)

    def _used_s(self) -> float:
        """CPU seconds of the host that the program has used."""
        try:
            return time.clock_gettime(time.pthread_getcpuclockid(self._thread.ident or 0))
        except OSError:
            return 0.0

    # on the program's thread

    def request(self, op: Op, unit: int, arg: int, arg2: int, payload: bytes) -> Answer:
        """Ask the chip.

        Raises:
            Gone: there is no chip any more.
            BadArgument, FlashRefused: as the chip says.
        """
        if self.is_cut:
            return self._too_late()
        self._requests += 1
        self._serving = True
        try:
            if self._astray or not self._loop.is_quiet():
                self._yield(lambda: self._loop.in_order(self._let_compute))
            served = self._serve(op, unit, arg, arg2, payload)
            answer = served if isinstance(served, tuple) else self._wait_for(served)
        except (BadArgument, FlashRefused):
            raise
        except Exception as fault:
            # A fault of ours must not pass for one of the program's.
            self._fault, self.is_cut = fault, True
        finally:
            self._serving = False
        if self.is_cut:
            raise Gone
        return answer

    def _wait_for(self, answer: asyncio.Future[Answer]) -> Answer:
        self._yield(lambda: answer.add_done_callback(lambda _: self._let_compute()))
        return answer.result()

    def call_back(self, callback: Callable[[], None]) -> None:
        """Have the loop call back."""
        self._loop.call_soon_threadsafe(callback)

    def _yield(self, ask: Callable[[], None]) -> None:
        """Hand over to the loop; `ask` sees to it that it comes back."""
        with self._guard:
            if self._astray:
                self._loop.call_soon_threadsafe(self._return, ask)
            else:
                ask()
                self._handed_over = True
                self._to_loop.release()
        self._to_cpu.acquire()
        if self.is_cut:
            raise Gone

    def _return(self, ask: Callable[[], None]) -> None:
        """On the loop: one that went its own way is back."""
        self._astray = False
        self._handed_over = True
        ask()

    def _too_late(self) -> Answer:
        if self.ended:
            return 0, b""  # what is cleared away later must find something to talk to
        self._after_cut += 1
        if self._after_cut > _PATIENCE:
            self._leave()
            threading.Event().wait()
        raise Gone

    def _leave(self) -> None:
        """Hand over for good."""
        self.ended = True
        self._loop.guests.discard(threading.get_ident())
        with self._guard:
            self._handed_over = True
            if not self._astray or self.is_cut:
                self._to_loop.release()

    def _run(self) -> None:
        self._to_cpu.acquire()
        _set_running_loop(self._loop)  # it is what this thread's callees run on
        try:
            self._program()
        except Gone:
            pass
        except Exception as fault:
            self._fault = fault
        finally:
            self._leave()
