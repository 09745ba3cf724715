"""`python -m updater_server`: make a server's data folder, run it, and look after its money. For
operators.

Amounts are in minor units (cents); terminal ids are 16 hex digits.
"""

from __future__ import annotations

import logging
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from updater_server import database, server_key
from updater_server.channels.files import sync_folder
from updater_server.dashboard.page import ago, money
from updater_server.database import reading, writing
from updater_server.errors import ServerError, StateError
from updater_server.fleet import alarms, terminals
from updater_server.sales import checks, ledger, stock, vouchers
from updater_server.sales.prices import PricesUnavailable
from updater_server.service import DataFolder, Service, unix_time
from updater_server.tables import technician

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Duka's server.")
voucher_cli = typer.Typer(no_args_is_help=True, help="The voucher vault.")
terminal_cli = typer.Typer(no_args_is_help=True, help="Terminals and their float.")
stock_cli = typer.Typer(no_args_is_help=True, help="Stock for selling offline.")
technician_cli = typer.Typer(no_args_is_help=True, help="Who may enrol terminals.")
alarm_cli = typer.Typer(no_args_is_help=True, help="What a person must look at.")
cli.add_typer(voucher_cli, name="vouchers")
cli.add_typer(terminal_cli, name="terminal")
cli.add_typer(stock_cli, name="stock")
cli.add_typer(technician_cli, name="technician")
cli.add_typer(alarm_cli, name="alarm")

Data = Annotated[Path, typer.Option("--data", help="The server's data folder.")]
out = Console()
err = Console(stderr=True)


@contextmanager
def refusals() -> Iterator[None]:
    """A refusal is one line on stderr and exit status 1, not a traceback."""
    try:
        yield
    except (ServerError, PricesUnavailable) as error:
        err.print(f"[red]refused:[/red] {error}", highlight=False)
        raise typer.Exit(1) from error
    except OperationalError as error:
        err.print(f"[red]refused:[/red] the database: {error.orig}", highlight=False)
        raise typer.Exit(1) from error


@cli.command()
def init(data: Data) -> None:
    """Make a new data folder, or bring an old one's database up to date."""
    with refusals():
        folder = DataFolder(data)
        if folder.database.exists() and not folder.server_key.exists():
            raise StateError(f"{data} has a database but no server.key: restore the key")
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not folder.server_key.exists():
            server_key.create(folder.server_key)
        key = server_key.load(folder.server_key)
        engine = database.open_engine(folder.database)
        database.migrate(engine)
        folder.database.chmod(0o600)
        token = None
        with writing(engine) as connection:
            if connection.scalar(select(technician.c.id).limit(1)) is None:
                token = terminals.add_technician(connection, "first technician", unix_time())
        engine.dispose()
        sync_folder(data)
        del key
        out.print(f"data folder: {data}", highlight=False, soft_wrap=True)
        if token:
            out.print(f"technician token: {token}", highlight=False, soft_wrap=True)
            out.print("It is shown this once. It enrols terminals and opens the dashboard.")


@cli.command()
def serve(
    data: Data,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8080,
) -> None:
    """Serve terminals, technicians and the dashboard until interrupted."""
    from updater_server.serving import serve as run  # the web server, only where it is needed

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")

    logging.getLogger("alembic").setLevel(logging.WARNING)

    def ready(actual_port: int) -> None:
        sys.stdout.write(f"serving http://{host}:{actual_port}\n")
        sys.stdout.flush()

    with refusals():
        run(Service.open(data), host, port, ready)


@cli.command()
def check(data: Data) -> None:
    """Ask the whole database whether the money adds up; exit status 1 if not."""
    with refusals(), reading(Service.open(data).engine) as connection:
        found = checks.problems(connection)
    for problem in found:
        err.print(f"[red]✗[/red] {problem}", highlight=False)
    if found:
        raise typer.Exit(1)
    out.print("the ledger, the vault and the journals agree")


@cli.command()
def report(data: Data) -> None:
    """Terminals, floats and open alarms, as tables."""
    with refusals():
        service = Service.open(data)
        now = service.now()
        with reading(service.engine) as connection:
            fleet = terminals.overview(connection)
            raised = alarms.open_alarms(connection)
            free = vouchers.free_counts(connection, now)
            totals = {
                name: ledger.balance(connection, name)
                for name in (ledger.BANK, ledger.VOUCHER_SALES, ledger.COMMISSION)
            }
    table = Table("terminal", "release", "slot", "state", "last seen", "float", title="Terminals")
    for item in fleet:
        state = "" if item["trial"] is None else "trial" if item["trial"] else "confirmed"
        table.add_row(
            item["id"].hex(),
            str(item["release"] or "–"),
            item["slot"] or "–",
            state,
            ago(item["last_seen_at"], now),
            money(item["float_minor"]),
        )
    out.print(table)
    accounts = Table("account", "balance", title="Ledger")
    for name, minor in totals.items():
        accounts.add_row(name, money(minor))
    out.print(accounts)
    vault = Table("product", "free", title="Vault")
    for product, count in free.items():
        vault.add_row(product, str(count))
    out.print(vault)
    for item in raised:
        owner = item["terminal_id"].hex() if item["terminal_id"] else "server"
        out.print(f"alarm {item['id']}: {item['code']} {owner}: {item['text']}", markup=False)


