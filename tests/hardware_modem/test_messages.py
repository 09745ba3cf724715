"""Short messages and USSD: typed by hand, by `gammu`, `gammu-smsd` and `python-gsmmodem-new`, which
were not written here and find it a modem (`inv setup.clients` installs the two that pip has not).
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_sim.network.centre import UssdCentre
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.sms_pdu import (
    Message,
    PduError,
    centre_address,
    decoded,
    deliver,
    encoded,
    of_text,
    pack,
    parse_submit,
    unpack,
)
from tests.support.at_person import TIME_SCALE, AtPerson, run

ROOT = Path(__file__).resolve().parents[2]
FRIEND = "+254711000001"


def _person(**network: Any) -> AtPerson:
    return AtPerson(GsmNetwork(time_scale=TIME_SCALE, **network))


async def _ready(person: AtPerson) -> None:
    await person.switch_on()
    await person.say("ATE0")
    await person.wait_registered()


async def _submit(person: AtPerson, command: str, body: str) -> str:
    person.type(command.encode() + b"\r")
    await person.read_until("> ")
    person.type(body.encode("latin-1") + b"\x1a")
    return await person.read_until(r"\r\n(OK|\+CMS ERROR: [^\r]+)\r\n")


def test_a_text_comes_is_told_read_listed_and_deleted() -> None:
    async def scenario() -> None:
        person = _person()
        await _ready(person)
        await person.say("AT+CMGF=1")
        person.network.sms.deliver(FRIEND, "Hello {you} for 5€")
        await person.read_until(r'\+CMTI: "SM",1\r\n')
        assert '+CPMS: "SM",1,20' in await person.say("AT+CPMS?")
        said = await person.say('AT+CMGL="REC UNREAD"')
        assert f'+CMGL: 1,"REC UNREAD","{FRIEND}","",' in said
        assert "Hello {you} for 5" in said
        assert '"REC READ"' in await person.say("AT+CMGR=1")
        assert "CMGL" not in await person.say('AT+CMGL="REC UNREAD"')
        assert "OK" in await person.say("AT+CMGD=1")
        person.type(b"AT+CMGR=1\r")
        await person.read_until(r"\+CMS ERROR: 321\r\n")

    run(scenario())


def test_messages_outlive_the_power_on_the_card_and_wait_at_the_centre_for_a_network() -> None:
    async def scenario() -> None:
        person = _person(coverage=False)
        await person.switch_on()
        for number in range(21):
            person.network.sms.deliver(FRIEND, f"number {number}")
        assert "SM" not in person.unread()
        person.network.set_coverage(True)
        await person.read_until(r'\+CMTI: "SM",20\r\n')
        await person.read_until("SMSFULL")
        person.modem.on_power(False)
        await person.switch_on()
        await person.say("ATE0")
        await person.say("AT+CMGF=1")
        assert "number 7" in await person.say("AT+CMGR=8")
        await person.wait_registered()
        assert "OK" in await person.say("AT+CMGD=8")
        assert "number 20" in await person.say("AT+CMGR=8")

    run(scenario())


def test_a_text_and_a_pdu_are_sent_and_nonsense_is_refused() -> None:
    async def scenario() -> None:
        person = _person()
        await _ready(person)
        await person.say("AT+CMGF=1")
        assert "+CMGS: 1" in await _submit(person, f'AT+CMGS="{FRIEND}"', "Gr@ß, 3 {x}")
        await person.say("AT+CMGF=0")
        pdu = "0011000C915274110000100000AA05E8329BFD06"
        said = await _submit(person, "AT+CMGS=19", pdu)
        assert "+CMGS: 2" in said, said
        assert "+CMS ERROR: 304" in await _submit(person, "AT+CMGS=18", pdu)
        assert "+CMS ERROR: 304" in await _submit(person, "AT+CMGS=19", pdu[:-2] + "xx")
        assert "+CMGW: 1" in await _submit(person, "AT+CMGW=19", pdu)
        assert "+CMGS: 3" in await person.say("AT+CMSS=1")
        person.network.set_coverage(False)
        assert "+CMS ERROR: 331" in await _submit(person, "AT+CMGS=19", pdu)
        sent = [(each.number, each.text) for each in person.network.sms.sent]
        assert sent == [
            (FRIEND, "Gr@ß, 3 {x}"),
            ("+254711000001", "hello"),
            ("+254711000001", "hello"),
        ]

    run(scenario())


def test_a_ussd_menu_keeps_its_session() -> None:
    async def scenario() -> None:
        person = _person()
        await _ready(person)
        person.network.ussd.menu = {"*100#": ("1 balance", {"1": "KES 3"}), "*144#": "KES 2"}
        for asked, answer in (
            ("*144#", '0,"KES 2",15'),
            ("*100#", '1,"1 balance",15'),
            ("1", '0,"KES 3",15'),
            ("1", "4"),
        ):
            await person.say(f'AT+CUSD=1,"{asked}",15')
            await person.read_until(re.escape(f"+CUSD: {answer}\r\n"))

    run(scenario())


def test_a_cancelled_session_is_over() -> None:
    centre = UssdCentre({"*100#": ("1 balance", {"1": "KES 3"})})
    assert centre.ask("*100#")[0] == 1
    centre.end()
    assert centre.ask("1") == (4, "")


@given(st.text('@£$¥èéùìòÇØøÅåΔ_ΦΓΛ !"#¤%&abcXYZ019^{}\\[~]|€', max_size=80))
def test_seven_bits_come_back_as_they_went(text: str) -> None:
    septets = encoded(text)
    assert decoded(unpack(pack(septets), len(septets))) == text


@given(st.text(max_size=70))
def test_any_text_is_a_message_or_too_long(text: str) -> None:
    try:
        message = of_text(FRIEND, text)
    except (PduError, UnicodeEncodeError):
        return
    assert len(deliver(message, "+254722500029", 1_800_000_000)) < 180
    if message.coding:
        assert message.text == text


@given(st.binary(max_size=60))
def test_any_bytes_are_a_submission_or_refused(data: bytes) -> None:
    try:
        assert isinstance(parse_submit(centre_address("+254722500029") + data), Message)
    except PduError:
        pass


# -- programs that were not written here ------------------------------------------------------


class Program:
    """The modem as a program of its own."""

    def __init__(self, process: subprocess.Popen[str], port: str) -> None:
        self._process = process
        self.port = port

    def tell(self, line: str) -> None:
        """A line of its input; it must be obeyed."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        assert self.said() == "ok"

    def said(self) -> str:
        """The next line it printed."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def _modem(*options: str) -> Iterator[Program]:
    command = [sys.executable, "-m", "hw_sim.modem", "--time-scale", "10", *options]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            program = Program(process, process.stdout.readline().strip())
            time.sleep(1.2)  # it registers
            yield program
        finally:
            process.terminate()


_GAMMU = "[gammu]\ndevice={}\nconnection=at115200\nsynchronizetime=no\n"


def _gammu(folder: Path, port: str) -> Callable[..., str]:
    settings = folder / "gammurc"
    settings.write_text(_GAMMU.format(port))

    def gammu(*arguments: str) -> str:
        command = ["gammu", "-c", str(settings), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return gammu


@pytest.mark.skipif(shutil.which("gammu") is None, reason="gammu is not installed")
def test_gammu_finds_it_a_modem(tmp_path: Path) -> None:
    with _modem() as program:
        gammu = _gammu(tmp_path, program.port)
        assert "866104020000012" in gammu("identify")
        assert "home network" in gammu("networkinfo")
        program.tell(f"sms {FRIEND} Hello there")
        listed = gammu("getallsms")
        assert "Hello there" in listed
        assert FRIEND in listed
        gammu("sendsms", "TEXT", "+254722000002", "-text", "From gammu")
        assert program.said() == "sms to +254722000002: From gammu"
        assert "KES 12.50" in gammu("getussd", "*144#")
        gammu("deleteallsms", "1")
        assert "Hello" not in gammu("getallsms")


@pytest.mark.skipif(shutil.which("gammu-smsd") is None, reason="gammu-smsd is not installed")
def test_gammu_smsd_sends_what_lies_in_its_outbox_and_keeps_what_comes(tmp_path: Path) -> None:
    lines = ["[smsd]", "service=files", f"logfile={tmp_path / 'log'}", "checksecurity=0"]
    lines += ["commtimeout=1", "sendtimeout=30", "loopsleep=1"]
    for name in ("inbox", "outbox", "sentsms", "errorsms"):
        (tmp_path / name).mkdir()
        lines.append(f"{name}path={tmp_path / name}/")
    settings = tmp_path / "smsdrc"
    (tmp_path / "outbox" / "OUT+254722000003.txt").write_text("From the outbox")
    with _modem() as program:
        settings.write_text(_GAMMU.format(program.port) + "\n".join(lines) + "\n")
        with subprocess.Popen(["gammu-smsd", "-c", str(settings)]) as smsd:
            try:
                assert program.said() == "sms to +254722000003: From the outbox"
                program.tell(f"sms {FRIEND} for the daemon")
                deadline_s = time.monotonic() + 60
                while not (came := list((tmp_path / "inbox").iterdir())):
                    assert time.monotonic() < deadline_s, (tmp_path / "log").read_text()
                    time.sleep(0.1)
                assert "for the daemon" in came[0].read_text()
                assert FRIEND.removeprefix("+") in came[0].name
            finally:
                smsd.terminate()


@pytest.mark.skipif(
    importlib.util.find_spec("gsmmodem") is None, reason="python-gsmmodem-new is not installed"
)
@pytest.mark.filterwarnings("ignore")
def test_python_gsmmodem_finds_it_a_modem() -> None:
    GsmModem = importlib.import_module("gsmmodem.modem").GsmModem

    with _modem() as program:
        modem = GsmModem(program.port, 115200)
        heard: list[tuple[str, str]] = []
        modem.smsReceivedCallback = lambda sms: heard.append((sms.number, sms.text))
        modem.connect()
        try:
            assert (modem.imei, modem.networkName) == ("866104020000012", "Savanna")
            assert modem.sendUssd("*144#").message == "Your balance is KES 12.50"
            modem.sendSms("+254733000003", "Habari, é")
            assert program.said() == "sms to +254733000003: Habari, é"
            modem.sendSms("+254733000003", "a" * 150 + "b" * 50)
            parts = [program.said().partition(": ")[2] for _ in range(2)]
            assert "".join(parts) == "a" * 150 + "b" * 50
            program.tell(f"sms {FRIEND} to python")
            deadline_s = time.monotonic() + 20
            while not heard and time.monotonic() < deadline_s:
                time.sleep(0.1)
            assert heard == [(FRIEND, "to python")]
        finally:
            modem.close()


def test_it_is_on_a_tcp_port_as_well() -> None:
    import socket

    with _modem("--tcp", "0") as program:
        host, _, port = program.port.partition(":")
        with socket.create_connection((host, int(port)), 10) as line:
            line.settimeout(10)
            line.sendall(b"ATE0+CGMI\r")
            said = b""
            while b"OK" not in said:
                said += line.recv(100)
            assert b"SIMCOM" in said
