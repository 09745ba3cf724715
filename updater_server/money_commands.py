"""The operator's commands that move money and stock: `vouchers`, `terminal`, `stock`, `audit`.

Each says who did it and may be repeated without harm: deposits and batches carry a reference that
counts once, an import goes on where it ended.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from updater_server.command_line import (
    WRONG_INPUT,
    By,
    Data,
    Number,
    Reference,
    Terminal,
    err,
    out,
    refusals,
    refuse,
    say,
    who,
)
from updater_server.database import reading, writing
from updater_server.errors import InputError
from updater_server.fleet import operators, terminals
from updater_server.sales import (
    currency,
    delivery_file,
    deposits,
    imports,
    ledger,
    losses,
    returns,
    stock,
)
from updater_server.service import Service

voucher_cli = typer.Typer(no_args_is_help=True, help="The voucher vault.")
terminal_cli = typer.Typer(no_args_is_help=True, help="Terminals and their float.")
stock_cli = typer.Typer(no_args_is_help=True, help="Stock for selling offline.")
_GONE_SHOWN = 20

Unlisted = Annotated[
    list[str] | None,
    typer.Option("--unlisted", help="A product whose price list is yet to come (repeatable)."),
]


def _day(at: int | None) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d") if at else "–"


def _minute(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


# --- vouchers ---


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(delivery_file.LIMIT_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error


def _look(service: Service, file: Path, unlisted: list[str] | None) -> imports.Look:
    data = _read(file)
    with reading(service.engine) as connection:
        return imports.look(
            connection, service.key, service.prices, data, service.now(), unlisted or ()
        )


def _show(seen: imports.Look) -> None:
    found = seen.delivery
    table = Table("product", "count", "PIN lengths", "expiry")
    for product_id, summary in sorted(found.products.items()):
        lengths = ", ".join(f"{n} ({count:,})" for n, count in sorted(summary.pin_lengths.items()))
        known = sorted(at for at in summary.expiries if at)
        span = f"{_day(known[0])} to {_day(known[-1])}" if known else ""
        never = f"{summary.expiries[0]:,} never" if summary.expiries[0] else ""
        expiry = "; ".join(text for text in (span, never) if text)
        table.add_row(product_id, f"{summary.count:,}", lengths, expiry)
    out.print(table)
    say(f"{found.count:,} vouchers, SHA-256 {found.sha256}")
    for text in found.errors:
        err.print(f"[red]error:[/red] {escape(text)}", highlight=False, soft_wrap=True)
    if found.error_count > len(found.errors):
        err.print(f"… and {found.error_count - len(found.errors):,} more", highlight=False)
    for text in found.doubts:
        err.print(f"[yellow]look:[/yellow] {escape(text)}", highlight=False, soft_wrap=True)


def _refuse_errors(seen: imports.Look) -> None:
    if seen.delivery.error_count:
        raise InputError(f"{seen.delivery.error_count:,} errors: mend the file; nothing came in")


@voucher_cli.command("check")
def check_vouchers(
    file: Annotated[Path, typer.Argument(help="CSV")], data: Data, unlisted: Unlisted = None
) -> None:
    """Look at a delivery and say what would come in; changes nothing."""
    with refusals():
        seen = _look(Service.open(data), file, unlisted)
        _show(seen)
        _refuse_errors(seen)
        if seen.is_complete and seen.before is not None:
            say(f"this very file came in before, as import {seen.before.id}")


@voucher_cli.command("import")
def import_vouchers(
    file: Annotated[Path, typer.Argument(help="CSV")],
    data: Data,
    by: By,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, if nothing looks wrong.")] = False,
    sha256: Annotated[
        str, typer.Option(help="Import exactly the file that `vouchers check` showed.")
    ] = "",
    unlisted: Unlisted = None,
) -> None:
    """Take in a delivery: look at it all, ask, then store it while the shop goes on.

    Nothing of it is sold before all of it is there. Ended half-way, the same command goes on.
    """
    with refusals():
        operator = who(by)
        service = Service.open(data)
        seen = _look(service, file, unlisted)
        _show(seen)
        _refuse_errors(seen)
        if seen.is_complete and seen.before is not None:
            say(f"this very file came in before, as import {seen.before.id}: nothing was done")
            return
        if not _confirmed(seen, yes, sha256.strip().lower()):
            raise typer.Exit(WRONG_INPUT)
        if seen.unfinished:
            say(f"going on with import {seen.unfinished}")
        try:
            import_id = imports.run(
                service.engine, service.key, seen, file.name, operator, service.now(), _progress
            )
        except KeyboardInterrupt:
            say("ended half-way; nothing of it is sold. The same command goes on with it.")
            raise typer.Exit(130) from None
    say(
        f"import {import_id}: {seen.delivery.count} vouchers are in the vault; now destroy the file"
    )


def _confirmed(seen: imports.Look, yes: bool, sha256: str) -> bool:
    if sha256:
        if sha256 != seen.delivery.sha256:
            refuse("this is not the file of that SHA-256: look at it with `vouchers check`")
        return sha256 == seen.delivery.sha256
    if yes and not seen.delivery.doubts:
        return True
    if sys.stdin.isatty():
        return typer.confirm(f"Take in these {seen.delivery.count:,} vouchers?")
    if yes:
        refuse(
            "something looks wrong (above), so --yes is not enough. If it is right all the same: "
            f"--sha256 {seen.delivery.sha256}"
        )
    else:
        refuse("nobody is here to ask: add --yes, or --sha256 with what `vouchers check` showed")
    return False


def _progress(stored: int) -> None:
    if sys.stderr.isatty():
        err.print(f"{stored:,} stored", end="\r", highlight=False)


@voucher_cli.command("imports")
def list_imports(data: Data) -> None:
    """Every delivery with what became of it."""
    with refusals(), reading(Service.open(data).engine) as connection:
        found = imports.listed(connection)
    table = Table("import", "day", "by", "state", "vouchers", "free", "aside")
    for item in found:
        state = item["state"]
        if state == "storing":
            state = f"unfinished ({item['stored']:,} stored)"
        table.add_row(
            str(item["id"]),
            _day(item["begun_at"]),
            escape(item["imported_by"] or "–"),
            state,
            f"{item['count']:,}",
            f"{item['free']:,}",
            f"{item['aside']:,}",
        )
    out.print(table)


@voucher_cli.command("recall")
def recall_import(
    number: Number,
    data: Data,
    by: By,
    reason: Annotated[str, typer.Option(help="Why; it is kept.")] = "",
    every: Annotated[bool, typer.Option("--list", help="Name every voucher that is gone.")] = False,
) -> None:
    """Sell nothing of an import any more, for ever; say what was sold or is on terminals."""
    with refusals():
        service = Service.open(data)
        done = imports.recall(service.engine, number, who(by), reason, service.now())
    say(f"import {number}: {done.set_aside} vouchers are set aside for ever")
    for batch_id, terminal_id in done.batches_taken_back:
        say(f"batch {batch_id} of {terminal_id.hex()} was taken back before it was fetched")
    if done.gone:
        say(f"{len(done.gone)} had left the vault:")
    shown = done.gone if every else done.gone[:_GONE_SHOWN]
    for item in shown:
        say(f"  {item['product']} {item['serial']}: {item['where']}, {item['terminal'].hex()}")
    if len(shown) < len(done.gone):
        say(f"  … and {len(done.gone) - len(shown)} more: --list names them")


# --- terminals ---


def _booked(service: Service, row: dict[str, object]) -> None:
    with reading(service.engine) as connection:
        money = currency.shown(connection, service.prices)
        terminal_id = row["terminal_id"]
        assert isinstance(terminal_id, bytes)
        amount_minor, float_minor = row["amount_minor"], ledger.float_minor(connection, terminal_id)
    assert isinstance(amount_minor, int)
    say(
        f"{row['reference']}: {money.show(amount_minor)} for {terminal_id.hex()}, "
        f"by {row['posted_by']}, {_minute(int(str(row['created_at'])))} UTC; "
        f"its float: {money.show(float_minor)}"
    )


def _deposit(
    terminal: str, amount: str, reference: str, data: Path, by: str, payback: bool
) -> None:
    with refusals():
        key, operator = operators.reference(reference), who(by)
        service = Service.open(data)
        with writing(service.engine) as connection:
            row = deposits.post(
                connection,
                service.prices,
                terminals.find(connection, terminal),
                amount,
                key,
                operator,
                service.now(),
                payback=payback,
            )
        _booked(service, row)


@terminal_cli.command("deposit")
def add_deposit(
    terminal: Terminal,
    amount: Annotated[str, typer.Argument(help='With its currency: "50000.50 KES".')],
    reference: Reference,
    data: Data,
    by: By,
) -> None:
    """A merchant brought money: his float grows. The reference is that of the slip."""
    _deposit(terminal, amount, reference, data, by, False)


@terminal_cli.command("payback")
def pay_back(
    terminal: Terminal,
    amount: Annotated[str, typer.Argument(help='With its currency: "50000.50 KES".')],
    reference: Reference,
    data: Data,
    by: By,
) -> None:
    """A merchant takes some of his float back."""
    _deposit(terminal, amount, reference, data, by, True)


@terminal_cli.command("undo")
def undo_deposit(
    reference: Annotated[str, typer.Argument(help="Of the deposit or payback that was wrong.")],
    data: Data,
    by: By,
    reason: Annotated[str, typer.Option(help="Why; it is kept.")] = "",
    below_zero: Annotated[
        bool, typer.Option("--below-zero", help="Even if the merchant has sold with it.")
    ] = False,
) -> None:
    """Take a deposit or payback back, by an entry of its own."""
    with refusals():
        key, operator = operators.reference(reference), who(by)
        service = Service.open(data)
        with writing(service.engine) as connection:
            row = deposits.undo(
                connection, key, operator, reason, service.now(), below_zero=below_zero
            )
        _booked(service, row)


@terminal_cli.command(
    "float",
    hidden=True,
    context_settings={
        "ignore_unknown_options": True,
        "allow_extra_args": True,
    },
)
def old_float(data: Annotated[Path | None, typer.Option("--data")] = None) -> None:
    """What `terminal deposit` and `terminal payback` were called."""
    refuse(
        'say `terminal deposit TERMINAL "50000.50 KES" --reference SLIP`, '
        "or `terminal payback` to pay out; see --help"
    )
    raise typer.Exit(WRONG_INPUT)


@terminal_cli.command("statement")
def show_statement(
    terminal: Terminal,
    data: Data,
    limit: Annotated[int, typer.Option(min=1, max=10000, help="How many, newest first.")] = 50,
) -> None:
    """A terminal's float, and its deposits, paybacks and undos with who posted them."""
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            terminal_id = terminals.find(connection, terminal)
            money = currency.shown(connection, service.prices)
            rows = deposits.statement(connection, terminal_id, limit)
            float_minor = ledger.float_minor(connection, terminal_id)
    say(f"float of {terminal_id.hex()}: {money.show(float_minor)}")
    table = Table("day", "reference", "amount", "float after", "by", "reason")
    for row in rows:
        table.add_row(
            _day(row["created_at"]),
            escape(row["reference"]),
            money.figures(row["amount_minor"]),
            money.figures(row["float_after_minor"]),
            escape(row["posted_by"]),
            escape(row["reason"]),
        )
    out.print(table)


