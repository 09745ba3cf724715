"""`python -m updater_server`: make a server's data folder, run it, and look after its money. For
operators. Every command is a function of `updater_server.cli`; here they get their names.
"""

from __future__ import annotations

import typer

from updater_server.cli.alarms import alarm_cli
from updater_server.cli.artefacts import artefacts_cli
from updater_server.cli.days import day_cli
from updater_server.cli.fleet import fleet_cli
from updater_server.cli.keys import key_cli
from updater_server.cli.moving import migrate_store
from updater_server.cli.parties import party_cli
from updater_server.cli.reconcile import reconcile_cli
from updater_server.cli.reports import audit, check, report
from updater_server.cli.restore import backup, restore, restored_cli
from updater_server.cli.sales import sales_cli
from updater_server.cli.sandbox import sandbox_cli
from updater_server.cli.server import init, serve
from updater_server.cli.stock import stock_cli
from updater_server.cli.suppliers import supplier_cli
from updater_server.cli.technicians import technician_cli
from updater_server.cli.telephones import telephone_cli
from updater_server.cli.terminals import terminal_cli
from updater_server.cli.tokens import token_cli
from updater_server.cli.verdicts import verdict_cli
from updater_server.cli.vouchers import voucher_cli
from updater_server.cli.webhooks import webhook_cli
from updater_server.cli.worker import notices_cli, worker

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Duka's server.")
cli.add_typer(voucher_cli, name="vouchers")
cli.add_typer(terminal_cli, name="terminal")
cli.add_typer(fleet_cli, name="fleet")
cli.add_typer(party_cli, name="party")
cli.add_typer(day_cli, name="day")
cli.add_typer(artefacts_cli, name="artefacts")
cli.add_typer(sales_cli, name="sales")
cli.add_typer(reconcile_cli, name="reconcile")
cli.add_typer(token_cli, name="token")
cli.add_typer(sandbox_cli, name="sandbox")
cli.add_typer(key_cli, name="key")
cli.add_typer(webhook_cli, name="webhook")
cli.add_typer(telephone_cli, name="telephone")
cli.add_typer(stock_cli, name="stock")
cli.add_typer(supplier_cli, name="supplier")
cli.add_typer(technician_cli, name="technician")
cli.add_typer(alarm_cli, name="alarm")
cli.add_typer(notices_cli, name="notices")
cli.add_typer(verdict_cli, name="verdict")
cli.add_typer(restored_cli, name="restored")
for command in (audit, backup, migrate_store, restore, init, serve, worker, check, report):
    cli.command()(command)

if __name__ == "__main__":
    cli(prog_name="updater_server")
