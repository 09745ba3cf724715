"""A merchant's hands and eyes at one terminal, and the question asked at the end of every day: is
everything still there?
"""

from __future__ import annotations

from collections.abc import Sequence

from hw_sim.printer import Receipt
from tests.support.books import Books
from tests.support.world import MERCHANT_PIN, PRICES, Terminal, World
from updater_server.sales import checks
from updater_server.store.engine import open_engine, reading

FLOAT_MINOR = 100_000


def debit_minor(product: int) -> int:
    """What a sale of that entry of the menu takes from the float."""
    sold = PRICES.products[product - 1]
    return sold.amount_minor - sold.commission_minor


def pin_lines(receipt: Receipt) -> list[str]:
    """The PIN's lines on a receipt: groups of four digits and nothing else."""
    return [
        line
        for line in receipt.text.splitlines()
        if line and all(len(group) == 4 and group.isdigit() for group in line.split())
    ]


def pin_on(receipt: Receipt) -> str:
    """The PIN on a receipt, or as much as is on the paper."""
    return "".join(pin_lines(receipt)).replace(" ", "")


class Merchant:
    """Works the keypad of `terminal` and waits for what the display says."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def press(self, key: str, *then: str, timeout_s: float = 20) -> str:
        """Press a key; return the first of `then` that the display shows afterwards."""
        self.terminal.board.press(key)
        return self.terminal.wait_shows(*then, timeout_s=timeout_s) if then else ""

    def sign_in(self, pin: str = MERCHANT_PIN) -> None:
        """From the PIN prompt to the menu."""
        if self.terminal.wait_shows("Menu", "Your PIN, then #", timeout_s=60) != "Menu":
            self.terminal.board.type(pin + "#")
            self.terminal.wait_shows("Menu")

    def choose(self, product: int = 1) -> str:
        """From the menu to the question whether to sell that product, or to why it is not sold."""
        self.terminal.wait_shows("Menu", timeout_s=30)
        self.press("1", "Sell what?")
        question = f"Sell {PRICES.products[product - 1].name}?"
        return self.press(str(product), question, "Not sold", timeout_s=30)

    def start_sale(self, product: int = 1, *, from_stock: bool = False) -> None:
        """From the menu to where the sale is under way."""
        if self.choose(product) == "Not sold":
            return
        self.press("#")
        if from_stock:
            shown = self.terminal.wait_shows(
                "Sell from the stock in", "Looking for the network", "Not sold", timeout_s=60
            )
            if shown.startswith("Looking"):
                shown = self.press("*", "Sell from the stock in", "Not sold")
            if shown != "Not sold":
                self.press("#")

    def make_sale(self, product: int = 1, *, from_stock: bool = False) -> Receipt:
        """A whole sale, up to the display's `Sold`; return the receipt."""
        before = len(self.terminal.receipts())
        self.start_sale(product, from_stock=from_stock)
        self.terminal.wait_shows("Sold", timeout_s=60)
        return self.terminal.wait_receipts(before + 1)[-1]

    def leave_sale(self) -> None:
        """From what a sale ended in, back to the menu."""
        self.press("#", "Menu")

    def sell(self, product: int = 1, *, from_stock: bool = False) -> Receipt:
        """A whole sale, back to the menu; return the receipt."""
        receipt = self.make_sale(product, from_stock=from_stock)
        self.leave_sale()
        return receipt

    def is_refused(self, text: str, product: int = 1, *, from_stock: bool = False) -> None:
        """Try a sale; it must end in `Not sold` with this text, and back at the menu."""
        self.start_sale(product, from_stock=from_stock)
        self.terminal.wait_shows("Not sold", timeout_s=60)
        self.terminal.wait_shows(text)
        self.leave_sale()


def nothing_lost(
    world: World,
    debits_minor: Sequence[int],
    *,
    float_minor: int = FLOAT_MINOR,
    unprinted: int = 0,
    alarms: Sequence[str] = (),
) -> None:
    """Ledger, float, vouchers, journal and paper tell the same story of these sales, in this order.

    The terminal must be on, with a way to the server. `float_minor`: what was paid in.
    `unprinted`: sales whose PIN is whole on no paper.
    """
    books = world.books
    expected = sorted(debits_minor)
    world.eventually(
        lambda: sorted(books.debits_minor()) == expected and agreed(books),
        90,
        f"debits of {expected}, agreed upon,",
    )
    problems = [
        f"float {books.float_minor()}" * (books.float_minor() != float_minor - sum(debits_minor)),
        "the books do not sum to zero" * (books.ledger_sum_minor() != 0),
        "a voucher was given twice" * (books.assigned_twice() != 0),
        f"alarms {books.alarms()}" * (sorted(books.alarms()) != sorted(alarms)),
    ]
    engine = open_engine(world.server.database)
    with reading(engine) as connection:
        problems += checks.problems(connection)
    engine.dispose()
    whole = [receipt for receipt in world.terminal.receipts() if len(pin_on(receipt)) == 16]
    originals = [pin_on(receipt) for receipt in whole if "DUPLICATE" not in receipt.text]
    handed_out = {pin_on(receipt) for receipt in whole}
    known = world.pins("air50") | world.pins("air100")
    problems += [
        "a PIN is on paper twice as an original" * (len(originals) != len(set(originals))),
        "a PIN on paper was never in the vault" * (not handed_out <= known),
        f"{len(handed_out)} PINs on paper" * (len(handed_out) != len(debits_minor) - unprinted),
    ]
    assert not any(problems), [problem for problem in problems if problem]


def agreed(books: Books) -> bool:
    """Whether the last check-in told the ledger's float, and all records it told of have come."""
    check_in = books.check_in()
    return bool(
        check_in
        and check_in["own_float_minor"] == books.float_minor()
        and (check_in["journal_needed"] or check_in["journal_next"])
        <= books.acknowledged_through() + 1
    )
