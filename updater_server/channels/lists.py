"""What the metadata of a channel, of its rollout and of the prices list: the paths, and what stands
behind them. For `channels`.
"""

from __future__ import annotations

from collections.abc import Mapping

from tuf.api.metadata import Targets

from updater_server.channels.entry import ReleaseEntry
from updater_server.channels.errors import RepositoryError
from updater_server.channels.halts import Halts
from updater_server.channels.metadata_file import ByRole
from updater_server.channels.policy import BRAKE_ROLES, CATALOGUE_ROLE, CHANNELS
from updater_server.channels.rollout import RolloutPlan


def entries_in(signed: Targets) -> list[ReleaseEntry]:
    """The releases that a channel's metadata list, highest first.

    Raises:
        EntryError: one breaks its format.
    """
    entries = [
        ReleaseEntry.parse(target.custom)
        for path, target in signed.targets.items()
        if path.endswith(".full")
    ]
    return sorted(entries, key=lambda entry: -entry.release)


def entries_of_class(signed: Targets, hardware_class: str) -> list[ReleaseEntry]:
    """As `entries_in`, for one hardware class."""
    found = entries_in(signed)
    return [entry for entry in found if entry.hardware.hardware_class == hardware_class]


def plan_path(channel: str) -> str:
    """Where the rollout plan of a channel is listed."""
    return f"rollout/{channel}/plan.json"


def plan_in(channel: str, signed: Targets) -> RolloutPlan:
    """The plan that a rollout role's metadata hold; one that lets nothing out if there is none.

    Raises:
        RolloutError: it breaks its format.
    """
    target = signed.targets.get(plan_path(channel))
    return RolloutPlan.parse(target.custom) if target else RolloutPlan()


def halts_path(channel: str) -> str:
    """Where the halts of a channel's brake are listed."""
    return f"brake/{channel}/halts.json"


def halts_in(channel: str, signed: Targets) -> Halts:
    """The halts that a brake role's metadata hold; none if there are none.

    Raises:
        RolloutError: they break their format.
    """
    target = signed.targets.get(halts_path(channel))
    return Halts.parse(target.custom, signed.version) if target else Halts()


def halts_of(channel: str, in_force: ByRole) -> Halts:
    """What the brake of a channel halts; nothing where there is none, or none that can be read,
    which is told of as of any list. Raises as `halts_in`.
    """
    brake = in_force.get(BRAKE_ROLES[channel])
    return halts_in(channel, brake.signed) if brake else Halts()


def brakes_lacking(in_force: ByRole, damaged: Mapping[str, str]) -> list[str]:
    """The brakes that are not there: the repository was made before there were any."""
    return [r for r in BRAKE_ROLES.values() if r not in in_force and r not in damaged]


def price_list_path(name: str) -> str:
    """Where the price list `name` is listed."""
    return f"{CATALOGUE_ROLE}/{name}.json"


def check_channel(channel: str, refusal: type[RepositoryError] = RepositoryError) -> None:
    """Raises `refusal` if there is no such channel."""
    if channel not in CHANNELS:
        raise refusal(f"no channel {channel!r}; there are {', '.join(CHANNELS)}")
