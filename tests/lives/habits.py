"""What happens at one shop on one day: a merchant with habits, and the world around. Drawn from a
seed, so that a life can be lived again.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum, auto

HOUR_S = 3600
DAY_S = 24 * HOUR_S
UTC_OFFSET_S = 3 * HOUR_S
"""All times of day are the shop's."""
GOOD_RELEASE_DAY, MAINS_DAY, BAD_RELEASE_DAY, SETTINGS_DAY, PRICES_DAY = 1, 2, 3, 4, 5
"""Days of a week."""
_SIGNED_DAYS = (GOOD_RELEASE_DAY, BAD_RELEASE_DAY, PRICES_DAY)
"""On these the office signs: its server is there, and stays."""
REPAIR_DAY = MAINS_DAY
"""The good release is on all channels, the bad one on none."""
MAINS_CUT = (HOUR_S + 1800, 5 * HOUR_S + 1800)
"""When the town has no mains, for every terminal of it."""
HILLS_S = (10 * HOUR_S, 16 * HOUR_S)
"""Between these a shop in the hills has no cell, on any day: it lives from stock."""
LANGUAGES = ("en", "sw", "fr")
"""What merchants speak here."""
_RESTORED_ONE_DAY_IN = 8
"""Of the days on which the office signs nothing."""
_AWAY_ONE_DAY_IN = 8
"""Of those on which the office signs, restores and permits nothing: nobody reaches the server."""
_BACK_UP_S = 5 * HOUR_S + 600
"""After the morning's deposits and deliveries."""
_VISITED_ONE_DAY_IN = 3
"""Of the days on which the technician has time for a terminal's repair, or for its settings."""
_TOLD_AFTER_S = 1800
"""A terminal with network has told a restored server everything by then."""
LONG_NIGHT = (21 * HOUR_S + 1800, 6 * HOUR_S)


class Deed(Enum):
    """What somebody does to a terminal or its server."""

    SELL = auto()
    SELL_AND_PULL_THE_BATTERY = auto()
    MISTYPE_THE_PIN = auto()
    CHANGE_ONES_MIND = auto()
    LOSE_COVERAGE = auto()
    FIND_COVERAGE = auto()
    END_THE_PAPER = auto()
    PULL_THE_BATTERY = auto()
    SWITCH_OFF = auto()
    SWITCH_ON = auto()
    RENEW_THE_CHANNELS = auto()
    TOP_UP = auto()
    DELIVER_STOCK = auto()
    RESTART_THE_SERVER = auto()
    LOSE_THE_SERVER = auto()
    FIND_THE_SERVER = auto()
    OFFER_A_GOOD_RELEASE = auto()
    OFFER_A_BAD_RELEASE = auto()
    PROMOTE_TO_BETA = auto()
    PROMOTE_TO_STABLE = auto()
    LOOK_AT_THE_NEW_DAY = auto()
    CHANGE_THE_PRICES = auto()
    CHOOSE_A_LANGUAGE = auto()
    BACK_UP_THE_SERVER = auto()
    RESTORE_THE_SERVER = auto()
    END_THE_RESTORE = auto()
    REPAIR_ON_THE_BENCH = auto()
    SET_THE_INTERVAL = auto()


@dataclass(frozen=True, order=True)
class Event:
    """At `at_s` seconds of the day. `number`: which product, or for how many seconds."""

    at_s: int
    deed: Deed
    number: int = 0

    def __str__(self) -> str:
        hours, rest = divmod(self.at_s, HOUR_S)
        return f"{hours:02d}:{rest // 60:02d} {self.deed.name.lower()} {self.number or ''}".strip()


def in_the_hills(terminal: int) -> bool:
    """Whether that terminal's shop is where coverage comes and goes with the hour."""
    return terminal % 5 == 4


