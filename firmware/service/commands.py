"""What the technician's tools ask of a running terminal; `service.console` loads this only then.

A command is one line; each answer is a line `= ` and JSON, the last one has "done" or "error".
Interface: docs/formats/serial.md. What changes the terminal needs a permit, which only the server
can make: a person with a cable alone can neither unlock a terminal nor wipe it.
"""

import asyncio
import json
import os
from binascii import hexlify, unhexlify
from hashlib import sha256

from bootloader.shared.compat import ticks_diff, ticks_ms
from bootloader.shared.hashes import equal, hkdf_sha256, hmac_sha256, technician_permit
from bootloader.shared.partitions import SECTOR_BYTES
from firmware import log
from firmware.kept import config
from firmware.lent import load
from firmware.office import sync
from firmware.office.messenger import BadReply, NoNetwork, ServerRefused
from firmware.service.console import COMMANDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bootloader.shared.board import Board
    from firmware.boot_info import BootInfo
    from firmware.service.serviced import Serviced

    Answer = dict[str, Any]

_REPLY_MS = 60000
_REPLY_CHARS = 4400
_PART_RECORDS = 16
_CONFIG = "/data/config.json"
_SECRET_SETTINGS = ("pin_salt", "pin_hash", "pin_rounds")


class Refused(Exception):
    """The command is not carried out; the text says to the technician what to do."""


