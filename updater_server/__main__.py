"""`python -m updater_server`: make a server's data folder, run it, and look after its money. For
operators.

The commands that move money and stock are in `updater_server.money_commands`.
"""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import select

from updater_server import database, server_key
from updater_server.channels.files import sync_folder
from updater_server.command_line import By, Data, Number, err, out, refusals, who
from updater_server.dashboard.page import ago
from updater_server.database import reading, writing
from updater_server.errors import InputError, StateError
from updater_server.fleet import alarms, operators, terminals
from updater_server.money_commands import audit, stock_cli, terminal_cli, voucher_cli
from updater_server.sales import checks, currency, ledger, returns, vouchers
from updater_server.service import DataFolder, Service, check_key, unix_time
from updater_server.tables import technician

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Duka's server.")
technician_cli = typer.Typer(no_args_is_help=True, help="Who may enrol terminals.")
alarm_cli = typer.Typer(no_args_is_help=True, help="What a person must look at.")
cli.add_typer(voucher_cli, name="vouchers")
cli.add_typer(terminal_cli, name="terminal")
cli.add_typer(stock_cli, name="stock")
cli.add_typer(technician_cli, name="technician")
cli.add_typer(alarm_cli, name="alarm")

cli.command()(audit)


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
        check_key(engine, key)
        token = None
        with writing(engine) as connection:
            vouchers.mark_old(connection, key, unix_time())
            if connection.scalar(select(technician.c.id).limit(1)) is None:
                token = terminals.add_technician(connection, "first technician", unix_time())
        engine.dispose()
        sync_folder(data)
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
            money = currency.shown(connection, service.prices)
            aside = vouchers.aside_counts(connection)
            passed = returns.passed_counts(connection)
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
            money.figures(item["float_minor"]),
        )
    out.print(table)
    accounts = Table("account", "balance", title="Ledger")
    for name, minor in totals.items():
        accounts.add_row(name, money.show(minor))
    out.print(accounts)
    vault = Table("product", "free", title="Vault")
    for product, count in free.items():
        vault.add_row(product, str(count))
    out.print(vault)
    for (product, reason), count in aside.items():
        out.print(f"{count} of {product} are set aside: {reason}", highlight=False)
    for terminal_id, count in passed.items():
        out.print(f"{terminal_id.hex()} passed {count} vouchers over: see `stock show`")
    for item in raised:
        owner = item["terminal_id"].hex() if item["terminal_id"] else "server"
        out.print(f"alarm {item['id']}: {item['code']} {owner}: {item['text']}", markup=False)


@technician_cli.command("add")
def add_technician(name: str, data: Data) -> None:
    """A token for one more technician, shown once."""
    with refusals():
        service = Service.open(data)
        with writing(service.engine) as connection:
            token = terminals.add_technician(connection, name, service.now())
    out.print(f"technician token: {token}", highlight=False, soft_wrap=True)


@alarm_cli.command("close")
def close_alarm(number: Number, data: Data, by: By) -> None:
    """Mark an alarm as dealt with."""
    with refusals():
        service, operator = Service.open(data), who(by)
        with writing(service.engine) as connection:
            if not alarms.close_alarm(connection, number, service.now()):
                raise InputError(f"no open alarm {number}: see `report`")
            operators.note(
                connection, operator, "alarm close", f"alarm {number}", "", service.now()
            )


if __name__ == "__main__":
    cli(prog_name="updater_server")
