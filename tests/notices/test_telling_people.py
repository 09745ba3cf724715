"""Alarms reach people, once, in groups, and never more than they can read."""

from __future__ import annotations

import hashlib
import hmac
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.notices.town import Town
from tests.server.shop import ROOT
from updater_server.__main__ import cli
from updater_server.errors import InputError
from updater_server.notices import receivers
from updater_server.notices.message import SMS_LETTERS, Example, Group, Message
from updater_server.notices.receivers import Receiver

ASHA = Receiver("asha", "webhook", per_hour=12, grade=3, way={"url": "http://x/"})
MINE = (7).to_bytes(8, "big")


def test_a_rollback_is_in_a_mailbox_on_a_telephone_and_on_a_wall_within_two_minutes(
    town: Town,
) -> None:
    town.everybody()
    town.look()
    town.alarm("rollback", "release 7: crash", MINE)
    for _ in range(20):
        town.look(6)
    (mail,) = town.mailbox.mails
    assert mail["Subject"] == "[duka] rollback (look at it)"
    assert mail["To"] == "asha@example.org"
    assert "release 7: crash" in str(mail.get_payload())
    assert MINE.hex() in str(mail.get_payload())
    (sms,) = town.gateway.forms()
    assert sms == {
        "username": "duka", "to": "+254700000001",
        "message": f"DUKA rollback x1 {MINE.hex()}: release 7: crash",
    }  # fmt: skip
    (posted,) = town.hook.documents()
    assert (posted["version"], posted["status"], posted["receiver"]) == ("4", "firing", "board")
    assert posted["alerts"][0]["labels"]["alertname"] == "rollback"


def test_what_is_over_is_told_once_and_what_comes_again_is_told_again(town: Town) -> None:
    town.everybody()
    town.alarm("rollback")
    for _ in range(4):
        town.look(20)
    town.over("rollback")
    for _ in range(4):
        town.look(20)
    assert [mail["Subject"] for mail in town.mailbox.mails] == [
        "[duka] rollback (look at it)", "[duka] over: rollback",
    ]  # fmt: skip
    assert [posted["status"] for posted in town.hook.documents()] == ["firing", "resolved"]
    first, second = (posted["alerts"][0]["fingerprint"] for posted in town.hook.documents())
    assert first == second
    town.alarm("rollback")
    town.look(20)
    assert len(town.mailbox.mails) == 3


def test_what_comes_and_goes_between_two_looks_tells_nobody(town: Town) -> None:
    town.everybody()
    town.alarm("rollback")
    town.look(9)
    town.over("rollback")
    town.look(60)
    assert town.mailbox.mails == []


def test_a_storm_is_one_message_and_then_one_in_five_minutes(town: Town) -> None:
    for n in range(2000):
        town.alarm("rollback", f"terminal {n}")
    messages = town.planned(ASHA, 20)
    for n in range(120):
        town.alarm("rollback", f"later {n}")
        messages += town.planned(ASHA, 5)
    assert [message.kind for message in messages] == ["firing", "more", "more"]
    assert messages[0].groups[0].alarms == 2000
    assert len(messages[0].groups[0].examples) == 20
    assert "and 1980 more" in messages[0].text()
    assert messages[0].alertmanager("x", "y")["truncatedAlerts"] == 1980


def test_nobody_gets_more_in_an_hour_than_was_said_and_nothing_is_lost(town: Town) -> None:
    asha = Receiver("asha", "webhook", per_hour=3, grade=3, way={"url": "http://x/"})
    codes = [f"kind_{n}" for n in range(10)]
    told: set[str] = set()
    count = 0
    for n, code in enumerate(codes):
        town.alarm(code)
        for message in town.planned(asha, 30 if n else 10):
            count += 1
            told |= {group.code for group in message.groups}
    assert count == 3
    for message in town.planned(asha, 3600):
        count += 1
        told |= {group.code for group in message.groups}
    assert told == set(codes)
    assert count == 4  # those that waited came in one


