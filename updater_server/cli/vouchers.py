"""The operator's commands about the vault: `vouchers`. An import may be ended at any point and goes
on where it ended.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from updater_server import words
from updater_server.cli.shared import (
    WRONG_INPUT,
    By,
    Data,
    Number,
    Reason,
    err,
    out,
    refusals,
    refuse,
    say,
    who,
)
from updater_server.errors import InputError
from updater_server.sales import delivery_file, forecast, import_recall, imports, restore_state
from updater_server.service import Service
from updater_server.store.engine import reading

voucher_cli = typer.Typer(no_args_is_help=True, help="The voucher vault.")
_GONE_SHOWN = 20

Unlisted = Annotated[
    list[str] | None,
    typer.Option("--unlisted", help="A product whose price list is yet to come (repeatable)."),
]


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
        span = f"{words.day(known[0])} to {words.day(known[-1])}" if known else ""
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
    never_here: Annotated[
        bool, typer.Option(help="After a restore: it was not here before either; sell it at once.")
    ] = False,
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
                service.engine,
                service.key,
                seen,
                file.name,
                operator,
                service.now(),
                _progress,
                never_here,
            )
        except KeyboardInterrupt:
            say("ended half-way; nothing of it is sold. The same command goes on with it.")
            raise typer.Exit(130) from None
        with reading(service.engine) as connection:
            waits = not never_here and restore_state.open_restore(connection) is not None
    say(
        f"import {import_id}: {seen.delivery.count} vouchers are in the vault; now destroy the file"
    )
    if waits:
        say(
            "they may have been sold in the time that the restore forgot, so they wait until it is"
            " ended (`restored status`); what was certainly never here: --never-here"
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
            words.day(item["begun_at"]),
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
    reason: Reason = "",
    every: Annotated[bool, typer.Option("--list", help="Name every voucher that is gone.")] = False,
) -> None:
    """Sell nothing of an import any more, for ever; say what was sold or is on terminals."""
    with refusals():
        service = Service.open(data)
        done = import_recall.recall(service.engine, number, who(by), reason, service.now())
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


@voucher_cli.command("forecast")
def show_forecast(data: Data) -> None:
    """How long the vault lasts, product by product, at the pace of the last seven days."""
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            found = forecast.look(connection, service.now())
    table = Table("product", "free", "a day", "lasts")
    for one in found:
        lasts = "–" if one.days is None else f"{one.days:.0f} days"
        table.add_row(
            escape(one.product_id),
            str(one.free),
            f"{one.a_day:.1f}",
            f"[red]{lasts}[/red]" if one.is_low else lasts,
        )
    out.print(table)
