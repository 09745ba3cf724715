"""The rows of the threat table that need a whole terminal: its cell, its messages, its flash while
it is off, its serial port. Each attacks, and raises `Gained` for what only it can see.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable
from functools import partial

import httpx
import serial
from smpclient.requests.file_management import FileUpload
from smpclient.requests.image_management import ImageErase, ImageUploadWrite

from tests.attacks import flash
from tests.attacks.rows import evil_on
from tests.attacks.scene import Gained, Row, Scene
from tests.attacks.thief import Thief
from tests.attacks.whole import WAIT_S, WholeScene
from tests.powercut.files import Files
from tests.support.tap import Exchange
from tests.support.world import PRICES
from tools.errors import LinkError
from tools.technician.console_link import ConsoleLink
from tools.technician.recovery_link import RecoveryLink

CELL: list[Row] = []
MESSAGES: list[Row] = []
FLASH: list[Row] = []
SERIAL: list[Row] = []

Attack = Callable[[WholeScene], None]


def row(
    rows: list[Row], name: str, *says: str, takes: tuple[str, ...] = ("old",), **more: int
) -> Callable[[Attack], Attack]:
    """Enter a function into a family's table."""

    def enter(attack: Attack) -> Attack:
        def on_whole(scene: Scene) -> None:
            assert isinstance(scene, WholeScene)
            attack(scene)

        rows.append(Row(name, on_whole, takes, says, more.get("days_old", 0)))
        return attack

    return enter


# --- the cell ---


@row(CELL, "rogue cell: a time ten years ahead", takes=("new",))
def ahead(scene: WholeScene) -> None:
    """It does not even hold the update back: the time comes under the server's seal."""
    restart_under(scene, scene.world.now_unix_s() + 10 * 365 * 86400)


@row(
    CELL,
    "rogue cell: the time at which an expired offer was fresh",
    "the signatures expired",
    days_old=45,
)
def back(scene: WholeScene) -> None:
    restart_under(scene, scene.world.now_unix_s() - 44 * 86400)


def restart_under(scene: WholeScene, unix_s: float) -> None:
    terminal = scene.world.terminal
    terminal.board.call(terminal.network.forge_time, unix_s)
    terminal.board.power_cycle()
    scene.world.wait_online()


# --- messages on the way ---


@row(MESSAGES, "network: an old sealed answer for every message", "radio: ")
def old_answers(scene: WholeScene) -> None:
    known = next(e for e in scene.world.tap.exchanges if e.path == "/m" and e.status == 200)
    answer_with(scene, lambda exchange: known.reply)


@row(MESSAGES, "network: one bit of every sealed answer", "radio: ")
def bent_answers(scene: WholeScene) -> None:
    answer_with(
        scene,
        lambda exchange: exchange.with_body(
            exchange.reply_body[:-1] + bytes([exchange.reply_body[-1] ^ 1])
        ),
    )


@row(MESSAGES, "network: a bomb of CBOR for every sealed answer", "radio: ")
def bombs(scene: WholeScene) -> None:
    answer_with(scene, lambda exchange: exchange.with_body(b"\x9b" + b"\xff" * 400))


def answer_with(scene: WholeScene, answer: Callable[[Exchange], bytes]) -> None:
    log = scene.world.new_log()
    scene.messages = answer
    scene.world.wait_logged(log, "radio: ", timeout_s=WAIT_S)
    scene.world.terminal.board.pause(1)  # and another try, if it is that quick
    scene.messages = lambda exchange: exchange.reply
    scene.world.terminal.board.power_cycle()  # or its pause would have to be waited for
    scene.world.wait_online()


@row(MESSAGES, "network: everything the terminal ever sent, sent again")
def sent_again(scene: WholeScene) -> None:
    scene.sell()
    sent = [e.body for e in scene.world.tap.exchanges if e.path == "/m"]
    for body in sent:
        post(scene, body)
    if scene.world.books.debits_minor() != scene.debits:
        raise Gained("a sale was booked again")


