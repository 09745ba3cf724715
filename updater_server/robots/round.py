"""One round of one robot: poll, range, buy, print, journal, settle, told. The first link that
breaks ends it, by name; what is open goes on with the next round.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from updater_server.channels import RepositoryError
from updater_server.channels.published import Published
from updater_server.robots.device import NoAnswer, RobotDevice
from updater_server.robots.listed import Robot
from updater_server.telemetry.store import Told
from updater_server.wire import cbor

LINKS = ("poll", "range", "buy", "print", "journal", "settle", "told")
"""Is there news, and does the server hear; is the product on the list, and are files given in
parts; is it sold; does the slip read well; is the journal taken in; do floats agree; were the
counters of the round before taken in (a canary through the spool).
"""
DELIVERED, REFUSED, PENDING = 0, 1, 2
INTENT, PAID, NOT_PAID, PRINTED = 3, 4, 5, 6
PASSES = 6
"""So often is a sale that is pending asked for in one round."""
TAKEN_IN_S = 150
"""What was told so long ago must be in the tables."""
_WINDOW_S = 60
_SLIP_WIDTH = 32
_PART_BYTES = 16


class Broken(Exception):
    """A link of the chain; the text says why, in words that do not change from round to round."""


class Roads(NamedTuple):
    """What a robot reaches the world by. `get`: (path, from byte, to byte or -1) → (status, body);
    `rest` waits so many seconds; `now`: Unix seconds.
    """

    get: Callable[[str, int, int], tuple[int, bytes]]
    rest: Callable[[float], None]
    now: Callable[[], int]


class Outcome(NamedTuple):
    """`link` and `why` are "" when all is well; `slip` is what a printer would have got."""

    link: str = ""
    why: str = ""
    slip: str = ""


class Round:
    """See above. `told` is where counters end; `published` what the channels give."""

    def __init__(
        self, robot: Robot, device: RobotDevice, roads: Roads, published: Published, told: Told
    ) -> None:
        self._robot, self._device, self._roads = robot, device, roads
        self._published, self._tables = published, told
        self._answer: dict[int, Any] = {}
        self._slip = ""
        self._sale = 0

    def run(self) -> Outcome:
        """Go through all links."""
        for link in LINKS:
            try:
                getattr(self, f"_{link}")()
            except (Broken, NoAnswer) as error:
                return Outcome(link, str(error), self._slip)
        return Outcome(slip=self._slip)

    # --- the links ---

    def _poll(self) -> None:
        status, body = self._roads.get("/tuf/metadata/timestamp.json", 0, -1)
        if status != 200:
            raise Broken(f"timestamp.json: HTTP status {status}")
        try:
            expires = datetime.fromisoformat(json.loads(body)["signed"]["expires"])
        except (ValueError, KeyError, TypeError) as error:
            raise Broken("timestamp.json is none") from error
        if expires.timestamp() <= self._roads.now():
            raise Broken("timestamp.json has expired")
        self._check_in()
        if self._device.newest not in (None, hashlib.sha256(body).digest()[:8]):
            raise Broken("the server speaks of another timestamp.json than it gives")

    def _range(self) -> None:
        robot = self._robot
        try:
            catalogue = self._published.catalogue(Path(robot.catalogue).stem)
            file = self._published.target_file(robot.catalogue)
        except RepositoryError as error:
            raise Broken(f"{robot.catalogue} is not published") from error
        found = [one for one in catalogue.products if one.product_id == robot.product]
        if not found:
            raise Broken(f"{robot.product} is not on {robot.catalogue}")
        product = found[0]
        commission = product.commission_minor
        if product.open is not None:
            commission = robot.amount_minor * product.open.commission_permille // 1000
        if not product.costs(robot.amount_minor, commission):
            raise Broken(f"{robot.product} is not sold for {robot.amount_minor}")
        self._product, self._commission = product, commission
        part = f"/tuf/targets/{file.relative_to(self._published.directory / 'targets')}"
        status, body = self._roads.get(part, 1, _PART_BYTES)
        if (status, body) != (206, file.read_bytes()[1 : _PART_BYTES + 1]):
            raise Broken(f"part of a file: HTTP status {status}")

    def _buy(self) -> None:
        robot, kept = self._robot, self._device.kept
        if not kept.open_sale:
            at_s = self._roads.now()
            body = [robot.product, robot.amount_minor, self._commission]
            sale = self._device.record(
                INTENT, body + [robot.recipient] * bool(robot.recipient), at_s
            )
            content = {0: 2, 1: sale, 2: robot.product, 3: robot.amount_minor, 4: at_s}
            content[20] = self._commission
            if robot.recipient:
                content[21] = robot.recipient
            kept.open_sale = cbor.dumps(content).hex()
            self._device.keep()  # before anybody hears of it
        content = cbor.loads(bytes.fromhex(kept.open_sale))
        assert isinstance(content, dict)
        assert isinstance(content[1], int)
        self._sale = content[1]
        for _ in range(PASSES):
            self._answer = self._device.ask(content)
            if self._answer[1] != PENDING:
                break
            self._roads.rest(self._answer.get(8, 5))
        if self._answer[1] == PENDING:
            raise Broken("the sale is not decided")
        if self._answer[1] == REFUSED:
            code = str(self._answer[6])
            self._device.record(NOT_PAID, [self._sale, code], self._roads.now())
            self._end_sale()
            self._send()
            raise Broken(f"refused: {code}")

    def _print(self) -> None:
        answer, robot = self._answer, self._robot
        token, serial = answer[2], answer[3]
        groups = "-".join(token[at : at + 4] for at in range(0, len(token), 4))
        details = [f"{label}: {value}" for label, value in answer.get(9, [])]
        lines = [self._product.name, robot.recipient, groups, serial, *details]
        self._slip = "\n".join(line for line in lines if line)
        sealed = self._device.seal_pin(self._sale, robot.product, serial, token)
        paid = [self._sale, sealed, serial, answer[4], answer[5]]
        self._device.record(PAID, paid, self._roads.now())
        self._device.record(PRINTED, [self._sale, 0], self._roads.now())
        self._end_sale()
        if not token or not self._slip.replace("\n", "").isprintable():
            raise Broken("the slip has nothing to read, or what no printer has")

    def _journal(self) -> None:
        self._send()

    def _settle(self) -> None:
        reply = self._check_in()
        if reply[3] != self._device.kept.next - 1:
            raise Broken("the server has not all of the journal")
        if reply[2] != self._answer[5]:
            raise Broken("the float is another than the sale's answer said")

    def _told(self) -> None:
        kept, now = self._device.kept, self._roads.now()
        if kept.told_s and now - kept.told_s >= TAKEN_IN_S:
            rows = self._tables.rows([self._device.terminal_id], kept.told_s - _WINDOW_S, now)
            if all(row.start_s + row.length_s != kept.told_s for _, row in rows):
                raise Broken("counters that were told are not taken in")
            kept.told_s = 0
        if not kept.told_s:
            start_s = now - _WINDOW_S
            self._check_in([self._release(), kept.next, start_s, _WINDOW_S, {1: 1, 2: 1}])
            kept.told_s = now
            self._device.keep()

    # --- what several do ---

    def _check_in(self, *windows: list[Any]) -> dict[int, Any]:
        device = self._device
        content: dict[int, Any] = {
            0: 1, 1: self._roads.now(), 2: self._release(), 3: "a", 4: False, 5: 1,
            6: 4000, 7: 31, 8: None, 9: 0, 10: [1, device.kept.next],
        }  # fmt: skip
        if windows:
            content[13] = b"".join(cbor.dumps(window) for window in windows)
        return device.ask(content)

    def _release(self) -> int:
        listed = self._published.releases(self._robot.channel)
        if not listed:
            raise Broken(f"{self._robot.channel} lists no release")
        return max(entry.release for entry in listed)

    def _end_sale(self) -> None:
        self._device.kept.open_sale = ""
        self._device.keep()

    def _send(self) -> None:
        kept = self._device.kept
        records = [bytes.fromhex(raw) for raw in kept.unsent]
        if not records:
            return
        reply = self._device.ask({0: 3, 1: records})
        if reply[1] != kept.next - 1:
            raise Broken("the server takes the journal in no further")
        kept.unsent = []
        self._device.keep()
