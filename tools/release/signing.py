"""`release sign`: what is listed or dated anew is signed at once by the keys that are here; what
waits is signed here, or carried to a key and back. And taking back what waits.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from securesystemslib.signer import Signer

from tools.release.adding import sign_image
from tools.release.at_hand import open_key
from tools.release.options import Desk, ExpectOption, Manner, RepositoryOption
from tools.release.prices import sign_prices
from tools.release.steps import Step, compare, say
from tools.release.terms import TermOptions
from updater_server import channels
from updater_server.channels import carried
from updater_server.channels.policy import CATALOGUE_ROLE
from updater_server.channels.restoring import RESTORED_ROLES
from updater_server.channels.shown import visible


@dataclass(frozen=True)
class WhatOptions:
    """What is listed anew; a group of options."""

    image: Annotated[Path | None, typer.Option(help="list this image of `release build`")] = None
    prices: Annotated[Path | None, typer.Option(help="list this price list")] = None
    name: Annotated[str, typer.Option(help="name of the price list")] = "default"
    back: Annotated[
        bool, typer.Option("--back", help="prices of a version below the one in force")
    ] = False
    anew: Annotated[bool, typer.Option("--anew", help="the same content, with a later date")] = (
        False
    )


def _option(help_text: str, *names: str) -> Any:
    return typer.Option(*names, help=help_text, rich_help_panel="Keys that are elsewhere")


@dataclass(frozen=True)
class CarryOptions:
    """Whose key signs; a group of options."""

    export: Annotated[Path | None, _option("write here what is to be signed")] = None
    import_file: Annotated[Path | None, _option("signature that `keys sign` wrote", "--import")] = (
        None
    )
    key: Annotated[Path | None, _option("sign with this one key file")] = None
    expect: ExpectOption = None


def sign(
    role: Annotated[str, typer.Argument(help="channel, catalogue, or another role that waits")],
    desk: Desk,
    what: WhatOptions,
    entry: TermOptions,
    carry: CarryOptions,
    manner: Manner,
) -> None:
    """List an image or prices and sign the list, date it anew, or sign what waits.

    Keys that are elsewhere: --export, `keys sign` there, and --import here.
    """
    step = manner.step
    if what.image is not None:
        sign_image(what.image, role, desk, entry.terms(), deltas=entry.deltas, step=step)
    elif what.prices is not None:
        if role != CATALOGUE_ROLE:
            raise typer.BadParameter(f"price lists are signed by {CATALOGUE_ROLE}")
        sign_prices(what.prices, desk, what.name, back=what.back, step=step)
    elif what.anew:
        _date_anew(role, desk, step)
    elif carry.export is None:
        _sign_staged(role, desk, carry, step)
    if carry.export is not None:
        _export(role, desk, carry.export, step)


def withdraw(
    role: Annotated[str, typer.Argument(help="whose staged change is taken back")],
    repository: RepositoryOption,
    manner: Manner,
) -> None:
    """Take back what waits for a role. What is in force stays; no key is needed."""
    opened = channels.Repository.open(repository)
    unreadable = opened.unreadable().get(role)
    waiting = [unreadable] if unreadable else opened.in_words().get(role)
    if waiting is None:
        raise channels.RepositoryError(f"nothing is staged for {role}")
    words = ["nothing; this is taken back and comes into force no more:", *waiting]
    manner.step.take(words, lambda: opened.withdraw(role), opened, "Take it back?")


def restored(
    desk: Desk,
    manner: Manner,
    role: Annotated[
        list[str] | None, typer.Option(help="only this role; repeat (default: all but root)")
    ] = None,
) -> None:
    """After the folder was restored from its copy: the same content under numbers that are above
    all that was published since the copy, so that every terminal follows again.
    """
    opened = desk.open_for_halt()
    roles = tuple(role) if role else RESTORED_ROLES
    words = [
        f"{each} with the content that is here, above every number that was published before now"
        for each in roles
    ]
    wanted = list(dict.fromkeys(channels.key_role(each) for each in roles))

    def build() -> None:
        opened.take_up_again(roles=roles)

    desk.stage(opened, build, manner.step, wanted, words)


def _date_anew(role: str, desk: Desk, step: Step) -> None:
    opened = desk.open()

    def build() -> None:
        opened.date_anew(role)

    words = f"{role} with the same content, dated anew."
    desk.stage(opened, build, step, [channels.key_role(role)], words)


def _export(role: str, desk: Desk, export: Path, step: Step) -> None:
    opened = desk.open()
    request = opened.to_sign(role)
    words = request.in_words(opened.published.root_bytes())
    if not step.dry_run:
        export.write_bytes(request.encode())
    if step.as_json:
        content = {"words": words, "sha256": {role: request.sha256}, "exported": str(export)}
        typer.echo(json.dumps({**content, "done": not step.dry_run}))
    else:
        say("To be signed: " + "\n".join(words))
        say(f"Carry {export} to the key: keys sign {export}")
        say(f"Tell its holder by another way what is signed: SHA-256 {request.sha256}")


def _sign_staged(role: str, desk: Desk, carry: CarryOptions, step: Step) -> None:
    opened = desk.open()
    request = opened.to_sign(role)
    words = request.in_words(opened.published.root_bytes())
    compare(carry.expect, {role: request.sha256})

    def change() -> None:
        if carry.import_file is not None:
            _take_signature(opened, role, carry.import_file, request.sha256)
            return
        signers: list[Signer] = desk.at_hand([channels.key_role(role)])
        if carry.key is not None:
            signers.append(open_key(carry.key, desk.passphrase))
        staged = opened.sign(role, signers, request.sha256)
        held = {signer.public_key.keyid for signer in signers}
        if held and not held & {*staged.signed_by, *staged.may_sign}:
            raise channels.RepositoryError(f"none of these keys signs for {role}")

    step.take(words, change, opened, sha256={role: request.sha256})


def _take_signature(opened: channels.Repository, role: str, file: Path, expect: str) -> None:
    of_role, keyid, signature = carried.read_signature(file.read_bytes())
    if of_role != role:
        raise channels.RepositoryError(f"that is a signature for {visible(of_role)}")
    opened.add_signature(role, keyid, signature, expect)
