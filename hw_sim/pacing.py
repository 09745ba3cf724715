"""Device time for simulated parts: seconds of the device, run faster than the wall by a factor.

For `hw_sim` parts that wait (modem, network, printer). A delay of 3 s with a scale of 100 takes 30
ms.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Pace:
    """Waits in device seconds on the running asyncio loop.

    `time_scale` is device seconds per wall second; 1.0 is real time. Raises ValueError when it is
    not above zero.
    """

    def __init__(self, time_scale: float = 1.0) -> None:
        if not time_scale > 0:
            raise ValueError(f"time_scale must be above zero, not {time_scale}")
        self.time_scale = time_scale

    def now_s(self) -> float:
        """Device seconds from an arbitrary start; never goes back."""
        return asyncio.get_running_loop().time() * self.time_scale

    async def sleep(self, seconds: float) -> None:
        """Wait that many device seconds; yields to the loop even for none."""
        await asyncio.sleep(max(0.0, seconds) / self.time_scale)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call back after that many device seconds; the handle can be cancelled."""
        return asyncio.get_running_loop().call_later(max(0.0, seconds) / self.time_scale, callback)
