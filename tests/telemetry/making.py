"""What terminals would tell, made from a seed: written from docs/formats/metrics.md alone."""

from __future__ import annotations

import random
from typing import Any

BEGAN_S = 1_790_000_000


def _buckets(chance: random.Random, count: int, weights: list[int]) -> list[int]:
    found = [0] * len(weights)
    for at in chance.choices(range(len(weights)), weights, k=count):
        found[at] += 1
    while found and not found[-1]:
        found.pop()
    return found


def _some(chance: random.Random, count: int, share: float) -> int:
    return sum(chance.random() < share for _ in range(count))


def _spent(chance: random.Random, sales: int, hours: int) -> list[int]:
    """By purpose, in units of 32 bytes: sales, journal, check-ins, polls, signed lists, releases,
    and what was asked in vain.
    """
    bytes_by_purpose = [
        200 * sales + chance.randrange(200),
        170 * sales + chance.randrange(200),
        250 * (1 + hours // 4),
        150 * _some(chance, hours, 0.2),
        chance.randrange(900),
        chance.randrange(9000) * _some(chance, 1, 0.2),
        chance.randrange(700) * _some(chance, 1, 0.5),
    ]
    units = [size // 32 for size in bytes_by_purpose]
    while units and not units[-1]:
        units.pop()
    return units


def made_window(
    chance: random.Random, hours: int, start_s: int = BEGAN_S, release: int = 2_026_112_701
) -> list[Any]:
    """A shop's window of so many hours: 20 sales in 12 of 24 hours, 2 % of them failing."""
    sales = sum(chance.random() < 1 / 3 for _ in range(int(hours * 2.5)))
    failed = _some(chance, sales, 0.02)
    printed = sales - failed
    connects = sales + hours // 4 + 1
    attaches = 1 + hours // 8
    counts: dict[int, Any] = {
        1: sales,
        2: sales - failed,
        3: failed,
        4: _some(chance, sales, 0.05),
        5: _some(chance, hours, 0.02),
        6: printed,
        7: _some(chance, printed, 0.01),
        8: attaches,
        9: _some(chance, attaches, 0.1),
        10: connects,
        11: _some(chance, connects, 0.03),
        12: 1 + hours // 4,
        13: _some(chance, 1 + hours // 4, 0.05),
        14: _some(chance, hours, 0.05),
        16: min(60 * hours, 30 * hours + chance.randrange(60)),
        17: _some(chance, hours, 0.04),
        22: _some(chance, hours, 0.2),
        25: 3600 + chance.randrange(550),
        26: 20_000 + chance.randrange(9000),
        29: _some(chance, hours, 0.01),
        34: _spent(chance, sales, hours),
        30: _buckets(chance, printed, [5, 40, 40, 10, 4, 1]),
        31: _buckets(chance, attaches, [20, 50, 20, 8, 2]),
        32: _buckets(chance, connects, [20, 50, 20, 8, 2]),
        33: _buckets(chance, sales - failed, [30, 50, 15, 4, 1]),
    }
    told = {number: value for number, value in counts.items() if value}
    return [release, chance.randrange(2000), start_s, hours * 3600, told]
