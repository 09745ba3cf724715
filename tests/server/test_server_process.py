"""The real process: started, asked over HTTP, killed, started again. Its first start and `init` are
by the interpreter as the operator's are, the others by the nursery (`tests.support.nursery`).
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import tuf.ngclient
from typer.testing import CliRunner, Result

from tests.server.device import Device
from tests.server.shop import PASSPHRASE, ROOT, a_release, voucher_csv
from tests.support import nursery
from updater_server import channels, startup
from updater_server.__main__ import cli
from updater_server.service import DataFolder


class Process:
    """`python -m updater_server` on one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | nursery.Program | None = None

    def command(self, *arguments: str, cold: bool = False) -> subprocess.CompletedProcess[str]:
        """As an operator types it; `cold`: started by the interpreter itself."""
        program = ("updater_server", *arguments, "--data", str(self.folder))
        if not cold:
            return nursery.run(*program)
        return subprocess.run(
            [sys.executable, "-m", *program],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def quick(self, *arguments: str) -> Result:
        """The same command inside this process: most of a command's time is its start."""
        return CliRunner().invoke(cli, [*arguments, "--data", str(self.folder)])

    def start(self, *, cold: bool = False) -> None:
        """Return once it serves; `cold` as above."""
        program = ["updater_server", "serve", "--data", str(self.folder), "--port", "0"]
        out, written = os.pipe()
        with (self.folder.parent / "log").open("ab") as log, os.fdopen(written, "wb") as said:
            if cold:
                command = [sys.executable, "-m", *program]
                self.process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=log)
            else:
                self.process = nursery.start(*program, stdout=said, stderr=log)
        with os.fdopen(out, "rb") as read:
            line = read.readline().decode()
        assert line.startswith("serving http://127.0.0.1:"), line

    @property
    def port(self) -> int:
        return int((self.folder / "port").read_text())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def end(self, number: int = signal.SIGTERM) -> int:
        assert self.process
        self.process.send_signal(number)
        code = self.process.wait(20)
        self.process = None
        return code

    def transport(self, body: bytes) -> tuple[int, bytes]:
        headers = {"content-type": "application/cose"}
        answer = httpx.post(f"{self.url}/m", content=body, headers=headers, timeout=20)
        return answer.status_code, answer.content


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, signed: Path
) -> Iterator[tuple[Process, str]]:
    """A server of its own with prices and vouchers, and a technician's token."""
    folder = tmp_path_factory.mktemp("process") / "data"
    server = Process(folder)
    made = server.command("init", cold=True)
    assert made.returncode == 0, made.stderr
    token = re.search(r"technician token: (\S+)", made.stdout)
    assert token
    shutil.copytree(signed / "repository", folder / "repository")
    signers = channels.keys.load_all(signed / "keys", PASSPHRASE)
    repository = channels.Repository.open(folder / "repository")
    release = a_release(1)
    payloads = channels.build_payloads(release.image)
    repository.add_release("stable", release.entry, payloads, signers)
    repository.publish(signers)
    allowed = server.command("technician", "allow", "first technician", "10000000.00 KES")
    assert allowed.returncode == 0, allowed.stderr
    csv = folder.parent / "vouchers.csv"
    csv.write_text(voucher_csv("air50", range(50)))
    assert server.command("vouchers", "import", str(csv), "--yes").returncode == 0
    server.start(cold=True)
    yield server, token[1]
    if server.process:
        server.end()


def enrol(
    server: Process, token: str, number: int, float_minor: int = 100_000
) -> tuple[Device, httpx.Response]:
    device = Device(number.to_bytes(8, "big"), os.urandom(32), server.transport)
    body = {
        "terminal": device.terminal_id.hex(), "key": device.key.hex(), "class": "duka-r1",
        "revision": 1, "float_minor": float_minor,
    }  # fmt: skip
    headers = {"authorization": f"Bearer {token}"}
    return device, httpx.post(f"{server.url}/v1/terminals", json=body, headers=headers)


Running = tuple[Process, str]