class Commands:
    """One command on the console of `terminal` (None if the terminal is out of service)."""

    def __init__(self, board: "Board", boot_info: "BootInfo", terminal: "Serviced | None") -> None:
        self.board = board
        self.boot = boot_info
        self.terminal = terminal

    async def run(self, line: str) -> None:
        """Carry out `line` (text) and answer it."""
        words = line.split()
        if not words or words[0] not in COMMANDS:  # any other name would stay in the heap for ever
            return
        try:
            work = getattr(self, "do_" + words[0], None)
            if work is None:
                raise Refused("no such command in this release")
            answer = await work(*words[1:])
            answer["done"] = words[0]
        except Refused as refused:
            answer = {"error": str(refused)}
        except MemoryError:
            answer = {"error": "not enough memory now: restart the terminal and try again"}
        except Exception as error:
            answer = {"error": words[0] + ": " + (str(error) or type(error).__name__)}
        if "error" in answer:
            answer["of"] = words[0]  # what was typed while the terminal was busy is answered late
        self.say(answer)
        if "then" in answer:
            await asyncio.sleep_ms(100)
            self.board.reset()

    def say(self, answer: "Answer") -> None:
        """Write one line of an answer."""
        self.board.console.write(b"= " + json.dumps(answer).encode() + b"\r\n")

    def _selling(self) -> "Serviced":
        if self.terminal is None:
            raise Refused("the terminal is out of service: its screen says why; use recovery")
        return self.terminal

    async def _stopped(self) -> "Serviced":
        """The terminal, with selling stopped until the next restart."""
        terminal = self._selling()
        if terminal.selling or terminal.printer.busy:
            raise Refused("a sale is open: finish it first")
        await terminal.supervisor.stop_selling()
        return terminal

    # what it is

    async def do_status(self) -> "Answer":
        """Who this is, what runs, and what the server does not have yet."""
        boot = self.boot
        who = boot.identity
        answer = {
            "terminal": who.terminal_id.hex(),
            "uid": who.chip_id.hex(),
            "class": who.hardware_class,
            "revision": who.hardware_revision,
            "bootloader": self.board.BOOTLOADER_VERSION,
            "release": boot.release,
            "slot": boot.slot,
            "trial": boot.trial,
            "boots": boot.boot_count & 0xFFFFFF,
            "cause": boot.reset_cause,
            "battery_mv": self.board.battery_mv(),
            "service": self.terminal is not None,
        }
        if self.terminal:
            till = self.terminal.till
            answer["unsynced"] = till.unsynced_count
            answer["unfinished"] = len(till.unfinished())
            answer["locked"] = self.terminal.memory.get("locked", False)
            answer["network"] = self.terminal.link.state
            answer["refused"] = self.terminal.files.refused
        return answer

    # journal and diagnostics

    async def do_export(self) -> "Answer":
        """Every record still kept, as it stands in the journal, and the log. PINs in it are sealed
        under a key that never leaves the terminal; so is each part of the records, so that the
        server books nothing that somebody made up on the way."""
        for line in log.lines():
            self.say({"log": line})
        journal = self._selling().journal
        who = self.boot.identity
        key = hkdf_sha256(who.device_key, who.terminal_id, b"duka export 1", 32)
        count = 0
        part = []
        for sequence, _, _, _, raw in journal.records(journal.oldest):
            self.say({"record": sequence, "raw": hexlify(raw).decode()})
            count += 1
            part.append(raw)
            if len(part) == _PART_RECORDS:
                self._seal(key, sequence, part)
                part = []
                await asyncio.sleep_ms(1)
        if part:
            self._seal(key, sequence, part)
        return {"records": count, "acknowledged": journal.state.acknowledged, "tip": self._tip()}

    def _seal(self, key: bytes, last: int, part: list[bytes]) -> None:
        """Say the seal of the records in `part`, of which `last` is the last one's number."""
        first = last - len(part) + 1
        pieces = [first.to_bytes(4, "big"), len(part).to_bytes(2, "big")]
        for raw in part:
            pieces.append(len(raw).to_bytes(2, "big"))
            pieces.append(raw)
        seal = hmac_sha256(key, *pieces)
        self.say({"first": first, "count": len(part), "seal": hexlify(seal).decode()})

    def _tip(self) -> str:
        """The chain tag of the newest record of a sale: it stands for everything before it."""
        journal = self._selling().journal
        for _, _, _, _, raw in journal.records(journal.state.last_money):
            return hexlify(raw[-8:]).decode()
        return ""

    async def do_sync(self) -> "Answer":
        """Send the journal to the server through the cable instead of over the air: each message is
        sealed here, so the technician's computer carries it but can neither read nor change it."""
        terminal = await self._stopped()
        messenger = terminal.messenger
        over_the_air, client = messenger.post, messenger.client
        messenger.post, messenger.client = self._post, None
        try:
            count = await sync.sync(terminal.journal, messenger, terminal.till)
        except (NoNetwork, BadReply, ServerRefused) as error:
            raise Refused("the server did not take the journal: " + str(error))
        finally:
            messenger.post, messenger.client = over_the_air, client
        return {"sent": count, "unsynced": terminal.till.unsynced_count, "then": "restart"}

    async def _post(self, body: bytes) -> tuple[int, bytes]:
        self.say({"post": hexlify(body).decode()})
        words = (await self._line(_REPLY_MS)).split()
        if len(words) != 3 or words[0] != "reply":
            raise NoNetwork("no answer through the cable")
        _, status, content = words
        try:
            return int(status), unhexlify("" if content == "-" else content)
        except ValueError:
            raise NoNetwork("a damaged answer through the cable")

    async def _line(self, timeout_ms: int) -> str:
        """The next line that is typed; "" when `timeout_ms` passed without one."""
        started = ticks_ms()
        typed = bytearray()
        while ticks_diff(ticks_ms(), started) < timeout_ms:
            for byte in self.board.console.read(64):
                if byte in b"\r\n":
                    if typed:
                        return typed.decode()
                elif len(typed) < _REPLY_CHARS:
                    typed.append(byte)
            await asyncio.sleep_ms(5)
        return ""

    # what needs a permit

    async def do_challenge(self) -> "Answer":
        """A number that is good for one permit, and the proof that this terminal drew it."""
        self.boot.challenge = challenge = self.board.random(16)
        proof = technician_permit(self.boot.identity, "challenge", challenge)
        return {"challenge": hexlify(challenge + proof).decode()}

    def _check(self, action: str, permit: str, content: bytes | None = None) -> None:
        challenge = getattr(self.boot, "challenge", None)
        self.boot.challenge = None
        if not challenge:
            raise Refused("ask for a challenge first")
        if content is not None:
            challenge = sha256(challenge + sha256(content).digest()).digest()[:16]
        wanted = technician_permit(self.boot.identity, action, challenge)
        if not equal(unhexlify(permit), wanted):
            raise Refused("the permit is not for this: ask the server for one again")

    async def do_unlock(self, permit: str) -> "Answer":
        """Let the merchant try a PIN again at once."""
        memory = self._selling().memory
        self._check("unlock", permit)
        memory.put("wrong", 0)
        memory.put("locked", False)
        log.log("service", "unlocked by a technician")
        return {"then": "restart"}

    def _settings(self) -> "Answer":
        path = self.terminal.files.in_use(_CONFIG) if self.terminal else _CONFIG
        with open(path, "rb") as file:
            settings: Answer = json.load(file)
        return settings

    async def do_settings(self) -> "Answer":
        """The settings in force, without what the merchant's PIN could be guessed from."""
        settings = self._settings()
        for name in _SECRET_SETTINGS:
            settings["merchant"].pop(name, None)
        return {"settings": settings}

    async def do_configure(self) -> "Answer":
        """Change the settings that the technician's tool names; all others stay."""
        files = self._selling().files
        self.say(await self.do_challenge())
        words = (await self._line(_REPLY_MS)).split()
        if len(words) != 3 or words[0] != "settings":
            raise Refused("no settings came: start again")
        _, permit, changes = words
        patch = unhexlify(changes)
        self._check("settings", permit, patch)
        settings = self._settings()
        for name, value in json.loads(patch).items():
            if isinstance(value, dict) and isinstance(settings.get(name), dict):
                settings[name].update(value)
            else:
                settings[name] = value
        text = json.dumps(settings).encode()
        try:
            config.Config(text)
        except config.ConfigError as error:
            raise Refused("nothing was changed: " + str(error))
        files.put(_CONFIG, text)
        log.log("service", "settings changed by a technician")
        return {"then": "restart"}

    async def do_may_retire(self, tip: str = "") -> "Answer":
        """Whether no sale would be lost; `tip` shows that the journal was exported."""
        till = self._selling().till
        waiting = till.unsynced_count
        if (waiting or till.unfinished()) and tip != self._tip():
            raise Refused(
                "%d records of sales are not on the server and %d sales are not finished: "
                "finish and send them, or export them, first" % (waiting, len(till.unfinished()))
            )
        return {}

    async def do_retire(self, permit: str, tip: str = "") -> "Answer":
        """Wipe keys, stock, journal and settings."""
        await self.do_may_retire(tip)
        self._check("retire", permit)
        await self._stopped()
        # The key goes first: from then on stock, journal and boot records are noise, and a cut
        # leaves a blank terminal whose rest is wiped when it is provisioned again.
        for name in ("identity", "journal", "control", "data"):
            partition = self.board.partitions[name]
            if name == "data":
                os.umount("/data")
            for sector in range(0, partition.size_bytes, SECTOR_BYTES):
                partition.erase_sector(sector)
                self.boot.watchdog.feed()
        return {"then": "restart"}

    # self-test

    async def do_test(self, part: str, *arguments: str) -> "Answer":
        """One part of the board; docs/technician.md, "Self-test"."""
        terminal = await self._stopped()
        parts = load("firmware.service.parts")
        found: Answer = await parts.run(self.board, self.boot, terminal, part, arguments)
        return found
