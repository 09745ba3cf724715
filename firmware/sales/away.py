"""How long the terminal was away from its server, and what follows for its stock."""

from bootloader.shared.compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.sales.catalogue import Catalogue
    from firmware.sales.state import SalesState

# What a power-off counts as when the clock cannot say how long it was: docs/decisions/0009.
BLIND_START_S = const(86400)


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
