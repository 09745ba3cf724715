"""The real stage: the server's own process, a whole terminal that boots through the bootloader, and
the GSM network between them, on simulated time. `inv attacks` runs the terminal on MicroPython.

One terminal lives through all rows of a family, one attack after the other; after each the honest
files come back and the terminal must take them in, and at the end it must install the next release
and sell. What was gained is judged from outside: raw flash, paper, the server's books.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.attacks import flash
from tests.attacks.scene import Change, Gained, Row, Scene
from tests.support.merchant import debit_minor, nothing_lost
from tests.support.seeded import seeded
from tests.support.static_site import Site
from tests.support.tap import Exchange
from tests.support.world import PASSPHRASE, PRICES, TerminalSettings, eventually
from tests.terminal.conftest import TerminalWorld, make_ready, simulated
from tools.technician.recovery_link import RecoveryLink
from updater_server import channels
from updater_server.channels import keys as key_files
from updater_server.channels.repository import Repository

FIRST = 101
"""Releases have three digits: they are one image, each with another number in its manifest."""
EVIL = 999
WAIT_S = 600
_SERVER_LOOKS_S = 150
_HELD_S = 0.5
_LOW_MV, _CHARGED_MV = 3550, 4000
_MESSAGES = 6
"""A check-in and a journal message a second: so many without a question for files is silence."""


def make_base(folder: Path) -> None:
    """A world for every family to copy: release 101 runs, and is all that is on offer."""
    folder.mkdir(parents=True)
    world = TerminalWorld(folder, simulated())
    with seeded("base", world.now_unix_s):
        manager = world.manager
        world.found_server()
        manager.create()
        manager.check_out()
        manager.add(manager.build(FIRST, "1.0.0"), gate_idle_s=0)
        manager.set_prices()
        manager.publish()
        world.fill_vault(12)
        make_ready(world)


class WholeScene(Scene):
    """A family's world. The thief works on `served`, a copy; `put` shows it to the terminal at the
    network, where a stolen server's answers are seen as well: the honest program would notice what
    was done to its files, and go on with those that last verified. Honest files go to the server.
    """

    def __init__(
        self,
        folder: Path,
        first: int = FIRST,
        evil: int = EVIL,
        settings: TerminalSettings | None = None,
    ) -> None:
        """`first` runs in the world in `folder`; `evil` has as many digits."""
        super().__init__()
        self.world = TerminalWorld(folder, settings or simulated())
        self._meanwhile = ExitStack()
        self._meanwhile.enter_context(seeded("scene", self.world.now_unix_s))
        self._meanwhile.enter_context(self.world.cable())
        self.running = self.offered = self._first = first
        self.evil = evil
        self.served, self.kept = folder / "served", folder / "kept"
        self._image = self.world.image(first).read_bytes()
        signers = key_files.load_all(self.world.manager.keys, PASSPHRASE)
        names = sorted(path.stem for path in self.world.manager.keys.glob("*.pem"))
        for name, signer in zip(names, signers, strict=True):
            self.signers.setdefault(name.rpartition("-")[0], []).append(signer)
        self._on_the_way = False
        self._shown: Path | None = None
        self._changed: Change = self.intercept
        self.messages: Callable[[Exchange], bytes | None] = lambda exchange: exchange.reply
        self.alarms: list[str] = []
        self.debits: list[int] = []
        self.said = ""
        self.world.tap.change = self._pass
        self.world.open_shop()
        self.world.wait_online()
        self._copy(self.world.server.repository, self.served)
        self.repository = Repository.open(self.served)

    def close(self) -> None:
        """Switch everything off."""
        self._meanwhile.close()
        self.world.close()

    # what rows use

    @property
    def now(self) -> datetime:
        return self.world.now()

    def image(self, number: int) -> bytes:
        """The terminal's program as release `number`."""
        old, new = (b'"release": %d' % n for n in (self._first, number))
        assert self._image.count(old) == 1
        return self._image.replace(old, new)

    def evil_image(self) -> bytes:
        return self.image(self.evil)

    def new_prices(self) -> None:
        version = self.repository.published.catalogue("default").version + 1
        prices = msgspec.structs.replace(PRICES, version=version)
        self.repository.set_catalogue("default", prices, self.all_signers)
        self.repository.publish(self.all_signers)

    def learn(self) -> None:
        """The battery is enough for a look, not for a switch; this once what is served is the
        server's word of what is newest, too, or the terminal would wait for that.
        """
        self._set_battery(low=True)
        log = self.world.new_log()
        on_the_way, self._on_the_way = self._on_the_way, False
        self.put()
        self._on_the_way = on_the_way
        self.world.eventually(
            lambda: "waits: the battery is low" in log() or "is halted" in log(),
            WAIT_S,
            "what is served is known",
        )

    def ask(self) -> None:
        self.put()
        begun = self.polls()
        self.world.eventually(lambda: self.polls() > begun + 1, WAIT_S, "two polls")

    def _set_battery(self, low: bool) -> None:
        self.world.terminal.board.battery.set_mv(_LOW_MV if low else _CHARGED_MV)

    def wait_until_expired(self) -> None:
        """Not here: the time comes under the server's seal."""

    @contextmanager
    def off(self) -> Iterator[bytes]:
        """The terminal without power, in the hands of somebody with a programmer; then on again.
        Gives the cells."""
        board = self.world.terminal.board
        board.power_off()
        yield board.flash.snapshot()
        board.power_on()

    @contextmanager
    def cable(self) -> Iterator[RecoveryLink]:
        """Serial recovery, as a technician or a thief with a cable enters it; then a restart."""
        board = self.world.terminal.board
        board.power_off()
        board.hold("*")
        board.pause(_HELD_S)  # a contact bounces at first
        board.power_on()
        board.wait_for(lambda: board.cpu_running, 20, what="the CPU")
        with RecoveryLink(board.serial_port) as link:
            board.release("*")
            yield link
        board.power_cycle()

    # what the terminal sees

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)

    def put(self) -> None:
        """Let the terminal see what is in `served`, as `intercept` changes it."""
        self._changed = self.intercept
        if self._on_the_way:
            shown = self.served.with_name("shown")
            self._copy(self.served, shown)
            self._shown = shown
            # The server speaks of something new, or nobody would ask for what stands on the way.
            Repository.open(self.world.server.repository).publish(self.all_signers)
            return
        self._shown = None
        repository = self.world.server.repository
        fresh, old = repository.with_name("fresh"), repository.with_name("old")
        self._copy(self.served, fresh)
        repository.rename(old)
        fresh.rename(repository)
        shutil.rmtree(old)

    def _pass(self, exchange: Exchange) -> bytes | None:
        """On the board's thread: what arrives of one exchange."""
        if not exchange.path.startswith("/tuf/"):
            return self.messages(exchange)
        path = exchange.path.removeprefix("/tuf/")
        own = (self._shown or self.world.server.repository) / path
        honest = self.world.server.repository / path
        content = own.read_bytes() if own.is_file() else b""
        instead = self.answer(exchange.path, content)
        if instead is not None:
            return instead
        changed = self._changed(exchange.path, content)
        if changed == content and honest.is_file() and honest.read_bytes() == content:
            return exchange.reply
        site = Site(own.parents[len(Path(path).parts) - 1])
        site.change = self._changed
        headers = "".join(f"\r\n{name}: {value}" for name, value in exchange.headers.items())
        return site.respond(f"{exchange.method} {exchange.path} HTTP/1.1{headers}".encode())

    def polls(self) -> int:
        """How often the terminal has looked for what is new: asked for it, or gone on with the
        server's word that it has it.
        """
        return len(self.world.tap.asked("timestamp.json")) + self._messages() // _MESSAGES

    def _messages(self) -> int:
        return len([e for e in list(self.world.tap.exchanges) if e.path == "/m"])

    # one row

    def offer(self, *, days_old: int = 0) -> None:
        """The next release, signed by those who should."""
        self.offered += 1
        content = self.image(self.offered)
        entry = channels.ReleaseEntry(
            release=self.offered,
            version=f"1.0.{self.offered}",
            commit="0" * 40,
            built=1790000000,
            security_version=1,
            hardware=channels.Hardware("duka-r1", [1]),
            image=channels.Image(len(content), hashlib.sha256(content).hexdigest()),
            gate=channels.InstallGate(idle_s=0),
            trial=channels.TrialPolicy(selftest_deadline_s=120),
        )
        at = self.now - timedelta(days=days_old)
        payloads = channels.build_payloads(content, {self.running: self.image(self.running)})
        self.repository.add_release("stable", entry, payloads, self.all_signers, at)
        everybody = channels.EVERYBODY
        self.repository.set_rollout("stable", self.offered, everybody, self.all_signers, at)
        self.repository.publish(self.all_signers, at)

    def look(self) -> flash.Found:
        """What is in flash now."""
        board = self.world.terminal.board
        return flash.read(board.call(board.flash.snapshot))

    def play(self, row: Row, holds_server: bool = False) -> str:
        """Let the attack happen, then let honest days return; what the terminal said of it. Who
        `holds_server` has the server's word of what is newest on his side, too: the terminal asks
        for it before it restarts; so what must be taken is at the server, too.

        Raises:
            Gained: see the text.
        """
        before = self.look()
        self._copy(self.world.server.repository, self.served)
        self.remember()
        self.offer(days_old=row.days_old)
        self.keep()
        self._on_the_way = not holds_server and "old" in row.takes
        log = self.world.new_log()
        row.attack(self)
        self.put()
        self._set_battery(low=False)
        self._wait_met(row, log)
        self.judge(row, before, log())
        self.honest_again()
        return row.met(log().splitlines()) if row.says else ""

    def play_by_hand(self, row: Row) -> str:
        """As `play`, of an attack that has nothing to do with what is served."""
        before = self.look()
        self._on_the_way = False
        self._copy(self.world.server.repository, self.served)
        self.keep()
        row.attack(self)
        self.judge(row, before, self.world.terminal.log())
        self.honest_files_again()
        for _ in range(3):  # past what was published meanwhile
            self.repository.publish(self.all_signers)
        self.put()
        self.wait_knows()
        return ""

    def _wait_met(self, row: Row, log: Callable[[], str]) -> None:
        """Until the attack was met and has had another chance after that."""
        begun = self.polls()
        if "old" not in row.takes:
            self.wait_runs(self.offered)
            return
        try:
            polls = 1 if row.says else 3
            self.world.eventually(
                lambda: (
                    (not row.says or row.met(log().splitlines())) and self.polls() > begun + polls
                ),
                WAIT_S,
            )
        except AssertionError:
            raise Gained(f"the terminal never said {row.says!r}: {log()[-800:]}") from None
        seen = self.polls()
        self.world.eventually(lambda: self.polls() > seen, WAIT_S, "a second poll")

    def wait_runs(self, number: int) -> None:
        """Until release `number` runs for good, by the server's books."""
        self.world.eventually(
            lambda: self.world.running() == (number, False), WAIT_S, f"release {number}"
        )
        self.running = number

    def concedes(self, row: Row) -> str:
        """Play a row whose attacker holds all that it takes; what was gained, or ""."""
        try:
            self.play(row, holds_server=True)
        except Gained as gained:
            return str(gained).partition(":")[0]
        return ""

    def judge(self, row: Row, before: flash.Found, said: str) -> None:
        """Raises Gained if flash, paper or books are not as they may be."""
        now = self.look()
        may_run = {"old": before.release, "new": self.offered}
        if now.release not in [may_run[name] for name in row.takes]:
            raise Gained(f"release {now.release} boots next: {said[-800:]}")
        if "turned on: hourly" in said:
            raise Gained("a flag is on")
        if now.security_version != before.security_version:
            raise Gained(f"the security version is {now.security_version}")
        honest = self.repository_before.published.target_bytes("catalogue/default.json")
        if now.prices not in (before.prices, honest):
            raise Gained("the prices were changed")
        if now.settings != before.settings:
            raise Gained("the settings were changed")
        if self.world.books.debits_minor() != self.debits:
            raise Gained(f"sales were made up: {self.world.books.debits_minor()}")
        if len(self.world.terminal.receipts()) != len(self.debits):
            raise Gained("something was printed")

    @property
    def repository_before(self) -> Repository:
        """The managers' own files, while the thief's are served."""
        return Repository.open(self.kept)

    def honest_again(self) -> None:
        """The managers' files come back, what was on offer is halted, and the terminal knows it."""
        self._on_the_way = False
        self.honest_files_again()
        if self.running != self.offered:
            self.repository.halt("stable", self.offered, self.all_signers)
        for _ in range(2):  # past what stolen online keys gave out
            self.repository.publish(self.all_signers)
        self.put()
        self.wait_knows()

    def wait_knows(self) -> None:
        """Until the terminal has wholly taken in what the server offers: it asks by its tag, or
        for nothing at all while it talks of other things.
        """
        begun = len(self.world.tap.exchanges)

        def knows() -> bool:
            new = self.world.tap.exchanges[begun:]
            silent = len(new) >= _MESSAGES and all(e.path == "/m" for e in new[-_MESSAGES:])
            return silent or any(e.status == 304 and "timestamp.json" in e.path for e in new)

        try:
            self.world.eventually(knows, WAIT_S)
        except AssertionError:
            raise Gained(
                f"it does not take in honest files any more: {self.world.terminal.log()[-800:]}"
            ) from None

    def sell(self) -> None:
        """One sale, checked to the cent."""
        self.world.merchant.sign_in()
        self.world.wait_online()
        self.world.merchant.sell()
        self.debits.append(debit_minor(1))
        nothing_lost(self.world, self.debits, alarms=self.alarms)

    def finish(self) -> None:
        """The next honest release is installed, and the terminal sells.

        Raises:
            Gained: it cannot.
        """
        try:
            self._copy(self.world.server.repository, self.served)
            self.offer()
            self.put()
            self.wait_runs(self.offered)
            if self.look().release != self.offered:
                raise Gained(f"release {self.look().release} boots next")
            self._heed_the_alarm()
            self.sell()
        except (AssertionError, TimeoutError) as error:
            raise Gained(f"it cannot be updated or sell any more: {error}") from error

    def _heed_the_alarm(self) -> None:
        """The server looks at its channels once a minute, by the wall: the thief's may have been
        there then. What he signed with a key of theirs has a higher number than what the managers
        said; they do what the alarm tells them to.
        """

        def is_open() -> bool:
            return "channels_spoiled" in self.world.books.alarms()

        if is_open():
            self.repository.take_up_again(self.all_signers, self.now)
            self.repository.publish(self.all_signers)
            self.put()
        eventually(lambda: not is_open(), _SERVER_LOOKS_S, "a server that trusts its channels")


