"""A stage: actors that take turns, on a clock that jumps. One moves at a time; when all wait, the
clock goes on to the next thing that is due. What comes at one instant comes in an order drawn from
a seed, so that a run is a function of it.

An actor is a thread that has its turn, so that what is tried on a stage is the product's own code,
with calls that wait in the middle of it. Nothing may hold a lock while it waits.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class Stuck(Exception):
    """Everybody waits, and nothing will ever come."""


class _Ended(BaseException):
    """The process that this actor was in has ended."""


class Actor:
    """One who takes turns. `group`: the process that it ends with."""

    def __init__(self) -> None:
        self.gate = threading.Lock()
        self.gate.acquire()
        self.group = ""
        self.turn = 0
        self.is_woken = False
        self.is_ended = False
        self.work: Callable[[], object] = lambda: None


class Stage:
    """See above. Made in the thread that is its first actor."""

    def __init__(self, seed: int, on_time: Callable[[float], None] = lambda now: None) -> None:
        self.now = 0.0
        self.random = random.Random(f"{seed}/stage")
        self.turns = 0
        self._on_time = on_time
        self._due: list[tuple[float, float, int, Actor, int]] = []
        self._numbers = itertools.count()
        self._first = self.actor = Actor()
        self._idle: list[Actor] = []
        self._alive: set[Actor] = set()
        self._trouble: BaseException | None = None
        self._is_closed = False

    # --- for whoever has its turn ---

    def spawn(self, work: Callable[[], object], group: str = "", delay_s: float = 0.0) -> Actor:
        """Let somebody do this, beside what goes on."""
        actor = self._idle.pop() if self._idle else self._new()
        actor.work, actor.group, actor.is_ended = work, group, False
        self._alive.add(actor)
        self._push(self.now + delay_s, actor)
        return actor

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._push(self.now + seconds, self.actor)
        self._yield()

    def wait(self, until: float | None = None) -> bool:
        """Until somebody wakes this actor; False if `until` came first."""
        self.actor.is_woken = False
        if until is not None:
            self._push(until, self.actor)
        self._yield()
        return self.actor.is_woken

    def wake(self, actor: Actor) -> None:
        """Let an actor that waits go on."""
        if not actor.is_woken:
            actor.is_woken = True
            self._push(self.now, actor)

    def wait_for(self, future: Future[Any], seconds: float) -> None:
        """Until it is done, so long at most."""
        if future.done():
            return
        me, turn = self.actor, self.actor.turn

        def done(_future: Future[Any]) -> None:
            if me.turn == turn:  # it waits for this, and not for something later
                self.wake(me)

        future.add_done_callback(done)
        self.wait(self.now + seconds)

    def end(self, group: str) -> None:
        """The process `group` is killed: who waits in it never goes on."""
        for actor in list(self._alive):
            if actor.group == group and actor is not self.actor:
                actor.is_ended = True
                self.wake(actor)

    def rest(self, group: str) -> None:
        """Until nobody of a group is there any more."""
        while any(actor.group == group for actor in self._alive):
            self.sleep(0.05)

    def close(self) -> None:
        """End everybody."""
        self._is_closed = True
        for actor in [*self._idle, *self._alive]:
            actor.is_ended = True
            actor.gate.release()

    # --- how turns are taken ---

    def _new(self) -> Actor:
        actor = Actor()
        threading.Thread(target=self._live, args=(actor,), daemon=True).start()
        return actor

    def _push(self, at: float, actor: Actor) -> None:
        order = self.random.random()
        heapq.heappush(self._due, (at, order, next(self._numbers), actor, actor.turn))

    def _next(self) -> Actor:
        while self._due:
            at, _, _, actor, turn = heapq.heappop(self._due)
            if turn != actor.turn:
                continue  # it has gone on since
            actor.turn += 1
            self.turns += 1
            if at > self.now:
                self.now = at
                self._on_time(at)
            return actor
        self._trouble = Stuck("everybody waits, and nothing will ever come")
        self._first.turn += 1
        return self._first

    def _yield(self) -> None:
        me, other = self.actor, self._next()
        if other is not me:
            self.actor = other
            other.gate.release()
            me.gate.acquire()
        if self._is_closed or me.is_ended:
            raise _Ended
        if me is self._first and self._trouble is not None:
            trouble, self._trouble = self._trouble, None
            raise trouble

    def _live(self, actor: Actor) -> None:
        while True:
            actor.gate.acquire()
            if self._is_closed:
                return
            try:
                if not actor.is_ended:
                    actor.work()
            except _Ended:
                if self._is_closed:
                    return
            except BaseException as error:  # it is the first actor's to tell
                self._trouble = error
                self._first.turn += 1
                self.actor = self._first
                self._alive.discard(actor)
                self._first.gate.release()
                continue
            self._alive.discard(actor)
            self._idle.append(actor)
            actor.turn += 1
            self.actor = self._next()
            self.actor.gate.release()