def test_each_gets_what_is_bad_enough_for_him(town: Town) -> None:
    for code in ("sale_conflict", "no_vouchers", "rollback", "expiry_soon"):
        town.alarm(code)
    got = {}
    town.now[0] += 20
    for grade in range(4):
        who = Receiver(f"r{grade}", "webhook", grade=grade, way={"url": "http://x/"})
        got[grade] = [message.groups[0].code for message in town.planned(who)]
    assert got[0] == ["sale_conflict"]
    assert got[1] == ["sale_conflict", "no_vouchers"]
    assert got[3] == ["sale_conflict", "no_vouchers", "rollback", "expiry_soon"]


def test_what_nobody_has_taken_on_for_a_day_is_told_again(town: Town) -> None:
    town.alarm("rollback")
    assert [m.kind for m in town.planned(ASHA, 20)] == ["firing"]
    assert town.planned(ASHA, 86_000) == []
    assert [m.kind for m in town.planned(ASHA, 400)] == ["still"]
    town.acknowledge()
    assert town.planned(ASHA, 90_000) == []
    town.alarm("rollback", "another")
    assert [m.kind for m in town.planned(ASHA, 0)] == ["more"]


def test_a_mail_server_that_refuses_is_tried_again_told_of_and_gets_it_once(town: Town) -> None:
    town.everybody()
    town.mailbox.refuses = "451 try later"
    town.alarm("rollback")
    for _ in range(12):
        town.look(30)
    assert "notice_failed" in town.shop.alarms()
    assert any("notice_failed" in form["message"] for form in town.gateway.forms())
    town.mailbox.refuses = ""
    for _ in range(30):
        town.look(60)
    subjects = [mail["Subject"] for mail in town.mailbox.mails]
    assert subjects.count("[duka] rollback (look at it)") == 1
    assert "notice_failed" not in town.shop.alarms()
    assert len({mail["Message-ID"] for mail in town.mailbox.mails}) == len(town.mailbox.mails)


def test_a_gateway_that_hangs_keeps_no_mail_waiting(town: Town) -> None:
    town.everybody()
    town.gateway.hangs.clear()
    town.alarm("rollback")
    town.now[0] += 20
    town.notices.look()
    deadline = time.monotonic() + 8  # below the gateway's patience
    while time.monotonic() < deadline and not (town.mailbox.mails and town.hook.bodies):
        time.sleep(0.02)
    assert town.mailbox.mails
    assert town.hook.bodies
    assert town.gateway.bodies == []
    town.gateway.hangs.set()


