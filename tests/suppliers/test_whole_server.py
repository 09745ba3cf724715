"""The real server process, set up by an operator's commands, asked over HTTP, told by call-backs
over HTTP, and killed while it waits for a supplier.
"""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from hw_sim.suppliers.airtime import Operator, Settings
from tests.server.device import Device
from tests.server.shop import Shop
from tests.server.test_server_process import Process
from tests.suppliers.counter import top_up

DELIVERED, PENDING = 0, 2


class Whole:
    """A server process, a terminal and an operator."""

    def __init__(self, folder: Path, signed: Path) -> None:
        shop = Shop.open(folder / "data", signed / "repository")
        first = shop.enrol()
        shop.service.engine.dispose()
        self.shop = shop
        self.server = Process(folder / "data")
        self.operator = Operator(Settings())
        (folder / "key").write_text("atsk_simulated\n")
        self.device = Device(first.terminal_id, first.key, self.server.transport)
        told = self.do(
            "supplier", "set", "savanna", "--kind", "airtime", "--key-file", str(folder / "key"),
            "--setting", f"url={self.operator.url}", "--setting", "username=duka",
            "--setting", "country=254", "--setting", "deadline_s=3", "--by", "Asha",
        )  # fmt: skip
        path = re.search(r"(/v1/suppliers/savanna/reports/\S+)", told)
        assert path
        self.path = path[1]
        self.do("supplier", "route", "top", "--supplier", "savanna", "--by", "Asha")

    def do(self, *command: str) -> str:
        """One of the operator's commands; what it says."""
        done = self.server.quick(*command)
        assert done.exit_code == 0, done.output
        return done.output

    def start(self) -> None:
        """Start the server; call-backs go to it."""
        self.server.start()
        self.operator.settings.callback = self.server.url + self.path

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for it."""
        latest = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < latest, "it did not come about"
            time.sleep(0.05)

    def close(self) -> None:
        """End all of it."""
        if self.server.process:
            self.server.end()
        self.operator.close()


@pytest.fixture
def whole(tmp_path: Path, signed: Path) -> Iterator[Whole]:
    made = Whole(tmp_path, signed)
    yield made
    made.close()


def test_a_top_up_through_the_real_server(whole: Whole) -> None:
    whole.start()
    whole.operator.settings.delay_s = 0.3
    began = time.monotonic()
    reply = top_up(whole.device, 4)
    assert reply[1] == DELIVERED, reply
    assert time.monotonic() - began < 7, "the report did not wake the terminal's answer"
    assert whole.operator.courier.answered == [200]
    assert top_up(whole.device, 4) == reply
    forged = whole.server.url + whole.path[:-4] + "AAAA"
    assert httpx.post(forged, content=b"requestId=ATQid_x").status_code == 404
    assert httpx.post(whole.server.url + whole.path, content=b"?").status_code == 422
    assert "0 open" in whole.do("supplier", "open")
    assert "savanna" in whole.do("supplier", "list")
    assert whole.server.end() == 0
    whole.do("check")


def test_a_server_that_is_killed_while_it_waits_sends_nothing_twice(whole: Whole) -> None:
    whole.start()
    whole.operator.settings.delay_s = 2.0
    with _killed_soon(whole), pytest.raises(httpx.HTTPError):
        top_up(whole.device, 4)
    whole.start()
    whole.device.boot_count += 1
    seen: list[int] = []

    def is_decided() -> bool:
        seen.append(top_up(whole.device, 4)[1])
        return seen[-1] != PENDING

    whole.until(is_decided)
    assert seen[-1] == DELIVERED
    assert whole.operator.delivered == {"+254712345678": ["KES 100"]}
    assert whole.server.end() == 0
    whole.do("check")
    now = int(time.time())
    file = whole.server.folder.parent / "statement"
    file.write_bytes(whole.operator.statement(now - 7200, now + 7200))
    told = whole.do("supplier", "statement", "savanna", str(file), "--by", "Asha")
    assert "1 agree, 0 decided by it, 0 still open, 0 differ" in told


class _killed_soon:
    """The server is killed as soon as the operator has the order."""

    def __init__(self, whole: Whole) -> None:
        self._whole = whole

    def __enter__(self) -> None:
        def kill() -> None:
            whole = self._whole
            whole.until(lambda: len(whole.operator._books) == 1)
            time.sleep(0.3)  # its answer is kept
            whole.server.end(signal.SIGKILL)

        self._thread = threading.Thread(target=kill)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join(20)
