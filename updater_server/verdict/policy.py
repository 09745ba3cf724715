"""What a verdict is held to: guards, error and how that is spent, and when a wave widens."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
NOT_BACK = "not_back"
"""The guard that counts terminals which said that they restart, and were not heard again."""
SILENT = "silent"
"""The guard that counts terminals which are silent beyond their own habit."""
OUTCOMES = (NOT_BACK, SILENT)
"""Guards that are told by what a terminal does not say: no release counts them itself."""


class PolicyError(ValueError):
    """A policy cannot be kept; the text names the field."""


class Guard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that a release may not make worse.

    `share` is its part of the stated error. The wave widens when the upper bound of beta's ratio to
    control is under `margin_ratio`, or that of its excess under `margin_excess` events an attempt:
    of what hardly ever happens nobody could wait for the ratio. `margin_rate`, where it is set:
    or when the exact upper bound of beta's own rate is under so many events an attempt.
    `suspect_score`, where it is set: the guard is watched, not proven. It also widens while beta's
    score is not over this; without it, no evidence of harm is not enough.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    share: Share
    margin_ratio: Annotated[float, msgspec.Meta(gt=1)] = 1.5
    margin_excess: Annotated[float, msgspec.Meta(gt=0)] = 0.005
    margin_rate: Annotated[float, msgspec.Meta(gt=0)] | msgspec.UnsetType = msgspec.UNSET
    suspect_score: Annotated[float, msgspec.Meta(gt=0, le=10)] | msgspec.UnsetType = msgspec.UNSET


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Signed by people before a wave begins. Times are seconds.

    `error` is the chance of a false halt in `horizon_hours` over all guards together; of it
    (t / horizon) ** `spending` is spent by hour t. `salts` other draws make the boundary.
    `rollbacks` with one reason halt, or one in `rollbacks_one_in` of beta if that is more. The wave
    widens when `least_back` of beta have restarted and are back; of outcomes beta may have
    `margin_excess` more than control, or so many that a wave three times as large plausibly loses
    `plausible_loss` terminals.
    """

    guards: Annotated[tuple[Guard, ...], msgspec.Meta(min_length=1, max_length=64)]
    error: Annotated[float, msgspec.Meta(gt=0, lt=0.5)] = 0.01
    horizon_hours: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 168
    first_look_hours: Annotated[int, msgspec.Meta(ge=1)] = 2
    spending: Annotated[float, msgspec.Meta(gt=0, le=4)] = 0.5
    salts: Annotated[int, msgspec.Meta(ge=99, le=100_000)] = 2999
    smallest_arm: Annotated[int, msgspec.Meta(ge=2)] = 15
    interval_error: Annotated[float, msgspec.Meta(gt=0, lt=0.5)] = 0.1
    least_expected: Annotated[float, msgspec.Meta(gt=0)] = 20.0
    least_back: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.9
    plausible_loss: Annotated[float, msgspec.Meta(gt=0)] = 12.0
    back_within_s: Annotated[int, msgspec.Meta(ge=60)] = 7200
    silent_after_s: Annotated[int, msgspec.Meta(ge=60)] = 6 * 3600
    all_silent: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.6
    rollbacks: Annotated[int, msgspec.Meta(ge=1)] = 2
    rollbacks_one_in: Annotated[int, msgspec.Meta(ge=1)] = 50

    def check(self) -> None:
        """Raises PolicyError if guards are named twice, or their shares are more than all."""
        names = [guard.name for guard in self.guards]
        if len(set(names)) != len(names):
            raise PolicyError("guards: one is named twice")
        if sum(guard.share for guard in self.guards) > 1 + 1e-9:
            raise PolicyError("guards: their shares are more than the whole error")

    @staticmethod
    def parse(content: Any) -> Policy:
        """From builtins.

        Raises:
            PolicyError: a field is missing, mistyped, unknown or out of its bounds.
        """
        try:
            policy = msgspec.convert(content, Policy)
        except msgspec.ValidationError as error:
            raise PolicyError(str(error)) from error
        policy.check()
        return policy


CRITICAL = {"sale_failed": 0.6, NOT_BACK: 0.1, SILENT: 0.1}
"""What loses money or terminals gets most of the error. Dead terminals stand out within hours
whatever their share, as hardly any of control's are dead; failed sales are told from bad luck by
counting them, and there a smaller share is hours (docs/decisions/0098-shares-of-the-error.md).
"""
RESTARTS = ("crash", "watchdog")
"""Guards of a terminal that starts again by itself; counted against minutes."""
_WATCHED = (
    "print_failed",
    "attach_failed",
    "connect_failed",
    "sale_slow",
    "log_error",
    "settle_failed",
    "download_failed",
)
_ONE_A_WEEK = 1e-4
"""A minute: what a terminal may start more often than it did, or start at all."""
_SUSPECT_SCORE = 2.0
"""At a given hour one good release in 44 looks so bad."""


def usual(**changes: Any) -> Policy:
    """Twelve guards: four fifths of the error for the critical three, most of that for sales; the
    rest for the others.

    Failed sales, restarts, terminals that are not back or silent are proven to be no worse before a
    wave widens; the seven others halt as well, but hold only where they look worse.
    """
    others = 0.2 / (len(RESTARTS) + len(_WATCHED))
    guards = [Guard(name, share) for name, share in CRITICAL.items()]
    guards += [
        Guard(name, others, margin_excess=_ONE_A_WEEK, margin_rate=_ONE_A_WEEK) for name in RESTARTS
    ]
    guards += [Guard(name, others, suspect_score=_SUSPECT_SCORE) for name in _WATCHED]
    return Policy(tuple(guards), **changes)


def single(name: str, **changes: Any) -> Policy:
    """One guard that has the whole error."""
    return Policy((Guard(name, 1.0),), **changes)
