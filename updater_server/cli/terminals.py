"""The operator's commands that decide what a terminal may do, what it shows, and what it lost: the
rest of `terminal`, whose money is in `floats`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from updater_server.cli.floats import terminal_cli
from updater_server.cli.shared import By, Data, Terminal, acting, say
from updater_server.errors import InputError
from updater_server.fleet import merchant_notices, operators, terminals, texting
from updater_server.sales import losses, stolen

__all__ = ["terminal_cli"]


@terminal_cli.command("block")
def block(terminal: Terminal, data: Data, by: By) -> None:
    """Give this terminal nothing that is worth money: no sale, no stock, no float."""
    _set_blocked(terminal, data, by, True)


@terminal_cli.command("unblock")
def unblock(terminal: Terminal, data: Data, by: By) -> None:
    """Let this terminal sell again."""
    _set_blocked(terminal, data, by, False)


@terminal_cli.command("stolen")
def report_stolen(
    terminal: Terminal,
    data: Data,
    by: By,
    serials: Annotated[
        Path | None,
        typer.Option(help="Write the vouchers that may be on it here, for their supplier (CSV)."),
    ] = None,
) -> None:
    """This terminal was reported stolen: it is blocked, wipes its stock at its next word from the
    server, and says so to whoever holds it. `terminal unblock` takes it back.
    """
    with acting(data, by) as act:
        terminal_id = terminals.find(act.connection, terminal)
        places = stolen.report(act.connection, terminal_id, act.operator, act.now)
        text = f"{len(places)} vouchers may be on it"
        operators.note(act.connection, act.operator, "stolen", terminal_id.hex(), text, act.now)
        texts = texting.say(act.connection, terminal_id, texting.LOCK, act.operator, act.now)
    if serials is not None:
        lines = ["product,serial,expiry,state"]
        lines += [f"{p.product_id},{p.serial},{p.expires_at},{p.state}" for p in places]
        serials.write_text("\n".join([*lines, ""]), encoding="utf-8")
    how = ", and is told by SMS" if texts else ""
    say(f"{terminal_id.hex()} is blocked as stolen{how}; {text}")


def _set_blocked(terminal: str, data: Path, by: str, blocked: bool) -> None:
    with acting(data, by) as act:
        terminal_id = terminals.find(act.connection, terminal)
        terminals.set_blocked(act.connection, terminal_id, blocked)
        action = "block" if blocked else "unblock"
        operators.note(act.connection, act.operator, action, terminal_id.hex(), "", act.now)
        word = texting.LOCK if blocked else texting.CHECK_IN
        texts = texting.say(act.connection, terminal_id, word, act.operator, act.now)
    how = ", and is told by SMS" if texts else ""
    say(f"{terminal_id.hex()} is {'blocked' if blocked else 'not blocked'}{how}")


@terminal_cli.command("number")
def telephone_number(
    terminal: Terminal,
    number: Annotated[str, typer.Argument(help="Of its SIM card, like +254700000001.")],
    data: Data,
    by: By,
) -> None:
    """On which number this terminal's SIM card is reached by SMS."""
    with acting(data, by) as act:
        terminal_id = terminals.find(act.connection, terminal)
        texting.set_number(act.connection, terminal_id, number, act.operator, act.now)
        operators.note(act.connection, act.operator, "number", terminal_id.hex(), number, act.now)
    say(f"{terminal_id.hex()} is reached on {number}")


@terminal_cli.command("call-in")
def call_in(terminal: Terminal, data: Data, by: By) -> None:
    """Ask this terminal by SMS to check in now."""
    with acting(data, by) as act:
        terminal_id = terminals.find(act.connection, terminal)
        if not texting.say(act.connection, terminal_id, texting.CHECK_IN, act.operator, act.now):
            raise InputError(
                f"nobody knows the number of {terminal_id.hex()}: `terminal number` sets it"
            )
        operators.note(act.connection, act.operator, "call-in", terminal_id.hex(), "", act.now)
    say(f"{terminal_id.hex()} is asked by SMS to check in")


@terminal_cli.command("text")
def merchant_text(terminal: Terminal, text: str, data: Data, by: By) -> None:
    """A message to the merchant: it stays on the terminal until it was read, with its date. An
    empty text takes the last one away where a release before notices runs.
    """
    with acting(data, by) as act:
        terminal_id = terminals.find(act.connection, terminal)
        if text:
            merchant_notices.message(act.connection, terminal_id, text, act.now)
        terminals.set_merchant_text(act.connection, terminal_id, text or None)
        operators.note(act.connection, act.operator, "text", terminal_id.hex(), text, act.now)
    say(f"{terminal_id.hex()} will show {text!r}" if text else f"{terminal_id.hex()}: no text")


@terminal_cli.command("lost")
def lost_records(
    terminal: Terminal,
    data: Data,
    by: By,
    accept_through: Annotated[
        int, typer.Option(help="You have looked: what is lost up to this record is dealt with.")
    ] = 0,
) -> None:
    """Journal records that a terminal says it has lost, and that did not turn up since."""
    with acting(data, by) as act:
        terminal_id = terminals.find(act.connection, terminal)
        if accept_through:
            given_up = losses.accept(
                act.connection, terminal_id, accept_through, act.operator, act.now
            )
            text = f"through record {accept_through}"
            operators.note(act.connection, act.operator, "lost", terminal_id.hex(), text, act.now)
            if given_up:
                say(f"{given_up} records that never came are given up")
        lost = losses.open_losses(act.connection, terminal_id)
    say("lost and not accepted: " + (", ".join(map(str, lost)) or "none"))
