"""The rows of the threat table of a technician's token in wrong hands, and of a server that was put
back from a copy, against the server process and the terminal whose sales it would touch. The token
is the strongest there is: an office's.
"""

from __future__ import annotations

import hashlib
import secrets
import zlib
from typing import Any

import cbor2
import httpx

from tests.attacks.scene import Gained, Row
from tests.attacks.terminal_rows import row
from tests.attacks.whole import WholeScene
from tools.technician.console_link import ConsoleLink

TOKEN: list[Row] = []
RESTORED: list[Row] = []


def _post(scene: WholeScene, path: str, body: Any) -> httpx.Response:
    world = scene.world
    who = {"Authorization": f"Bearer {world.token}"}
    return httpx.post(f"{world.server.url}{path}", headers=who, json=body)


def _refused(scene: WholeScene, path: str, body: Any) -> None:
    answer = _post(scene, path, body)
    if not 400 <= answer.status_code < 500:
        raise Gained(f"{path} was answered {answer.status_code}: {answer.text}")


def _record(kind: int, sequence: int, body: list[Any], before: bytes) -> tuple[bytes, bytes]:
    """A journal record by docs/formats/journal.md: anybody can make one, and its chain."""
    content = cbor2.dumps(body, canonical=True)
    covered = bytes([kind, len(content)]) + sequence.to_bytes(4, "big") + bytes(4) + content
    tag = hashlib.sha256(before + covered).digest()[:8]
    return covered + zlib.crc32(covered).to_bytes(4, "big") + tag, tag


def _journal_of(scene: WholeScene) -> tuple[int, bytes]:
    """How far the server has the terminal's journal, and the tag that the next must follow."""
    rows = scene.world.books.rows("select acknowledged_through, chain_tag from terminal")
    return int(rows[0]["acknowledged_through"]), bytes(rows[0]["chain_tag"])


@row(TOKEN, "token: sales made up and brought as an export of the terminal's")
def forged_sales(scene: WholeScene) -> None:
    through, tag = _journal_of(scene)
    batch = scene.world.books.rows("select id from stock_batch limit 1")[0]["id"]
    sold, tag = _record(2, through + 1, ["air50", 5000, 250, batch, 0], tag)
    refund, _ = _record(5, through + 2, [through + 1, "spoiled"], tag)
    path = f"/v1/terminals/{scene.world.terminal_id}/journal"
    raws = [sold.hex(), refund.hex()]
    _refused(scene, path, {"records": raws})
    for seal in ("", "00" * 32, secrets.token_hex(32)):
        part = {"first": through + 1, "records": raws, "seal": seal}
        _refused(scene, path, {"parts": [part]})


@row(TOKEN, "token: the terminal's sales declared lost before it sends them")
def erased_sales(scene: WholeScene) -> None:
    through, _ = _journal_of(scene)
    path = f"/v1/terminals/{scene.world.terminal_id}/journal"
    _refused(scene, path, {"records": [""] * 3000})
    part = {"first": through + 1, "records": [""] * 16, "seal": secrets.token_hex(32)}
    _refused(scene, path, {"parts": [part]})
    if scene.world.books.rows("select sequence from journal_record where raw is null"):
        raise Gained("records count as lost")


@row(TOKEN, "token: another terminal's sealed export in this one's name")
def foreign_export(scene: WholeScene) -> None:
    answers: list[dict[str, Any]] = []
    port = scene.world.terminal.board.serial_port
    with ConsoleLink(port) as link:
        link.command("export", 30, answers.append)
    part = {
        "first": next(answer["first"] for answer in answers if "seal" in answer),
        "records": [answer["raw"] for answer in answers if "raw" in answer][:16],
        "seal": next(answer["seal"] for answer in answers if "seal" in answer),
    }
    thief = _enrolled(scene, secrets.token_hex(8))
    _refused(scene, f"/v1/terminals/{thief}/journal", {"parts": [part]})


def _enrolled(scene: WholeScene, terminal: str, **more: Any) -> str:
    body = {"terminal": terminal, "key": secrets.token_hex(32), "class": "duka-r1", "revision": 1}
    answer = _post(scene, "/v1/terminals", {**body, **more})
    assert answer.status_code == 201, answer.text
    return terminal


@row(TOKEN, "token: a terminal that is only on a laptop, with a float and without")
def made_up_terminal(scene: WholeScene) -> None:
    scene.world.server.command("technician", "allow", "first technician", "0")
    terminal = secrets.token_hex(8)
    body = {"terminal": terminal, "key": secrets.token_hex(32), "class": "duka-r1", "revision": 1}
    for float_minor in (1, 10**9, -1, 2**63):
        _refused(scene, "/v1/terminals", {**body, "float_minor": float_minor})
    _enrolled(scene, terminal)
    moved = "select count(*) as n from ledger_transaction where terminal_id = ?"
    if scene.world.books.rows(moved, [bytes.fromhex(terminal)])[0]["n"]:
        raise Gained("float out of nothing")