@row(MESSAGES, "network: messages of its own in the terminal's name")
def forged(scene: WholeScene) -> None:
    sent = next(e.body for e in scene.world.tap.exchanges if e.path == "/m")
    for at in range(len(sent)):
        if post(scene, sent[:at] + bytes([sent[at] ^ 0x55]) + sent[at + 1 :]) == 200:
            raise Gained(f"a message changed at byte {at} was answered")


def post(scene: WholeScene, body: bytes) -> int:
    headers = {"content-type": "application/cose"}
    url = f"{scene.world.server.url}/m"
    return httpx.post(url, content=body, headers=headers, timeout=30).status_code


# --- the flash, while the power is off ---


@row(FLASH, "flash: one byte of the running image changed")
def image_byte(scene: WholeScene) -> None:
    with scene.off() as cells:
        at = flash.SLOTS[active(cells)] + 20_000
        scene.world.terminal.board.flash.damage(at, bytes([cells[at] ^ 1]))
    recovers_and_is_restored(scene, cells)


@row(FLASH, "flash: the thief's image over the running one")
def image_swapped(scene: WholeScene) -> None:
    with scene.off() as cells:
        write_image(scene, active(cells))
    recovers_and_is_restored(scene, cells)


@row(FLASH, "flash: the thief's image in the idle slot")
def idle_slot(scene: WholeScene) -> None:
    with scene.off() as cells:
        write_image(scene, "b" if active(cells) == "a" else "a")
    scene.world.wait_online()


@row(FLASH, "flash: boot records under another key name the thief's image")
def foreign_records(scene: WholeScene) -> None:
    with scene.off() as cells:
        write_image(scene, "b")
        record = bytearray(cells[flash.CONTROL : flash.CONTROL + flash.CONTROL_BYTES])
        for page in range(0, len(record), 256):
            record[page + 12] = 2  # slot b
            record[page + 224 : page + 256] = secrets.token_bytes(32)
        scene.world.terminal.board.flash.damage(flash.CONTROL, bytes(record))
    scene.world.wait_online()


@row(FLASH, "flash: no boot records, and signed files that list the thief's image")
def records_and_list(scene: WholeScene) -> None:
    thief = Thief(scene, "ci")
    thief.list_evil("stable", evil_on(scene))
    with scene.off() as cells:
        board = scene.world.terminal.board
        files = Files(board.flash, flash.DATA, flash.DATA_BYTES)
        files.mount()
        with files.open("/data/trust/stable.json", "wb") as file:
            file.write(thief.newest("stable").read_bytes())
        write_image(scene, active(cells))
        blank = b"\xff" * flash.CONTROL_BYTES
        board.flash.damage(flash.CONTROL, blank)
    recovers_and_is_restored(scene, cells)


@row(FLASH, "flash: the whole of it copied to another chip")
def other_chip(scene: WholeScene) -> None:
    board = scene.world.terminal.board
    chip = board.board.unique_id
    with scene.off() as cells:
        board.board.unique_id = bytes(8)
    with RecoveryLink(board.serial_port) as link:
        if link.status().state != "foreign":
            raise Gained("it takes itself for the terminal that it was copied from")
        refused(lambda: link.make_identity(bytes(8)), "another terminal's identity")
        refused(lambda: link.upload_file("/data/x", b"x"), "another terminal's identity")
    board.power_off()
    board.board.unique_id = chip
    board.flash.restore(cells)
    board.power_on()
    scene.world.wait_online()


def active(cells: bytes) -> str:
    record = flash.control(cells)
    assert record and record.active
    return record.active


def write_image(scene: WholeScene, slot: str) -> None:
    content = scene.evil_image()
    scene.world.terminal.board.flash.damage(flash.SLOTS[slot], content)


