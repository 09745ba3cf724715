"""What a technician's commands may ask of the terminal; types alone, so no image has this file."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from firmware.drivers.keypad import Keypad
    from firmware.drivers.printer import Printer
    from firmware.duties.supervisor import Supervisor
    from firmware.kept.config import Config
    from firmware.kept.files import Kept
    from firmware.kept.memory import Memory
    from firmware.net.link import Link
    from firmware.office.messenger import Messenger
    from firmware.sales.journal import Journal
    from firmware.sales.till import Till
    from firmware.ui.dialogs import Dialogs

    class Serviced(Protocol):
        """The terminal as a technician sees it."""

        terminal_id: str
        selling: bool
        config: Config
        files: Kept
        memory: Memory
        journal: Journal
        till: Till
        messenger: Messenger
        link: Link
        ui: Dialogs
        keypad: Keypad
        printer: Printer
        supervisor: Supervisor
