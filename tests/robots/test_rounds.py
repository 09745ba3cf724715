"""A robot buys from a simulated operator through a real server; whichever link breaks is named, and
nothing is bought twice.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hw_sim.suppliers.airtime import Settings
from tests.board.served import served
from tests.server.shop import PASSPHRASE, ROOT
from tests.server.test_channels import add
from tests.suppliers.conftest import signed
from tests.suppliers.counter import Counter, opened
from updater_server import channels
from updater_server.errors import InputError
from updater_server.fleet import alarms
from updater_server.fleet import canaries as flown
from updater_server.lookout import picture
from updater_server.lookout.picture import Probes
from updater_server.robots import canaries, listed, worker
from updater_server.robots.canaries import Canaries
from updater_server.robots.device import RobotDevice
from updater_server.robots.listed import Listed
from updater_server.robots.worker import Rounds
from updater_server.sales import supplier_setup
from updater_server.sales.vending import Desk
from updater_server.store.engine import reading, writing
from updater_server.telemetry.intake import take_in
from updater_server.telemetry.store import Told

__all__ = ["signed"]
ROBOT = """
server = "http://127.0.0.1:{port}"
[[robot]]
name = "savanna"
terminal = "0000000000000001"
device_key = "{key}"
product = "top"
recipient = "0712345678"
amount_minor = 10000
"""


class Town:
    """A counter whose server answers over HTTP, and its robots."""

    def __init__(self, counter: Counter, keys: Path, port: int, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch
        self.counter = counter
        self.shop = counter.shop
        self.device = counter.shop.enrol(1)
        signers = channels.keys.load_all(keys, PASSPHRASE)
        repository = channels.Repository.open(self.shop.service.folder.repository)
        add(repository, signers, 7)
        repository.publish(signers)
        key = hashlib.sha256(b"1").hexdigest()
        (self.shop.folder / listed.FILE).write_text(ROBOT.format(port=port, key=key))
        self.rounds = Rounds(self.shop.service, lambda _: self.counter.pass_time(10))

    def listed(self) -> Listed:
        """The file as it is."""
        found = listed.read(self.shop.folder)
        assert found is not None
        return found

    def change(self, old: str, new: str) -> None:
        """Change a line of the file."""
        path = self.shop.folder / listed.FILE
        path.write_text(path.read_text().replace(old, new))

    def go(self, seconds: int = 300) -> tuple[str, str]:
        """Time passes, the worker takes in what was told, the robots go round: link and why."""
        self.shop.clock[0] += seconds
        self.take_in()
        (probe,) = self.rounds.go(self.listed()).robots
        return probe.link, probe.why

    def take_in(self) -> None:
        service = self.shop.service
        told = Told(service.engine, service.folder.telemetry)
        take_in(service.spool, told, service.now)
        told.close()

    def said(self) -> list[str]:
        """Open alarms about robots."""
        with reading(self.shop.service.engine) as connection:
            return [one["text"] for one in alarms.open_alarms(connection, code=worker.ALARM)]

    def delivered(self) -> int:
        """How often the operator sent something."""
        return sum(len(sent) for sent in self.counter.operator.delivered.values())


@pytest.fixture
def town(tmp_path: Path, signed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with (
        opened(tmp_path / "counter", signed, Settings()) as counter,
        served(counter.service) as port,
    ):
        yield Town(counter, signed / "keys", port, monkeypatch)
        assert counter.shop.problems() == []


def test_a_round_goes_through_every_link_and_the_books_have_it_as_a_terminals(town: Town) -> None:
    for number in (1, 2, 3):
        assert town.go() == ("", "")
        assert town.delivered() == number
    assert town.shop.float_of(town.device) == 100_000 - 3 * 9_500
    assert town.shop.sql("SELECT acknowledged_through FROM terminal") == [(9,)]
    assert town.said() == []
    with reading(town.shop.service.engine) as connection:
        kept, _ = picture.kept(connection, Probes)
    assert kept is not None
    assert kept.robots[0].slip.startswith("Savanna top-up\n0712345678\n")


def stop(town: Town, stopped: bool = True) -> None:
    with writing(town.shop.service.engine) as connection:
        supplier_setup.stop(connection, "savanna", stopped, "Asha", town.shop.clock[0])


def test_a_broken_link_is_one_alarm_for_as_long_as_it_is_broken(town: Town) -> None:
    stop(town)
    assert town.go()[0] == "buy"
    assert town.go()[0] == "buy"
    assert town.said() == ["savanna: buy: refused: supplier_down"]
    stop(town, False)
    assert town.go() == ("", "")
    assert town.said() == []
    assert town.delivered() == 1


def spoil(town: Town, kind: int, change: Callable[[RobotDevice, dict[int, Any]], object]) -> None:
    """Change what the robot reads of each answer to a message of this kind."""
    asked = RobotDevice.ask

    def ask(self: RobotDevice, content: dict[int, Any]) -> dict[int, Any]:
        reply = asked(self, content)
        if content[0] == kind:
            change(self, reply)
        return reply

    town.patch.setattr(RobotDevice, "ask", ask)


def expired(town: Town) -> None:
    town.shop.clock[0] += 400 * 86400


def forged_news(town: Town) -> None:
    spoil(town, 1, lambda self, _: setattr(self, "newest", b"another!"))


def no_slip(town: Town) -> None:
    spoil(town, 2, lambda _, reply: reply.update({3: "a\x07bell"}))


def not_on_the_list(town: Town) -> None:
    town.change('product = "top"', 'product = "gone"')


def another_price(town: Town) -> None:
    town.change("amount_minor = 10000", "amount_minor = 999999")


def stopped(town: Town) -> None:
    stop(town)


def no_money(town: Town) -> None:
    town.shop.top_up(town.device, -85_000, "taken away")


def another_journal(town: Town) -> None:
    place = town.shop.folder / "robots" / "0000000000000001.json"
    kept = msgspec.json.decode(place.read_bytes())
    place.write_bytes(msgspec.json.encode({**kept, "tag": "11" * 8}))


def money_moved(town: Town) -> None:
    spoil(town, 3, lambda *_: town.shop.top_up(town.device, 500, "in the middle"))


def nobody_takes_in(town: Town) -> None:
    town.patch.setattr(Town, "take_in", lambda _: None)


BREAKS: dict[Callable[[Town], None], tuple[str, str]] = {
    expired: ("poll", "timestamp.json has expired"),
    forged_news: ("poll", "the server speaks of another timestamp.json than it gives"),
    not_on_the_list: ("range", "gone is not on catalogue/default.json"),
    another_price: ("range", "top is not sold for 999999"),
    stopped: ("buy", "refused: supplier_down"),
    no_money: ("buy", "refused: no_float"),
    no_slip: ("print", "the slip has nothing to read, or what no printer has"),
    another_journal: ("journal", "an error reply conflict"),
    money_moved: ("settle", "the float is another than the sale's answer said"),
    nobody_takes_in: ("told", "counters that were told are not taken in"),
}


@pytest.mark.parametrize("happens", BREAKS, ids=lambda one: one.__name__)
def test_whichever_link_breaks_is_named(town: Town, happens: Callable[[Town], None]) -> None:
    assert town.go() == ("", "")
    happens(town)
    assert town.go() == BREAKS[happens]
    assert town.said() == ["savanna: " + ": ".join(BREAKS[happens])]


def test_sales_that_nobody_asks_a_supplier_for_are_a_late_queue(town: Town) -> None:
    def late() -> list[str]:
        queues.look()
        with reading(town.shop.service.engine) as connection:
            found = alarms.open_alarms(connection, code=canaries.ALARM)
            (mine,) = [one for one in flown.listing(connection) if one.queue == "supplier savanna"]
        states.append(mine.state)
        return [one["text"] for one in found if one["text"].startswith("supplier")]

    queues, states = Canaries(town.shop.service), list[str]()
    assert late() == []
    with town.patch.context() as patch:
        patch.setattr(Desk, "start", lambda *_: None)
        patch.setattr(Desk, "look", lambda *_: 0)
        assert town.go() == ("buy", "the sale is not decided")
        for _ in range(2):
            town.shop.clock[0] += 360
            said = late()
    assert said == [
        "supplier savanna: a sale that is due is not looked after: does the server run?"
    ]
    town.counter.pass_time(10)
    assert late() == []
    assert states == ["came", "waiting", "waiting", "came"]


def test_a_robot_that_is_killed_before_its_answer_asks_for_the_same_sale_again(town: Town) -> None:
    asked = RobotDevice.ask

    def killed(self: RobotDevice, content: dict[int, Any]) -> dict[int, Any]:
        reply = asked(self, content)
        if content[0] == 2:
            raise KeyboardInterrupt
        return reply

    with town.patch.context() as patched:
        patched.setattr(RobotDevice, "ask", killed)
        with pytest.raises(KeyboardInterrupt):
            town.go()
    assert town.go() == ("", "")
    assert town.delivered() == 1
    assert town.shop.float_of(town.device) == 100_000 - 9_500


def test_a_server_that_is_not_there_is_an_alarm_and_so_is_a_file_that_cannot_be_read(
    town: Town,
) -> None:
    found = town.listed()
    lost = msgspec.structs.replace(found, server="http://127.0.0.1:1")
    (probe,) = town.rounds.go(lost).robots
    assert (probe.link, probe.why) == ("poll", "the server is not reached: ConnectError")
    town.rounds.trouble("robots.toml: nonsense")
    assert town.said() == ["robots.toml: nonsense"]


def test_robots_are_no_crash_loop(town: Town) -> None:
    for _ in range(8):
        assert town.go(60) == ("", "")
    assert town.shop.sql("SELECT looping_since FROM check_in") == [(None,)]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('server = "http', 'server = "ftp', "server"),
        ("amount_minor = 10000", "amount_minor = 0", "amount_minor"),
        ('name = "savanna"', 'name = "savanna"\ncolour = "red"', "colour"),
        ('terminal = "00', 'terminal = "zz', "terminal"),
        ("[[robot]]", "[[robot", "robots.toml"),
    ],
)
def test_a_file_that_is_wrong_is_refused_by_the_fields_name(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    text = ROBOT.format(port=1, key="ab" * 32)
    assert listed.read(tmp_path) is None
    (tmp_path / listed.FILE).write_text(text.replace(old, new))
    with pytest.raises(InputError, match=says):
        listed.read(tmp_path)
    twice = text + text[text.index("[[robot]]") :]
    (tmp_path / listed.FILE).write_text(twice)
    with pytest.raises(InputError, match="savanna is there twice"):
        listed.read(tmp_path)


def test_the_example_in_the_docs_is_one(tmp_path: Path) -> None:
    shutil.copy(ROOT / "docs" / "robots.toml", tmp_path / listed.FILE)
    found = listed.read(tmp_path)
    assert found is not None
    assert [robot.name for robot in found.robot] == ["savanna"]