class Played(NamedTuple):
    """How a row ended: what was gained (empty: nothing), and what the terminal said."""

    name: str
    gained: str
    said: str


def play_family(base: Path, folder: Path, rows: Sequence[Row], kind: str) -> list[Played]:
    """Play rows in one terminal's life. `kind`: "served" (around an honest offer), "by hand", or
    "conceded": then it counts as gained if nothing was.
    """
    played = []

    def scene_on(folder: Path) -> WholeScene:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(base, folder)
        return WholeScene(folder)

    scene = scene_on(folder)
    try:
        for row in rows:
            if kind == "conceded":
                said = scene.concedes(row)
                gained = "" if said else "the judge sleeps: this should have succeeded"
                played.append(Played(row.name, gained, said))
                scene.close()
                scene = scene_on(folder)  # who gained leaves nothing honest to go on from
                continue
            try:
                said = scene.play(row) if kind == "served" else scene.play_by_hand(row)
                played.append(Played(row.name, "", said))
            except (AssertionError, TimeoutError) as gained:
                played.append(Played(row.name, f"{type(gained).__name__}: {gained}", ""))
                scene.close()
                scene = scene_on(folder)
        if kind != "conceded":
            try:
                scene.finish()
            except Gained as gained:
                played.append(Played("after all of these", str(gained), ""))
    finally:
        scene.close()
    return played