@pytest.mark.parametrize("dies", ["before it is noted", "before it is sent"])
def test_a_worker_that_dies_in_the_middle_loses_no_message(
    town: Town, dies: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.everybody()
    town.alarm("rollback")

    class Died(BaseException):
        pass

    def die(*_: object) -> None:
        raise Died

    if dies == "before it is noted":
        monkeypatch.setattr("updater_server.notices.outbox.sent", die)
    else:
        monkeypatch.setattr("updater_server.notices.worker.send", die)
    monkeypatch.setattr("threading.excepthook", lambda _: None)
    town.look(20)
    monkeypatch.undo()
    town.notices = type(town.notices)(town.shop.service, "duka.example")
    town.look(20)
    ids = {mail["Message-ID"] for mail in town.mailbox.mails}
    assert len(ids) == 1
    assert len(town.mailbox.mails) == (2 if dies == "before it is noted" else 1)


def test_a_webhook_is_signed_with_the_secret_of_the_environment(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.write(
        '[[receiver]]\nname = "board"\nkind = "webhook"\n'
        f'url = "{town.hook.url}"\nsecret_env = "HOOK_SECRET"\n'
    )
    town.alarm("rollback")
    town.look(20)
    assert town.hook.bodies == []  # not without its secret
    monkeypatch.setenv("HOOK_SECRET", "s3cret")
    town.look(60)
    (body,), (headers,) = town.hook.bodies, town.hook.headers
    proof = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers["x-duka-signature"] == f"sha256={proof}"


def test_a_file_that_is_wrong_is_an_alarm_and_those_before_stay_in_force(town: Town) -> None:
    town.everybody()
    town.look()
    town.write("[[receiver]]\nname = 5")
    town.look(20)
    town.look(20)
    assert "notices_config" in town.shop.alarms()
    assert "notices_config" in town.mailbox.mails[0]["Subject"]
    town.everybody()
    town.look(20)
    assert "notices_config" not in town.shop.alarms()


def test_the_example_of_the_docs_is_a_good_file() -> None:
    found = receivers.read(ROOT / "docs" / "notices.toml")
    assert [one.kind for one in found] == list(receivers.KINDS)


GOOD = '[[receiver]]\nname = "a"\nkind = "webhook"\nurl = "http://x/"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[receiver]]\n", "kind is one of"),
        ('[[receiver]]\nkind = "webhook"\nurl = "http://x/"\n', "name is"),
        (GOOD.replace('"a"', '"A b"'), "name is"),
        (GOOD + 'colour = "red"\n', "has no colour"),
        (GOOD + 'grade = "1"\n', "grade is mistyped"),
        (GOOD + "grade = true\n", "grade is mistyped"),
        (GOOD + "grade = 4\n", "grade is 0"),
        (GOOD + "per_hour = 1\n", "per_hour is 2"),
        (GOOD + GOOD, "there twice"),
        (GOOD.replace("http://x/", "ftp://x/"), "needs `url`"),
        ('[[receiver]]\nname = "a"\nkind = "sms"\nurl = "http://x/"\nto = "joy"\n', "needs `to`"),
        ('[[receiver]]\nname = "a"\nkind = "email"\nto = "a@b"\nhost = "h"\n', "and `from`"),
        ('[[receiver]]\nname = "a"\nkind = "email"\nto = "a@b\\nBcc: c@d"\nfrom = "d@e"\n', "`to`"),
        ("x = 1\n", "what is x"),
        ("[[receiver]\n", "notices.toml"),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_name(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "notices.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=words):
        receivers.read(file)


@pytest.mark.parametrize("text", ["é€ṣ" * 100, "a\nb\x00c", "x" * 300, "{[~]}"])
def test_an_sms_is_one_and_of_letters_that_every_telephone_has(text: str) -> None:
    example = Example(1, "server", text, 1, 0)
    message = Message("firing", (Group("rollback", 2, 1, 1, 0, 0, 1, (example,)),), 0)
    sms = message.sms()
    assert len(sms) <= SMS_LETTERS
    assert all(" " <= letter <= "z" and letter not in "[\\]^`" for letter in sms)
    assert Message.from_json(message.to_json()) == message
    json.dumps(message.alertmanager("r", "s"))


def test_the_worker_is_a_process_that_tells_and_ends_when_it_is_told(town: Town) -> None:
    town.everybody()
    town.alarm("rollback")
    program = [sys.executable, "-m", "updater_server", "worker", "--data", str(town.shop.folder)]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        second = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert "another worker runs" in second.stderr
        deadline = time.monotonic() + 30  # the worker's clock is the real one: all is long since
        while time.monotonic() < deadline and not town.gateway.bodies:
            time.sleep(0.05)
        assert town.gateway.bodies
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_the_operator_lists_takes_on_and_tries(town: Town) -> None:
    def run(*words: str) -> tuple[int, str]:
        result = CliRunner(env={"COLUMNS": "120", "DUKA_OPERATOR": "joy"}).invoke(
            cli, [*words, "--data", str(town.shop.folder)]
        )
        return result.exit_code, result.output

    town.everybody()
    town.alarm("rollback", "release 7: crash", MINE)
    listed = run("alarm", "list")[1]
    assert "rollback" in listed and "crash" in listed
    assert run("alarm", "acknowledge", "1", "--owner", "asha")[0] == 0
    assert "asha" in run("alarm", "list")[1]
    assert run("alarm", "acknowledge", "99")[0] == 2
    town.look(20)
    assert "sent" in run("notices", "list")[1]
    status, said = run("notices", "test")
    assert (status, said.count("sent by")) == (0, 3)
    town.gateway.answers = 500
    status, said = run("notices", "test", "joy")
    assert status == 1
    assert "answered 500" in said
    assert run("notices", "test", "nobody")[0] == 2
    assert run("worker", "--only", "dreams")[0] == 2
