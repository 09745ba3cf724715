"""A message of our own goes through each queue, and where one stands still an alarm names the link.
Whoever works the queues here is the worker's own: only the clock is the test's.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.notices.test_metrics import scrape
from tests.notices.town import Town
from tests.server.shop import ROOT
from updater_server.channels.history import History
from updater_server.errors import InputError
from updater_server.faces.dashboard.board_figures import look
from updater_server.faces.dashboard.board_parts import lights
from updater_server.fleet import alarms
from updater_server.notices import receivers
from updater_server.notices.hooks import Hooks
from updater_server.parties import webhooks
from updater_server.robots import canaries
from updater_server.robots.canaries import ALARM, Canaries, Settings
from updater_server.store.engine import reading, writing
from updater_server.store.tables import canary, ledger_transaction, notice
from updater_server.telemetry.store import Told
from updater_server.waves.worker import Intake

EVERY = ("notices asha", "notices board", "notices joy", "telemetry", "webhook partner")


class Queues:
    """A town whose worker is made of its jobs, each of which can stand still."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.service = town.shop.service
        self.job = Canaries(self.service)
        self.told = Told(self.service.engine, self.service.folder.telemetry)
        self.intake = Intake(self.service, self.told)
        self.hooks = Hooks(self.service)
        self.dead: set[str] = set()
        town.everybody()
        with writing(self.service.engine) as connection:
            webhooks.put(
                connection, self.service.key, "partner", town.hook.url, None, "asha", town.now[0]
            )

    def pass_time(self, seconds: int) -> None:
        """The worker's jobs look, every half a minute."""
        for _ in range(seconds // 30):
            self.town.now[0] += 30
            self.job.look()
            if "notices" not in self.dead:
                self.town.look()
            if "hooks" not in self.dead:
                self.hooks.look()
                self.hooks.wait(15)
            if "telemetry" not in self.dead:
                self.intake.take()

    def states(self) -> dict[str, str]:
        """By queue."""
        with reading(self.service.engine) as connection:
            return {row.queue: row.state for row in connection.execute(select(canary))}

    def late(self) -> list[str]:
        """The open alarms."""
        with reading(self.service.engine) as connection:
            found = alarms.open_alarms(connection, code=ALARM)
        return sorted(one["text"] for one in found)

    def light(self) -> str:
        """What the board says of queues."""
        found = lights(look(self.service, History(self.service.folder.repository)))
        (mine,) = [part for part in found.split("<div") if "queues flow" in part]
        return mine

    def settings(self, text: str) -> None:
        (self.town.shop.folder / canaries.FILE).write_text(text)


@pytest.fixture
def queues(town: Town) -> Iterator[Queues]:
    made = Queues(town)
    yield made
    made.told.close()
    assert town.shop.problems() == []


def test_one_goes_through_every_queue_and_nobody_is_sent_anything(queues: Queues) -> None:
    posted = select(ledger_transaction.c.id)
    with reading(queues.service.engine) as connection:
        before = connection.execute(posted).all()
    queues.pass_time(1800)
    assert queues.states() == dict.fromkeys(EVERY, "came")
    town = queues.town
    assert (town.mailbox.mails, town.gateway.bodies, town.hook.bodies) == ([], [], [])
    assert queues.late() == []
    assert "NOT" not in queues.light()
    assert "notices asha: 0 s, " in queues.light()
    assert "as far as it is ours" in queues.light()
    figures = scrape(town)
    for name in EVERY:
        assert figures["duka_canary_lag_seconds", (name,)] == 0
        assert town.now[0] - figures["duka_canary_changed_seconds", (name,)] <= 330
    with reading(queues.service.engine) as connection:
        assert connection.execute(posted).all() == before
        assert connection.execute(select(notice)).all() == []


def test_who_names_an_end_for_canaries_gets_them_there_and_no_person_does(queues: Queues) -> None:
    town = queues.town
    text = (town.shop.folder / receivers.FILE).read_text()
    for kind, end in (
        ("email", "robot@example.org"), ("sms", "+254700000099"), ("webhook", town.hook.url + "c"),
    ):  # fmt: skip
        text = text.replace(f'kind = "{kind}"\n', f'kind = "{kind}"\ncanary = "{end}"\n')
    town.write(text)
    queues.settings('webhooks = ["partner"]\n')
    queues.pass_time(60)
    (mail,) = town.mailbox.mails
    assert (mail["To"], mail["Subject"]) == ("robot@example.org", "[duka] canary")
    (sms,) = town.gateway.forms()
    assert (sms["to"], sms["message"]) == ("+254700000099", "DUKA canary")
    for posted in town.hook.documents():
        assert posted.get("alerts", posted.get("events")) == []
    names = [headers.get("duka-delivery", "") for headers in town.hook.headers]
    assert sorted(name.partition("-canary-")[0] for name in names) == ["", "partner"]
    assert queues.states() == dict.fromkeys(EVERY, "came")
    assert "as far as it is ours" not in queues.light()


@pytest.mark.parametrize("dead", ["notices", "hooks", "telemetry"])
def test_a_job_that_died_is_named_and_over_when_it_works_again(queues: Queues, dead: str) -> None:
    queues.pass_time(300)
    queues.dead.add(dead)
    queues.pass_time(600)
    assert queues.late() == []
    queues.pass_time(420)
    found = queues.late()
    assert found
    for text in found:
        assert text.endswith(f": nobody takes it: does the worker's job `{dead}` run?")
    assert "NOT queues flow" in queues.light()
    assert "behind since" in queues.light()
    named = found[0].partition(":")[0]
    assert scrape(queues.town)["duka_canary_lag_seconds", (named,)] > 600
    queues.dead.clear()
    queues.pass_time(60)
    assert queues.late() == []
    assert queues.states() == dict.fromkeys(EVERY, "came")


def test_a_webhook_that_was_stopped_and_forgotten_is_named(queues: Queues) -> None:
    def stop(stopped: bool) -> None:
        with writing(queues.service.engine) as connection:
            webhooks.stop(connection, "partner", stopped, "asha", queues.town.now[0])

    stop(True)
    queues.pass_time(720)
    assert queues.late() == ["webhook partner: it is stopped: `webhook resume partner`"]
    stop(False)
    queues.pass_time(60)
    assert queues.late() == []


def test_a_canary_waits_behind_what_does_not_go_out_and_never_holds_up_a_person(
    queues: Queues,
) -> None:
    town = queues.town
    town.everybody(grade=0)
    text = (town.shop.folder / receivers.FILE).read_text()
    town.write(text.replace('kind = "email"\n', 'kind = "email"\ncanary = "robot@example.org"\n'))
    town.mailbox.refuses = "451 later"
    queues.pass_time(660)
    assert queues.late() == ["notices asha: the far end does not take it"]
    assert "451" in queues.light()
    town.alarm("float_negative")
    queues.pass_time(120)
    behind = "notices asha: messages do not go out: see `notices list`"
    assert queues.late() == [behind]
    town.mailbox.refuses = ""
    queues.pass_time(900)
    first, *others = town.mailbox.mails
    assert (first["Subject"], first["To"]) == (
        "[duka] float_negative (money may be wrong)", "asha@example.org",
    )  # fmt: skip
    assert {mail["To"] for mail in others} == {"robot@example.org"}
    assert queues.late() == []


def test_a_receiver_that_hangs_holds_up_its_own_queue_alone(queues: Queues) -> None:
    queues.town.gateway.hangs.clear()
    queues.town.alarm("rollback")
    for _ in range(40):
        queues.town.now[0] += 30
        queues.job.look()
        queues.town.notices.look()
        for name in ("asha", "board"):
            queues.town.notices._busy[name].join(15)
    assert queues.states()["notices asha"] == queues.states()["notices board"] == "came"
    assert [text for text in queues.late() if text.startswith("notices joy: ")]
    queues.town.gateway.hangs.set()


def test_a_spool_that_was_lost_gets_another_canary(queues: Queues) -> None:
    queues.dead.add("telemetry")
    queues.pass_time(30)
    (queues.service.folder.telemetry / "spool").unlink()
    queues.service.spool.close()
    queues.dead.clear()
    queues.pass_time(330)
    assert queues.states()["telemetry"] == "came"


def test_a_queue_that_is_no_more_is_forgotten_and_a_wrong_file_is_told(queues: Queues) -> None:
    queues.dead.add("notices")
    queues.pass_time(720)
    assert len(queues.late()) == 3
    queues.town.write("")
    queues.settings("every_s = 5\n")
    queues.pass_time(30)
    (late,) = queues.late()
    assert late.startswith("canaries.toml: ")
    assert "every_s" in late
    assert sorted(queues.states()) == ["telemetry", "webhook partner"]
    queues.settings("")
    queues.pass_time(30)
    assert queues.late() == []


def test_an_end_for_canaries_is_as_safe_as_any(town: Town) -> None:
    town.everybody()
    path = town.shop.folder / receivers.FILE
    town.write(path.read_text().replace('kind = "sms"\n', 'kind = "sms"\ncanary = "joy"\n'))
    with pytest.raises(InputError, match=r"receiver 2, canary: an sms needs `to`"):
        receivers.read(path)


def test_the_example_in_the_docs_is_a_good_one(tmp_path: Path) -> None:
    shutil.copy(ROOT / "docs" / canaries.FILE, tmp_path)
    assert canaries.read(tmp_path) == Settings(webhooks=["shore"], standbys=3)


def test_the_job_runs_until_it_is_told_to_stop(queues: Queues) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=canaries.run, args=(queues.service, "here", stop))
    thread.start()
    try:
        while len(queues.states()) < len(EVERY):
            assert thread.is_alive()
            stop.wait(0.02)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