def test_a_technician_enrols_a_terminal_which_then_sells(running: Running) -> None:
    server, token = running
    device, answer = enrol(server, token, 1)
    assert answer.status_code == 201
    given = answer.json()
    assert (given["channel"], given["catalogue"]) == ("stable", "catalogue/default.json")
    root = base64.b64decode(given["root"])
    assert root == (server.folder / "repository" / "metadata" / "1.root.json").read_bytes()
    assert device.check_in()[2] == 100_000
    assert device.sale(1)[5] == 95_250
    listed = httpx.get(f"{server.url}/v1/terminals", headers={"authorization": f"Bearer {token}"})
    mine = next(item for item in listed.json() if item["id"] == device.terminal_id.hex())
    assert (mine["release"], mine["slot"], mine["float_minor"]) == (7, "a", 95_250)
    assert "key" not in listed.text


def test_enrolling_again_is_the_same_or_refused(running: Running) -> None:
    server, token = running
    device, _ = enrol(server, token, 2)
    headers = {"authorization": f"Bearer {token}"}
    body = {
        "terminal": device.terminal_id.hex(), "key": device.key.hex(), "class": "duka-r1",
        "revision": 1, "float_minor": 100_000,
    }  # fmt: skip

    def post(**changes: object) -> httpx.Response:
        return httpx.post(f"{server.url}/v1/terminals", json={**body, **changes}, headers=headers)

    assert post().status_code == 200
    assert device.check_in()[2] == 100_000
    assert post(key="00" * 32).status_code == 409
    assert post(float_minor=1).status_code == 409


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"terminal": "xyz"}, 422),
        ({"terminal": "00"}, 422),
        ({"key": "00"}, 422),
        ({"class": "Not A Class"}, 422),
        ({"revision": 0}, 422),
        ({"float_minor": -1}, 422),
        ({"channel": "gold"}, 422),
        ({"catalogue": "catalogue/none.json"}, 503),
        ({"revision": "1"}, 422),
        ({"surprise": 1}, 422),
    ],
)
def test_a_wrong_enrolment_is_refused_with_a_reason(
    running: Running, changes: dict[str, object], status: int
) -> None:
    server, token = running
    body = {"terminal": "00" * 8, "key": "11" * 32, "class": "duka-r1", "revision": 1}
    answer = httpx.post(
        f"{server.url}/v1/terminals",
        json={**body, **changes},
        headers={"authorization": f"Bearer {token}"},
    )
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic wrong", "Bearer é"])
def test_nobody_enrols_or_looks_without_a_token(running: Running, authorization: str) -> None:
    server, _ = running
    headers = [(b"authorization", authorization.encode("latin-1"))] if authorization else []
    body = {"terminal": "33" * 8, "key": "11" * 32, "class": "duka-r1", "revision": 1}
    url = f"{server.url}/v1/terminals"
    assert httpx.post(url, json=body, headers=headers).status_code == 401
    assert httpx.get(url, headers=headers).status_code == 401
    answer = httpx.get(server.url, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_the_dashboard_shows_what_runs_and_escapes_what_terminals_say(running: Running) -> None:
    server, token = running
    device, _ = enrol(server, token, 3)
    device.check_in(_2=12, _4=True, _8=[11, "<script>alert(1)</script>"])
    page = httpx.get(server.url, auth=("anyone", token))
    assert page.status_code == 200
    assert device.terminal_id.hex() in page.text
    assert "on trial" in page.text
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_an_independent_client_updates_over_http(running: Running, tmp_path: Path) -> None:
    server, _ = running
    for name in ("metadata", "targets"):
        (tmp_path / name).mkdir()
    root = (server.folder / "repository" / "metadata" / "1.root.json").read_bytes()
    updater = tuf.ngclient.Updater(
        str(tmp_path / "metadata"), f"{server.url}/tuf/metadata/",
        str(tmp_path / "targets"), f"{server.url}/tuf/targets/", bootstrap=root,
    )  # fmt: skip
    info = updater.get_targetinfo("stable/duka-r1/1.full")
    assert info
    payload = Path(updater.download_target(info)).read_bytes()
    assert channels.expand(channels.Payload("full", payload)) == a_release(1).image


def raw_http(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = connection.recv(65536)
            if not more:
                return answer
            answer += more
        head, _, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        while length and len(body) < int(length[1]):
            body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def test_a_poll_with_nothing_new_costs_few_bytes(running: Running) -> None:
    server, _ = running
    url = f"{server.url}/tuf/metadata/timestamp.json"
    tag = httpx.get(url, headers={"accept-encoding": "deflate"}).headers["etag"]
    request = (
        "GET /tuf/metadata/timestamp.json HTTP/1.1\r\nHost: duka.example\r\n"
        f"Accept-Encoding: deflate\r\nIf-None-Match: {tag}\r\n\r\n"
    ).encode()
    answer = raw_http(server.port, request)
    assert answer.startswith(b"HTTP/1.1 304")
    assert answer.endswith(b"\r\n\r\n")
    assert len(answer) <= 130, answer
    assert len(request) + len(answer) <= 350


def test_a_sealed_replys_headers_cost_few_bytes(running: Running) -> None:
    server, token = running
    device, _ = enrol(server, token, 4)
    body, counter = device.seal({0: 1})
    head = f"POST /m HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    answer = raw_http(server.port, head + body)
    headers, _, sealed = answer.partition(b"\r\n\r\n")
    assert device.open(sealed, counter)[0] == -1
    assert len(headers) <= 110, headers


def test_ranges_work_through_the_real_server(running: Running) -> None:
    server, _ = running
    target = next((server.folder / "repository" / "targets" / "stable" / "duka-r1").iterdir())
    url = f"{server.url}/tuf/targets/stable/duka-r1/{target.name}"
    content = target.read_bytes()
    part = httpx.get(url, headers={"range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(content)}"
    assert httpx.get(url, headers={"range": f"bytes={len(content)}-"}).status_code == 416
    head = httpx.head(url)
    assert (head.content, head.headers["content-length"]) == (b"", str(len(content)))


@pytest.mark.parametrize(
    "path",
    [b"/tuf/../server.key", b"/tuf/targets/../../server.key", b"/tuf/%2e%2e/server.key",
     b"/tuf/targets/%2e%2e/%2e%2e/server.key", b"/tuf/targets/..%2f..%2fserver.key",
     b"//tuf/server.key", b"/tuf//etc/passwd", b"/tuf/policy.json", b"/server.key"],
)  # fmt: skip
def test_no_path_leads_out_of_the_repository(running: Running, path: bytes) -> None:
    server, _ = running
    answer = raw_http(server.port, b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.split(b" ")[1] == b"404", answer
    assert (server.folder / "server.key").read_bytes() not in answer


def test_an_oversize_body_is_refused_and_the_server_lives(running: Running) -> None:
    server, _ = running
    assert server.transport(bytes(16 * 1024 + 1)) == (413, b"")
    assert server.transport(bytes(5_000_000))[0] == 413
    huge = raw_http(
        server.port, b"POST /m HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999\r\n\r\nx"
    )
    assert huge.split(b" ")[1] in (b"413", b"400")
    assert httpx.get(f"{server.url}/m").status_code == 405
    assert httpx.get(f"{server.url}/health").text == "ok"


def test_a_sale_that_was_answered_survives_kill_9(running: Running) -> None:
    server, token = running
    device, _ = enrol(server, token, 5)
    first = device.sale(1)
    server.end(signal.SIGKILL)
    server.start()
    assert device.sale(1) == first
    assert device.sale(2)[5] == 90_500
    assert server.command("check").returncode == 0


def test_two_servers_do_not_share_a_folder(running: Running) -> None:
    server, _ = running
    second = server.command("serve", "--port", "0")
    assert second.returncode == 1
    assert "another server runs" in second.stderr


def test_the_operators_commands_work_beside_the_server(running: Running) -> None:
    server, token = running
    device, _ = enrol(server, token, 6)
    name = device.terminal_id.hex()
    deposit = ("terminal", "deposit", name, "50.00 KES", "--reference", "slip-1", "--by", "asha")
    assert "1,050.00 KES" in server.quick(*deposit).stdout
    assign = ("stock", "assign", name, "air50", "2", "--reference", "day-1", "--by", "asha")
    assert "batch" in server.quick(*assign).stdout
    assert server.quick("terminal", "text", name, "Sim card expires soon").exit_code == 0
    reply = device.check_in()
    assert (reply[2], reply[4]) == (105_000, "Sim card expires soon")
    assert len(reply[5]) == 1
    server.quick("terminal", "block", name)
    assert device.sale(1)[6] == "blocked"
    server.quick("terminal", "unblock", name)
    assert device.sale(2)[1] == 0
    shown = server.quick("report")
    assert name in shown.stdout
    for wrong in (
        ("terminal", "deposit", "00", "1 KES", "--reference", "slip-2"),
        ("terminal", "deposit", "ff" * 8, "1 KES", "--reference", "slip-2"),
        ("stock", "assign", name, "gold", "1", "--reference", "day-2"),
        ("vouchers", "import", "/nonexistent", "--yes"),
        ("alarm", "close", "12345"),
    ):
        refused = server.quick(*wrong)
        assert refused.exit_code == 2, wrong
        assert "refused:" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_folder_in_a_wrong_state_is_refused_with_a_reason(tmp_path: Path) -> None:
    server = Process(tmp_path / "data")
    refused = server.quick("serve", "--port", "0")
    assert refused.exit_code == 1
    assert "run `init" in refused.stderr
    assert server.quick("init").exit_code == 0
    again = server.quick("init")
    assert again.exit_code == 0
    assert "token" not in again.stdout
    key = tmp_path / "data" / "server.key"
    key.chmod(0o644)
    assert "chmod 600" in server.quick("check").stderr
    key.chmod(0o600)
    saved = key.read_bytes()
    key.write_bytes(b"short")
    assert "restore it" in server.quick("check").stderr
    key.unlink()
    assert "restore the key" in server.quick("init").stderr
    key.write_bytes(saved)
    key.chmod(0o600)
    assert server.quick("check").exit_code == 0
    with sqlite(tmp_path / "data" / "duka.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    assert "older version" in server.quick("check").stderr
    with sqlite(tmp_path / "data" / "duka.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer server" in server.quick("check").stderr


def test_broken_books_fail_the_check(running: Running, tmp_path: Path) -> None:
    server, token = running
    enrol(server, token, 77)  # its float is in the ledger
    broken = Process(tmp_path / "data")
    shutil.copytree(server.folder, broken.folder)
    with sqlite(broken.folder / "duka.db") as database:
        database.execute("DROP TRIGGER ledger_entry_no_update")
        database.execute("UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE id = 1")
    refused = broken.quick("check", "--full")  # the entry may lie before the last point
    assert refused.exit_code == 1
    assert "does not sum to zero" in refused.stderr


def test_a_polite_end_removes_the_port_and_leaves_nothing_behind(
    running: Running,
) -> None:
    server, _ = running
    started = time.monotonic()
    assert server.end() == 0
    assert time.monotonic() - started < 10
    assert not (server.folder / "port").exists()
    # SQLite's log went with the last connection: the next start need not look through all there is.
    with startup.the_only_server(DataFolder(server.folder)) as was_cut_off:
        assert not was_cut_off


def sqlite(path: Path) -> _Database:
    return _Database(path)


class _Database:
    """A plain connection that commits and closes."""

    def __init__(self, path: Path) -> None:
        import sqlite3

        self._connection = sqlite3.connect(path)

    def __enter__(self) -> _Database:
        return self

    def execute(self, statement: str) -> None:
        self._connection.execute(statement)

    def __exit__(self, *_: object) -> None:
        self._connection.commit()
        self._connection.close()
