"""`python -m updater_server`: make a server's data folder, run it, and look after its money. For
operators.

Amounts are in minor units (cents); terminal ids are 16 hex digits.
"""

from __future__ import annotations

import getpass
import logging
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from updater_server import database, server_key
from updater_server.channels.files import sync_folder
from updater_server.dashboard.page import ago, money
from updater_server.database import reading, writing
from updater_server.errors import ServerError, StateError
from updater_server.fleet import alarms, technicians, terminals
from updater_server.quiet_log import Repeats
from updater_server.sales import checks, ledger, losses, restoring, stock, vouchers
from updater_server.sales.prices import PricesUnavailable
from updater_server.service import DataFolder, Service, unix_time
from updater_server.startup import alone
from updater_server.tables import technician

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Duka's server.")
voucher_cli = typer.Typer(no_args_is_help=True, help="The voucher vault.")
terminal_cli = typer.Typer(no_args_is_help=True, help="Terminals and their float.")
stock_cli = typer.Typer(no_args_is_help=True, help="Stock for selling offline.")
technician_cli = typer.Typer(no_args_is_help=True, help="Who may enrol terminals.")
restored_cli = typer.Typer(no_args_is_help=True, help="What a restored server still has to hear.")
alarm_cli = typer.Typer(no_args_is_help=True, help="What a person must look at.")
cli.add_typer(voucher_cli, name="vouchers")
cli.add_typer(terminal_cli, name="terminal")
cli.add_typer(stock_cli, name="stock")
cli.add_typer(technician_cli, name="technician")
cli.add_typer(alarm_cli, name="alarm")
cli.add_typer(restored_cli, name="restored")

Data = Annotated[Path, typer.Option("--data", help="The server's data folder.")]
By = Annotated[
    str, typer.Option("--by", envvar="DUKA_OPERATOR", help="Who decides this; you, unless said.")
]
T = TypeVar("T")
FIRST_TECHNICIAN = "first technician"
out = Console()
err = Console(stderr=True)


def operator() -> str:
    """Who is at this computer, for the notes; a name is no proof."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


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
        token = None
        with writing(engine) as connection:
            if connection.scalar(select(technician.c.id).limit(1)) is None:
                token = technicians.add(
                    connection, FIRST_TECHNICIAN, technicians.OFFICE, operator(), unix_time()
                )
        engine.dispose()
        sync_folder(data)
        del key
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
            wanted = terminals.Wanted(prefix, only)
            fleet = terminals.last_seen(connection, wanted, limit=count)
            matching, _ = terminals.counted(connection, wanted)
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
    for item in raised:
        owner = item["terminal_id"].hex() if item["terminal_id"] else "server"
        out.print(f"alarm {item['id']}: {item['code']} {owner}: {item['text']}", markup=False)
    out.print(table)
    if matching > len(fleet):
        out.print(f"{matching - len(fleet)} more: ask for them with --prefix, --only, --count")
    accounts = Table("account", "balance", title="Ledger")
    for name, minor in totals.items():
        accounts.add_row(name, money(minor))
    out.print(accounts)
    vault = Table("product", "free", title="Vault")
    for product, count in free.items():
        vault.add_row(product, str(count))
    out.print(vault)


@cli.command()
def backup(
    destination: Annotated[Path, typer.Argument(help="A folder; the back-up is a new one in it.")],
    data: Data,
) -> None:
    """Copy database and channels while the server runs, and verify the copy. Not the server key."""
    from updater_server import backup as backups

    with refusals():
        made = backups.make(Service.open(data), destination)
    out.print(f"back-up: {made.path}", highlight=False, soft_wrap=True)
    for problem in made.problems:
        err.print(f"[red]✗[/red] in its books: {problem}", highlight=False)
    if made.problems:
        raise typer.Exit(1)
    out.print("every file of it was read again; keep server.key apart from it")


@cli.command()
def restore(
    source: Annotated[Path, typer.Argument(help="A folder that `backup` made.")], data: Data
) -> None:
    """Put a back-up in the place of the database. The server must be stopped."""
    from updater_server import backup as backups

    with refusals():
        folder = DataFolder(data)
        restored, aside = backups.restore(folder, source, unix_time())
    made = datetime.fromtimestamp(restored.made_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    out.print(f"restored: {restored.backup_id}, the state of {made}", highlight=False)
    if aside:
        out.print(f"the database that was there is in {aside}", highlight=False, soft_wrap=True)
    out.print("What was sold since then is known to the terminals alone: docs/server.md, Restore.")


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


@terminal_cli.command("lost")
def lost_records(
    terminal: Annotated[str, typer.Argument(help="16 hex digits")],
    data: Data,
    accept_through: Annotated[
        int, typer.Option(help="You have looked: what is lost up to this record is dealt with.")
    ] = 0,
    who: Annotated[str, typer.Option(help="Your name, with --accept-through.")] = "",
) -> None:
    """Journal records that a terminal says it has lost, and that did not turn up since."""
    with refusals():
        service = Service.open(data)
        terminal_id = terminals.parse_terminal_id(terminal)
        with writing(service.engine) as connection:
            if terminals.device_keys(connection, service.key, terminal_id) is None:
                raise StateError(f"no terminal {terminal} is enrolled")
            if accept_through:
                if not 1 <= len(who) <= 64:
                    raise StateError("say who accepts it: --who NAME, up to 64 letters")
                now = service.now()
                given_up = losses.accept(connection, terminal_id, accept_through, who, now)
                if given_up:
                    out.print(f"{given_up} records that never came are given up", highlight=False)
            lost = losses.open_losses(connection, terminal_id)
    listed = ", ".join(map(str, lost)) or "none"
    out.print(f"lost and not accepted: {listed}", highlight=False, soft_wrap=True)


@stock_cli.command("assign")
def assign_stock(terminal: str, product: str, count: int, data: Data) -> None:
    """Set vouchers aside for a terminal to sell offline; it fetches them at its next check-in."""
    with refusals():
        service = Service.open(data)
        terminal_id = terminals.parse_terminal_id(terminal)
        with writing(service.engine) as connection:
            batch_id = stock.assign(
                connection, service.prices, terminal_id, product, count, service.now()
            )
    out.print(f"batch {batch_id}: {count} of {product} for {terminal}", highlight=False)


@technician_cli.command("add")
def add_technician(
    name: str,
    data: Data,
    role: Annotated[
        str, typer.Option(help="bench: enrols and repairs; office: reads the fleet as well.")
    ] = technicians.BENCH,
    by: By = "",
) -> None:
    """A token for one more technician, shown once."""
    with refusals():
        service = Service.open(data)
        with writing(service.engine) as connection:
            token = technicians.add(connection, name, role, by or operator(), service.now())
    out.print(f"technician token: {token}", highlight=False, soft_wrap=True)


@technician_cli.command("list")
def list_technicians(data: Data) -> None:
    """Every technician, what the token opens, and what may still be handed out as float."""
    with refusals(), reading(Service.open(data).engine) as connection:
        known = technicians.listing(connection)
    table = Table("technician", "role", "state", "allowance", "a day", title="Technicians")
    for item in known:
        state = "withdrawn" if item["withdrawn_at"] is not None else "in force"
        table.add_row(
            item["name"],
            item["role"],
            state,
            money(item["allowance_minor"]),
            str(item["daily_limit"]),
        )
    out.print(table)


@technician_cli.command("withdraw")
def withdraw_technician(name: str, data: Data, by: By = "") -> None:
    """Take a token back, at once: it was lost or stolen, or its holder has left."""
    _decide(data, by, lambda *who: technicians.withdraw(who[0], name, *who[1:]))
    out.print(f"the token of {name} opens nothing any more", highlight=False)


@technician_cli.command("renew")
def renew_technician(name: str, data: Data, by: By = "") -> None:
    """Another token for a technician, shown once; the old one opens nothing any more."""
    token = _decide(data, by, lambda *who: technicians.renew(who[0], name, *who[1:]))
    out.print(f"technician token: {token}", highlight=False, soft_wrap=True)


@technician_cli.command("role")
def technician_role(name: str, role: str, data: Data, by: By = "") -> None:
    """Change what a technician's token opens: bench or office."""
    _decide(data, by, lambda *who: technicians.set_role(who[0], name, role, *who[1:]))
    out.print(f"{name} has the role {role}", highlight=False)


