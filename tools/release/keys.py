"""The key holders' command line: ceremony, rotation, and a key on a machine of its own.

`tools.__main__` calls it. `python -m tools keys --help`; docs/release-manager.md is the manual.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from securesystemslib.signer import Signer, SSlibKey

from tools import oracle
from tools.release.at_hand import fitting, open_key, secret
from tools.release.options import (
    Desk,
    DryRunOption,
    ExpectOption,
    JsonOption,
    KeysOption,
    Manner,
    PassphraseOption,
    RepositoryOption,
    grouped,
)
from tools.release.steps import Step, compare, say
from updater_server import channels
from updater_server.channels import carried
from updater_server.channels import keys as key_files
from updater_server.channels.policy import ONLINE_ROLES
from updater_server.channels.shown import visible

app = typer.Typer(no_args_is_help=True, help="The keys of the channels, and who holds them.")


def _new_secret(whose: str) -> str:
    least = key_files.PASSPHRASE_MIN_LENGTH
    while True:
        given = typer.prompt(f"Passphrase of {whose}", hide_input=True, confirmation_prompt=True)
        if len(given) >= least:
            return str(given)
        say(f"It must have at least {least} characters.")


def create(keys: Path, repository: Path, passphrase: str) -> None:
    """Make every role's keys under one passphrase, and an empty repository signed by them."""
    policy = channels.Policy()
    public = key_files.generate_all(keys, policy, passphrase)
    channels.Repository.create(repository, public, policy, key_files.load_all(keys, passphrase))


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
    """Make all keys, step by step: each has a holder, who chooses its passphrase unseen. The keys
    that stay on the server have one passphrase together.
    """
    policy = channels.Policy()
    words = ["version 1 of every role, which say who signs for what from now on:"]
    for role, rule in policy.roles.items():
        words.append(f"  {role}: {rule.threshold} of {rule.key_count}, for {rule.expiry_days} days")
    if as_json and not (alone or dry_run):
        raise typer.BadParameter("a ceremony asks its holders: --json goes with --alone")
    if (repository / "metadata").exists() or any(keys.glob("*.pem")):
        raise channels.RepositoryError(
            f"{repository} or {keys} is in use already, and keys are never overwritten: name "
            "folders that are new"
        )

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
    made: list[Path] = []
    root, online = policy.roles["root"], ", ".join(ONLINE_ROLES)
    say(f"Root: {root.key_count} keys, {root.threshold} must sign. One holder after the other:")
    of_server = ""
    try:
        for role, rule in policy.roles.items():
            lines += [f"{role}: {rule.threshold} of {rule.key_count}, for {rule.expiry_days} days"]
            for n in range(1, rule.key_count + 1):
                holder = str(typer.prompt(f"Who holds {role} key {n}"))
                if role in ONLINE_ROLES:
                    of_server = of_server or _new_secret(f"the server's keys ({online})")
                path = keys / f"{role}-{n}.pem"
                passphrase = of_server if role in ONLINE_ROLES else _new_secret(visible(holder))
                made.append(path)
                key = key_files.generate(path, passphrase)
                public.setdefault(role, []).append(key)
                signers.append(key_files.load(path, passphrase))
                say(f"  {path.name}: {key.keyid}, held by {visible(holder)}")
                lines += [
                    f"  {path.name}  {key.keyid}  held by {holder}  signature: ____________",
                    f"    fingerprint {key_files.fingerprint(key.to_dict())}",
                ]
        made_repository = channels.Repository.create(repository, public, policy, signers)
    except BaseException:  # keys that nothing names are of no use to anybody
        for path in made:
            path.unlink(missing_ok=True)
            path.with_suffix(".pub").unlink(missing_ok=True)
        raise
    digest = made_repository.published.root_digest()
    lines += ["", "SHA-256 of 1.root.json, which every terminal is given at provisioning:", digest]
    lines += ["", f"Keys that stay on the server: {online}. All others go with their holders."]
    sheet.write_text("\n".join(lines) + "\n")
    say(f"The sheet is in {sheet}: print it, let every holder sign it, keep it.")


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
            say(f"Key {made.keyid}, fingerprint {key_files.fingerprint(made.to_dict())}")
            say(f"Read it out to the others; take {out.with_suffix('.pub')} to `keys rotate`.")
        return made.keyid

    Step(dry_run, as_json, True).take(f"nothing yet; makes the key {out}", change)


