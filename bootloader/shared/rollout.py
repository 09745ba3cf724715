"""How far a channel's releases are let out (docs/formats/release.md). The update client reads it;
where a person decides, in serial recovery, there is no plan. Bounds: docs/formats/limits.toml.
"""

from hashlib import sha256

from .release import ReleaseRefused, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .release import Release


class Rollout:
    """The rollout plan of a channel as the terminal `terminal_id` (8 bytes) reads it. It is signed
    by an online key: it can hold back what the channel lists, never add to it.
    """

    def __init__(
        self, custom: object, terminal_id: bytes, braked: "list[int] | None" = None, now_s: int = 0
    ) -> None:
        """Read `custom` of the plan's target. `braked`: what the brake halts beside the plan.
        `now_s`: the time (Unix s) for the pace that people signed into a release.

        Raises:
            ReleaseRefused: "malformed": nothing of the channel may be taken.
        """
        self._terminal_id = terminal_id
        self._now_s = now_s
        try:
            self._releases: dict[str, Any] = field(custom, "releases", dict, 0, 64)
            for name in self._releases:
                salt, threshold = field(self._releases, name, list, 2, 2)
                if not isinstance(salt, str) or len(bytes.fromhex(salt)) != 8:
                    raise ValueError("a salt is not 8 bytes")
                if not isinstance(threshold, int) or not 0 <= threshold <= 10000:
                    raise ValueError("a threshold is not 0 to 10000")
            self._within: dict[str, int] = {}
            if isinstance(custom, dict) and "within" in custom:
                self._within = field(custom, "within", dict, 0, 64)
            for name in self._within:
                field(self._within, name, int, 0, 429496)
            self._halted: list[int] = field(custom, "halted", list, 0, 16) + (braked or [])
            self._control: dict[str, Any] = {}
            if isinstance(custom, dict) and "control" in custom:
                self._control = field(custom, "control", dict, 0, 64)
            for name in self._control:
                reach: Any = field(self._control, name, list, 2, 2)
                field({name: reach[0]}, name, int, 0, 10000)
                field({name: reach[1]}, name, int, 0, 429496)
            self._flags: Any = custom.get("flags") if isinstance(custom, dict) else None
        except ValueError as error:
            raise ReleaseRefused("malformed", "rollout plan: " + str(error))

    def check(self, number: int) -> None:
        """Return only if the plan lets this terminal have release `number`; else ReleaseRefused.
        What it does not name is for nobody.
        """
        if number in self._halted:
            raise ReleaseRefused("halted", "%d is halted" % number)
        wave = self._releases.get(str(number))
        if wave is None:
            raise ReleaseRefused("not_yet", "%d is for nobody yet" % number)
        salt, threshold = wave
        place = self._drawn(salt)
        if place >= (threshold, self._within.get(str(number), 0)):
            raise ReleaseRefused(
                "not_yet", "%d is for %d of 10000, here is %d" % (number, threshold, place[0])
            )

    def keep_pace(self, release: "Release") -> None:
        """Return only if the pace of `release`, which `check` lets this terminal have, has come as
        far as here; else ReleaseRefused. Whoever signs plans goes no faster than that.
        """
        if release.pace is None or not self._now_s:
            return  # nothing is installed at a time that is unknown
        after_h, first, factor, every_h, rate, most = release.pace
        hours = (self._now_s - release.built_s) // 3600 - after_h
        reach = 0 if hours < 0 else first
        for _ in range(hours // every_h):
            if reach >= 1000000 or factor == 1:
                break
            reach *= factor
        if rate and hours > 0:
            reach = min(reach, first + rate * hours)
        place, step = self._drawn(self._releases[str(release.release)][0])
        here = place * 100 + step * 100 // 429497
        if here >= min(reach, most):
            raise ReleaseRefused(
                "pace", "%d is for %d millionths, here is %d" % (release.release, reach, here)
            )

    def _drawn(self, salt: str) -> tuple[int, int]:
        """This terminal's ten-thousandth, and the step in it."""
        digest = sha256(bytes.fromhex(salt) + self._terminal_id).digest()
        drawn = int.from_bytes(digest[:4], "big")
        return drawn % 10000, drawn // 10000

    def turns_on(self, flag: str) -> bool:
        """Whether the plan turns `flag` on here. One that cannot be read is off, and holds up no
        release.
        """
        try:
            salt, threshold, terminals = field(self._flags, flag, list, 3, 3)
            field({flag: threshold}, flag, int, 0, 10000)
            if self._drawn(salt)[0] < threshold:
                return True
            return self._terminal_id.hex() in field({flag: terminals}, flag, list, 0, 16)
        except (ValueError, TypeError):
            return False

    def control_of(self, number: int) -> str:
        """What names the wave of release `number`, which `check` refuses as "not_yet", if this
        terminal is in its control arm: it restarts once in each. Else "".
        """
        name = str(number)
        if name not in self._control or number in self._halted or name not in self._releases:
            return ""
        salt, threshold = self._releases[name]
        reach = self._control[name]
        if self._drawn(salt) >= (reach[0], reach[1]):
            return ""
        return "%d %d.%d %d.%d" % (number, threshold, self._within.get(name, 0), reach[0], reach[1])

    def is_watched(self, running: int) -> bool:
        """Whether a terminal on release `running` is in an arm of a wave that is judged: of that
        release, or of one that is newer.
        """
        for name in self._control:
            if name.isdigit() and int(name) >= running:
                is_here = self.control_of(int(name))
                if is_here and self._releases[name][1] < 10000:
                    return True
        return False
