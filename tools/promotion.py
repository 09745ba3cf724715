"""The release manager's command line, second part: signing with keys elsewhere, promotion, rollout.

`tools.__main__` calls it. Every command says in words what it will sign, asks, and then signs;
`--dry-run` stops before that, `--json` answers a program.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from tools import release
from tools.release import (
    ChannelOption,
    KeysOption,
    PassphraseOption,
    RepositoryOption,
    YesOption,
    app,
)
from updater_server import channels
from updater_server.channels import keys as key_files
from updater_server.channels import offline
from updater_server.channels.policy import ROLLOUT_KEYS

rollout_app = typer.Typer(no_args_is_help=True, help="How far a release is let out.")

ReleaseArgument = Annotated[int, typer.Argument(help="release number")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="say what, and stop")]
JsonOption = Annotated[bool, typer.Option("--json", help="answer for programs; asks nothing")]


class _Step:
    """One change: its words, and whether and how it is done and told."""

    def __init__(self, dry_run: bool, as_json: bool, yes: bool) -> None:
        self._dry_run = dry_run
        self._as_json = as_json
        self._yes = yes or as_json

    def take(self, words: str, change: Callable[[], Any], repository: channels.Repository) -> None:
        """Say `words`, ask, `change()`, and tell what is staged now."""
        if not self._as_json:
            release.console.print(f"You sign: {words}")
        if not self._dry_run:
            if not self._yes:
                typer.confirm("Sign this?", abort=True)
            change()
        staged = [] if self._dry_run else [s._asdict() for s in repository.staged()]
        if self._as_json:
            typer.echo(json.dumps({"words": words, "done": not self._dry_run, "staged": staged}))
        elif self._dry_run:
            release.console.print("Nothing was signed (dry run).")
        else:
            release.say_staged(repository)


@app.command("promote")
def promote(
    from_channel: Annotated[str, typer.Argument(help="channel that lists the release")],
    to_channel: Annotated[str, typer.Argument(help="channel that shall list the same bytes")],
    number: ReleaseArgument,
    keys: KeysOption,
    repository: RepositoryOption,
    passphrase: PassphraseOption,
    hardware_class: Annotated[str, typer.Option(help="hardware class")] = "duka-r1",
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """List a release of one channel on the next: the same bytes, never a rebuild."""
    opened = channels.Repository.open(repository)
    listed = {
        (entry.release, entry.hardware.hardware_class): entry
        for entry in opened.releases(from_channel)
    }
    entry = listed.get((number, hardware_class))
    if entry is None:
        raise channels.ReleaseRefused(f"{from_channel} has no release {number} for that class")
    words = (
        f"release {number} ({entry.version}) of {hardware_class}, image sha256 "
        f"{entry.image.sha256}, as it is on {from_channel}, for channel {to_channel}."
    )

    def change() -> None:
        signers = key_files.load_all(keys, passphrase, [to_channel])
        opened.promote(from_channel, to_channel, number, hardware_class, signers)

    _Step(dry_run, as_json, yes).take(words, change, opened)


@rollout_app.command("set")
def set_rollout(
    number: ReleaseArgument,
    threshold: Annotated[int, typer.Argument(help="of 10000 terminals", min=0, max=10_000)],
    channel: ChannelOption,
    keys: KeysOption,
    repository: RepositoryOption,
    passphrase: PassphraseOption,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let a release out to so many of 10,000 terminals."""
    opened = channels.Repository.open(repository)
    words = f"release {number} on {channel} may be taken by {threshold / 100:g} % of terminals."

    def change() -> None:
        signers = key_files.load_all(keys, passphrase, [ROLLOUT_KEYS])
        opened.set_rollout(channel, number, threshold, signers)

    _Step(dry_run, as_json, yes).take(words, change, opened)