@terminal_cli.command("block")
def block(terminal: Terminal, data: Data, by: By) -> None:
    """Give this terminal nothing that is worth money: no sale, no stock, no float."""
    _set_blocked(terminal, data, by, True)


@terminal_cli.command("unblock")
def unblock(terminal: Terminal, data: Data, by: By) -> None:
    """Let this terminal sell again."""
    _set_blocked(terminal, data, by, False)


def _set_blocked(terminal: str, data: Path, by: str, blocked: bool) -> None:
    with refusals():
        service, operator = Service.open(data), who(by)
        with writing(service.engine) as connection:
            terminal_id = terminals.find(connection, terminal)
            terminals.set_blocked(connection, terminal_id, blocked)
            action = "block" if blocked else "unblock"
            operators.note(connection, operator, action, terminal_id.hex(), "", service.now())
    say(f"{terminal_id.hex()} is {'blocked' if blocked else 'not blocked'}")


@terminal_cli.command("text")
def merchant_text(terminal: Terminal, text: str, data: Data, by: By) -> None:
    """What the merchant reads at the next check-in; an empty text takes it away."""
    with refusals():
        service, operator = Service.open(data), who(by)
        with writing(service.engine) as connection:
            terminal_id = terminals.find(connection, terminal)
            terminals.set_merchant_text(connection, terminal_id, text or None)
            operators.note(connection, operator, "text", terminal_id.hex(), text, service.now())
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
    with refusals():
        service, operator = Service.open(data), who(by)
        with writing(service.engine) as connection:
            terminal_id = terminals.find(connection, terminal)
            if accept_through:
                now = service.now()
                given_up = losses.accept(connection, terminal_id, accept_through, operator, now)
                text = f"through record {accept_through}"
                operators.note(connection, operator, "lost", terminal_id.hex(), text, now)
                if given_up:
                    say(f"{given_up} records that never came are given up")
            lost = losses.open_losses(connection, terminal_id)
    say("lost and not accepted: " + (", ".join(map(str, lost)) or "none"))


