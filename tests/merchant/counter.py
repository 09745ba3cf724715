"""A terminal on a counter, on MicroPython: real screens, keys, printer driver, till and journal.

The board is made of wires: a key matrix, a display that keeps its picture, a printer on a UART that
answers as the ESC/POS reference says. What the server answers is a script (`office`). Device code:
tests run it with `tests.support.micropython`; `tests/merchant/at_counter` reads what it prints.
"""

# mypy: ignore-errors
# ruff: noqa: UP031, PTH102, PTH123 -- runs on MicroPython: no types, no pathlib

import asyncio
import json
import time
from hashlib import sha256

import vfs

from bootloader.shared import cbor, cose
from bootloader.shared.hashes import pbkdf2_sha256
from bootloader.shared.partitions import BlockDevice, Partition
from firmware import counts, lent, log, terminal
from firmware.drivers import keypad as keypad_driver
from firmware.drivers.lcd import Lcd
from firmware.duties import check_in, status_bar
from firmware.flows.session import sessions
from firmware.kept.config import Config
from firmware.kept.memory import Memory
from firmware.net.link import OFFLINE, ONLINE, SEARCHING
from firmware.sales.journal import JournalFull
from firmware.ui import dialogs
from firmware.ui.screen import Screen
from firmware.ui.texts import Words
from tests.merchant.office import Office

NETWORK = {"online": ONLINE, "offline": OFFLINE, "searching": SEARCHING}
NOW = 1795000000
PATIENCE_MS = 6000
PIN = "2580"

CATALOGUE = {
    "version": 1,
    "currency": "KES",
    "minor_digits": 2,
    "products": [
        {
            "id": "air%d" % price,
            "name": "Savanna %d" % price,
            "operator": "Savanna",
            "amount_minor": price * 100,
            "commission_minor": price * 5,
            "instructions": "Dial *130*PIN#",
            "pin_groups": [4, 4, 4, 4],
        }
        for price in (50, 100, 500)
    ],
    "offline": {
        "max_amount_minor": 10000,
        "max_count": 2,
        "max_total_minor": 20000,
        "max_age_s": 259200,
    },
}


class Flash:
    def __init__(self, size):
        self.size_bytes = size
        self.cells = bytearray(size)  # filled in pieces: a small heap has no room for it twice
        for sector in range(0, size, 4096):
            self.erase(sector)

    def read_into(self, address, buf):
        buf[:] = memoryview(self.cells)[address : address + len(buf)]

    def program(self, address, data):
        for n in range(len(data)):
            self.cells[address + n] &= data[n]

    def erase(self, address):
        self.cells[address : address + 4096] = b"\xff" * 4096


class RowPin:
    def __init__(self, board, row):
        self._board, self._row = board, row

    def value(self, level):
        self._board.row_levels[self._row] = level


class ColumnPin:
    def __init__(self, board, column):
        self._board, self._column = board, column

    def value(self):
        self._board.reads += 1
        key = self._board.pressed
        if key is None:
            return 1
        row, column = divmod(keypad_driver.KEYS.index(key), 4)
        return int(column != self._column or bool(self._board.row_levels[row]))


