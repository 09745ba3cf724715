"""The worker's halt: that of `halting`, but what is wrong with channels or keys is said, not
raised.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from updater_server import channels, halting
from updater_server.service import Service


class Braked(NamedTuple):
    """What came of it: whether the release is halted now, by whom, or why it is not."""

    is_halted: bool
    by: str
    why_not: str = ""


FOUND, WORKER = "found halted", "the worker"
"""By whom: it was halted already, or is now."""


def halt(service: Service, channel: str, release: int, because: dict[str, Any]) -> Braked:
    """See that `release` is halted on `channel`; `because` goes into the chained log."""
    try:
        done = halting.put_into_force(service, channel, release, because)
    except (channels.RepositoryError, channels.RolloutError, OSError) as error:
        return Braked(False, "", str(error))
    return Braked(True, FOUND if done is halting.Halted.BEFORE else WORKER)
