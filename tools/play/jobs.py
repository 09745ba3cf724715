"""What a person may ask of the world beside the terminal: start states, and the office's doings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hw_sim.flash import ERASED
from hw_sim.panel.panel import Job
from tools.play import making
from tools.play.journal import money
from tools.play.making import MakingFailed
from tools.play.world import World, new_reference
from updater_server.sales import ledger
from updater_server.service import Service
from updater_server.store.engine import reading

LOW_FLOAT_MINOR = 3_000
STATES = "Start from"
OFFICE = "The office"
RELEASES = "Releases"
_TEXTS = "firmware/ui/languages/en.py"
_THANKS = "|Thank you\n"
_COME_AGAIN = "|Thank you, come again\n"
_START = "    log.start(board.console)\n"
_CRASH = _START + '    raise RuntimeError("no such display")\n'


def jobs(world: World) -> Sequence[Job]:
    """All jobs."""

    def job(name: str, group: str, label: str, about: str, run: Callable[[World, int], str]) -> Job:
        return Job(name, group, label, about, lambda at: run(world, at))

    return [
        job("ready", STATES, "Ready", "Server, stock and float as on the first day.", _ready),
        job("factory", STATES, "Factory", "A blank board: nothing in its flash.", _factory),
        job("provision", STATES, "Provision", "A technician makes a blank board sell.", _provision),
        job("low", STATES, "Float low", "Too little for the next voucher.", _low),
        job("empty", STATES, "Sold out", "Baobab 250: the vault never had one.", _sold_out),
        job("deposit", OFFICE, "Pay in 1 000", "The merchant brings money.", _deposit),
        job("stock", OFFICE, "Send stock", "Five more to sell without a network.", _stock),
        job("text", OFFICE, "Send a message", "Shown at the next check-in.", _text),
        job("block", OFFICE, "Block", "As if it were stolen.", _block),
        job("unblock", OFFICE, "Unblock", "It was behind the counter.", _unblock),
        job("good", RELEASES, "Publish 1.1", "A good release: kinder receipts.", _good),
        job("bad", RELEASES, "Publish a bad one", "It crashes at start: watch it go back.", _bad),
    ]


def _ready(world: World, _: int) -> str:
    world.go_back()
    return "everything is as on the first day"


def _factory(world: World, at: int) -> str:
    board = world.terminals[at].parts.board
    board.power_off()
    board.call(board.flash.restore, bytes([ERASED]) * board.flash.size_bytes)
    board.power_on()
    return f"the board is blank; a technician reaches it at {board.serial_port}"


def _provision(world: World, at: int) -> str:
    world.provision(at)
    return f"terminal {world.terminals[at].terminal_id} sells"


def _low(world: World, at: int) -> str:
    terminal_id = world.terminals[at].terminal_id
    service = Service.open(world.server.folder)
    with reading(service.engine) as connection:
        now = ledger.float_minor(connection, bytes.fromhex(terminal_id))
    service.engine.dispose()
    if now <= LOW_FLOAT_MINOR:
        raise MakingFailed(f"the float is low already: {money(now)}")
    _move(world, "payback", terminal_id, now - LOW_FLOAT_MINOR)
    return f"{money(LOW_FLOAT_MINOR)} are left; the terminal hears of it at its next check-in"


def _sold_out(_: World, __: int) -> str:
    return "sell Baobab 250, the last of the list: the vault holds none"


def _deposit(world: World, at: int) -> str:
    _move(world, "deposit", world.terminals[at].terminal_id, 100_000)
    return "paid in; the terminal hears of it at its next check-in"


def _move(world: World, how: str, terminal_id: str, amount_minor: int) -> None:
    amount = f"{amount_minor / 100:.2f} {making.CURRENCY}"
    world.command("terminal", how, terminal_id, amount, "--reference", new_reference())


def _stock(world: World, at: int) -> str:
    world.assign_stock(at)
    return "five vouchers are set aside; the terminal fetches them at its next check-in"


def _text(world: World, at: int) -> str:
    words = "Market day: come for new rolls of paper."
    world.command("terminal", "text", world.terminals[at].terminal_id, words)
    return "it is shown after the next check-in"


def _block(world: World, at: int) -> str:
    world.command("terminal", "block", world.terminals[at].terminal_id)
    return "it is given nothing that is worth money from now on"


def _unblock(world: World, at: int) -> str:
    world.command("terminal", "unblock", world.terminals[at].terminal_id)
    return "it may sell again"


def _good(world: World, _: int) -> str:
    number = _next_release(world)
    text = world.releases.text(_TEXTS)
    again = _THANKS if _THANKS in text else _COME_AGAIN
    other = _COME_AGAIN if again == _THANKS else _THANKS
    _mend(world)
    world.releases.change(_TEXTS, again, other)
    return _publish(world, number, "Kinder receipts")


def _bad(world: World, _: int) -> str:
    number = _next_release(world)
    _mend(world)
    world.releases.change("firmware/main.py", _START, _CRASH)
    return _publish(world, number, "Crashes at start")


def _mend(world: World) -> None:
    if _CRASH in world.releases.text("firmware/main.py"):
        world.releases.change("firmware/main.py", _CRASH, _START)


def _next_release(world: World) -> int:
    built = [file.stem.rpartition("-")[2] for file in world.releases.images.glob("duka-r1-*.romfs")]
    return 1 + max(int(number) for number in built)


def _publish(world: World, number: int, text: str) -> str:
    version = f"1.{number - 1}.0"
    with making.quiet():
        world.releases.release(number, version, text)
        world.releases.publish()
    return f"release {version} is out; the terminal hears of it at its next check-in"
