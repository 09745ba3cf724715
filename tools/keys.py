"""The key holders' command line: ceremony, rotation, and a key on a machine of its own.

`tools.__main__` calls it. `python -m tools keys --help`; docs/release-manager.md is the manual.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from securesystemslib.signer import Signer, SSlibKey

from tools import oracle
from tools.steps import (
    DryRunOption,
    JsonOption,
    KeysAtHand,
    KeysOption,
    PassphraseOption,
    RepositoryOption,
    Step,
    YesOption,
    at_hand,
    say,
    secret,
)
from updater_server import channels
from updater_server.channels import keys as key_files
from updater_server.channels import offline
from updater_server.channels.policy import ONLINE_ROLES

app = typer.Typer(no_args_is_help=True, help="The keys of the channels, and who holds them.")


def _new_secret(whose: str) -> str:
    return str(typer.prompt(f"Passphrase of {whose}", hide_input=True, confirmation_prompt=True))


def create(keys: Path, repository: Path, passphrase: str) -> None:
    """Make every role's keys under one passphrase, and an empty repository signed by them."""
    policy = channels.Policy()
    public = key_files.generate_all(keys, policy, passphrase)
    channels.Repository.create(repository, public, policy, key_files.load_all(keys, passphrase))


@app.command("ceremony")
def ceremony(
    keys: KeysOption,
    repository: RepositoryOption,
    passphrase: PassphraseOption = "",
    sheet: Annotated[Path, typer.Option(help="text to print, sign and keep")] = Path("sheet.txt"),
    alone: Annotated[
        bool, typer.Option("--alone", help="one person, one passphrase: for trying things out")
    ] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make all keys, step by step: each root key has a holder and a passphrase of their own."""
    policy = channels.Policy()
    words = ["version 1 of every role, which say who signs for what from now on:"]
    for role, rule in policy.roles.items():
        words.append(f"  {role}: {rule.threshold} of {rule.key_count}, for {rule.expiry_days} days")
    if as_json and not (alone or dry_run):
        raise typer.BadParameter("a ceremony asks its holders: --json goes with --alone")

    def change() -> dict[str, list[str]]:
        if alone:
            create(keys, repository, secret(passphrase))
        else:
            _with_holders(policy, keys, repository, sheet)
        public = key_files.public_keys(keys, policy)
        return {role: [key.keyid for key in found] for role, found in public.items()}

    Step(dry_run, as_json, alone).take(words, change, question="Begin?")
    if not as_json and not dry_run:
        online = ", ".join(ONLINE_ROLES)
        say(f"Keys are in {keys}. Move all but {online} to their holders' own disks.")


def _with_holders(policy: channels.Policy, keys: Path, repository: Path, sheet: Path) -> None:
    lines = [f"Duka: keys of the channels, made on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", ""]
    public: dict[str, list[SSlibKey]] = {}
    signers: list[Signer] = []
    root = policy.roles["root"]
    say(f"Root: {root.key_count} keys, {root.threshold} must sign. One holder after the other:")
    for role, rule in policy.roles.items():
        shared = "" if role == "root" else _new_secret(f"the keys of {role}")
        lines += [f"{role}: {rule.threshold} of {rule.key_count}, for {rule.expiry_days} days"]
        for n in range(1, rule.key_count + 1):
            holder = str(typer.prompt(f"Who holds {role} key {n}"))
            passphrase = shared or _new_secret(holder)
            path = keys / f"{role}-{n}.pem"
            made = key_files.generate(path, passphrase)
            public.setdefault(role, []).append(made)
            signers.append(key_files.load(path, passphrase))
            say(f"  {path.name}: {made.keyid}, held by {holder}")
            lines += [f"  {path.name}  {made.keyid}  held by {holder}  signature: ____________"]
    made_repository = channels.Repository.create(repository, public, policy, signers)
    digest = made_repository.root_digest()
    lines += ["", "SHA-256 of 1.root.json, which every terminal is given at provisioning:", digest]
    online = ", ".join(ONLINE_ROLES)
    lines += ["", f"Keys that stay on the server: {online}. All others go with their holders."]
    sheet.write_text("\n".join(lines) + "\n")
    say(f"The sheet is in {sheet}: print it, let every holder sign it, keep it.")


@app.command("make")
def make(
    out: Annotated[Path, typer.Argument(help="file of the new key, such as stable-2.pem")],
    passphrase: PassphraseOption = "",
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make one key on the machine where it will live; take its .pub file to `keys rotate`."""

    def change() -> str:
        made = key_files.generate(out, passphrase or _new_secret(out.name))
        if not as_json:
            say(f"Key {made.keyid}; take {out.with_suffix('.pub')} to `keys rotate --public`.")
        return made.keyid

    Step(dry_run, as_json, True).take(f"nothing yet; makes the key {out}", change)


@app.command("rotate")
def rotate(
    role: Annotated[str, typer.Argument(help=", ".join(channels.Policy().roles))],
    repository: RepositoryOption,
    keys: KeysAtHand = None,
    passphrase: PassphraseOption = "",
    public: Annotated[
        list[Path] | None, typer.Option(help=".pub file of a key made elsewhere; repeat")
    ] = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Give a role new keys; from the next `release publish` on the old ones sign nothing.

    Without --public the new keys are made in the --keys folder, and the old ones go to `retired/`.
    """
    opened = oracle.open_repository(repository)
    rule = opened.policy.roles.get(role)
    if rule is None:
        raise channels.PolicyError(f"{role} is none of {', '.join(opened.policy.roles)}")
    if keys is None and not public:
        raise typer.BadParameter("say --keys (new keys are made there) or --public, or both")
    by = "a new root" if role in channels.TOP_LEVEL_ROLES else "new targets"
    words = [
        f"{by}, in which {role} has {rule.key_count} new key(s), {rule.threshold} needed.",
        "The old ones count for nothing any more once this is published.",
    ]

    def change() -> list[str]:
        if public:
            made = [key_files.load_public(path) for path in public]
            opened.rotate({role: made}, at_hand(keys, passphrase, _who_sign(role)))
        else:
            assert keys is not None
            made = _make_here(opened, role, rule.key_count, keys, secret(passphrase))
        return [key.keyid for key in made]

    Step(dry_run, as_json, yes).take(words, change, opened)


def _who_sign(role: str) -> Sequence[str]:
    return [*channels.TOP_LEVEL_ROLES, role]


def _make_here(
    opened: channels.Repository, role: str, count: int, keys: Path, passphrase: str
) -> list[SSlibKey]:
    fresh = keys / "next"
    try:
        names = [f"{role}-{n + 1}.pem" for n in range(count)]
        made = [key_files.generate(fresh / name, passphrase) for name in names]
        new = key_files.load_all(fresh, passphrase)
        opened.rotate({role: made}, [*new, *at_hand(keys, passphrase, _who_sign(role))])
    except Exception:  # keys that nothing names are of no use to anybody
        shutil.rmtree(fresh)
        raise
    retired = keys / "retired" / f"{role}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    retired.mkdir(parents=True)
    for path in sorted(keys.glob(f"{role}-[0-9]*.*")):
        path.rename(retired / path.name)
    for path in sorted(fresh.iterdir()):
        path.rename(keys / path.name)
    fresh.rmdir()
    return made


@app.command("sign")
def sign(
    request: Annotated[Path, typer.Argument(help="file that `release sign --export` wrote")],
    key: Annotated[Path, typer.Option(help="key file, .pem or .uri")],
    out: Annotated[Path, typer.Option(help="where the signature goes")],
    passphrase: PassphraseOption = "",
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Sign on a machine that has the key and no repository; carry the signature back."""
    data = request.read_bytes()
    oracle.TERMINAL.metadata(*offline.read_request(data))

    def change() -> str:
        known = passphrase if key.suffix == ".uri" else secret(passphrase, key.name)
        signature = offline.sign(data, key_files.open_signer(key, known))
        out.write_bytes(signature)
        if not as_json:
            say(f"The signature is in {out}: take it to `release sign --import`.")
        return str(json.loads(signature)["keyid"])

    Step(dry_run, as_json, yes).take(offline.in_words(*offline.read_request(data)), change)