def recovers_and_is_restored(scene: WholeScene, cells: bytes) -> None:
    """Nothing boots but recovery; then the technician's copy of the flash is written back."""
    board = scene.world.terminal.board
    with RecoveryLink(board.serial_port) as link:
        if link.status().state != "provisioned":
            raise Gained("it forgot who it is")
    board.power_off()
    board.flash.restore(cells)
    board.power_on()
    scene.world.wait_online()


# --- the serial port ---


def refused(act: Callable[[], object], words: str) -> None:
    """Raises Gained unless `act` is refused with these words."""
    try:
        act()
    except LinkError as error:
        if words not in str(error):
            raise Gained(f"refused, but by another rule: {error}") from error
    else:
        raise Gained(f"not refused, should be: {words}")


@row(SERIAL, "serial: an image that nobody signed")
def unsigned_image(scene: WholeScene) -> None:
    with scene.cable() as link:
        refused(lambda: link.upload_image(scene.evil_image()), "not listed by the channels")


@row(SERIAL, "serial: a release list of the thief's own, then its image")
def own_list(scene: WholeScene) -> None:
    thief = Thief(scene, "ci", "alpha", "beta", "stable:1")
    thief.list_evil("stable", evil_on(scene))
    with scene.cable() as link:
        content = thief.newest("stable").read_bytes()
        refused(lambda: link.upload_file("/data/trust/stable.json", content), "sha256 differs")
        refused(lambda: link.upload_image(scene.evil_image()), "not listed by the channels")


@row(SERIAL, "serial: a root of the thief's own")
def own_root(scene: WholeScene) -> None:
    thief = Thief(scene, *("snapshot", "timestamp"))
    thief.new_root()
    with scene.cable() as link:
        content = thief.newest("root").read_bytes()
        refused(lambda: link.upload_file("/data/trust/root.json", content), "signatures")


@row(SERIAL, "serial: other prices")
def other_prices(scene: WholeScene) -> None:
    prices = PRICES.encode().replace(b":5000", b":4000")
    with scene.cable() as link:
        refused(lambda: link.upload_file("/data/catalogue.json", prices), "not the signed one")


@row(SERIAL, "serial: an old timestamp, to freeze what is known")
def old_timestamp(scene: WholeScene) -> None:
    old = scene.newest("timestamp").read_bytes()
    for _ in range(2):
        scene.repository.publish(scene.all_signers)
    scene.put()
    scene.wait_knows()
    with scene.cable() as link:
        refused(lambda: link.upload_file("/data/trust/timestamp.json", old), "version")


@row(SERIAL, "serial: asks for the key, or for files")
def read_out(scene: WholeScene) -> None:
    who = flash.identity(scene.world.terminal.board.flash.snapshot())
    terminal_id = who[1]
    assert isinstance(terminal_id, bytes)
    with scene.cable() as link:
        refused(lambda: link.make_identity(terminal_id), "has an identity")
        refused(lambda: link.make_identity(os.urandom(8)), "has an identity")
        for path in ("/etc/x", "/data/../x", "/x"):
            refused(partial(link.upload_file, path, b"x"), "under /data/ only")


def _always(permit: bytes) -> Callable[[bytes, bytes], bytes]:
    return lambda challenge, file: permit


@row(SERIAL, "serial: settings with a server, PIN and access point of its own")
def own_settings(scene: WholeScene) -> None:
    settings = json.loads(scene.look().settings)
    settings["server"] = {"host": "thief.example", "port": 80}
    content = json.dumps(settings).encode()
    with scene.cable() as link:
        refused(lambda: link.upload_file("/data/config.json", content), "needs a permit")
        for permit in (bytes(16), secrets.token_bytes(16)):
            bring = partial(link.upload_permitted, "/data/config.json", content, _always(permit))
            refused(bring, "not for this")
        refused(lambda: link.upload_file("/data/config.json", content), "needs a permit")


