"""Whether a program that asks for nothing can ever do anything again.

Source: the instructions of CPython's `dis`.
"""

from __future__ import annotations

import dis
import sys
from functools import lru_cache
from itertools import pairwise
from types import CodeType
from typing import Final

_IDLE: Final = frozenset({"NOP", "RESUME", "EXTENDED_ARG"})
"""What only goes on to the next instruction."""
_JUMPS: Final = frozenset({"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"})


def stands_for_ever(thread_ident: int) -> bool:
    """Whether that thread's program is where `only_jumps`."""
    frame = sys._current_frames().get(thread_ident)  # noqa: SLF001  documented for debuggers
    return frame is not None and only_jumps(frame.f_code, frame.f_lasti)


def only_jumps(code: CodeType, at: int) -> bool:
    """Whether from that instruction on nothing comes but jumps, as in `while True: pass`: then no
    clock need be asked to know that it comes to no end. False says nothing.
    """
    ways, seen = _ways(code), set[int]()
    while at in ways and at not in seen:
        seen.add(at)
        at = ways[at]
    return at in seen


@lru_cache(maxsize=64)
def _ways(code: CodeType) -> dict[int, int]:
    """{instruction: the next} of those that only lead there."""
    instructions = list(dis.get_instructions(code))
    ways = {
        each.offset: after.offset for each, after in pairwise(instructions) if each.opname in _IDLE
    }
    return ways | {each.offset: each.argval for each in instructions if each.opname in _JUMPS}