@voucher_cli.command("import")
def import_vouchers(file: Annotated[Path, typer.Argument(help="CSV")], data: Data) -> None:
    """Take in a delivery: CSV with the header product,pin,serial,expiry. All rows or none."""
    with refusals():
        service = Service.open(data)
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise StateError(f"cannot read {file}: {error}") from error
        with writing(service.engine) as connection:
            count = vouchers.import_csv(connection, service.key, text, service.now())
    out.print(f"{count} vouchers are in the vault; now destroy the file")


@terminal_cli.command("float")
def add_float(
    terminal: Annotated[str, typer.Argument(help="16 hex digits")],
    amount: Annotated[int, typer.Argument(help="Minor units; negative pays back.")],
    data: Data,
) -> None:
    """Top a merchant's float up (or pay some of it back)."""
    with refusals():
        service = Service.open(data)
        terminal_id = terminals.parse_terminal_id(terminal)
        with writing(service.engine) as connection:
            if terminals.device_keys(connection, service.key, terminal_id) is None:
                raise StateError(f"no terminal {terminal} is enrolled")
            reference = secrets.token_hex(8)
            after = ledger.top_up(connection, terminal_id, amount, reference, service.now())
    out.print(f"float of {terminal}: {after}", highlight=False)


@terminal_cli.command("block")
def block(terminal: str, data: Data) -> None:
    """Refuse this terminal's online sales from now on."""
    _set_blocked(terminal, data, True)


@terminal_cli.command("unblock")
def unblock(terminal: str, data: Data) -> None:
    """Allow this terminal's online sales again."""
    _set_blocked(terminal, data, False)


def _set_blocked(terminal: str, data: Path, blocked: bool) -> None:
    with refusals():
        terminal_id = terminals.parse_terminal_id(terminal)
        with writing(Service.open(data).engine) as connection:
            terminals.set_blocked(connection, terminal_id, blocked)
    out.print(f"{terminal} is {'blocked' if blocked else 'not blocked'}", highlight=False)


@terminal_cli.command("text")
def merchant_text(terminal: str, text: str, data: Data) -> None:
    """What the merchant reads at the next check-in; an empty text takes it away."""
    with refusals():
        terminal_id = terminals.parse_terminal_id(terminal)
        with writing(Service.open(data).engine) as connection:
            terminals.set_merchant_text(connection, terminal_id, text or None)


@stock_cli.command("assign")
def assign_stock(terminal: str, product: str, count: int, data: Data) -> None:
    """Set vouchers aside for a terminal to sell offline; it fetches them at its next check-in."""
    with refusals():
        service = Service.open(data)
        terminal_id = terminals.parse_terminal_id(terminal)
        with writing(service.engine) as connection:
            batch_id = stock.assign(
                connection,
                service.key,
                service.prices,
                terminal_id,
                product,
                count,
                service.now(),
            )
    out.print(f"batch {batch_id}: {count} of {product} for {terminal}", highlight=False)


@stock_cli.command("recall")
def recall_stock(batch: int, data: Data) -> None:
    """Take back a batch: it is offered no more, and a terminal that has it stops selling it."""
    with refusals():
        service = Service.open(data)
        with writing(service.engine) as connection:
            told = stock.recall(connection, batch, service.now())
    out.print(f"batch {batch} is recalled; {told}", highlight=False)


@technician_cli.command("add")
def add_technician(name: str, data: Data) -> None:
    """A token for one more technician, shown once."""
    with refusals():
        service = Service.open(data)
        with writing(service.engine) as connection:
            token = terminals.add_technician(connection, name, service.now())
    out.print(f"technician token: {token}", highlight=False, soft_wrap=True)


@alarm_cli.command("close")
def close_alarm(number: int, data: Data) -> None:
    """Mark an alarm as dealt with."""
    with refusals():
        service = Service.open(data)
        with writing(service.engine) as connection:
            if not alarms.close_alarm(connection, number, service.now()):
                raise StateError(f"no open alarm {number}")


if __name__ == "__main__":
    cli(prog_name="updater_server")
