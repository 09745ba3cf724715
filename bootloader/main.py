"""What the interpreter runs first in the boot image: `bootloader.boot` chooses, then it is a jump
into a release or a visit of the technician. Neither comes back.

If that fails, MicroPython would fall into its prompt. On a board without an identity that is
wanted: a technician can still reach it. A provisioned terminal holds a key and must never show one.
"""

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.board import Board

_PAUSE_S = 2


def start() -> None:
    """Boot, or recover; comes back only to a prompt."""
    board: "Board | None" = None
    try:
        board = __import__("board")
        from bootloader import boot, jump
        from bootloader.plan import Plan

        wanted = boot.run(board)
        del boot  # held here it would stay in memory while the release runs
        if isinstance(wanted, Plan):
            jump.run(board, wanted)
        else:
            from bootloader.recovery import visit

            visit.run(board, wanted)
    except BaseException as fault:
        sys.print_exception(fault)
        if is_unprovisioned(board):
            return
    while True:
        time.sleep(_PAUSE_S)
        if board:
            board.reset()
        else:
            import machine

            machine.reset()


def is_unprovisioned(board: "Board | None") -> bool:
    """True only if it is sure that no identity was ever written here."""
    try:
        from bootloader import identity

        return board is not None and identity.is_blank(board.partitions["identity"])
    except BaseException:
        return False


start()
