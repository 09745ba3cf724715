"""How a repository that was restored from its copy gets above what was published since the copy.
For `channels` and the tools.

Terminals refuse lower versions than they saw, and nobody knows how many were given out. So the next
version is made of the time: minutes since 2020, far above any count of publications, and higher
again at the next restore of the same copy (unless more was published than minutes passed). It stays
a small integer on every terminal until 2062. Decided in docs/decisions/0013.
"""

from __future__ import annotations

from datetime import UTC, datetime

from updater_server.channels.policy import DELEGATED_ROLES

RESTORED_ROLES = ("targets", *DELEGATED_ROLES)
"""All but root, which goes up one by one, and snapshot and timestamp, which follow what they list.
"""
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_MADE_OF_TIME = range(100_000, 22_000_000)
_PUBLICATIONS_LIMIT = 1000


def version_after(version: int, now: datetime) -> int:
    """The version with which a restored role goes on; `version` would be its next one."""
    return max(version, int((now - _EPOCH).total_seconds()) // 60)


def highest(version: int, now: datetime) -> int:
    """Above this no version was ever given out of a role whose `version` is in force: a file name
    that says so is a slip, or somebody's play.
    """
    return version_after(version, now) + _PUBLICATIONS_LIMIT


def follows(role: str, version: int, before: int) -> bool:
    """Whether `version` may be the one after `before`: the next, or for all but root one that was
    made of the time. There is no way down from any other.
    """
    if version == before + 1:
        return True
    return role != "root" and version > before and version in _MADE_OF_TIME
