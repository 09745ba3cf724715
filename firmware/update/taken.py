"""What a look found in the metadata, as plain data: what verified it takes 11 KB of a board's heap,
and makes room before anybody chooses. For `client` and its pieces.
"""

from bootloader.shared.tuf_paths import target_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.release import Json
    from bootloader.shared.tuf import TrustedMetadata


class Taken:
    """Of one channel: `targets`, its {path: entry}, which hold until `fresh_until_s` (Unix
    seconds); `plan`, the entry of its rollout plan, until `plan_until_s`; `halts`, that of its
    brake; `prices`, that of the price list. An entry is None where none is listed by whom it should
    be. `now_s`: when it was looked at, 0 if unknown. `forked`: as in `TrustedMetadata`.

    Raises:
        TrustError: delegations go round, so that nobody can tell how long anything holds.
    """

    def __init__(self, trusted: "TrustedMetadata", channel: str, prices: str) -> None:
        self.now_s = trusted.now_s
        self.forked = trusted.forked
        self._is_consistent = trusted.consistent_snapshot
        self.targets = trusted.targets(channel)
        self.fresh_until_s = trusted.fresh_until_s(channel)
        planner = "rollout-" + channel
        self.plan = _entry(trusted, plan_path(channel), planner)
        self.plan_until_s = trusted.fresh_until_s(planner) if self.plan else 0
        self.halts = _entry(trusted, halts_path(channel), "brake-" + channel)
        self.prices = _entry(trusted, prices, None)

    def target_name(self, path: str, entry: "Json") -> str:
        """The path of a target file on the server."""
        return target_name(path, entry, self._is_consistent)


def plan_path(channel: str) -> str:
    """The target that says how far each release is let out."""
    return "rollout/" + channel + "/plan.json"


def halts_path(channel: str) -> str:
    """The target that says what is halted."""
    return "brake/" + channel + "/halts.json"


def _entry(trusted: "TrustedMetadata", path: str, by: str | None) -> "Json | None":
    """The entry of a target, if it is the role `by` that lists it; None: whichever."""
    found, role, entry = trusted.find(path)
    return entry if found == "found" and by in (None, role) else None
