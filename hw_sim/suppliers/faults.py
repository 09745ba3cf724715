"""What goes wrong with an order, drawn from a seed and the order's own number: the same for the
same seed, whatever comes first. For the suppliers beside it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

ORDER = (
    "cut_request", "cut_answer", "slow", "late", "refuses", "no_credit", "fails_later",
    "lies_failed", "swapped", "garbage", "error_500", "vanishes",
)  # fmt: skip
"""Of an order: one at most. Each is told in docs/simulated-parts.md."""
QUESTION = ("cut_request", "cut_answer", "slow", "garbage", "error_500", "swapped", "unknown")
REPORT = ("silent", "doubled", "early", "delayed", "forged", "contrary")
DONE = frozenset(("cut_answer", "slow", "late", "lies_failed", "swapped", "garbage", "error_500"))
"""Orders that are carried out although their answer says otherwise, or nothing."""


@dataclass(frozen=True)
class Faults:
    """How often each happens, of 1. `cut` and the like without a byte take one at random."""

    seed: int = 0
    order: Mapping[str, float] | None = None
    question: Mapping[str, float] | None = None
    report: Mapping[str, float] | None = None

    @staticmethod
    def all(seed: int, often: float = 0.5) -> Faults:
        """Every fault as often as each other, `often` of the messages in all."""
        return Faults(
            seed,
            dict.fromkeys(ORDER, often / len(ORDER)),
            dict.fromkeys(QUESTION, often / len(QUESTION)),
            dict.fromkeys(REPORT, often / len(REPORT)),
        )

    def of_order(self, number: str) -> str:
        """The fault of an order; "" for none."""
        return self._drawn("order", number, self.order)

    def of_question(self, reference: str, time: int) -> str:
        """The fault of the `time`-th question about a sale."""
        return self._drawn("question", f"{reference}/{time}", self.question)

    def of_report(self, reference: str) -> str:
        """What becomes of a sale's call-back."""
        return self._drawn("report", reference, self.report)

    def byte(self, number: str, length: int) -> int:
        """At which byte a message of this length is cut: 0 to `length` - 1."""
        return self._random(f"byte/{number}").randrange(max(1, length))

    def _random(self, what: str) -> random.Random:
        return random.Random(f"{self.seed}/{what}")  # noqa: S311 the same for the same seed

    def _drawn(self, what: str, number: str, rates: Mapping[str, float] | None) -> str:
        at = self._random(f"{what}/{number}").random()
        for name, rate in (rates or {}).items():
            if at < rate:
                return name
            at -= rate
        return ""
