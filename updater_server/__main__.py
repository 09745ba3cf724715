"""`python -m updater_server`: make a server's data folder, run it, and look after its money. For
operators.

Those that move money and stock are in `money_commands`, those about technicians in
`technician_commands`, copies of the database in `restore_commands`.
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
from updater_server.command_line import By, Data, Number, err, out, refusals, user, who
from updater_server.dashboard.page import ago
from updater_server.database import reading, writing
from updater_server.errors import InputError, StateError
from updater_server.fleet import alarms, operators, technicians, terminals
from updater_server.money_commands import audit, stock_cli, terminal_cli, voucher_cli
from updater_server.quiet_log import Repeats
from updater_server.restore_commands import backup, restore, restored_cli
from updater_server.sales import checks, currency, ledger, returns, vouchers
from updater_server.service import DataFolder, Service, check_key, unix_time
from updater_server.startup import alone
from updater_server.tables import technician
from updater_server.technician_commands import technician_cli

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Duka's server.")
alarm_cli = typer.Typer(no_args_is_help=True, help="What a person must look at.")
cli.add_typer(voucher_cli, name="vouchers")
cli.add_typer(terminal_cli, name="terminal")
cli.add_typer(stock_cli, name="stock")
cli.add_typer(technician_cli, name="technician")
cli.add_typer(alarm_cli, name="alarm")
cli.add_typer(restored_cli, name="restored")

FIRST_TECHNICIAN = "first technician"

cli.command()(audit)
cli.command()(backup)
cli.command()(restore)


@cli.command()
def init(data: Data) -> None:
    """Make a new data folder, or bring an old one's database up to date."""
    with refusals():
        folder = DataFolder(data)
        folder.check_restored()
        if folder.database.exists() and not folder.server_key.exists():
            raise StateError(f"{data} has a database but no server.key: restore the key")
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not folder.server_key.exists():
            server_key.create(folder.server_key)
        key = server_key.load(folder.server_key)
        with alone(folder):  # never under a server that runs
            engine = database.open_engine(folder.database)
            database.migrate(engine)
            folder.database.chmod(0o600)
            check_key(engine, key)
        token = None
        with writing(engine) as connection:
            vouchers.mark_old(connection, key, unix_time())
            if connection.scalar(select(technician.c.id).limit(1)) is None:
                token = technicians.add(
                    connection, FIRST_TECHNICIAN, technicians.OFFICE, user(), unix_time()
                )
        engine.dispose()
        sync_folder(data)
        out.print(f"data folder: {data}", highlight=False, soft_wrap=True)
        if token:
            out.print(f"technician token: {token}", highlight=False, soft_wrap=True)
            out.print("It is shown this once. It enrols terminals and opens the dashboard.")
            out.print(f'It hands out no float until you say: technician allow "{FIRST_TECHNICIAN}"')


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
    for handler in logging.getLogger().handlers:
        handler.addFilter(Repeats())

    def ready(actual_port: int) -> None:
        sys.stdout.write(f"serving http://{host}:{actual_port}\n")
        sys.stdout.flush()

    with refusals():
        run(Service.open(data), host, port, ready)


@cli.command()
def check(data: Data) -> None:
    """Ask the whole database whether the money adds up; exit status 1 if not."""
    with refusals(), reading(Service.open(data).engine) as connection:
        damage = database.damage(database.driver_connection(connection))
        found = [f"the database is damaged: {damage}"] if damage else checks.problems(connection)
    for problem in found:
        err.print(f"[red]✗[/red] {problem}", highlight=False)
    if found:
        raise typer.Exit(1)
    out.print("the ledger, the vault and the journals agree")


@cli.command()
def report(
    data: Data,
    prefix: Annotated[str, typer.Option(help="Terminals whose id begins so.")] = "",
    only: Annotated[str, typer.Option(help="trial, failed, blocked or silent.")] = "",
    count: Annotated[int, typer.Option(min=1, max=500, help="Terminals shown.")] = 50,
) -> None:
    """Open alarms, terminals last seen, and balances, as tables."""
    with refusals():
        service = Service.open(data)
        now = service.now()
        with reading(service.engine) as connection:
            money = currency.shown(connection, service.prices)
            aside = vouchers.aside_counts(connection)
            passed = returns.passed_counts(connection)
            wanted = terminals.Wanted(prefix, only)
            fleet = terminals.last_seen(connection, wanted, limit=count)
            matching, _ = terminals.counted(connection, wanted)
            kinds = alarms.kinds(connection)
            raised = alarms.open_alarms(connection, limit=sum(kind.alarms for kind in kinds))
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
    for item in raised:
        owner = item["terminal_id"].hex() if item["terminal_id"] else "server"
        out.print(f"alarm {item['id']}: {item['code']} {owner}: {item['text']}", markup=False)
    out.print(table)
    if matching > len(fleet):
        out.print(f"{matching - len(fleet)} more: ask for them with --prefix, --only, --count")
    accounts = Table("account", "balance", title="Ledger")
    for name, minor in totals.items():
        accounts.add_row(name, money.show(minor))
    out.print(accounts)
    vault = Table("product", "free", title="Vault")
    for product, count in free.items():
        vault.add_row(product, str(count))
    out.print(vault)
    for (product, reason), number in aside.items():
        out.print(f"{number} of {product} are set aside: {reason}", highlight=False)
    for terminal_id, number in passed.items():
        out.print(f"{terminal_id.hex()} passed {number} vouchers over: see `stock show`")
    for kind in kinds:
        out.print(f"{kind.alarms} open: {kind.code}, raised {kind.raised} times", markup=False)


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
