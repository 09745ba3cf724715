"""The worker's session with a service centre that was written from SMPP's specification and runs as
a program of its own: messages in, answers and words out, and what befalls the session.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from hw_sim.loop_thread import LoopThread
from hw_sim.network.centre import SmsCentre
from hw_sim.network.listener import Listeners
from hw_sim.network.sms_pdu import Message, of_text
from hw_sim.pacing import Pace
from hw_sim.smsc import cells
from hw_sim.smsc.centre import Centre
from hw_sim.smsc.face import Account, Face
from tests.server.device import Device
from tests.server.shop import ROOT, Shop, make_signed
from updater_server.errors import InputError
from updater_server.faces import terminal
from updater_server.fleet import alarms, canaries, terminals, texting
from updater_server.robots.canaries import ALARM, Canaries
from updater_server.sms import gateway, worker
from updater_server.sms.esme import Session, SessionLost
from updater_server.store.engine import reading, writing

MINE, OFFICE = "+254700000001", "+254700000100"
PASSWORD = "savanna8"
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_signed(tmp_path_factory.mktemp("signed"))


@pytest.fixture
def shop(tmp_path: Path, signed: Path) -> Iterator[Shop]:
    made = Shop.open(tmp_path / "data", signed / "repository")
    made.stock_vault(count=20)
    yield made
    made.service.engine.dispose()


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    made = LoopThread()
    yield made
    made.close()


def until(check: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@contextmanager
def program(*arguments: str) -> Iterator[dict[str, int]]:
    """The centre as a program; its ports."""
    command = [sys.executable, "-m", "hw_sim.smsc", "--account", f"duka:{PASSWORD}:{OFFICE}"]
    running = subprocess.Popen([*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        yield json.loads(running.stdout.readline())
    finally:
        running.kill()
        running.wait()


@contextmanager
def at_work(shop: Shop, port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The worker's job `sms`."""
    monkeypatch.setenv("DUKA_SMPP_PASSWORD", PASSWORD)
    (shop.folder / gateway.FILE).write_text(
        f'host = "127.0.0.1"\nport = {port}\nsystem_id = "duka"\n'
        f'password_env = "DUKA_SMPP_PASSWORD"\nnumber = "{OFFICE}"\nper_second = 1000\n'
    )
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(shop.service, "here", stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


class Phone:
    """A part on a network of its own, joined to a centre elsewhere. `heard`: what came."""

    def __init__(self, loop: LoopThread, port: int, number: str = MINE) -> None:
        self.part = SmsCentre(Listeners())
        self._loop = loop
        self._joined: Future[Any] = asyncio.run_coroutine_threadsafe(
            cells.join("127.0.0.1", port, number, self.part), loop.loop
        )

    def send(self, content: bytes, coding: int = 4) -> None:
        message = Message(OFFICE, coding, False, len(content), content)
        until(lambda: self._loop.call(self.part.submit, message) is None, "sent")

    def text(self, words: str) -> None:
        self._loop.call(self.part.submit, of_text(OFFICE, words))

    @property
    def heard(self) -> list[bytes]:
        return [message.data for message in self.part._waiting]


def a_sale(device: Device, sequence: int = 5) -> tuple[bytes, int]:
    content = {0: 2, 1: sequence, 2: "air50", 3: 5000, 4: 1_790_000_000, 20: 250}
    return device.seal(content)


def test_a_sale_and_a_lock_through_a_program_that_speaks_smpp(
    shop: Shop, loop: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = shop.enrol()
    with program("--transit-s", "0.01") as ports, at_work(shop, ports["smpp"], monkeypatch):
        phone = Phone(loop, ports["cells"])
        until(lambda: phone.part.on_sent.__name__ == "<lambda>" and phone._joined, "joined")
        phone.text("hello?")  # somebody's words: no answer, and not again
        phone.send(bytes(140))
        body, counter = a_sale(device)
        phone.send(body)
        until(lambda: phone.heard, "an answer")
        assert device.open(phone.heard[0], counter)[1] == 0
        phone.send(body)  # the operator brings it twice
        with writing(shop.service.engine) as connection:
            terminals.set_blocked(connection, device.terminal_id, True)
            now = shop.service.now()
            assert texting.say(connection, device.terminal_id, texting.LOCK, "Asha", now)
        until(lambda: len(phone.heard) == 2, "a word")
        assert len(phone.heard[1]) == 20
        until(lambda: shop.sql("SELECT state FROM sms_word") == [("sent",)], "noted")
    assert shop.float_of(device) == 100_000 - 4750


class OwnCentre:
    """A centre in this process, to be made trouble with."""

    def __init__(self, loop: LoopThread) -> None:
        self._loop = loop
        pace = Pace(1.0)
        self.centre = Centre(pace)
        self.centre.weather.transit_s = 0.0
        self.face = Face(self.centre, pace, {"duka": Account(OFFICE, PASSWORD)})
        listening = asyncio.start_server(self.face.serve, "127.0.0.1", 0)
        self.listener = loop.run(listening)
        self.port: int = self.listener.sockets[0].getsockname()[1]
        self.heard: list[bytes] = []
        loop.call(self.centre.reach, MINE, lambda source, message: self.heard.append(message.data))

    def send(self, content: bytes) -> None:
        message = Message(OFFICE, 4, False, len(content), content)
        self._loop.call(self.centre.submit, MINE, OFFICE, message)


@pytest.fixture
def own(loop: LoopThread) -> Iterator[OwnCentre]:
    made = OwnCentre(loop)
    yield made
    loop.call(made.listener.close)


def session(own: OwnCentre, password: str = PASSWORD, **changes: Any) -> Session:
    found = gateway.Gateway("127.0.0.1", "duka", OFFICE, own.port)
    return Session(found, password, lambda sender, data: b"", lambda word: None, **changes)


def test_what_came_while_nobody_was_bound_is_answered_by_the_next_session(
    shop: Shop, own: OwnCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, counter = a_sale(device := shop.enrol())
    own.send(body)
    with at_work(shop, own.port, monkeypatch):
        until(lambda: own.heard, "an answer")
    assert device.open(own.heard[0], counter)[1] == 0


def test_a_database_that_is_busy_has_the_message_brought_again(
    shop: Shop, own: OwnCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, counter = a_sale(device := shop.enrol())
    monkeypatch.setattr("hw_sim.smsc.face.AGAIN_S", 0.1)
    handle = terminal.handle
    busy = [True, True]

    def first_busy(service: Any, data: bytes) -> tuple[int, bytes]:
        return (503, b"") if busy and busy.pop() else handle(service, data)

    monkeypatch.setattr(terminal, "handle", first_busy)
    with at_work(shop, own.port, monkeypatch):
        own.send(body)
        until(lambda: own.heard, "an answer")
    assert not busy
    assert device.open(own.heard[0], counter)[1] == 0


def test_a_word_that_the_centre_throttles_waits_and_is_sent_once_it_may(
    shop: Shop, own: OwnCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = shop.enrol()
    monkeypatch.setattr(worker, "AGAIN_S", 0.1)
    monkeypatch.setattr(worker, "WORDS_EVERY_S", 0.05)
    own.face.throttles = 2
    with writing(shop.service.engine) as connection:
        now = shop.service.now()
        texting.set_number(connection, device.terminal_id, MINE, "Asha", now)
        texting.say(connection, device.terminal_id, texting.CHECK_IN, "Asha", now)
    with at_work(shop, own.port, monkeypatch):
        until(lambda: own.heard, "the word")
        until(lambda: shop.sql("SELECT state FROM sms_word") == [("sent",)], "noted")
    assert own.face.throttles == 0
    assert len(own.heard) == 1


def test_a_wrong_password_and_a_silent_centre_are_told_by_name(own: OwnCentre) -> None:
    with pytest.raises(SessionLost, match="bind_transceiver"):
        session(own, "wrong").bind()
    clock = [0.0]
    bound = session(own, clock=lambda: clock[0])
    bound.bind()
    bound.step(0.0)
    own.face.mute = True
    clock[0] = 40.0
    bound.step(0.0)  # it is asked whether it is there
    clock[0] = 80.0
    with pytest.raises(SessionLost, match="says nothing"):
        bound.step(0.0)
    bound.close()
    with pytest.raises(SessionLost, match="not bound"):
        bound.step(0.0)


def test_a_canary_ends_when_the_centre_answers_and_costs_no_message(
    shop: Shop, own: OwnCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    def state() -> str:
        with reading(shop.service.engine) as connection:
            found = canaries.find(connection, canaries.SMS)
        return "" if found is None else found.state

    job = Canaries(shop.service)
    job.look()
    assert state() == ""  # there is no gateway
    (shop.folder / gateway.FILE).touch()
    job.look()
    shop.clock[0] += 601
    job.look()
    with reading(shop.service.engine) as connection:
        texts = [one["text"] for one in alarms.open_alarms(connection, code=ALARM)]
    assert "short messages: nobody takes it: does the worker's job `sms` run?" in texts
    with at_work(shop, own.port, monkeypatch):
        until(lambda: state() == "came", "an answer")
    assert own.heard == []
    job.look()
    with reading(shop.service.engine) as connection:
        texts = [one["text"] for one in alarms.open_alarms(connection, code=ALARM)]
    assert [text for text in texts if text.startswith("short")] == []


@pytest.mark.parametrize(
    ("said", "is_lost"),
    [
        (b"\0\0\0\x04", True),
        (b"\xff\xff\xff\xff", True),
        (b"\0\0\0\x10\x77\x77\x77\x77\0\0\0\0\0\0\0\x01", True),
        (b"\0\0\0\x10\0\0\0\x05\0\0\0\0\0\0\0\x01", False),
        (b"\0\0\0\x12\0\0\0\x05\0\0\0\0\0\0\0\x01\xff\xff", False),
    ],
)
def test_nonsense_of_the_centre_is_passed_over_or_ends_the_session_and_nothing_else(
    loop: LoopThread, said: bytes, is_lost: bool
) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(4)
        pdu = head + await reader.readexactly(int.from_bytes(head, "big") - 4)
        body = b"savanna\0"
        writer.write(
            (16 + len(body)).to_bytes(4, "big") + b"\x80\0\0\x09\0\0\0\0" + pdu[12:16] + body + said
        )
        await reader.read(-1)
        writer.close()

    listener = loop.run(asyncio.start_server(nonsense, "127.0.0.1", 0))
    found = gateway.Gateway("127.0.0.1", "duka", OFFICE, listener.sockets[0].getsockname()[1])
    bound = Session(found, "", lambda sender, data: b"", lambda word: None)
    bound.bind()
    with pytest.raises(SessionLost) if is_lost else nullcontext():
        bound.step(PATIENCE_S)
    bound.close()
    loop.call(listener.close)


def test_an_unreachable_centre_is_an_alarm_that_falls_when_it_is_back(
    shop: Shop, own: OwnCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(worker, "_LONGEST_PAUSE_S", 0.02)
    account = own.face._accounts["duka"]
    own.face._accounts = {}
    with at_work(shop, own.port, monkeypatch):
        until(lambda: shop.alarms() == ["sms_gateway"], "the alarm")
        own.face._accounts = {"duka": account}
        until(lambda: not shop.alarms(), "its end")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('host = "a"\nsystem_id = "duka"\n', "number"),
        ('host = "a"\nsystem_id = "duka"\nnumber = "DUKA"\n', "number"),
        ('host = "a"\nsystem_id = "duka"\nnumber = "40123"\nprot = 1\n', "prot"),
        ('host = "a b"\nsystem_id = "duka"\nnumber = "40123"\n', "host"),
        ("host = [\n", "sms.toml"),
    ],
)
def test_a_file_that_is_wrong_is_refused_by_the_name_of_what_is_wrong(
    tmp_path: Path, text: str, why: str
) -> None:
    (tmp_path / gateway.FILE).write_text(text)
    with pytest.raises(InputError, match=why):
        gateway.read(tmp_path)


def test_the_example_in_the_docs_is_a_good_one() -> None:
    found = gateway.read(ROOT / "docs")
    assert found is not None
    assert (found.port, found.number) == (2775, OFFICE)


def test_who_sends_is_kept_but_never_over_what_a_person_has_set(shop: Shop) -> None:
    device = shop.enrol()
    mine = device.terminal_id
    with writing(shop.service.engine) as connection:
        assert not texting.say(connection, mine, texting.CHECK_IN, "Asha", 1)
        texting.set_number(connection, mine, "+2541", "", 1)
        texting.set_number(connection, mine, "+2542", "", 2)
        assert texting.number_of(connection, mine) == "+2542"
        texting.set_number(connection, mine, MINE, "Asha", 3)
        texting.set_number(connection, mine, "+2543", "", 4)
        assert texting.number_of(connection, mine) == MINE
        with pytest.raises(InputError, match="telephone number"):
            texting.set_number(connection, mine, "12", "Asha", 5)


def test_a_word_is_given_up_when_it_is_overtaken_a_week_old_or_was_meant_for_who_may_sell(
    shop: Shop,
) -> None:
    device = shop.enrol()
    mine, key = device.terminal_id, shop.service.key

    def due(now: int) -> int:
        with writing(shop.service.engine) as connection:
            return len(texting.due(connection, key, now))

    with writing(shop.service.engine) as connection:
        texting.set_number(connection, mine, MINE, "Asha", 100)
        texting.say(connection, mine, texting.LOCK, "Asha", 100)
    assert due(100) == 0, "it is not blocked"
    with writing(shop.service.engine) as connection:
        texting.say(connection, mine, texting.CHECK_IN, "Asha", 100)
        texting.say(connection, mine, texting.CHECK_IN, "Asha", 100)
    assert due(100) == 1
    assert due(100 + 8 * 86400) == 0
    with reading(shop.service.engine) as connection:
        assert not texting.has_waiting(connection)
    counters = [row[0] for row in shop.sql("SELECT counter FROM sms_word ORDER BY id")]
    assert counters == [100, 101, 102]
