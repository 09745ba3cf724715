"""`serve --coap`: a process that hears datagrams, says where, and refuses a port that is taken."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.support import nursery
from tests.support.world import Server

PING, RESET = b"\x40\x00\x12\x34", b"\x70\x00\x12\x34"


@pytest.fixture
def server(tmp_path: Path) -> Server:
    made = Server(tmp_path / "server")
    made.command("init")
    return made


def test_a_server_hears_datagrams_only_if_it_is_told_to(server: Server) -> None:
    server.start()
    try:
        assert not (server.folder / "coap-port").exists()
    finally:
        server.stop()
    server.answers_datagrams = True
    server.start()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            client.connect(("127.0.0.1", server.coap_port))
            client.send(PING)
            assert client.recv(64) == RESET
    finally:
        server.stop()
    assert not (server.folder / "coap-port").exists()


def test_a_port_that_is_taken_is_refused_by_name(server: Server) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        serve = ("updater_server", "serve", "--data", str(server.folder), "--port", "0")
        done = nursery.run(*serve, "--coap", str(port))
    assert done.returncode == 1
    assert f"cannot hear datagrams on 127.0.0.1:{port}" in done.stderr
