"""A whole terminal, a real server and a simulated operator: a merchant tops a number up, and what
the operator did, the ledger, the journal and the paper are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from hw_sim.suppliers.airtime import Operator, Settings
from hw_sim.suppliers.faults import Faults
from tests.support.merchant import FLOAT_MINOR, agreed
from tests.support.world import PRICES
from tests.terminal.conftest import MakeWorld, TerminalWorld
from updater_server.channels.entry import Product, Recipient
from updater_server.sales import checks
from updater_server.store.engine import open_engine, reading

TOP_UP = Product(
    "top50", "Savanna top-up 50", "Savanna", 5000, 250, "Dial *144#", [4],
    kind="topup", recipient=Recipient((10, 10), ["07"]),
)  # fmt: skip
NUMBER = "0712345678"


@contextmanager
def an_operator(world: TerminalWorld, faults: Faults, delay_s: float = 0.0) -> Iterator[Operator]:
    """Its program, and the server told of it by command. `delay_s`: of real time, until it says
    what became of an order.
    """
    operator = Operator(Settings(faults=faults, delay_s=delay_s))
    key = world.folder / "operator.key"
    key.write_text("atsk_simulated\n")
    try:
        told = world.server.command(
            "supplier", "set", "savanna", "--kind", "airtime", "--key-file", str(key),
            "--setting", f"url={operator.url}", "--setting", "username=duka",
            "--setting", "country=254", "--setting", "deadline_s=1", "--by", "Asha",
        )  # fmt: skip
        path = re.search(r"(/v1/suppliers/savanna/reports/\S+)", told)
        assert path
        operator.settings.callback = world.server.url + path[1]
        world.server.command("supplier", "route", "top50", "--supplier", "savanna", "--by", "Asha")
        yield operator
    finally:
        operator.close()


def at_the_counter(shop: MakeWorld) -> TerminalWorld:
    """Signed in, with a price list that has a top-up."""
    world = shop("calm")
    world.manager.set_prices(
        msgspec.structs.replace(PRICES, version=2, products=[*PRICES.products, TOP_UP])
    )
    world.manager.publish()
    world.terminal.board.power_cycle()
    world.terminal.wait_log("new catalogue")
    world.wait_online()
    world.merchant.sign_in()
    return world


def top_up(world: TerminalWorld, *outcomes: str) -> str:
    """The whole flow, up to what the display says at its end."""
    merchant = world.merchant
    merchant.press("2", "Sell what?")
    merchant.press("1", "Type the number")
    world.terminal.board.type(NUMBER + "#")
    world.terminal.wait_shows("Once more")
    world.terminal.board.type(NUMBER + "#")
    world.terminal.wait_shows("Sell Savanna top-up 50?")
    return merchant.press("#", *outcomes, timeout_s=600)


def problems(world: TerminalWorld) -> list[str]:
    """What `check --full` finds."""
    engine = open_engine(world.server.database)
    with reading(engine) as connection:
        found = checks.problems(connection)
    engine.dispose()
    return found


def test_a_number_is_topped_up_and_all_four_books_say_so(shop: MakeWorld) -> None:
    world = at_the_counter(shop)
    with an_operator(world, Faults()) as operator:
        top_up(world, "Sold")
        (slip,) = world.terminal.wait_receipts(1)
        assert "0712 345 678" in slip.text
        assert "KES 50.00" in slip.text
        assert operator.delivered == {"+254712345678": ["KES 50"]}
        assert world.books.float_minor() == FLOAT_MINOR - 4750
        world.terminal.board.power_cycle()
        world.eventually(lambda: agreed(world.books), 60, "the terminal's own figures agree")
        assert world.books.alarms() == []
        assert problems(world) == []


def test_an_answer_that_the_operator_loses_is_still_one_sale(shop: MakeWorld) -> None:
    world = at_the_counter(shop)
    with an_operator(world, Faults()) as operator:
        operator.cut_next(cut_out=0)  # it does what was asked, and its answer is lost
        # the server's question to it takes no simulated time: it may be done before, or later
        if top_up(world, "Sold", "Not decided yet") != "Sold":
            world.terminal.wait_shows("Sold", timeout_s=3600)
        assert operator.delivered == {"+254712345678": ["KES 50"]}
        assert world.books.float_minor() == FLOAT_MINOR - 4750
        assert problems(world) == []


def test_what_the_operator_says_late_is_waited_for_and_never_sent_again(shop: MakeWorld) -> None:
    world = at_the_counter(shop)
    with an_operator(world, Faults(order={"cut_answer": 1.0}), delay_s=10.0) as slow:
        top_up(world, "Not decided yet")
        assert slow.delivered == {}
        assert world.books.float_minor() == FLOAT_MINOR - 4750  # kept for it, and for nothing else
        assert world.terminal.receipts() == []
        world.terminal.wait_shows("Sold", timeout_s=3600)
        (slip,) = world.terminal.wait_receipts(1)
        assert "0712 345 678" in slip.text
        assert slow.delivered == {"+254712345678": ["KES 50"]}
        assert world.books.float_minor() == FLOAT_MINOR - 4750
        assert problems(world) == []


def test_an_operator_that_refuses_costs_the_merchant_nothing(shop: MakeWorld) -> None:
    world = at_the_counter(shop)
    with an_operator(world, Faults(order={"refuses": 1.0})) as operator:
        top_up(world, "Not sold")
        assert operator.delivered == {}
        assert world.terminal.receipts() == []
        world.eventually(lambda: world.books.float_minor() == FLOAT_MINOR, 60, "the money back")
        assert problems(world) == []