class PrinterPort:
    """`state` is ok, paper_out, cover_open, error, mute, or paper_at:N (out after N bytes more)."""

    def __init__(self):
        self.state = "ok"
        self.written = bytearray()
        self.begun = []
        self.newest = int  # the number of the journal's newest record
        self._is_asked = False
        self._replies = bytearray()

    def any(self):
        return len(self._replies)

    def read(self, n):
        got = bytes(self._replies[:n])
        self._replies = self._replies[n:]
        return got or None

    def _print(self, data):
        if self._is_asked:  # how the head is: so every slip begins
            self._is_asked = False
            self.begun.append(self.newest())
        self.written += data

    def write(self, data):
        data = bytes(data)
        self._is_asked = self._is_asked or data == b"\x10\x04\x02"
        if self.state == "mute":
            if data[:2] != b"\x10\x04" and data[:2] != b"\x1dr":
                self._print(data)
            return len(data)
        if data == b"\x10\x04\x02":
            flags = {"cover_open": 0x04, "paper_out": 0x20, "error": 0x40}
            self._replies.append(0x12 | flags.get(self.state, 0))
        elif data == b"\x10\x04\x04":
            self._replies.append(0x12 | (0x60 if self.state == "paper_out" else 0))
        elif data == b"\x1dr\x01":
            if self.state == "ok":
                self._replies.append(0)
        elif self.state[:9] == "paper_at:":
            left = int(self.state[9:]) - len(data)
            self._print(data)
            self.state = "paper_at:%d" % left if left > 0 else "paper_out"
        elif self.state == "ok":
            self._print(data)
        return len(data)


class SilentPort:
    def any(self):
        return 0

    def read(self, n):
        return None

    def write(self, data):
        return len(data)


class Pin:
    def value(self, level=None):
        return 1


class Console:
    def read(self, n):
        return b""

    def write(self, data):
        print("LOG " + data.decode().strip())


class Glass:
    contrast = 0

    def __init__(self):
        self.memory = bytearray(1024)
        self._page = 0

    def command(self, command):
        if command[:1] == b"\x81":
            self.contrast = command[1]
        if len(command) == 3 and command[0] & 0xF8 == 0xB0:
            self._page = command[0] & 7

    def data(self, data):
        self.memory[self._page * 128 : self._page * 128 + len(data)] = data


class Board:
    HARDWARE_CLASS = "duka-r1"
    HARDWARE_REVISION = 1
    BOOTLOADER_VERSION = 1

    def __init__(self):
        flash = Flash(0x30000)
        self.partitions = {
            "journal": Partition(flash, 0, 0x10000),
            "slot_a": Partition(flash, 0, 0x1000),
            "slot_b": Partition(flash, 0x8000, 0x1000),
        }
        self.data = Partition(flash, 0x10000, 0x20000)
        self.pressed = None
        self.reads = 0
        self.row_levels = [0, 0, 0, 0]
        self.keypad_rows = [RowPin(self, n) for n in range(4)]
        self.keypad_columns = [ColumnPin(self, n) for n in range(4)]
        self.lcd = Glass()
        self.printer = PrinterPort()
        self.modem_power_key = Pin()
        self.console = Console()
        self.mv = 3900
        self.sounds = []
        self.rtc = DeadRtc()

    def random(self, n):
        return bytes(range(n))

    def uart(self, name, baud):
        return self.printer if name == "printer" else SilentPort()

    def battery_mv(self):
        return self.mv

    def charging(self):
        return False

    def buzzer(self, freq_hz, ms):
        self.sounds.append(freq_hz)


class DeadRtc:
    """A clock whose cell is empty: it starts anew at every power-on."""

    def datetime(self, now=None):
        return (2000, 1, 1, 5, 0, 0, 0, 0)


class Identity:
    terminal_id = bytes(range(8))
    device_key = bytes(range(32))


class Watchdog:
    def feed(self):
        pass


class Control:
    """Of a slot whose image is empty, and whole."""

    image_size = 0
    sha256 = sha256(b"").digest()


Control.state = Control
Control.slots = {"a": Control}


class BootInfo:
    watchdog = Watchdog()
    slot = "a"
    trial = False
    release = 7
    boot_count = 1
    reset_cause = "power-on"
    last_failure = None
    identity = Identity
    control = Control


class ToldScreen(Screen):
    """Also tells the test in words what it shows."""

    shown = ""

    def page(self, title, lines, hints, big=None, marked=None, more=0, bar=0):
        super().page(title, lines, hints, big, marked, more, bar)
        text = [title] + ([big] if big else [])
        for line in lines:
            text.append(line if isinstance(line, str) else " ".join(line))
        shown = " | ".join(text) + " [" + ", ".join([k + " " + w for k, w in hints]) + "]"
        if shown != self.shown:
            self.shown = shown
            if not hints or hints[-1][0]:  # a page that counts seconds is told by its words only
                print("PAGE " + shown)


