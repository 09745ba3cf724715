"""Serial recovery: the technician's commands over SMP (docs/formats/serial.md).

`bootloader.main` enters it and never comes back from it. It writes nothing that would let an image
run which the release managers did not sign, confirms none, and overwrites no confirmed release that
may be needed again; it tells the device key once, at provisioning.
"""

import time

from bootloader import identity, screen
from bootloader.recovery import entropy, smp, trust
from bootloader.recovery.file_commands import FileCommands
from bootloader.recovery.holdings import Holdings
from bootloader.recovery.identity_commands import IdentityCommands
from bootloader.recovery.image_commands import ImageCommands
from bootloader.recovery.mending import mend
from bootloader.recovery.smp import SmpError
from bootloader.shared.compat import collect
from bootloader.shared.control import ControlError
from bootloader.shared.partitions import PartitionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.plan import Repair
    from bootloader.recovery.smp import Body
    from bootloader.shared.board import Board

_IDLE_S = 0.002
_DRAIN_S = 0.05


def run(board: "Board", repair: "Repair") -> None:
    """Say on the screen why, and answer the technician until told to reset. Does not return."""
    screen.show(board, "Needs repair: take it to your technician. (" + repair.why + ")")
    holdings = Holdings(board, repair.who, repair.control)
    visit = Visit(holdings)
    visit.reset_wanted = mend(holdings)
    reader = smp.LineReader()
    while not visit.reset_wanted:
        data = board.console.read(256)
        if not data:
            time.sleep(_IDLE_S)
            continue
        for message in reader.feed(data):
            reply = smp.answer(message, visit.handle)
            if reply is not None:
                board.console.write(smp.to_lines(reply))
            reply = None
            collect()  # garbage in between breaks the heap into pieces too small for metadata
    time.sleep(_DRAIN_S)
    board.reset()


class Visit:
    """One technician's visit: which command is answered by whom. `smp.answer` calls `handle`."""

    def __init__(self, holdings: Holdings) -> None:
        self.reset_wanted = False
        image = ImageCommands(holdings)
        file = FileCommands(holdings)
        who = IdentityCommands(holdings)
        # by (SMP group, command, whether it writes)
        self._commands = {
            (0, 0, True): self._echo,
            (0, 0, False): self._echo,
            (0, 5, True): self._reset,
            (0, 6, False): self._parameters,
            (1, 0, False): image.states,
            (1, 0, True): image.choose,
            (1, 1, True): image.upload,
            (1, 5, True): image.erase,
            (8, 0, False): file.no_download,
            (8, 0, True): file.upload,
            (64, 0, False): who.status,
            (64, 1, True): who.make_identity,
            (64, 2, False): who.make_challenge,
            (64, 2, True): who.take_permit,
        }

    def handle(self, group: int, command: int, is_write: bool, body: "Body") -> "Body":
        """The reply map to one request. Raises SmpError for every refusal, and nothing else."""
        found = self._commands.get((group, command, is_write))
        if found is None:
            raise SmpError(smp.RC_UNSUPPORTED, "recovery has no such command")
        try:
            return found(body)
        except (
            ControlError,
            PartitionError,
            entropy.NoEntropyError,
            identity.IdentityError,
            trust.Refused,
        ) as fault:
            raise SmpError(smp.RC_INVALID, str(fault))
        except MemoryError:
            raise SmpError(smp.RC_NO_MEMORY, "not enough memory for this request")
        except OSError as fault:
            raise SmpError(smp.RC_UNKNOWN, "flash: " + str(fault))
        except SmpError:
            raise
        except Exception as fault:  # whatever was sent, recovery goes on
            raise SmpError(smp.RC_INVALID, type(fault).__name__ + ": " + str(fault))

    # SMP group 0

    def _echo(self, body: "Body") -> "Body":
        return {"r": smp.field(body, "d", str)}

    def _reset(self, body: "Body") -> "Body":
        self.reset_wanted = True
        return {}

    def _parameters(self, body: "Body") -> "Body":
        return {"buf_size": smp.BUFFER_BYTES, "buf_count": 1}
