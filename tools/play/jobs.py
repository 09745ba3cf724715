"""What a person may ask of the world beside the terminal: start states, the office's
doings, and releases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hw_sim.panel.panel import Job
from tools.play import releasing, states
from tools.play.world import World

STATES = "Start from"
OFFICE = "The office"
MAKERS = "Operator and utility"
RELEASES = "Releases"


def jobs(world: World) -> Sequence[Job]:
    """All jobs."""

    def job(name: str, group: str, label: str, about: str, run: Callable[[World, int], str]) -> Job:
        return Job(name, group, label, about, lambda at: run(world, at))

    return [
        job("ready", STATES, "Ready", "Server, stock and float as on the first day.", states.ready),
        job("factory", STATES, "Factory", "A blank board: nothing in its flash.", states.factory),
        job(
            "provision",
            STATES,
            "Provision",
            "A technician makes a board sell.",
            states.provision,
        ),
        job("low", STATES, "Float low", "Too little for the next voucher.", states.low),
        job("empty", STATES, "Sold out", "Baobab 250: the vault never had one.", states.sold_out),
        job("trial", STATES, "Update on trial", "And the network gone.", states.trial),
        job("spoiled", STATES, "Spoiled slot", "Flash that does not hold.", states.spoiled),
        job("locked", STATES, "Locked", "The office blocked it.", states.locked),
        job("recovery", STATES, "Recovery", "* held while the power comes.", states.recovery),
        job("deposit", OFFICE, "Pay in 1 000", "The merchant brings money.", _deposit),
        job("stock", OFFICE, "Send stock", "Five more to sell without a network.", _stock),
        job("text", OFFICE, "Send a message", "Shown at the next check-in.", _text),
        job("block", OFFICE, "Block", "As if it were stolen.", states.locked),
        job("unblock", OFFICE, "Unblock", "It was behind the counter.", _unblock),
        job("lost", MAKERS, "Answers get lost", "Done, and nobody hears of it.", _lose_answers),
        job("lies", MAKERS, "Wrong by chance", "Slow, doubled, garbled, lying.", _lie),
        job("honest", MAKERS, "As they should", "Every order, answered once.", _behave),
        job("good", RELEASES, "Publish 1.1", "A good release: kinder receipts.", releasing.good),
        job(
            "bad",
            RELEASES,
            "Publish a bad one",
            "It crashes: watch it go back.",
            releasing.bad,
        ),
    ]


def _deposit(world: World, at: int) -> str:
    world.move_money("deposit", at, 100_000)
    return "paid in; the terminal hears of it at its next check-in"


def _stock(world: World, at: int) -> str:
    world.assign_stock(at)
    return "five vouchers are set aside; the terminal fetches them at its next check-in"


def _text(world: World, at: int) -> str:
    words = "Market day: come for new rolls of paper."
    world.command("terminal", "text", world.terminals[at].terminal_id, words)
    return "it is shown after the next check-in"


def _lose_answers(world: World, _: int) -> str:
    world.makers.lose_answers()
    return "top-ups are made and their answers lost: the report that follows names them"


def _lie(world: World, _: int) -> str:
    world.makers.lie()
    return "every third message of theirs is wrong in one way or another"


def _behave(world: World, _: int) -> str:
    world.makers.behave()
    return "they answer as they should"


def _unblock(world: World, at: int) -> str:
    world.command("terminal", "unblock", world.terminals[at].terminal_id)
    return "it may sell again"
