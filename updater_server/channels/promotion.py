"""What goes with a release to the next channel, and what must not go on. For `channels` and the
tools.

The image stays the same bytes; the deltas are made for what runs where the release goes.
"""

from __future__ import annotations

from collections.abc import Iterable

from updater_server.channels.entry import ReleaseEntry
from updater_server.channels.payloads import Payload, build_payloads, expand
from updater_server.channels.policy import CHANNELS
from updater_server.channels.rollout import RolloutPlan


def halted_before(channel: str, release: int, plans: Iterable[tuple[str, RolloutPlan]]) -> str:
    """The first channel, up to `channel` in the order of promotion, on which a plan halts
    `release`; "" if none does.
    """
    upstream = CHANNELS[: CHANNELS.index(channel) + 1]
    return next((name for name, plan in plans if name in upstream and release in plan.halted), "")


def payloads_for(full: bytes, bases: dict[int, bytes]) -> list[Payload]:
    """The full payload as it is, and the deltas that lead to its image from `bases` (release number
    → image).

    Raises:
        PayloadError: `full` does not expand.
    """
    whole = Payload("full", full)
    made = build_payloads(expand(whole), bases)
    return [whole, *(p for p in made if p.kind == "delta" and len(p.data) < len(full))]


def full_path(entry: ReleaseEntry) -> str:
    """The target path of an entry's full payload."""
    return next(payload.path for payload in entry.payloads if payload.kind == "full")
