"""What the brake of a channel halts, and which flags it turns off. For `channels`.

It is signed by a key that can do nothing else: whatever it lists besides is looked at by nobody,
and a terminal that knew of a halt goes on knowing it, whatever the brake says later. The people of
the channel alone let a release go on, in its entry (`lifted`). A flag is off while the newest file
says so. Source: docs/formats/release.md,
"Brake".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any

import msgspec

from updater_server.channels.entry import ReleaseEntry
from updater_server.channels.rollout import FlagName, ReleaseName, RolloutError, RolloutPlan
from updater_server.wire import limits

_Version = Annotated[int, msgspec.Meta(ge=1, le=limits.BRAKE_VERSION[1])]


class Halts(msgspec.Struct, frozen=True, omit_defaults=True):
    """`custom` of a channel's `brake/<channel>/halts.json`: by release the version of the brake's
    file that halted it last; and the flags that are off, whatever the plan says.
    """

    halted: Annotated[
        dict[ReleaseName, _Version], msgspec.Meta(max_length=limits.BRAKE_HALTED[1])
    ] = {}
    off: Annotated[list[FlagName], msgspec.Meta(max_length=limits.BRAKE_OFF[1])] = []

    def custom(self) -> dict[str, Any]:
        """As JSON-like builtins, for TUF's `custom`."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return {"halted": {}, **built}

    def encode(self) -> bytes:
        """The target's own bytes."""
        return msgspec.json.encode(self.custom())

    @staticmethod
    def parse(custom: object, version: int) -> Halts:
        """From TUF's `custom` in the brake's file of that version.

        Raises:
            RolloutError: a field is missing, mistyped or out of its limits.
        """
        try:
            halts = msgspec.convert(custom, Halts)
        except msgspec.ValidationError as error:
            raise RolloutError(f"brake: {error}") from error
        if any(at > version for at in halts.halted.values()):
            raise RolloutError("brake: a halt of a version that is not there yet")
        return halts

    def with_halted(self, release: int, version: int, listed: Collection[int]) -> Halts:
        """These and `release`, as the brake's next file of that version has it; without what is
        `listed` no more, which nobody can take.
        """
        kept = {name: at for name, at in self.halted.items() if int(name) in listed}
        return Halts({**kept, str(release): version}, self.off)

    def with_flag(self, name: str, is_off: bool) -> Halts:
        """These and a flag turned off, or left to the plan again."""
        others = {other for other in self.off if other != name}
        return Halts(self.halted, sorted(others | ({name} if is_off else set())))

    def holds(self, release: int, lifted: int) -> bool:
        """Whether `release` is halted; `lifted` is what its entry says."""
        return self.halted.get(str(release), 0) > lifted

    def on(self, plan: RolloutPlan, entries: Iterable[ReleaseEntry]) -> RolloutPlan:
        """The plan as a terminal obeys it, that knows the brake."""
        lifted = lifted_in(entries)
        for name in self.halted:
            if self.holds(int(name), lifted.get(int(name), 0)):
                plan = plan.with_halted(int(name), True)
        for flag in self.off:
            plan = plan.with_flag(flag, 0, ())
        return plan


def lifted_in(entries: Iterable[ReleaseEntry]) -> Mapping[int, int]:
    """By release up to which version of the brake's file its halts are lifted; of several hardware
    classes the least.
    """
    found: dict[int, int] = {}
    for entry in entries:
        found[entry.release] = min(entry.lifted, found.get(entry.release, entry.lifted))
    return found