# --- stock ---


@stock_cli.command("assign")
def assign_stock(
    terminal: Terminal, product: str, count: int, reference: Reference, data: Data, by: By
) -> None:
    """Set vouchers aside for a terminal to sell offline; it fetches them at its next check-in."""
    with refusals():
        key, operator = operators.reference(reference), who(by)
        service = Service.open(data)
        with writing(service.engine) as connection:
            now = service.now()
            terminal_id = terminals.find(connection, terminal)
            batch_id = stock.assign(
                connection, service.key, service.prices, terminal_id, product, count, now,
                reference=key,
            )  # fmt: skip
            text = f"{key}: batch {batch_id}, {count} of {product}"
            operators.note(connection, operator, "stock assign", terminal_id.hex(), text, now)
    say(f"batch {batch_id}: {count} of {product} for {terminal_id.hex()}")


@stock_cli.command("recall")
def recall_stock(
    batch: Annotated[int, typer.Argument(help="As `stock show` names it.")], data: Data, by: By
) -> None:
    """Take back a batch: it is offered no more, and a terminal that has it stops selling it."""
    with refusals():
        service, operator = Service.open(data), who(by)
        with writing(service.engine) as connection:
            now = service.now()
            owner, told = stock.recall(connection, batch, operator, now)
            text = f"batch {batch}; {told}"
            operators.note(connection, operator, "stock recall", owner.hex(), text, now)
    say(f"batch {batch} is recalled; {told}")


