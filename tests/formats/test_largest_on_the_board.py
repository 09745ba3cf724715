"""What is legal is usable: the largest legal documents on real MicroPython, in what a running
terminal leaves of the board's heap. The code runs in place from a release image, as on the board:
compiled at import it would leave a heap of small holes, which no terminal has.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.formats import documents as d
from tests.money import office
from tests.support import micropython
from tools.release.image import ROOT, ReleaseInfo, build_release
from updater_server.wire.cbor import dumps
from updater_server.wire.sealed import DeviceKeys, Envelope, seal_reply

FREE_BYTES = 128 * 1024 - 90_736
"""What a terminal at rest leaves of the heap (tests/measure/board_budget.json). Not doubled,
although pointers have 64 bits here: so this asks for more than the board does."""

PRELUDE = f"""
import gc, json, sys, vfs
image = bytearray(IMAGE_BYTES)
assert sys.stdin.buffer.readinto(image) == len(image)
vfs.mount(vfs.VfsRom(memoryview(image)), "/image")
sys.path[:] = ["/image", ".frozen"]
def fill():
    held = []
    gc.collect()
    while gc.mem_free() > {FREE_BYTES}:
        held.append(bytearray(480))
    return held
"""


@cache
def release_image() -> bytes:
    return build_release(ROOT, ReleaseInfo(1, "1.0", "0" * 40, 1790000000))


def on_board(script: str) -> list[Any]:
    """What `script` prints last, its modules those of the release image beside the heap."""
    image = release_image()
    out = micropython.run(
        PRELUDE.replace("IMAGE_BYTES", str(len(image))) + script,
        heap_bytes=micropython.BOARD_HEAP_BYTES + len(image),
        stdin=image,
    )
    found: list[Any] = json.loads(out.splitlines()[-1])
    return found


def largest_prices() -> bytes:
    """64 products in as many bytes as a price list may have."""
    most = d.bounds("price_list.file_bytes")[1]

    def made(letters: int) -> bytes:
        products = [d.product(n, name="n" * 10, instructions="x" * letters) for n in range(64)]
        return d.signer_prices(d.price_list(products=products))

    letters = 0
    while True:
        try:
            content = made(letters)
        except d.REFUSALS:
            break
        letters += 1
    assert most - 64 < len(content) <= most
    return content


def test_the_longest_price_list_is_read_and_sold_from(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.json"
    file.write_bytes(largest_prices())
    count, kept, name = on_board(f"""
from firmware.sales import catalogue
held = fill()
catalogue.load({str(file)!r})  # its names stay
gc.collect()
before = gc.mem_alloc()
old = catalogue.load({str(file)!r})
new = catalogue.load({str(file)!r})  # beside the one in use, as over the air
gc.collect()
kept = (gc.mem_alloc() - before) // 2
names = [(p.name, p.amount_minor) for p in new.products]  # the menu
print(json.dumps([len(new.products), kept, new.product("air63").name]))
""")
    assert (count, name) == (64, "n" * 10)
    assert kept < 2 * 1024, "a price list stays in flash"


def test_the_longest_settings_are_read(tmp_path: Path) -> None:
    table = d.settings(
        server={"host": "h" * 100, "port": 65535},
        apn="a" * 60,
        apn_user="u" * 32,
        apn_password="p" * 32,
        channel="c" * 32,
        catalogue="c" * 64,
        utc_offset_s=50400,
    )
    table["merchant"]["name"] = "é" * 32
    text = json.dumps(table, indent=1, ensure_ascii=False)
    text += " " * (d.bounds("settings.file_bytes")[1] - len(text.encode()))
    file = tmp_path / "config.json"
    file.write_text(text)
    (letters,) = on_board(f"""
from firmware.kept import config
held = fill()
print(json.dumps([len(config.load({str(file)!r}).merchant_name)]))
""")
    assert letters == 32


def test_the_largest_stock_file_is_opened_stored_and_sold_from(tmp_path: Path) -> None:
    most = d.bounds("stock_file.file_bytes")[1]
    serial, pin = "S" * 36, "9" * 32
    count = 0
    file = b""
    while True:
        longer = office.sealed_file([7, "air50", 5000, 0], [(serial, pin)] * (count + 1))
        if len(longer) > most:
            break
        file, count = longer, count + 1
    file_keys = DeviceKeys(bytes(16), bytes(16), office.STOCK)
    asked = Envelope(bytes(8), bytes(4), 1 << 24 | 1, b"")
    sealed = seal_reply(asked, dumps({0: 4, 1: file}), file_keys)
    assert len(sealed) <= d.bounds("message.reply_bytes")[1]
    (tmp_path / "reply").write_bytes(sealed)
    stored, opened = on_board(f"""
