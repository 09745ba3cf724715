"""What the duties may ask of the terminal; types alone, so no image has this file."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from bootloader.shared.board import Board
    from firmware.boot_info import BootInfo
    from firmware.clock import Clock
    from firmware.drivers.battery import Battery
    from firmware.drivers.keypad import Keypad
    from firmware.drivers.printer import Printer
    from firmware.duties.supervisor import Supervisor
    from firmware.kept.config import Config
    from firmware.kept.files import Kept
    from firmware.kept.memory import Memory
    from firmware.net.link import Link
    from firmware.office.messenger import Messenger
    from firmware.sales.catalogue import Catalogue
    from firmware.sales.journal import Journal
    from firmware.sales.stock import Stock
    from firmware.sales.till import Till
    from firmware.ui.dialogs import Dialogs
    from firmware.ui.screen import Screen
    from firmware.ui.texts import Words
    from firmware.update.client import UpdateClient

    class Parts(Protocol):
        """The terminal as its duties see it."""

        board: Board
        boot_info: BootInfo
        config: Config
        files: Kept
        memory: Memory
        words: Words
        screen: Screen
        clock: Clock
        journal: Journal
        stock: Stock
        till: Till
        catalogue: Catalogue
        battery: Battery
        keypad: Keypad
        printer: Printer
        ui: Dialogs
        link: Link
        messenger: Messenger
        updates: UpdateClient
        supervisor: Supervisor
        message: str | None
        unread: int
        """Notices that nobody read yet."""
        selling: bool

        def now(self) -> int:
            """Unix seconds, 0 if unknown."""
