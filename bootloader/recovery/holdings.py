"""What recovery has opened of this terminal: its identity, its boot records, its files.

The commands share one `Holdings`; it knows nothing of them.
"""

from bootloader import identity
from bootloader.recovery import smp
from bootloader.recovery.smp import SmpError
from bootloader.shared.control import ControlBlock
from bootloader.shared.partitions import SECTOR_BYTES
from bootloader.shared.tidy import tidy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.board import Board
    from bootloader.shared.control import Policy, Slot
    from bootloader.shared.partitions import Partition


class Holdings:
    """`who` and `control` are None until there is an identity. `permitted` is the digest of the one
    file that the server lets the technician bring, or None.
    """

    def __init__(
        self, board: "Board", who: identity.Identity | None, control: ControlBlock | None
    ) -> None:
        self.board = board
        self.who = who
        self.control = control
        self.permitted: bytes | None = None
        self._mounted = False

    def kind(self) -> str:
        """As the status tells it: "provisioned", "blank", or "foreign": another terminal's."""
        if self.who:
            return "provisioned"
        try:
            identity.load(self.board.partitions["identity"], self.board.unique_id())
        except identity.ForeignIdentityError:
            return "foreign"
        except identity.IdentityError:
            pass  # as good as none: a cut in the middle of provisioning leaves it so
        return "blank"

    def is_sealed(self) -> bool:
        """True once an image was installed: the device key is told no more, files need a permit."""
        return identity.is_sealed(self.board.partitions["identity"])

    def open_control(self) -> bool:
        """Load the control block, or begin it anew with boot counts above all that were used; True
        if it was begun. There must be an identity. Raises ControlError, IdentityError, OSError.
        """
        board = self.board
        if self.control is None:
            key = self._identity().control_key(board.unique_id())
            self.control = ControlBlock(board.partitions["control"], key)
        if self.control.load() is None:
            partition = board.partitions["identity"]
            first = identity.add_era(partition) if identity.is_sealed(partition) else 0
            return self.control.create(first)
        return False

    def _identity(self) -> identity.Identity:
        if self.who is None:
            raise SmpError(smp.RC_BAD_STATE, "make an identity first")
        return self.who

    def records(self) -> ControlBlock:
        """The boot records. Raises SmpError if there are none, saying what to do."""
        self._identity()
        if self.control is None or self.control.state is None:
            raise SmpError(smp.RC_BAD_STATE, "the boot records cannot be written")
        return self.control

    def mount(self) -> None:
        """Make /data there. Raises SmpError on another terminal's flash, OSError if it fails."""
        if not self._mounted:
            if self.kind() == "foreign":
                raise SmpError(smp.RC_DENIED, "the flash holds another terminal's identity")
            # Without an identity there is nothing on board to lose: a spoiled or half-made
            # filesystem is made anew.
            self.board.data_vfs(self.who is None)
            self._mounted = True
            tidy()

    def adopt(self, slot: str, entry: "Slot") -> None:
        """Let the image of `entry`, which is in `slot`, be tried from the next reset on."""
        identity.seal(self.board.partitions["identity"])
        self.records().adopt(slot, *_terms(entry))

    def hold(self, slot: str, entry: "Slot") -> None:
        """Record the image of `entry`, which is in `slot`, and that nobody chose it yet."""
        self.records().hold(slot, *_terms(entry))


def _terms(entry: "Slot") -> "tuple[int, bytes, int, int, Policy]":
    policy: Policy = {
        "crashes_allowed": entry.crashes_allowed,
        "unconfirmed_boots_allowed": entry.unconfirmed_boots_allowed,
        "selftest_deadline_s": entry.selftest_deadline_s,
    }
    return entry.image_size, entry.sha256, entry.release, entry.security_version, policy


def erase(partition: "Partition") -> None:
    """Every sector of `partition`. Raises OSError."""
    for sector in range(0, partition.size_bytes, SECTOR_BYTES):
        partition.erase_sector(sector)