@technician_cli.command("allow")
def allow_float(
    name: str,
    amount: Annotated[int, typer.Argument(help="Minor units, in all; 0: none.")],
    data: Data,
    by: By = "",
) -> None:
    """Set what a technician may still hand out as opening floats. Said twice, it counts once."""
    _decide(data, by, lambda *who: technicians.allow_float(who[0], name, amount, *who[1:]))
    out.print(f"{name} may hand out {amount} more as opening floats", highlight=False)


@technician_cli.command("limit")
def limit_technician(
    name: str,
    a_day: Annotated[int, typer.Argument(help="Enrolments, and permits, within a day.")],
    data: Data,
    by: By = "",
) -> None:
    """Set how many enrolments and permits a token may ask for within a day."""
    _decide(data, by, lambda *who: technicians.set_daily_limit(who[0], name, a_day, *who[1:]))
    out.print(f"{name} may ask for {a_day} enrolments and permits a day", highlight=False)


def _decide(data: Path, by: str, change: Callable[[Connection, str, int], T]) -> T:
    """Carry out an operator's decision about a technician, with their name."""
    with refusals():
        service = Service.open(data)
        with writing(service.engine) as connection:
            return change(connection, by or operator(), service.now())
    raise AssertionError("refusals() ends the program")


@restored_cli.command("status")
def restored_status(data: Data) -> None:
    """Which terminals have told again what they did since the back-up, and which have not."""
    with refusals(), reading(Service.open(data).engine) as connection:
        if restoring.open_restore(connection) is None:
            out.print("no restore is open")
            return
        found = restoring.status(connection)
    waits = 0
    for item in found:
        done = item["agreed_at"] is not None or item["given_up_by"] is not None
        waits += not done
        out.print(f"{item['terminal_id'].hex()}  {item['state']}", highlight=False, soft_wrap=True)
    out.print(f"{len(found) - waits} of {len(found)} terminals are done", highlight=False)
    if not waits:
        out.print("now end it: restored finish")


@restored_cli.command("give-up")
def restored_give_up(terminal: str, data: Data, by: By = "") -> None:
    """Go on without what this terminal has not told; it may sell online again."""
    with refusals():
        terminal_id = terminals.parse_terminal_id(terminal)
        service = Service.open(data)
        with writing(service.engine) as connection:
            restoring.give_up(connection, terminal_id, by or operator(), service.now())
    out.print(f"{terminal} is given up", highlight=False)


@restored_cli.command("finish")
def restored_finish(
    data: Data,
    free_vouchers: Annotated[
        bool,
        typer.Option(help="Sell the back-up's vouchers though terminals were given up."),
    ] = False,
    by: By = "",
) -> None:
    """End the restore: all terminals have told everything, or were given up."""
    with refusals():
        service = Service.open(data)
        with writing(service.engine) as connection:
            held = restoring.settle(connection, free_vouchers, by or operator(), service.now())
    out.print("the restore is settled", highlight=False)
    if held:
        out.print(
            f"{held} vouchers of the back-up stay set aside: a terminal that was given up, or a "
            "batch that nobody has any more, may have sold them",
            soft_wrap=True,
        )


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
