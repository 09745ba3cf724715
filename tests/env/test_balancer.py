"""The shipped balancer costs terminals no airtime, and knows which server is well."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.env.keeper import sweep
from tests.env.move import UP_S
from tests.env.parts import (
    ROOT,
    NotHere,
    Part,
    answers,
    as_ourselves,
    free_ports,
    program,
    until,
)  # fmt: skip
from tests.measure.load import FLOAT_MINOR, Load, Terminal, make_folder
from tests.measure.past import PRODUCT, Life
from tests.server.shop import NOW, make_repository, voucher_csv
from tests.server.test_server_process import Process
from updater_server.sales import incoming
from updater_server.service import Service
from updater_server.store.engine import writing

OVERHEAD_BYTES = 0
"""Of a reply through the balancer, over the same one without."""
REFUSAL_BYTES = 90


def _is_here() -> bool:
    try:
        return bool(program("haproxy"))
    except NotHere:
        return False


pytestmark = pytest.mark.skipif(not _is_here(), reason="haproxy is not installed: `inv setup.env`")


class Balanced:
    """A server behind the balancer, whose second server is not there."""

    def __init__(self, folder: Path) -> None:
        make_repository(folder / "repository", folder / "keys")
        self.server = make_folder(folder / "data", folder / "repository", 2)
        service = Service.open(self.server.folder)
        with writing(service.engine) as connection:
            incoming.import_csv(connection, service.key, voucher_csv(PRODUCT, range(40)), NOW)
        service.engine.dispose()
        self.server.start()
        self.direct = self.server.port
        self._folder = folder / "balancer"
        (nobody,) = free_ports(1)
        self.port = self._balance(self.direct, nobody)
        self.without_first = self._balance(nobody, self.direct)

    def _balance(self, first: int, second: int) -> int:
        """The port of a balancer before two servers."""
        (port,) = free_ports(1)
        places = {
            **as_ourselves(),
            "DUKA_BIND": f"127.0.0.1:{port}",
            "DUKA_SERVER_1": f"127.0.0.1:{first}",
            "DUKA_SERVER_2": f"127.0.0.1:{second}",
        }
        command = [program("haproxy"), "-db", "-f", str(ROOT / "deploy" / "haproxy.cfg")]
        self.part = Part("balancer", self._folder, command, places)
        self.part.start()
        until(lambda: answers(port), UP_S, "the balancer")
        well = b"HTTP/1.1 200"
        until(lambda: self.raw(b"GET", b"/health", port).startswith(well), UP_S, "a server")
        return port

    def raw(self, method: bytes, path: bytes, port: int | None = None) -> bytes:
        """The bytes of an answer, head and all."""
        with socket.create_connection(("127.0.0.1", port or self.port), 20) as line:
            line.sendall(
                method + b" " + path + b" HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n"
            )
            found = b""
            while part := line.recv(65536):
                found += part
        return found


@pytest.fixture(scope="module")
def balanced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Balanced]:
    folder = tmp_path_factory.mktemp("balanced")
    made = Balanced(folder)
    yield made
    sweep(folder / "balancer")
    if made.server.process:
        made.server.end()


def test_an_answer_through_the_balancer_costs_no_byte_more(balanced: Balanced) -> None:
    for path in (b"/tuf/metadata/timestamp.json", b"/health", b"/nothing"):
        direct = balanced.raw(b"GET", path, balanced.direct)
        through = balanced.raw(b"GET", path)
        assert len(through) - len(direct) <= OVERHEAD_BYTES, (direct, through)
        assert through.partition(b"\r\n\r\n")[2] == direct.partition(b"\r\n\r\n")[2]


def test_a_terminal_sells_on_one_connection_that_is_kept(balanced: Balanced) -> None:
    terminal, seen = Terminal(Life((1).to_bytes(8, "big"), 0, FLOAT_MINOR), balanced.port), Load()
    terminal.sell(seen)
    kept = terminal._socket
    for _ in range(3):
        terminal.sell(seen)
    assert terminal._socket is kept
    assert seen.statuses == {200: 4}
    terminal.close()


@pytest.mark.parametrize("path", [b"/board", b"/board/live", b"/pipeline?as=csv"])
def test_the_board_is_the_first_servers_alone(balanced: Balanced, path: bytes) -> None:
    assert balanced.raw(b"GET", path).startswith(b"HTTP/1.1 401")
    assert balanced.raw(b"GET", path, balanced.without_first).startswith(b"HTTP/1.1 503")
    assert balanced.raw(b"GET", b"/metrics", balanced.without_first).startswith(b"HTTP/1.1 401")


def test_when_no_server_is_well_the_refusal_is_short(balanced: Balanced) -> None:
    assert isinstance(balanced.server, Process)
    balanced.server.end()
    until(lambda: balanced.raw(b"GET", b"/health").startswith(b"HTTP/1.1 503"), UP_S, "a refusal")
    refusal = balanced.raw(b"POST", b"/m")
    assert len(refusal) <= REFUSAL_BYTES, refusal
    assert b"retry-after: 5" in refusal
    assert refusal.endswith(b"\r\n\r\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another")
def test_what_strangers_send_is_read_by_nobody_who_is_root(balanced: Balanced) -> None:
    status = Path(f"/proc/{balanced.part.pid}/status").read_text()
    assert f"Uid:\t{pwd.getpwnam('haproxy').pw_uid}\t" in status