@row(TOKEN, "token: wipe and unlock permits for a terminal not on the cable")
def remote_permits(scene: WholeScene) -> None:
    path = f"/v1/terminals/{scene.world.terminal_id}/permit"
    for action in ("unlock", "retire", "challenge"):
        for challenge in (secrets.token_hex(16), secrets.token_hex(32)):
            _refused(scene, path, {"action": action, "challenge": challenge})
    content = secrets.token_hex(32)
    for action in ("file", "settings"):
        drawn = secrets.token_hex(32)
        _refused(scene, path, {"action": action, "challenge": drawn, "content": content})
    if scene.world.books.rows("select blocked from terminal order by enrolled_at")[0]["blocked"]:
        raise Gained("the terminal was stopped from afar")


@row(TOKEN, "token: a permit whose note was written before, so that none is left")
def unnoted_permit(scene: WholeScene) -> None:
    with ConsoleLink(scene.world.terminal.board.serial_port) as link:
        challenge = str(link.command("challenge")["challenge"])
    for entry_id in (f"permit-{challenge[:32]}", f"permit-{challenge}"):
        entry = {"id": entry_id, "at": 1, "terminal": "", "job": "selftest", "result": "ok"}
        _post(scene, "/v1/bench", [entry])
    path = f"/v1/terminals/{scene.world.terminal_id}/permit"
    answer = _post(scene, path, {"action": "unlock", "challenge": challenge})
    assert answer.status_code == 200, answer.text
    noted = "select count(*) as n from bench_entry where result = 'permitted' and job = 'unlock'"
    if scene.world.books.rows(noted)[0]["n"] != 1:
        raise Gained("a permit that nobody noted")


@row(TOKEN, "token: a HALT by no release manager, or by another site's page")
def foreign_halt(scene: WholeScene) -> None:
    server = scene.world.server
    made = {
        role: server.command("technician", "add", f"some {role}", "--role", role).split()[-1]
        for role in ("bench", "viewer", "release")
    }
    body = {"channel": "stable", "release": scene.offered}
    for role in ("bench", "viewer", "nobody"):
        auth = ("x", made.get(role, "guessed"))
        answer = httpx.post(f"{server.url}/board/halt", json=body, auth=auth)
        if answer.status_code not in (401, 403):
            raise Gained(f"a halt by {role} was answered {answer.status_code}")
    if httpx.post(f"{server.url}/board/halt", json=body, auth=("x", scene.world.token)).is_success:
        raise Gained("a halt by the office")
    auth = ("x", made["release"])
    json_of = {"content-type": "application/json", "origin": "https://elsewhere.example"}
    for headers in (json_of, {"content-type": "text/plain"}):
        content = b'{"channel":"stable","release":2}'
        answer = httpx.post(f"{server.url}/board/halt", headers=headers, auth=auth, content=content)
        if answer.status_code != 403:
            raise Gained(f"another site's halt was answered {answer.status_code}")
    for path in ("/", "/metrics", "/v1/terminals"):
        if httpx.get(f"{server.url}{path}", auth=auth).is_success:
            raise Gained(f"{path} by a token of the board")


@row(TOKEN, "token: the board without one, or with another role's")
def foreign_board(scene: WholeScene) -> None:
    server = scene.world.server
    bench = server.command("technician", "add", "some mender", "--role", "bench").split()[-1]
    terminal = scene.world.terminal_id
    paths = ["", "/live", f"/terminals/{terminal}", f"/releases/{scene.offered}"]
    paths.append(f"/verdicts/stable/{scene.offered}")
    for path in [*(f"/board{end}" for end in paths), "/pipeline", "/pipeline?as=json"]:
        for auth in (None, ("x", ""), ("x", "guessed"), ("x", bench)):
            answer = httpx.get(f"{server.url}{path}", auth=auth)
            if answer.status_code not in (401, 403):
                raise Gained(f"{path} was answered {answer.status_code}")


@row(TOKEN, "token: used after it was taken back")
def withdrawn(scene: WholeScene) -> None:
    scene.world.server.command("technician", "withdraw", "first technician")
    terminal = secrets.token_hex(8)
    body = {"terminal": terminal, "key": secrets.token_hex(32), "class": "duka-r1", "revision": 1}
    _refused(scene, "/v1/terminals", body)
    _refused(scene, "/v1/bench", [])


@row(RESTORED, "restored server: what was sold since its back-up is sold again")
def put_back(scene: WholeScene) -> None:
    """Not by a thief: by whoever puts an old copy of the database back, in need or on purpose."""
    world = scene.world
    server = world.server
    copies = server.folder.parent / "copies"
    server.command("backup", str(copies))
    scene.sell()
    world.eventually(lambda: world.books.acknowledged_through() > _sales_end(scene), 60, "all sent")
    server.stop()
    server.command("restore", str(next(copies.iterdir())))
    if world.books.debits_minor() == scene.debits:
        raise Gained("the judge sleeps: nothing was forgotten")
    server.start()
    world.eventually(
        lambda: world.books.debits_minor() == scene.debits, 120, "its sale is booked again"
    )
    world.eventually(
        lambda: "1 of 1" in server.command("restored", "status"), 120, "its float agrees"
    )
    server.command("restored", "finish")
    scene.alarms.append("restored")
    scene.sell()
    receipts = [receipt.text for receipt in world.terminal.receipts()]
    if len(set(receipts)) != len(receipts):
        raise Gained("a PIN was given twice")


def _sales_end(scene: WholeScene) -> int:
    """The number of the newest record of a sale that the server's books hold."""
    newest = "select max(sequence) as n from ledger_transaction where sequence is not null"
    return int(scene.world.books.rows(newest)[0]["n"] or 0)
