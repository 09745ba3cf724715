"""Device code: a terminal on real MicroPython that sells until somebody kills its process.

Its flash is a file. The real bootloader decides, the real journal and till sell; each receipt is
written to standard output as `PAPER <hex>`. Run by `test_killed_on_micropython`.
"""

# mypy: ignore-errors
# ruff: noqa: PTH123 -- runs on MicroPython: no pathlib

import sys
import time

from bootloader import boot
from bootloader.shared import cose
from bootloader.shared.control import ControlBlock
from bootloader.shared.partitions import mount_data, table
from firmware.kept import config
from firmware.paper import receipt
from firmware.sales import catalogue
from firmware.sales.journal import Journal
from firmware.sales.stock import Stock
from firmware.sales.till import Till
from firmware.ui.texts import Words


class FileFlash:
    """NOR in a file; what was written before the kill is there afterwards."""

    def __init__(self, path, size_bytes):
        self.size_bytes = size_bytes
        self._file = open(path, "r+b")  # noqa: SIM115 -- open as long as the chip has power

    def read_into(self, address, buf):
        self._file.seek(address)
        self._file.readinto(buf)

    def program(self, address, data):
        old = bytearray(len(data))
        self.read_into(address, old)
        for i in range(len(data)):
            old[i] &= data[i]
        self._file.seek(address)
        self._file.write(old)

    def erase(self, address):
        self._file.seek(address)
        self._file.write(b"\xff" * 4096)

    def lock(self, end_address):
        pass


class Pin:
    def value(self, level=None):
        return 1


class Board:
    BOOTLOADER_VERSION = 1

    def __init__(self, flash, layout, chip):
        self.flash = flash
        self.partitions = table(flash, layout)
        self._chip = chip
        self.keypad_rows = [Pin()] * 4
        self.keypad_columns = [Pin()] * 4

    def unique_id(self):
        return self._chip

    def reset_cause(self):
        return "power-on"


def say(what, text):
    sys.stdout.write(what + " " + text + "\n")


def run(path, size_bytes, layout, chip, time_s):
    board = Board(FileFlash(path, size_bytes), layout, chip)
    plan = boot.run(board)
    control = ControlBlock(board.partitions["control"], plan.control_key)
    control.load()
    who = plan.info.identity
    mount_data(board.partitions["data"], False)
    settings = config.load()
    journal = Journal(board.partitions["journal"], lambda: time_s)
    journal.mount()
    keys = cose.derive_keys(who.device_key, who.terminal_id)
    till = Till(journal, Stock(keys.stock), catalogue.load(), keys, lambda: time_s)
    till.booted(plan.info.boot_count, plan.info.release, plan.info.reset_cause)
    words = Words("en")

    def hand_over(sale, sold, duplicate):
        data = receipt.voucher(
            words, settings, till.catalogue, "0", sold, time_s, duplicate, not sale.online
        )
        say("PAPER", data.hex())
        till.printed(sale, True)

    say("UP", str(plan.info.boot_count))
    for sale in till.unfinished():
        hand_over(sale, till.reprint(sale), True)
    while True:
        control.running_well()
        sale = till.begin_offline("air50")
        hand_over(sale, till.voucher(sale), False)
        time.sleep(0)
