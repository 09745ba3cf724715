"""Who presses the keys: one patient finger.

The board has one; it works the keypad as a person does, and knows nothing of the CPU but how often
that looked at a key.
"""

from __future__ import annotations

import asyncio
from typing import Final

from hw_sim.keypad import Keypad
from hw_sim.pacing import Pace

KEY_HOLD_MS: Final = 60
KEY_SCANS: Final = 6
"""A patient finger holds a key until the CPU has looked at it so often, and so long (below)."""
KEY_SCAN_MS: Final = 45
KEY_PATIENCE_MS: Final = 4000
"""A CPU may verify signatures for seconds before it looks at its keypad again."""
_LOOK_AGAIN_S: Final = 0.005


class Finger:
    """Presses the keys of `keypad`, one at a time however many ask for it."""

    def __init__(self, keypad: Keypad, pace: Pace) -> None:
        self._keypad = keypad
        self._pace = pace
        self._busy = asyncio.Lock()

    async def press(self, key: str, hold_ms: int = KEY_HOLD_MS) -> None:
        """Press `key` and let go, as a patient person does.

        It is held for `hold_ms`, and on until the CPU has looked at it a few times (so a busy CPU
        loses no key), but no longer than `KEY_PATIENCE_MS`; the same when it is let go.
        ValueError when there is no such key.
        """
        async with self._busy:
            self._keypad.press(key)
            try:
                await self._until_scanned(key, hold_ms)
            finally:
                self._keypad.release(key)
            await self._until_scanned(key, hold_ms)

    async def press_until(self, key: str, lifted: asyncio.Event) -> None:
        """Press `key` and let go once `lifted` is set, but no sooner than `press` would.

        ValueError when there is no such key.
        """
        async with self._busy:
            self._keypad.press(key)
            try:
                await self._until_scanned(key, KEY_HOLD_MS)
                await lifted.wait()
            finally:
                self._keypad.release(key)
            await self._until_scanned(key, KEY_HOLD_MS)

    async def type(self, keys: str, hold_ms: int = KEY_HOLD_MS) -> None:
        """Press the keys one after the other. ValueError, before any, when one does not exist."""
        unknown = set(keys) - self._keypad.keys
        if unknown:
            raise ValueError(f"no keys {''.join(sorted(unknown))!r} on this keypad")
        for key in keys:
            await self.press(key, hold_ms)

    async def _until_scanned(self, key: str, at_least_ms: int) -> None:
        started_s = self._pace.now_s()
        await self._pace.sleep(at_least_ms / 1000)
        limit_s = KEY_PATIENCE_MS / 1000
        while self._keypad.in_use and self._pace.now_s() - started_s < limit_s:
            scans, span_s = self._keypad.scans_since_change(key)
            if scans >= KEY_SCANS and span_s * 1000 >= KEY_SCAN_MS:
                return
            await self._pace.sleep(_LOOK_AGAIN_S)