import asyncio
from firmware.office.messenger import Messenger
from firmware.sales import stock
from firmware.office import stock_delivery
from bootloader.shared.cose import Keys
keys = Keys(bytes(16), bytes(16), {office.STOCK!r})
async def post(body):
    with open({str(tmp_path / "reply")!r}, "rb") as file:
        return 200, file.read()
shelf = stock.Stock(keys.stock, {str(tmp_path)!r})
messenger = Messenger(keys, bytes(8), 1, post, bytes(4))
held = fill()
count, _ = asyncio.run(stock_delivery._file(messenger, shelf, 7, False))
print(json.dumps([count, shelf.open_pin(7, count - 1)[0]]))
""")
    assert (stored, opened) == (count, pin)


def test_a_batch_too_large_for_the_heap_is_refused_and_the_next_one_taken(tmp_path: Path) -> None:
    small = office.sealed_file([8, "air50", 5000, 0], [("S1", "12345678")])
    (tmp_path / "8").write_bytes(small)
    told, batches = on_board(
        f"""
import asyncio
from firmware.office.messenger import STOCK_RECEIVED, Messenger
from firmware.sales import stock
from firmware.office import stock_delivery
from firmware.sales.state import SalesState
class Journal:
    def __init__(self):
        self.state = SalesState()
        self.sequence = 0
    def room_for_sale(self):
        return True
    def append(self, kind, body):
        self.sequence += 1
        self.state.apply(self.sequence, kind, 1790000000, body)
class Messenger:
    async def exchange(self, kind, fields):
        if kind == STOCK_RECEIVED:
            return {{1: True}}
        if fields[1] == 7:
            bytearray(1 << 20)
        with open({str(tmp_path)!r} + "/8", "rb") as file:
            return {{1: file.read()}}
told = []
shelf = stock.Stock(bytes(16), {str(tmp_path)!r})
journal = Journal()
new = asyncio.run(
    stock_delivery.fetch_stock(journal, Messenger(), shelf, [7, 8], lambda *why: told.append(why))
)
print(json.dumps([told, journal.state.batches]))
"""
    )
    assert told == [[7, "no memory"]]
    assert batches == {"8": [0, 1]}


def test_the_largest_release_entry_is_read() -> None:
    custom = d.entry(
        release=4 * 10**9,
        version="v" * 32,
        commit="a" * 64,
        hardware={"class": "duka-r1", "revisions": list(range(1, 17))},
        journal={"reads": list(range(1, 17)), "writes": 16},
        payloads=[
            {"kind": "full", "path": "stable/duka-r1/4000000000.full"},
            *(
                {
                    "kind": "delta",
                    "path": f"stable/duka-r1/4000000000-from-{n}.delta",
                    "base_sha256": "0" * 64,
                }
                for n in range(15)
            ),
        ],
        text={"a" + chr(97 + n): "x" * 200 for n in range(8)},
    )
    d.signer_entry(custom)
    payloads, number = on_board(f"""
from bootloader.shared import canonical, release
text = {json.dumps(custom)!r}
held = fill()
target = {{"custom": canonical.loads(text.encode(), 12288)}}
path = "stable/duka-r1/4000000000.full"
class Slot:
    size_bytes = 655360
class Board:
    HARDWARE_CLASS, HARDWARE_REVISION, BOOTLOADER_VERSION = "duka-r1", 1, 1
    partitions = {{"slot_a": Slot}}
class Everybody:
    def check(self, number):
        pass
    def keep_pace(self, found):
        pass
running = release.Running("stable", 7, 1, (1, 16), (), Everybody())
found = release.choose({{path: target}}, Board, 1, running)
print(json.dumps([len(found.payloads), found.release]))
""")
    assert (payloads, number) == (16, 4 * 10**9)
