"""The panel answers its own page, on this computer, and nobody else."""

from __future__ import annotations

import socket

import pytest

from hw_sim.panel import web
from tests.panel.conftest import MakePanel, Visitor

FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "127.0.0.1:1"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_page_of_another_site_presses_no_key(
    make_panel: MakePanel, headers: dict[str, str]
) -> None:
    visitor = make_panel()
    status, _, _ = visitor.ask("/t/0/do", "power on", **headers)
    assert status == 403
    assert not visitor.parts.board.board.powered
    assert visitor.ask("/", **headers)[0] == 403


def test_without_that_check_it_would(
    make_panel: MakePanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web._Handler, "_check_asker", lambda self: None)
    visitor = make_panel()
    assert visitor.ask("/t/0/do", "power on", Host="evil.example")[0] == 200
    assert visitor.parts.board.board.powered


def own(visitor: Visitor) -> list[dict[str, str]]:
    """What its own page's requests say of themselves."""
    port = visitor.panel.web.port
    return [
        {},
        {"Host": f"localhost:{port}", "Origin": f"http://localhost:{port}"},
        {"Origin": f"http://127.0.0.1:{port}", "Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "none"},
    ]


def test_its_own_page_and_a_command_line_are_answered(make_panel: MakePanel) -> None:
    visitor = make_panel()
    for headers in own(visitor):
        assert visitor.ask("/t/0/do", "charger on", **headers)[0] == 200


def test_it_listens_on_loopback_alone(make_panel: MakePanel) -> None:
    assert make_panel().panel.web.server_address[0] == "127.0.0.1"


def test_a_page_may_load_nothing_from_elsewhere(make_panel: MakePanel) -> None:
    _, content, headers = make_panel().ask("/")
    assert headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert b"//" not in content.replace(b"<!doctype", b"")


@pytest.mark.parametrize("page", sorted(each.name for each in web.PAGES.iterdir()))
def test_each_file_of_the_page_is_served(make_panel: MakePanel, page: str) -> None:
    status, content, headers = make_panel().ask(f"/{page}")
    assert (status, content) == (200, (web.PAGES / page).read_bytes())
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/../panel.py", "/%2e%2e/panel.py", "//etc/passwd", "/pages", "/t/1/display.png", "/."]
)
def test_no_other_file_is(make_panel: MakePanel, path: str) -> None:
    assert make_panel().ask(path)[0] == 404


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /t/0/do HTTP/1.1\r\nContent-Length: 65537\r\n", b"413"),
        (b"POST /t/0/do HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", b"413"),
        (b"POST /t/0/do HTTP/1.1\r\nContent-Length: -1\r\n", b"413"),
        (b"PUT /t/0/do HTTP/1.1\r\nContent-Length: 0\r\n", b"501"),
    ],
)
def test_what_is_too_long_or_has_no_length_is_not_read(
    make_panel: MakePanel, head: bytes, status: bytes
) -> None:
    port = make_panel().panel.web.port
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(head + b"Host: 127.0.0.1:%d\r\n\r\n" % port)
        assert line.recv(100).split(b" ")[1] == status


def test_a_body_that_is_no_text_is_refused(make_panel: MakePanel) -> None:
    assert make_panel().ask("/t/0/do", b"\xff")[0] == 400