def language(terminal: int) -> str:
    """What the merchant of that terminal speaks, whatever its channel."""
    return LANGUAGES[(terminal + terminal // len(LANGUAGES)) % len(LANGUAGES)]


def day(seed: int, terminal: int, number: int) -> list[Event]:
    """The events of day `number` (0 is the first) of one terminal's life, in order."""
    draw = random.Random(f"{seed}/{terminal}/{number}")
    opens_s = draw.randint(7 * HOUR_S, 9 * HOUR_S)
    closes_s = draw.randint(18 * HOUR_S, 20 * HOUR_S)
    events = [Event(5 * HOUR_S, Deed.RENEW_THE_CHANNELS), Event(5 * HOUR_S + 60, Deed.TOP_UP)]
    if in_the_hills(terminal):
        events += [Event(5 * HOUR_S + 120 + 60 * n, Deed.DELIVER_STOCK, 1) for n in range(2)]
    elif draw.random() < 0.5:
        events.append(Event(5 * HOUR_S + 120, Deed.DELIVER_STOCK, draw.choice((1, 1, 2))))
    weekday = number % 7
    if weekday == MAINS_DAY:
        events += [Event(MAINS_CUT[0], Deed.SWITCH_OFF), Event(MAINS_CUT[1], Deed.SWITCH_ON)]
    elif draw.random() < 0.4:
        events += [Event(HOUR_S, Deed.SWITCH_OFF), Event(LONG_NIGHT[1], Deed.SWITCH_ON)]
    events += _shop(draw, opens_s, closes_s)
    if in_the_hills(terminal):
        events += [
            Event(HILLS_S[0], Deed.LOSE_COVERAGE),
            Event(HILLS_S[1], Deed.FIND_COVERAGE),
        ]
    elif draw.random() < 0.35:
        begins_s = draw.randint(opens_s, closes_s - HOUR_S)
        lasts_s = draw.randint(600, 3 * HOUR_S)
        events.append(Event(begins_s, Deed.LOSE_COVERAGE))
        events.append(Event(min(begins_s + lasts_s, LONG_NIGHT[0]), Deed.FIND_COVERAGE))
    if draw.random() < 0.3:
        events.append(Event(draw.randint(0, DAY_S - 2 * HOUR_S), Deed.RESTART_THE_SERVER))
    if weekday in (GOOD_RELEASE_DAY, BAD_RELEASE_DAY):
        is_good = weekday == GOOD_RELEASE_DAY
        offer = Deed.OFFER_A_GOOD_RELEASE if is_good else Deed.OFFER_A_BAD_RELEASE
        events.append(Event(6 * HOUR_S + 600, offer, number // 7))
        events.append(Event(6 * HOUR_S + 1800, Deed.PROMOTE_TO_BETA))
        events.append(Event(7 * HOUR_S, Deed.PROMOTE_TO_STABLE))
    if weekday == PRICES_DAY:
        events.append(Event(6 * HOUR_S + 900, Deed.CHANGE_THE_PRICES, number))
    events.append(Event(3000, Deed.LOOK_AT_THE_NEW_DAY))
    spoken = LANGUAGES.index(language(terminal))
    if number == 0 and spoken:
        events.append(Event(3300, Deed.CHOOSE_A_LANGUAGE, spoken))
    restore = _restore(random.Random(f"{seed}/{terminal}/{number}/restore"), weekday)
    bench = random.Random(f"{seed}/{terminal}/{number}/bench")
    visits = restore or _technician(bench, weekday)
    events += visits
    if not visits:
        events = _away(random.Random(f"{seed}/{terminal}/{number}/away"), weekday, events)
    return sorted(events, key=lambda event: (event.at_s, event.deed.value))


def _restore(draw: random.Random, weekday: int) -> list[Event]:
    """The server's disk dies, and it comes back from this morning's back-up."""
    if weekday in _SIGNED_DAYS or draw.randrange(_RESTORED_ONE_DAY_IN):
        return []
    at_s = draw.randint(10 * HOUR_S, 17 * HOUR_S)
    return [
        Event(_BACK_UP_S, Deed.BACK_UP_THE_SERVER),
        Event(at_s, Deed.RESTORE_THE_SERVER),
        Event(at_s + _TOLD_AFTER_S, Deed.END_THE_RESTORE),
    ]


def _away(draw: random.Random, weekday: int, events: list[Event]) -> list[Event]:
    """The day, or the same with a server that is away from before the shop opens."""
    if weekday in _SIGNED_DAYS or draw.randrange(_AWAY_ONE_DAY_IN):
        return events
    return [event for event in events if event.deed is not Deed.RESTART_THE_SERVER] + [
        Event(6 * HOUR_S + 1200, Deed.LOSE_THE_SERVER),
        Event(draw.randint(16 * HOUR_S, 20 * HOUR_S), Deed.FIND_THE_SERVER),
    ]


def _technician(draw: random.Random, weekday: int) -> list[Event]:
    """A repair while the channel lists a good release, or another interval of check-ins."""
    if weekday not in (REPAIR_DAY, SETTINGS_DAY) or draw.randrange(_VISITED_ONE_DAY_IN):
        return []
    at_s = draw.randint(9 * HOUR_S, 17 * HOUR_S)
    if weekday == REPAIR_DAY:
        return [Event(at_s, Deed.REPAIR_ON_THE_BENCH)]
    return [Event(at_s, Deed.SET_THE_INTERVAL, draw.choice((3, 4, 5)))]


def _shop(draw: random.Random, opens_s: int, closes_s: int) -> list[Event]:
    events = []
    for _ in range(draw.randint(3, 9)):
        at_s = draw.randint(opens_s, closes_s)
        deed, number = Deed.SELL, draw.choice((1, 1, 1, 2))
        chance = draw.random()
        if chance < 0.12:
            deed, number = Deed.SELL_AND_PULL_THE_BATTERY, draw.randint(1, 30_000)
        elif chance < 0.17:
            deed = Deed.MISTYPE_THE_PIN
        elif chance < 0.22:
            deed = Deed.CHANGE_ONES_MIND
        elif chance < 0.27:
            deed = Deed.END_THE_PAPER
        elif chance < 0.32:
            deed, number = Deed.PULL_THE_BATTERY, draw.randint(1, 1200)
        events.append(Event(at_s, deed, number))
    return events