def rotate(
    role: Annotated[str, typer.Argument(help=", ".join(channels.Policy().roles))],
    desk: Desk,
    manner: Manner,
    public: Annotated[
        list[Path] | None, typer.Option(help=".pub file of a key made elsewhere; repeat")
    ] = None,
) -> None:
    """Give a role new keys; from the next `release publish` on the old ones sign nothing.

    Without --public the new keys are made in the --keys folder, and the old ones go to `retired/`.
    """
    opened, keys, passphrase = desk.open(), desk.keys, desk.passphrase
    rule = opened.published.policy.roles.get(role)
    if rule is None:
        raise channels.PolicyError(f"{role} is none of {', '.join(opened.published.policy.roles)}")
    if keys is None and not public:
        raise typer.BadParameter("say --keys (new keys are made there) or --public, or both")
    by = "a new root" if role in channels.TOP_LEVEL_ROLES else "new targets"
    words = [
        f"{by}, in which {role} has {rule.key_count} new key(s), {rule.threshold} needed.",
        "The old ones count for nothing any more once this is published.",
    ]
    step = manner.step
    if keys is not None:
        fitting(keys, _who_sign(role))
    if public:
        made = [key_files.load_public(path) for path in public]
        _rotate_to(opened, role, made, words, step, lambda: desk.at_hand(_who_sign(role)))
        return
    assert keys is not None
    if manner.dry_run:
        step.take([*words, f"The keys themselves would be made now, in {keys}."], lambda: None)
        return
    with _made_here(keys, role, rule.key_count, passphrase) as (made, new):
        _rotate_to(
            opened,
            role,
            made,
            words,
            step,
            lambda: [*new, *desk.at_hand(_who_sign(role))],
        )


def _rotate_to(
    opened: channels.Repository,
    role: str,
    made: list[SSlibKey],
    words: list[str],
    step: Step,
    signers: Callable[[], list[Signer]],
) -> None:
    for key in made:
        words.append(f"  new key {key.keyid}, fingerprint {key_files.fingerprint(key.to_dict())}")

    def build() -> list[str]:
        opened.rotate({role: made})
        return [key.keyid for key in made]

    step.stage(opened, build, signers, words)


def _who_sign(role: str) -> Sequence[str]:
    return [*channels.TOP_LEVEL_ROLES, role]


@contextmanager
def _made_here(
    keys: Path, role: str, count: int, passphrase: str
) -> Iterator[tuple[list[SSlibKey], list[Signer]]]:
    """New keys (public, signers), which take the place of the old ones in `keys` at the end."""
    fresh = Path(tempfile.mkdtemp(prefix="next-", dir=keys))
    made: list[SSlibKey] = []
    new: list[Signer] = []
    try:
        for n in range(1, count + 1):
            path = fresh / f"{role}-{n}.pem"
            own = passphrase or _new_secret(f"the new {path.name}")
            made.append(key_files.generate(path, own))
            new.append(key_files.load(path, own))
        yield made, new
    except BaseException:  # keys that nothing names are of no use to anybody
        shutil.rmtree(fresh)
        raise
    retired = keys / "retired" / f"{role}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    retired.mkdir(parents=True)
    for path in sorted(keys.glob(f"{role}-[0-9]*.*")):
        path.rename(retired / path.name)
    for path in sorted(fresh.iterdir()):
        path.rename(keys / path.name)
    fresh.rmdir()


def sign(
    request: Annotated[Path, typer.Argument(help="file that `release sign --export` wrote")],
    key: Annotated[Path, typer.Option(help="key file, .pem or .uri")],
    out: Annotated[Path, typer.Option(help="where the signature goes")],
    manner: Manner,
    passphrase: PassphraseOption = "",
    root: Annotated[
        Path | None,
        typer.Option(help="a root file of your own: what is in force is checked by it"),
    ] = None,
    expect: ExpectOption = None,
) -> None:
    """Sign on a machine that has the key and no repository; carry the signature back.

    With --root what differs from what is in force is shown, without it everything that is signed.
    """
    asked = carried.read_request(request.read_bytes())
    oracle.TERMINAL.request(asked)
    words = asked.in_words(None if root is None else root.read_bytes())
    compare(expect, {asked.role: asked.sha256})

    def change() -> str:
        signature = carried.sign(asked, open_key(key, passphrase))
        out.write_bytes(signature)
        if not manner.as_json:
            say(f"The signature is in {out}: take it to `release sign --import`.")
        return str(json.loads(signature)["keyid"])

    manner.step.take(words, change, sha256={asked.role: asked.sha256})


_COMMANDS: dict[str, Callable[..., None]] = {
    "ceremony": ceremony,
    "make": make,
    "rotate": rotate,
    "sign": sign,
}
for _name, _command in _COMMANDS.items():
    app.command(_name)(grouped(_command))