@app.command("halt")
def halt(
    number: ReleaseArgument,
    channel: ChannelOption,
    keys: KeysOption,
    repository: RepositoryOption,
    passphrase: PassphraseOption,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Stop a release: nobody switches to it any more, not even who has downloaded it."""
    opened = channels.Repository.open(repository)
    words = f"release {number} on {channel} is halted: no terminal switches to it any more."

    def change() -> None:
        opened.halt(channel, number, key_files.load_all(keys, passphrase, [ROLLOUT_KEYS]))

    _Step(dry_run, as_json, yes).take(words, change, opened)


@app.command("resume")
def resume(
    number: ReleaseArgument,
    channel: ChannelOption,
    keys: KeysOption,
    repository: RepositoryOption,
    passphrase: PassphraseOption,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let a halted release go on, as far as its threshold says."""
    opened = channels.Repository.open(repository)
    words = f"release {number} on {channel} goes on as far as its threshold says."

    def change() -> None:
        opened.resume(channel, number, key_files.load_all(keys, passphrase, [ROLLOUT_KEYS]))

    _Step(dry_run, as_json, yes).take(words, change, opened)


@app.command("rollback-to")
def rollback_to(
    number: ReleaseArgument,
    channel: ChannelOption,
    keys: KeysOption,
    repository: RepositoryOption,
    passphrase: PassphraseOption,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Halt everything newer than a release. Who runs something newer needs a new release."""
    opened = channels.Repository.open(repository)
    listed = {entry.release: entry for entry in opened.releases(channel)}
    if number not in listed:
        raise channels.ReleaseRefused(f"{channel} lists no release {number}")
    halted = opened.rollout(channel).halted
    newer = sorted(n for n in listed if n > number and n not in halted)
    if not newer:
        raise channels.ReleaseRefused(f"nothing newer than {number} is let out on {channel}")
    words = (
        f"release {', '.join(map(str, newer))} on {channel} is halted. Terminals that already run "
        f"it keep it (no terminal goes back by itself once it has confirmed): build commit "
        f"{listed[number].commit[:12]} again under a number above {max(listed)} for them."
    )

    def change() -> None:
        signers = key_files.load_all(keys, passphrase, [ROLLOUT_KEYS])
        for each in newer:
            opened.halt(channel, each, signers)

    _Step(dry_run, as_json, yes).take(words, change, opened)


@app.command("sign")
def sign(
    role: Annotated[str, typer.Argument(help="role with a staged change, such as stable")],
    repository: RepositoryOption,
    export: Annotated[
        Path | None, typer.Option(help="write what is to be signed here, for `keys sign`")
    ] = None,
    import_file: Annotated[
        Path | None, typer.Option("--import", help="signature that `keys sign` wrote")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="or sign here with this key file")] = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Sign a staged change: here, or by carrying it to a key and its signature back."""
    if sum(way is not None for way in (export, import_file, key)) != 1:
        raise typer.BadParameter("say one of --export, --import and --key")
    opened = channels.Repository.open(repository)
    request = opened.to_sign(role)
    words = "\n".join(offline.in_words(*offline.read_request(request)))
    if export is not None:
        release.console.print(f"To be signed: {words}")
        if not dry_run:
            export.write_bytes(request)
        return

    def change() -> None:
        if import_file is not None:
            of_role, keyid, signature = offline.read_signature(import_file.read_bytes())
            if of_role != role:
                raise channels.RepositoryError(f"that is a signature for {of_role}")
            opened.add_signature(role, keyid, signature)
        elif key is not None:
            passphrase = typer.prompt("Passphrase", hide_input=True)
            opened.sign(role, [key_files.open_signer(key, passphrase)])

    _Step(dry_run, as_json, yes).take(words, change, opened)


@app.command("audit")
def audit(repository: RepositoryOption, as_json: JsonOption = False) -> None:
    """Check the log of who did what, and show it; exit code 1 when it was changed."""
    for line in channels.Repository.open(repository).audit():
        if as_json:
            content = {name: getattr(line, name) for name in line.__struct_fields__}
            typer.echo(json.dumps(content))
        else:
            details = ", ".join(f"{name} {value}" for name, value in line.details.items())
            release.console.print(f"{line.number:4} {line.at} {line.who}: {line.what} ({details})")
    if not as_json:
        release.console.print("The log is whole and tells of all that is in force.")
