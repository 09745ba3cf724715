"""How much may be sold from stock without the server. Pure; the till asks before each such sale."""

from bootloader.shared.compat import const

# What a power-off counts as when the clock cannot say how long it was: docs/decisions/0009.
BLIND_START_S = const(86400)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.sales.catalogue import Catalogue
    from firmware.sales.state import SalesState


def away_s(state: "SalesState", now: int) -> int:
    """How long the terminal was away from the server, in seconds, as far as it can know. A clock
    that ran backwards or is unknown (0) never makes it less: the largest time seen counts, and a
    day for each start at which the clock did not know how long the terminal had been off.
    """
    return max(now, state.time_seen) - state.settled_at + state.blind_starts * BLIND_START_S


def must_wipe(limits: "Catalogue", state: "SalesState", now: int) -> bool:
    """Whether the price list wants what is in stock wiped: nobody at the office has heard of this
    terminal for so long.
    """
    if not limits.wipe_after_s or not state.settled_at:
        return False
    return away_s(state, now) > limits.wipe_after_s


def offline_refusal(
    limits: "Catalogue", amount_minor: int, state: "SalesState", now: int
) -> tuple[str, int] | None:
    """None if one more sale of `amount_minor` is allowed, else (code, the limit that forbids it).

    `limits`: the catalogue. `state`: the journal's `SalesState`.
    """
    if amount_minor > limits.max_amount_minor:
        return "offline_amount", limits.max_amount_minor
    if state.offline_count >= limits.max_count:
        return "offline_count", limits.max_count
    if state.offline_total_minor + amount_minor > limits.max_total_minor:
        return "offline_total", limits.max_total_minor
    if not state.settled_at or away_s(state, now) > limits.max_age_s:
        return "offline_age", limits.max_age_s
    return None