class CounterTerminal(terminal.Terminal):
    """The terminal without a radio: its messages go to the office of the script."""

    second_ms = 20
    office = None

    async def hear(self):
        if self.office == "hang":
            await asyncio.sleep(60)
        if self.office:
            float_minor, self.till.blocked = self.office
            self.server.float_minor = float_minor
            self.journal.acknowledge(self.journal.next_sequence - 1, float_minor, self.now())


def stock_file(key, batch, product, amount_minor, count):
    entries = []
    for index in range(count):
        serial = "ST%d-%d" % (batch, index)
        nonce = b"\x02" + batch.to_bytes(4, "big") + bytes(4) + index.to_bytes(4, "big")
        aad = cbor.dumps(["duka/stock/1", batch, product, amount_minor, 0, serial])
        pin = "%016d" % (7700000000000000 + batch * 1000 + index)
        entries.append([serial, cose.seal(key, nonce, aad, pin.encode())])
    return cbor.dumps({1: batch, 2: product, 3: amount_minor, 4: 0, 5: entries})


def settings(changes):
    salt = bytes(16)
    table = {
        "server": {"host": "127.0.0.1", "port": 80},
        "apn": "internet",
        "channel": "stable",
        "catalogue": "catalogue/default.json",
        "merchant": {
            "name": "Mama Asha Shop",
            "pin_salt": "00" * 16,
            "pin_hash": pbkdf2_sha256(PIN.encode(), salt, 10).hex(),
            "pin_rounds": 10,
        },
        "language": "en",
        "poll_s": 900,
        "sync_s": 300,
    }
    table.update(changes)
    return Config(json.dumps(table))


