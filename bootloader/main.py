"""What the interpreter runs first in the boot image: `bootloader.boot` chooses, `bootloader.jump`
goes there.

If that fails, MicroPython would fall into its prompt. On a board without an identity that is
wanted: a technician can still reach it. A provisioned terminal holds a key and must never show one.
"""

import sys
import time

_PAUSE_S = 2


def start():
    board = None
    try:
        import board

        from bootloader import boot, jump

        plan = boot.run(board)
        boot = None  # held here it would stay in memory while the release runs
        jump.run(board, plan)
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


def is_unprovisioned(board):
    """True only if it is sure that no identity was ever written here."""
    try:
        from bootloader import identity

        return identity.is_blank(board.partitions["identity"])
    except BaseException:
        return False


start()