@row(SERIAL, "serial: a file that says every release was tried in vain, and no PIN")
def own_memory(scene: WholeScene) -> None:
    tried = b'{"refused": [[%d, "x"]]}' % (scene.offered + 1)
    with scene.cable() as link:
        refused(lambda: link.upload_file("/data/update.json", tried), "needs a permit")
        refused(lambda: link.upload_file("/data/merchant.json", b"{}"), "needs a permit")


@row(SERIAL, "cable: blank lines, noise, breaks and words that nobody knows")
def noise(scene: WholeScene) -> None:
    log = scene.world.new_log()
    with serial.Serial(scene.world.terminal.board.serial_port, 115200, timeout=0.2) as port:
        for _ in range(8):
            port.write(b"\r\n \r\n\t\r\n\x03\x04\x03\0\0\r\n" + os.urandom(200) + b"\r\n")
            port.write(b"".join(b"word%d\r\n" % secrets.randbelow(1 << 30) for _ in range(20)))
            port.flush()
            scene.world.terminal.board.pause(0.3)
    with ConsoleLink(scene.world.terminal.board.serial_port) as link:
        link.command("status", 30)
    if "Error" in log() or "main: release" in log():
        raise Gained(f"it fell over what was typed: {log()[-800:]}")


@row(SERIAL, "cable: text of its own on the merchant's paper")
def own_paper(scene: WholeScene) -> None:
    with ConsoleLink(scene.world.terminal.board.serial_port) as link:
        for words in ("100 KES FREE", "PIN:1234567890123456", "+++++++", ""):
            refused(partial(link.command, f"test slip {words}", 30), "a slip needs + or -")
    scene.world.terminal.board.power_cycle()
    scene.world.wait_online()


@row(SERIAL, "cable: uploads that never end")
def endless_uploads(scene: WholeScene) -> None:
    with scene.cable() as link:
        for size in (60_000, 9_000, 1):
            for n in range(12):
                begin = FileUpload(
                    off=0, data=b"x", name=f"/data/{n}-{size}" + "x" * 40, len=size + 1
                )
                refused(partial(link._request, begin), "needs a permit")
        for name in ("stable", "timestamp", "catalogue", *(f"x{n}" for n in range(12))):
            begin = FileUpload(off=0, data=b"{", name=f"/data/trust/{name}.json", len=12_000)
            link._request(begin)
    scene.world.terminal.board.power_cycle()
    scene.world.wait_online()


@row(SERIAL, "cable: one frame, to empty a slot")
def one_frame(scene: WholeScene) -> None:
    with scene.cable() as link:
        before = scene.look()
        evil = scene.evil_image()
        first = partial(ImageUploadWrite, off=0, data=evil[:300], len=len(evil))
        refused(lambda: link._request(first()), "lacks sha")
        refused(lambda: link._request(first(sha=os.urandom(32))), "not listed by the channels")
        if scene.look() != before:
            raise Gained("the flash is not as it was")


@row(SERIAL, "cable: confirms what has not proved itself, and an older release")
def confirm(scene: WholeScene) -> None:
    digest = hashlib.sha256(scene.image(scene.running)).digest()
    with scene.cable() as link:
        link.choose_image(digest, confirm=True)  # it is confirmed: nothing changes
        refused(lambda: link.choose_image(bytes(32), confirm=True), "no slot holds that image")
        for erase in (ImageErase(), ImageErase(slot=0), ImageErase(slot=1)):
            try:
                link._request(erase)
            except LinkError:
                pass
    scene.world.terminal.board.power_cycle()
    scene.world.wait_online()


@row(SERIAL, "serial: unlocks and wipes with permits of the thief's own")
def own_permits(scene: WholeScene) -> None:
    with ConsoleLink(scene.world.terminal.board.serial_port) as link:
        for action in ("unlock", "retire"):
            link.command("challenge")
            permit = secrets.token_hex(16)
            refused(partial(link.command, f"{action} {permit}"), "the permit is not for this")
    scene.world.terminal.board.power_cycle()
    scene.world.wait_online()