class Counter:
    """Runs one script: a list of steps, each a list whose first item names a method."""

    held = counted = None

    def __init__(self, config):
        self.prefixes = {}
        self.config = settings(config)
        self.board = Board()
        vfs.VfsLfs2.mkfs(BlockDevice(self.board.data))
        vfs.mount(vfs.VfsLfs2(BlockDevice(self.board.data)), "/data")
        import os

        os.mkdir("/data/stock")
        self.put("catalogue.json", json.dumps(CATALOGUE))
        log.start(self.board.console)
        self.tasks = []
        self.boots = 0
        keys = cose.derive_keys(Identity.device_key, Identity.terminal_id)
        self.server = Office(keys, self.kind_of, 100000)
        self.boot()
        app = self.app
        app.clock.set(NOW)
        app.journal.acknowledge(app.journal.next_sequence - 1, 100000, NOW)

    def kind_of(self, product_id):
        product = self.app.catalogue.product(product_id)
        return product.kind if product else "pin"

    def put(self, name, text):
        with open("/data/" + name, "w") as file:
            file.write(text)

    def boot(self):
        """Power off and on: all that is not in flash is gone."""
        for task in self.tasks:
            task.cancel()
        BootInfo.boot_count += 1
        terminal.PRINTER_BAUD = 460800
        keypad_driver.SCAN_MS = 3
        memory = Memory()
        words = Words(memory.get("language", self.config.language))
        self.screen = ToldScreen(Lcd(self.board.lcd))
        app = CounterTerminal(self.board, BootInfo(), self.config, memory, words, self.screen)
        app.server = self.server
        app.messenger.post = self.server.post
        self.server.answers = []
        self.loses_coverage = False
        self.board.printer.newest = self.newest
        link = app.link
        link.lost = link.hurry = int  # there is no radio that could do anything about it
        link.look = self.look
        link.state = ONLINE
        link.modem.cell.registered = link.modem.attached = True
        link.modem.cell.signal = 18
        link.modem.refresh = self.look
        self.app = app

    async def look(self):
        if self.loses_coverage:
            self.app.link.state = OFFLINE

    async def start(self):
        app = self.app
        self.tasks = [
            asyncio.create_task(self.guarded(work))
            for work in (app.keypad.run(), sessions(app), status_bar.show(app))
        ]

    async def guarded(self, work):
        try:
            await work
        except Exception as error:
            import sys

            sys.print_exception(error)
            print("CRASH " + repr(error))

    async def run(self, steps):
        await self.start()
        for step in steps:
            print("STEP " + json.dumps(step))
            if not await getattr(self, "do_" + step[0])(*step[1:]):
                print("STUCK at %s; the screen shows: %s" % (step, self.screen.shown))
                break
        else:
            print("THROUGH")
        print("PAPER " + self.board.printer.written.hex())
        print("LOADED " + json.dumps(sorted(lent.loaded("firmware.flows"))))
        print("RECORDS " + json.dumps(self.records()))
        print("CONTRAST %d" % self.board.lcd.contrast)
        print("SOUNDS " + json.dumps(self.board.sounds))
        print("FLOAT %d" % self.app.till.float_minor)
        print("LEDGER %d" % self.server.float_minor)
        print("BEGUN " + json.dumps(self.board.printer.begun))
        print("ASKED " + json.dumps([[r[2], r[3], r.get(21)] for r in self.server.asked]))
        print("LOOKUPS %d" % self.server.look_ups)

    def records(self):
        found = []
        for _, kind, _, body, _ in self.app.journal.records(1):
            found.append([kind] + [str(item) for item in body] if body else [kind])
        return found

    def newest(self):
        return self.app.journal.next_sequence - 1

    async def do_see(self, *texts):
        started = time.ticks_ms()
        while not all(text in self.screen.shown.replace(" | ", " ") for text in texts):
            if time.ticks_diff(time.ticks_ms(), started) > PATIENCE_MS:
                return False
            await asyncio.sleep_ms(5)
        await asyncio.sleep_ms(20)
        return True

    async def do_not_see(self, text):
        return text not in self.screen.shown

    async def do_press(self, keys):
        for key in keys:
            for down in (key, None):
                self.board.pressed = down
                # held and let go until the driver has surely scanned often enough
                enough = self.board.reads + (90 if down else 24)
                while self.board.reads < enough:
                    await asyncio.sleep_ms(2)
        return True

    async def do_sign_in(self):
        return await self.do_see("Your PIN") and await self.do_press(PIN + "#")

    async def do_printer(self, state):
        self.board.printer.state = state
        return True

    async def do_network(self, state):
        self.app.link.state = NETWORK[state]
        return True

    async def do_unheard(self):
        """No mast is in reach any more, and the radio has noticed."""
        self.app.link.state = OFFLINE
        self.app.link.modem.cell.registered = False
        return True

    async def do_lose_coverage(self):
        self.loses_coverage = True
        return True

    async def do_server(self, *answers):
        self.server.answers = list(answers)
        return True

    async def do_lose_reply(self):
        """The office decides, and its next answer is lost on the way."""
        self.server.loses_reply = True
        return True

    async def do_cancels(self, grants):
        """Whether the office cancels what it is asked to."""
        self.server.grants = grants
        return True

    async def do_details(self, *pairs):
        """What comes with the next deliveries beside the code."""
        self.server.details = [list(pair) for pair in pairs]
        return True

    async def do_customer(self, recipient, name, least_minor=0, most_minor=0):
        """Whom the office knows by that number."""
        self.server.customers[recipient] = (name, least_minor, most_minor)
        return True

    async def do_prefixes(self, prefixes):
        """What numbers begin with, in the price lists from now on."""
        self.prefixes = {"prefixes": prefixes}
        return True

    async def do_sell_also(self, *products):
        """More products in the price list."""
        more = dict(CATALOGUE)
        more.update(self.prefixes)
        more["products"] = CATALOGUE["products"] + list(products)
        return await self.do_catalogue(json.dumps(more))

    async def do_stock(self, batch, product, amount_minor, count):
        app = self.app
        key = cose.derive_keys(Identity.device_key, Identity.terminal_id).stock
        count = app.stock.store(batch, stock_file(key, batch, product, amount_minor, count))
        app.journal.append(9, [batch, count])
        return True

    async def do_float(self, amount_minor):
        app = self.app
        self.server.float_minor = amount_minor
        app.journal.acknowledge(app.journal.next_sequence - 1, amount_minor, app.now())
        return True

    async def do_no_paper(self):
        """Nothing was printed since power-on."""
        return not self.board.printer.written

    async def do_newest(self, kind):
        """The journal's newest record is of that kind."""
        found, _, _ = self.app.journal.read(self.newest())
        return found == kind

    async def do_float_is(self, amount_minor):
        """What the terminal holds its float to be, and what the office's ledger says."""
        return self.app.till.float_minor == self.server.float_minor == amount_minor

    async def do_fill_journal(self):
        """Settings until there is room for nothing but the end of a sale."""
        try:
            while True:
                self.app.journal.append(10, ["padding", "." * 200])
        except JournalFull:
            return True

    async def do_write_on(self, gone=0):
        """Settings that the office has, up to the next sector, or until that record has left."""
        journal = self.app.journal
        newest = journal.ring.newest
        while journal.oldest <= gone if gone else journal.ring.newest == newest:
            journal.append(10, ["padding", "." * 200])
            journal.acknowledge(journal.next_sequence - 1, self.app.till.float_minor, NOW)
        return True

    async def do_contrast(self, told):
        return self.board.lcd.contrast == told

    async def do_no_sounder(self):
        """A board that cannot be heard."""
        self.app.ui.buzzer.sound = None
        return True

    async def do_blocked(self):
        self.app.till.blocked = True
        return True

    async def do_office(self, *said):
        """What a check-in would bring: a float, and whether the terminal is blocked; or "hang"."""
        self.app.office = "hang" if said == ("hang",) else said
        return True

    async def do_second_ms(self, ms):
        """How long a second of a pause is from now on."""
        CounterTerminal.second_ms = ms
        return True

    async def do_clock(self, seconds):
        self.app.clock.set(seconds)
        return True

    async def do_cut(self):
        """The battery is pulled and put back."""
        print("PAPER " + self.board.printer.written.hex())
        self.board.printer.written = bytearray()
        self.boot()
        self.app.clock.set(NOW + 60)
        await self.start()
        return True

    async def do_spoil_catalogues(self):
        for name in ("catalogue.json", "catalogue.json.last"):
            self.put(name, "{broken")
        self.app.new_catalogue()
        return True

    async def do_catalogue(self, text):
        self.put("catalogue.json", text)
        self.app.new_catalogue()
        return True

    async def do_message(self, text):
        self.app.message = text
        return True

    async def do_notices(self, told):
        self.app.messenger.notices = told
        check_in.take_notices(self.app)
        return True

    async def do_idle_after_ms(self, ms):
        dialogs.IDLE_MS = ms
        return True

    async def do_flash(self, is_as_before):
        """Remember what is in flash, or hold it against that."""
        held = sha256(self.board.data.flash.cells).digest()
        was, self.held = self.held, held
        return not is_as_before or held == was

    async def do_counts(self, is_as_before):
        """The same for what the office is told in figures: sales and prints, tried and failed."""
        held = list(counts.values[1:8]) + list(counts.values[30:35])
        was, self.counted = self.counted, held
        return not is_as_before or held == was

    async def do_wait_ms(self, ms):
        await asyncio.sleep_ms(ms)
        return True

    async def do_shot(self, name):
        print("SHOT %s %s" % (name, self.board.lcd.memory.hex()))
        return True


def run(steps, config=None):
    counter = Counter(config or {})
    asyncio.run(counter.run(steps))
