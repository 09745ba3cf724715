"""What a flow may ask of the terminal; types alone, so no image has this file."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from bootloader.shared.board import Board
    from firmware.boot_info import BootInfo
    from firmware.drivers.battery import Battery
    from firmware.drivers.printer import Printer
    from firmware.kept.config import Config
    from firmware.kept.files import Kept
    from firmware.kept.memory import Memory
    from firmware.net.link import Link
    from firmware.office.look_up import Answer
    from firmware.office.messenger import Messenger
    from firmware.sales.catalogue import Catalogue
    from firmware.sales.sale import Sale
    from firmware.sales.till import Till
    from firmware.ui.dialogs import Dialogs
    from firmware.ui.texts import Words

    class News(Protocol):
        """Who knows what a release brings."""

        def news(self, language: str) -> str | None:
            """What is new in the release that runs, in words for the merchant."""

    class Desk(Protocol):
        """The terminal as its flows see it."""

        board: Board
        files: Kept
        ui: Dialogs
        words: Words
        till: Till
        catalogue: Catalogue
        printer: Printer
        battery: Battery
        memory: Memory
        config: Config
        link: Link
        messenger: Messenger
        boot_info: BootInfo
        terminal_id: str
        selling: bool
        """A flow is open: no update switches now."""
        message: str | None
        """The server's last text for the merchant."""
        unread: int
        """Notices that nobody read yet."""
        second_ms: int
        """How long a second of a lock lasts; shorter in tests."""

        @property
        def updates(self) -> News:
            """Who knows what is new."""

        def now(self) -> int:
            """Unix seconds, 0 if unknown."""

        def money(self, amount_minor: int) -> str:
            """An amount as people write it, without the currency."""

        def price(self, amount_minor: int) -> str:
            """An amount with its currency."""

        def new_catalogue(self) -> None:
            """Read the price list anew."""

        async def hear(self) -> None:
            """Return once the office has said anew how this terminal stands; never, without
            network.
            """

        async def fetch_voucher(self, sale: Sale, by_sms: bool = False) -> str | None:
            """Ask the server for a sale's voucher: "" when the till holds it, the code of a
            refusal or `firmware.sales.sale.PENDING`, or None when no answer came. `by_sms`: with a
            short message, which is paid for.
            """

        async def look_up(
            self, product_id: str, recipient: str, amount_minor: int
        ) -> Answer | None:
            """Ask the server who a meter or a reference belongs to; None when no answer came."""
