"""The technician's commands about who the terminal is (SMP group 64), and the server's permits."""

from hashlib import sha256

from bootloader import identity
from bootloader.recovery import entropy, smp
from bootloader.recovery.holdings import erase
from bootloader.recovery.smp import SmpError, field
from bootloader.shared.hashes import equal, technician_permit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.recovery.holdings import Holdings
    from bootloader.recovery.smp import Body


class IdentityCommands:
    """Each method answers one command; all raise SmpError for what is refused."""

    def __init__(self, holdings: "Holdings") -> None:
        self._holdings = holdings
        self._challenge: bytes | None = None

    def status(self, body: "Body") -> "Body":
        """What board this is, and whether it has an identity."""
        board = self._holdings.board
        who = self._holdings.who
        return {
            "state": self._holdings.kind(),
            "class": board.HARDWARE_CLASS,
            "revision": board.HARDWARE_REVISION,
            "bootloader": board.BOOTLOADER_VERSION,
            "uid": board.unique_id(),
            "terminal": who.terminal_id if who else None,
        }

    def make_identity(self, body: "Body") -> "Body":
        """Provision a blank board: make its device key and tell it this once."""
        terminal_id = field(body, "terminal", bytes)
        if len(terminal_id) != 8:
            raise SmpError(smp.RC_INVALID, "a terminal id has 8 bytes")
        holdings = self._holdings
        board = holdings.board
        partition = board.partitions["identity"]
        if holdings.who:
            # The reply may have been lost on the line: tell it again, until an image is installed.
            if holdings.is_sealed() or holdings.who.terminal_id != terminal_id:
                raise SmpError(smp.RC_DENIED, "this terminal has an identity")
        elif holdings.kind() == "foreign":
            raise SmpError(smp.RC_DENIED, "the flash holds another terminal's identity")
        else:
            who = identity.Identity(
                terminal_id,
                entropy.make_key(board.noise, board.random),
                board.HARDWARE_CLASS,
                board.HARDWARE_REVISION,
                board.unique_id(),
            )
            # Blank first, identity last: cut anywhere before, the terminal is as new.
            for name in ("journal", "control"):
                erase(board.partitions[name])
            holdings.mount()
            identity.store(partition, who)
            holdings.who = who
        holdings.open_control()
        return {"key": holdings.who.device_key}

    def make_challenge(self, body: "Body") -> "Body":
        """What the server makes a permit from; good for one."""
        who = self._holdings.who
        if who is None:
            raise SmpError(smp.RC_BAD_STATE, "this board has no identity yet: provision it")
        self._challenge = self._holdings.board.random(16)
        proof = technician_permit(who, "challenge", self._challenge)
        return {"challenge": self._challenge + proof}

    def take_permit(self, body: "Body") -> "Body":
        """The server lets the technician bring one file."""
        file = field(body, "file", bytes)
        challenge, self._challenge, self._holdings.permitted = self._challenge, None, None
        who = self._holdings.who
        if who is None or challenge is None:
            raise SmpError(smp.RC_BAD_STATE, "ask for a challenge first")
        wanted = technician_permit(who, "file", sha256(challenge + file).digest()[:16])
        if not equal(field(body, "permit", bytes), wanted):
            raise SmpError(smp.RC_DENIED, "the permit is not for this: ask the server again")
        self._holdings.permitted = file
        return {}
