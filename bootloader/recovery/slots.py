"""Which slot must stay, and which may be written over: afterwards a release that sells is in reach.

Judged by what flash holds and the boot records say; the commands and `mending` ask.
"""

from bootloader import images
from bootloader.decide import CRASHES_IN_A_ROW
from bootloader.recovery import smp, trust
from bootloader.recovery.smp import SmpError
from bootloader.shared.control import OTHER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.recovery.holdings import Holdings
    from bootloader.shared.control import Slot
    from bootloader.shared.partitions import Partition

NAMES = ("a", "b")


class Slots:
    """Both slots of the terminal that `holdings` opened. Nothing here writes."""

    def __init__(self, holdings: "Holdings") -> None:
        self._holdings = holdings

    def partition(self, name: str) -> "Partition":
        """The flash of slot `name`."""
        return self._holdings.board.partitions["slot_" + name]

    def is_intact(self, name: str, entry: "Slot") -> bool:
        """True if slot `name` holds the image of `entry`."""
        return images.is_intact(self.partition(name), entry)

    def would_sell(self, name: str) -> bool:
        """True if `name` holds a confirmed release that boots and does not crash for ever."""
        state = self._holdings.records().state
        return (
            state.slots[name].state == "good"
            and state.security_fits(name)
            and not (name == state.active and state.crashes >= CRASHES_IN_A_ROW)
            and self.is_intact(name, state.slots[name])
        )

    def is_needed(self, name: str) -> bool:
        """True if `name`, not the active one, is what the terminal would go back to."""
        state = self._holdings.records().state
        return state.is_way_back(name) and self.is_intact(name, state.slots[name])

    def free_for(self, release: int) -> str:
        """The slot that `release` may overwrite. It is the active one if only the other would sell.

        Raises SmpError if a newer one is confirmed, or the running one is not sure to work.
        """
        state = self._holdings.records().state
        self.check_not_older(release)
        if not state.active:
            return "a"
        other = OTHER[state.active]
        if not self.is_needed(other):
            return other
        if not self.would_sell(state.active):
            return state.active
        if state.crashes:
            raise SmpError(
                smp.RC_BAD_STATE,
                "the running release crashed lately: let it reach its server, or give way, first",
            )
        return other

    def check_not_older(self, release: int) -> None:
        """Raises SmpError if a release above `release` is confirmed here and sells."""
        slots = self._holdings.records().state.slots
        for name in NAMES:
            if slots[name].release > release and self.would_sell(name):
                raise SmpError(
                    smp.RC_DENIED,
                    "release %d is confirmed here, %d is older: have it released under a new number"
                    % (slots[name].release, release),
                )

    def listed(self, sha256: bytes | None = None) -> "list[Slot]":
        """As `trust.images`: what the signed files on board vouch for and may run here."""
        self._holdings.mount()
        security_version = self._holdings.records().state.security_version
        return trust.images(self._holdings.board, security_version, sha256)
