"""`release quote`: what a release will cost on the air, before it is published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tools import oracle
from tools.release.options import (
    ChannelOption,
    HardwareClassOption,
    JsonOption,
    ReleaseArgument,
    RepositoryOption,
)
from tools.release.steps import say
from updater_server import channels
from updater_server.channels.quote import Line, Runs, fields

_MICROS = 1_000_000


def quote(
    number: ReleaseArgument,
    channel: ChannelOption,
    repository: RepositoryOption,
    fleet: Annotated[
        Path, typer.Option(help="what the fleet runs: `updater_server fleet runs > fleet.json`")
    ],
    per_megabyte_micros: Annotated[
        int, typer.Option(min=0, help="price of 1,000,000 bytes, in millionths")
    ] = 20_000,
    currency: Annotated[str, typer.Option(help="of that price")] = "USD",
    hardware_class: HardwareClassOption = "duka-r1",
    as_json: JsonOption = False,
) -> None:
    """Say what a release that is signed, or waits for signatures, costs the fleet: bytes, seconds
    and money for each version in the field, beside the full image and beside leaving it out.
    """
    opened = oracle.open_repository(repository)
    lines = opened.quote(channel, number, hardware_class, _fleet(fleet))

    def cost(size_bytes: int) -> int:
        return -(-size_bytes * per_megabyte_micros // _MICROS)

    if as_json:
        values = [
            {**line._asdict(), "bytes": line.bytes, "micros": cost(line.bytes)} for line in lines
        ]
        typer.echo(json.dumps(values, indent=1))
        return
    for line in lines:
        say(_words(line, cost(line.bytes), currency))
    whole = sum(line.bytes for line in lines)
    full = sum(line.terminals * line.full_bytes for line in lines)
    spared = sum(line.terminals * line.kept_bytes for line in lines)
    say(
        f"release {number} on {channel}: {whole:,} bytes, {_money(cost(whole), currency)}; by full "
        f"images {full:,}, {_money(cost(full), currency)}; left out until the next one it spares "
        f"{spared:,}, {_money(cost(spared), currency)}, and its changes come then"
    )


def _words(line: Line, micros: int, currency: str) -> str:
    runs = "release unknown" if line.release is None else f"release {line.release}"
    return (
        f"{runs}: {line.terminals:,} terminals, {line.kind}, {line.each_bytes:,} bytes and "
        f"{line.each_s} s each (full {line.full_bytes:,}), {_money(micros, currency)}"
    )


def _money(micros: int, currency: str) -> str:
    return f"{micros / _MICROS:,.{2 if micros >= 10_000 else 6}f} {currency}"


def _fleet(file: Path) -> list[Runs]:
    try:
        return fields(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise channels.RepositoryError(f"{file}: {error}") from error
