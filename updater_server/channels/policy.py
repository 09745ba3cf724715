"""How many keys a role has, how many must sign, how long a signature counts. For `channels` and the
tools.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec

CHANNELS = ("ci", "alpha", "beta", "stable")
"""In the order a release is promoted."""
CATALOGUE_ROLE = "catalogue"
TOP_LEVEL_ROLES = ("root", "targets", "snapshot", "timestamp")
ROLLOUT_KEYS = "rollout"
"""One online key signs the rollout plans of all channels: whoever holds one online key holds the
server, and so all of them."""
ROLLOUT_ROLES = {channel: f"rollout-{channel}" for channel in CHANNELS}
BRAKE_KEYS = "brake"
"""One online key halts on all channels, and can do nothing else."""
BRAKE_ROLES = {channel: f"brake-{channel}" for channel in CHANNELS}
"""Repositories that were made before there was a brake lack them, until `keys rotate brake`."""
ONLINE_ROLES = ("snapshot", "timestamp", ROLLOUT_KEYS, BRAKE_KEYS)
DELEGATED_ROLES = (
    *CHANNELS,
    CATALOGUE_ROLE,
    *ROLLOUT_ROLES.values(),
    *BRAKE_ROLES.values(),
)


_LONGEST_DAYS = {"timestamp": 90, "snapshot": 2 * 365, ROLLOUT_KEYS: 2 * 365}
"""What the server signs by itself counts no longer, whatever policy.json says: nobody signs for
that file."""
_LIMITS_BYTES = {"root": 12288, "targets": 12288}
_DELEGATED_LIMIT_BYTES = 4096


def limit_bytes(role: str) -> int:
    """The most that a role's metadata may hold, so that every terminal can take it in.

    Of root and targets a terminal reads no more (`bootloader/shared/tuf.py`). It would read as much
    of a delegated role, but its heap of 128 KiB does not hold that beside a running program
    (docs/boards.md).
    """
    return _LIMITS_BYTES.get(role, _DELEGATED_LIMIT_BYTES)


def key_role(role: str) -> str:
    """Under which name a role's keys, threshold and expiry are kept."""
    if role in BRAKE_ROLES.values():
        return BRAKE_KEYS
    return ROLLOUT_KEYS if role in ROLLOUT_ROLES.values() else role


def role_of(path: str) -> str:
    """The delegated role that lists a target path."""
    first, _, rest = path.partition("/")
    by_channel = {"rollout": ROLLOUT_ROLES, BRAKE_KEYS: BRAKE_ROLES}.get(first)
    return first if by_channel is None else by_channel.get(rest.partition("/")[0], "")


def channel_of(role: str) -> str:
    """The channel that a role is of: its list, its plan or its brake."""
    return role.removeprefix("rollout-").removeprefix("brake-")


class PolicyError(Exception):
    """The policy cannot be satisfied or is not one; the text names the role."""


class RolePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One role: `threshold` of `key_count` keys must sign; the signature counts for
    `expiry_days`.
    """

    threshold: int
    key_count: int
    expiry_days: int


def _default_roles() -> dict[str, RolePolicy]:
    return {
        "root": RolePolicy(2, 3, 5 * 365),
        "targets": RolePolicy(2, 3, 3 * 365),
        "snapshot": RolePolicy(1, 1, 365),
        "timestamp": RolePolicy(1, 1, 30),
        "ci": RolePolicy(1, 1, 365),
        "alpha": RolePolicy(1, 1, 365),
        "beta": RolePolicy(1, 2, 365),
        "stable": RolePolicy(2, 3, 365),
        "catalogue": RolePolicy(1, 2, 365),
        ROLLOUT_KEYS: RolePolicy(1, 1, 365),
        BRAKE_KEYS: RolePolicy(1, 1, 10 * 365),  # a halt that ran out would be one no more
    }


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All roles, and how many releases a channel lists at once (each costs every terminal about 1
    KB of airtime).

    Older releases leave the list unless a listed one names them as its stepping stone.
    """

    roles: dict[str, RolePolicy] = msgspec.field(default_factory=_default_roles)
    releases_listed: int = 2

    def lifetime(self, role: str) -> timedelta:
        """For how long a signature on what is in force for `role` counts."""
        return timedelta(days=self.roles[key_role(role)].expiry_days)

    def check(self) -> None:
        """Raises PolicyError if a role is missing, unknown, or cannot reach its threshold."""
        expected = set(TOP_LEVEL_ROLES) | {key_role(role) for role in DELEGATED_ROLES}
        if set(self.roles) != expected:
            wrong = sorted(set(self.roles) ^ expected)
            raise PolicyError(f"missing or unknown roles: {', '.join(wrong)}")
        for role, rule in self.roles.items():
            if not 1 <= rule.threshold <= rule.key_count:
                raise PolicyError(f"{role}: threshold {rule.threshold} of {rule.key_count} keys")
            if not 1 <= rule.expiry_days <= _LONGEST_DAYS.get(role, 20 * 365):
                raise PolicyError(f"{role}: expiry of {rule.expiry_days} days")
        if self.releases_listed < 1:
            raise PolicyError("a channel lists at least one release")

    @staticmethod
    def load(path: Path) -> Policy:
        """Read a policy file (JSON of this structure; what is left out takes the default).

        Raises:
            PolicyError: not JSON, a mistyped or unknown field, or an impossible threshold.
        """
        try:
            given = msgspec.json.decode(path.read_bytes(), type=Policy)
        except (OSError, msgspec.MsgspecError) as error:
            raise PolicyError(f"{path}: {error}") from error
        policy = Policy({**_default_roles(), **given.roles}, given.releases_listed)
        policy.check()
        return policy
