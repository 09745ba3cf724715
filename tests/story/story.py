"""The main job as a story: one terminal sells, loses the network and power, upgrades, rolls back.

Every claim is checked from outside the firmware: receipts as the simulated printer burnt them, the
ledger as it is in the database, slots as they are in the flash file.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console

from hw_sim.printer import Receipt
from hw_sim.qemu import QemuChip
from tests.story.telling import ClaimFailed, Teller
from tests.support.attacker import Attacker
from tests.support.books import Books
from tests.support.lcd_reader import shows
from tests.support.merchant import FLOAT_MINOR, Merchant, debit_minor, pin_lines, pin_on
from tests.support.seeded import seeded
from tests.support.world import (
    MERCHANT_PIN,
    PASSPHRASE,
    TerminalSettings,
    World,
    quiet_tools,
)

DEBIT_MINOR = debit_minor(1)
STOCK = 5
CHIP_TIME_SCALE = 4.0
"""Beside an emulated chip the network's and modem's delays run so many times faster than real ones:
its time is the host's.
"""


class Story:
    """Eight steps in one world; `tell` runs them in order."""

    def __init__(
        self,
        folder: Path,
        console: Console,
        pictures: Path | None = None,
        chip: QemuChip | None = None,
        speed: float = 0,
    ) -> None:
        """`pictures`: a folder for what the display and the paper look like on the way. `chip`: the
        CPU, if it shall not be an interpreter of this host. `speed`: seconds of the story in one of
        the wall; 0 is as fast as it goes.
        """
        self.pictures = pictures
        self.is_repeatable = chip is None
        settings = TerminalSettings(simulated=True, speed=speed)
        if chip:
            # A clock that runs faster makes no host compute faster: the watchdog waits for hosts.
            scale = CHIP_TIME_SCALE
            settings = TerminalSettings(
                time_scale=scale, board={"watchdog_stretch": scale}, chip=chip
            )
        self.world = World(folder, settings)
        self.teller = Teller(console, self.world.terminal.now_s)
        self.merchant = Merchant(self.world.terminal)
        self.sales = 0
        self.steps: list[tuple[str, Callable[[], None]]] = [
            ("A release manager signs and publishes firmware 1.0", self.publish_first_release),
            ("A technician makes a blank board into a terminal", self.provision),
            ("The terminal boots and finds the network", self.first_start),
            ("A merchant sells airtime online", self.sell_online),
            ("The network goes away and comes back", self.sell_offline),
            ("The power is cut while a voucher prints", self.cut_power_while_printing),
            ("Release 1.1 arrives over GPRS", self.upgrade),
            ("Release 1.2 is bad, and attackers try their luck", self.roll_back),
        ]

    def tell(self) -> bool:
        """Tell all steps; True when every one held. A step that fails ends the story."""
        teller = self.teller
        held = 0
        try:
            with quiet_tools(), seeded("story", self.world.now_unix_s):
                for number, (title, step) in enumerate(self.steps, start=1):
                    teller.title(number, title)
                    step()
                    held += 1
        except ClaimFailed:
            teller.console.print(self.world.terminal.board.summary(), markup=False)
        except (AssertionError, TimeoutError) as error:
            teller.console.print(f"  ✗ {error}", style="red", markup=False)
        finally:
            digest = self.world.digest()
            self.world.close()
        teller.console.print()
        if self.is_repeatable:
            teller.console.print(f"digest: {digest}", highlight=False)
        teller.console.print(f"story: {held}/{len(self.steps)} steps held", highlight=False)
        return held == len(self.steps)

    @property
    def books(self) -> Books:
        """The server's database, read from outside."""
        return Books(self.world.server.database, self.world.terminal_id)

    # 1

    def publish_first_release(self) -> None:
        world, tell = self.world, self.teller
        world.found_server()
        world.manager.create()
        keys = len(list(world.manager.keys.glob("*.pem")))
        tell.say(f"{keys} keys are made, each in its own file, encrypted with a passphrase.")
        world.manager.check_out()
        image = world.manager.build(1, "1.0.0")
        again = world.manager.build(1, "1.0.0")
        tell.claim(
            image.read_bytes() == again.read_bytes(),
            f"the same commit gives the same image twice: {image.stat().st_size:,} bytes of ROMFS",
        )
        world.manager.add(image, "First release")
        world.manager.set_prices()
        world.manager.publish()
        world.fill_vault()
        world.server.start()
        tell.claim(f"{world.server.url}" != "", f"the server runs at {world.server.url}, on SQLite")

    # 2

    def provision(self) -> None:
        world, tell = self.world, self.teller
        terminal = world.terminal
        world.reach()
        tell.claim(terminal.slot_release("a") is None, "the board's flash is blank")
        world.provision(FLOAT_MINOR, out=tell.console)
        world.assign_stock("air50", STOCK)
        tell.claim(terminal.slot_release("a") == 1, "flash slot a holds release 1")
        tell.claim(
            self.books.float_minor() == FLOAT_MINOR,
            f"terminal {world.terminal_id} is enrolled with a float of KES {FLOAT_MINOR / 100:,.2f}"
            f" and {STOCK} sealed PINs",
        )

    # 3

    def first_start(self) -> None:
        terminal, tell = self.world.terminal, self.teller
        terminal.wait_shows("Your PIN, then #", timeout_s=30)
        terminal.wait_log("server reached", 60)
        terminal.wait_shows("Online")
        terminal.wait_log("new batches", 60)
        self.merchant.sign_in()
        tell.display(terminal)
        if self.pictures:
            terminal.board.lcd_picture().save_png(self.pictures / "menu.png")
        tell.claim(self.books.check_in()["release"] == 1, "the server has heard from release 1")

    # 4

    def sell_online(self) -> None:
        tell = self.teller
        receipt = self.make_sale()
        tell.display(self.world.terminal, receipt)
        if self.pictures:
            receipt.png(self.pictures / "receipt.png")
        tell.claim(pin_on(receipt) in self.world.pins("air50"), "the PIN is one of the vault's")
        self.world.eventually(lambda: self.books.debits_minor() == [DEBIT_MINOR], what="the debit")
        tell.claim(
            self.books.float_minor() == FLOAT_MINOR - DEBIT_MINOR,
            f"the ledger took KES {DEBIT_MINOR / 100:.2f} from the float, once",
        )
        self.merchant.leave_sale()

    # 5

    def sell_offline(self) -> None:
        world, terminal, tell = self.world, self.world.terminal, self.teller
        terminal.set_coverage(False)
        terminal.wait_shows("No network", timeout_s=60)
        for _ in range(2):
            self.make_sale(from_stock=True)
            self.merchant.leave_sale()
        tell.paper(terminal.receipts()[-1])
        pins = {pin_on(receipt) for receipt in terminal.receipts()}
        tell.claim(
            len(pins) == self.sales and pins <= world.pins("air50"),
            "two vouchers from the terminal's own stock, both PINs new",
        )
        tell.claim(len(self.books.debits_minor()) == 1, "the server knows nothing of them yet")
        self.merchant.start_sale(from_stock=True)
        terminal.wait_shows("Not sold")
        tell.display(terminal)
        tell.claim(
            shows(terminal.board.lcd_picture().rows, "The limit of sales without")
            and len(terminal.receipts()) == self.sales,
            "the third is refused by the signed offline policy, in plain words",
        )
        terminal.board.press("#")
        terminal.set_coverage(True)
        self.world.eventually(
            lambda: len(self.books.debits_minor()) == self.sales, 90, "the journal on the server"
        )
        self.wait_reconciled()
        tell.claim(
            self.books.float_minor() == FLOAT_MINOR - self.sales * DEBIT_MINOR
            and self.books.check_in()["own_float_minor"] == self.books.float_minor(),
            "the network is back: the ledger and the terminal agree to the cent, at"
            f" KES {self.books.float_minor() / 100:,.2f}",
        )

    # 6

    def cut_power_while_printing(self) -> None:
        terminal, tell = self.world.terminal, self.teller
        terminal.wait_shows("Menu")
        before = len(terminal.receipts())
        self.merchant.start_sale()
        terminal.board.wait_for(
            lambda: len(terminal.receipts()) > before and pin_lines(terminal.receipts()[-1]),
            60,
            what="a PIN",
        )
        terminal.board.power_off()
        self.sales += 1
        torn = terminal.receipts()[-1]
        tell.paper(torn)
        tell.claim("Thank you" not in torn.text, "the paper stops in the middle of the receipt")
        torn_pin = pin_on(torn)
        terminal.board.power_on()
        terminal.wait_shows("Sales to finish: 1.", timeout_s=30)
        terminal.board.type(MERCHANT_PIN + "#")
        terminal.wait_shows("Sale was cut")
        tell.display(terminal)
        count = len(terminal.receipts())
        terminal.board.press("#")
        terminal.wait_shows("Sold", timeout_s=60)
        copy = terminal.wait_receipts(count + 1)[-1]  # the torn one and its copy
        tell.paper(copy)
        tell.claim(copy.text.count("DUPLICATE") == 2, "the reprint is marked DUPLICATE")
        pin = pin_on(copy)
        tell.claim(len(pin) == 16 and pin.startswith(torn_pin), "it is the PIN of the torn paper")
        earlier = [pin_on(receipt) for receipt in terminal.receipts()[:-2]]
        tell.claim(pin not in earlier, "and nobody else was given it")
        self.merchant.leave_sale()
        self.world.eventually(
            lambda: len(self.books.debits_minor()) == self.sales, 60, "one debit for it"
        )
        self.wait_reconciled()
        tell.claim(
            self.books.float_minor() == FLOAT_MINOR - self.sales * DEBIT_MINOR,
            "the float was debited once",
        )

    # 7

    def upgrade(self) -> None:
        world, terminal, tell = self.world, self.world.terminal, self.teller
        manager = world.manager
        manager.change("firmware/ui/languages/en.py", "|Thank you", "|Thank you, come again")
        image = manager.build(2, "1.1.0")
        # The first upgrade travels whole, so that there is something to drop; 1.2 comes as a delta.
        manager.add(image, "Kinder receipts", deltas=False)
        (payload,) = (manager.repository / "targets" / "stable").rglob("*.2.full")
        size = payload.stat().st_size
        traffic = terminal.network.traffic
        before = traffic.payload_down_bytes
        terminal.board.call(terminal.network.drop_after_bytes, size // 2)
        manager.publish()
        drops = terminal.log().count("PDP: DEACT")

        def received() -> int:
            return traffic.payload_down_bytes - before

        with tell.watching("release 1.1.0 over GPRS", received, size) as update:
            self.wait_while_watching(lambda: terminal.log().count("PDP: DEACT") > drops, update)
            cut_at = received()
            self.wait_while_watching(lambda: "release 2 confirmed" in terminal.log(), update)
        tell.claim(
            cut_at < size < received() < size + size // 4,
            f"the link dropped after {cut_at:,} bytes; {received():,} came down in all for a"
            f" payload of {size:,}: the rest was fetched, not the whole again",
        )
        self.world.eventually(lambda: self.running() == (2, False), 60, "release 2 confirmed")
        tell.claim(
            {terminal.slot_release("a"), terminal.slot_release("b")} == {1, 2},
            "flash: release 1.0 in one slot, 1.1 in the other",
        )
        tell.claim(
            self.running() == (2, False),
            "the server knows that 1.1 really runs, confirmed by its own self-test",
        )
        self.merchant.sign_in()
        receipt = self.make_sale()
        tell.claim("come again" in receipt.text, "the receipt of 1.1 says so too")
        self.merchant.leave_sale()

    # 8

    def roll_back(self) -> None:
        world, terminal, tell = self.world, self.world.terminal, self.teller
        manager = world.manager
        manager.change(
            "firmware/main.py",
            "    log.start(board.console)\n",
            '    log.start(board.console)\n    raise RuntimeError("no such display")\n',
        )
        manager.add(manager.build(3, "1.2.0"), "Crashes at start")
        manager.publish()
        self.world.eventually(lambda: bool(self.books.failures()), 120, "a report of the failure")
        release, reason = self.books.failures()[-1]
        tell.claim(
            release == 3 and "no such display" in reason,
            f"the terminal went back by itself and said why: {reason!r}",
        )
        self.world.eventually(lambda: self.running() == (2, False), 60, "1.1 running again")
        tell.claim(self.running() == (2, False), "release 1.1 runs again")
        resets = len(terminal.board.resets)
        self.merchant.sign_in()
        self.make_sale()
        self.merchant.leave_sale()
        tell.claim(True, "and sells")
        self.wait_polls(2)
        tell.claim(
            len(terminal.board.resets) == resets, "1.2 is on offer still, and not tried again"
        )
        self.attacks()
        self.wait_reconciled()
        tell.claim(
            self.books.float_minor() == FLOAT_MINOR - self.sales * DEBIT_MINOR
            and self.books.ledger_sum_minor() == 0
            and self.books.assigned_twice() == 0,
            f"at the end: {self.sales} sales, {self.sales} debits, books that sum to zero, "
            "no voucher given twice",
        )

    def attacks(self) -> None:
        world, tell = self.world, self.teller
        manager = world.manager
        attacker = Attacker(manager.repository, manager.keys, PASSPHRASE)
        yesterday = attacker.remember()
        manager.change("firmware/main.py", '    raise RuntimeError("no such display")\n', "")
        running = self.running()

        manager.add(manager.build(4, "1.3.0"), "Spoiled on the server")
        manager.publish()
        attacker.spoil_payloads("stable")
        self.expect_refusal("payload_hash")
        tell.claim(self.running() == running, "a forged image is refused: its hash is another")
        attacker.spoil_payloads("stable")

        with attacker.in_the_server():
            manager.add(manager.build(5, "1.4.0"))
            entry = manager.staged_entry("stable", 5)
            attacker.list_unsigned("stable", "stable/duka-r1/5.full", b"forged", entry)
            self.expect_refusal("stable")
        tell.claim(self.running() == running, "an unsigned manifest is refused, by name")
        for _ in range(2):  # past the version that the attacker's online keys gave out
            manager.publish()

        today = attacker.remember()
        attacker.replay(yesterday)
        self.expect_refusal("timestamp")
        tell.claim(self.running() == running, "an old manifest, replayed, is refused as older")
        attacker.replay(today)  # who keeps the folder finds a sound repository in it

    def make_sale(self, *, from_stock: bool = False) -> Receipt:
        """The merchant sells; the story counts."""
        receipt = self.merchant.make_sale(from_stock=from_stock)
        self.sales += 1
        return receipt

    # what can be seen from outside

    def wait_while_watching(self, done: Callable[[], bool], update: Callable[[], None]) -> None:
        """Wait until `done`, moving a progress bar meanwhile."""

        def check() -> bool:
            update()
            return done()

        self.world.eventually(check, 120, "the download")

    def running(self) -> tuple[int, bool]:
        check_in = self.books.check_in()
        return int(check_in["release"]), bool(check_in["trial"])

    def wait_reconciled(self) -> None:
        self.world.eventually(
            lambda: self.books.check_in()["own_float_minor"] == self.books.float_minor(),
            60,
            "agreement of the terminal's figure and the ledger",
        )

    def wait_polls(self, count: int) -> None:
        def heard_after(last: int) -> bool:
            return int(self.books.check_in()["at"]) > last

        for _ in range(count):
            last = int(self.books.check_in()["at"])
            self.world.eventually(partial(heard_after, last), 60, "a check-in")

    def expect_refusal(self, word: str) -> None:
        terminal = self.world.terminal
        seen = len(terminal.log())
        self.world.eventually(
            lambda: any(
                "refused" in line and word in line for line in terminal.log()[seen:].splitlines()
            ),
            300,  # it may be in the middle of a download over GPRS
            f"a refusal that names {word!r} in the terminal's log",
        )
        refusal = next(
            line
            for line in terminal.log()[seen:].splitlines()
            if "refused" in line and word in line
        )
        self.teller.say(f"  the terminal's log: {refusal.strip()}")