@stock_cli.command("show")
def show_stock(terminal: Terminal, data: Data) -> None:
    """What became of the stock of a terminal, and the serials that need a person."""
    with refusals(), reading(Service.open(data).engine) as connection:
        terminal_id = terminals.find(connection, terminal)
        found = returns.places(connection, terminal_id)
    table = Table("batch", "product", "what became of them")
    batches: dict[tuple[int, str], dict[str, int]] = {}
    for place in found:
        counts = batches.setdefault((place.batch_id, place.product_id), {})
        counts[place.state] = counts.get(place.state, 0) + 1
    for (batch_id, product), counts in batches.items():
        states = ", ".join(f"{count} {state}" for state, count in counts.items())
        table.add_row(str(batch_id), product, states)
    out.print(table)
    for place in found:
        if place.state in ("passed", "next", "aside"):
            say(
                f"batch {place.batch_id}, {place.product_id} {place.serial}: {place.state}, "
                f"expires {_day(place.expires_at)}"
            )


@stock_cli.command("return")
def return_stock(
    terminal: Terminal,
    data: Data,
    by: By,
    wiped: Annotated[
        bool, typer.Option("--wiped", help="Its keys and stock are destroyed (`tech retire`).")
    ] = False,
    unused: Annotated[
        list[str] | None,
        typer.Option(help="A serial that the supplier says nobody loaded (repeatable)."),
    ] = None,
    note: Annotated[str, typer.Option(help="Why, or who said so; it is kept.")] = "",
) -> None:
    """Take unsold vouchers of a terminal back to the vault: batches that it never fetched, and of a
    blocked and wiped one what it never opened.
    """
    with refusals():
        service, operator = Service.open(data), who(by)
        with writing(service.engine) as connection:
            terminal_id = terminals.find(connection, terminal)
            came = returns.give_back(
                connection, terminal_id, operator, note, service.now(),
                wiped=wiped, unused=unused or (),
            )  # fmt: skip
            left = [
                place
                for place in returns.places(connection, terminal_id)
                if place.state in ("passed", "next", "unopened")
            ]
    say(f"{len(came)} vouchers of {terminal_id.hex()} came back to the vault")
    if left:
        say(f"{len(left)} did not: `stock show {terminal_id.hex()}` says why")


def audit(
    data: Data,
    subject: Annotated[
        str, typer.Argument(help="A terminal, or `import 3`; nothing for all.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=10000)] = 50,
) -> None:
    """Who did what at this command line, newest first."""
    with refusals(), reading(Service.open(data).engine) as connection:
        wanted = subject.strip() or None
        if wanted and not wanted.startswith(("import", "alarm")):
            wanted = terminals.find(connection, wanted).hex()
        found = operators.newest(connection, wanted, limit)
    for item in found:
        say(
            f"{_minute(item['at'])} {item['operator']}: {item['action']} {item['subject']}"
            + (f" ({item['details']})" if item["details"] else "")
        )
