"""What every command of the release manager shares: options, keys at hand, and how one change is
said, asked for, done and told. `tools.release`, `tools.promotion` and `tools.keys` call it.

Each says in words what will be signed before anything is; `--dry-run` stops there; `--json` answers
a program and asks nothing. Keys may be elsewhere: a change that lacks signatures waits, and
`release sign … --export` and `--import` carry it to a key and back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import click
import typer
from rich.console import Console
from securesystemslib.signer import Signer

from updater_server import channels
from updater_server.channels import keys as key_files
from updater_server.channels import offline

console = Console(highlight=False)

KeysOption = Annotated[Path, typer.Option("--keys", help="folder of the key files")]
KeysAtHand = Annotated[
    Path | None, typer.Option("--keys", help="folder of the key files that are here, if any")
]
RepositoryOption = Annotated[Path, typer.Option("--repository", help="folder of the channels")]
PassphraseOption = Annotated[
    str,
    typer.Option(
        envvar="DUKA_PASSPHRASE",
        help="opens the key files; asked for when not in DUKA_PASSPHRASE",
        show_default=False,
    ),
]
ChannelOption = Annotated[str, typer.Option(help=", ".join(channels.CHANNELS))]
YesOption = Annotated[bool, typer.Option("--yes", help="do not ask before signing")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="say what, and stop")]
JsonOption = Annotated[bool, typer.Option("--json", help="answer for programs; asks nothing")]


def secret(given: str, whose: str = "the keys") -> str:
    """The passphrase that was given, or asked for now."""
    return given or str(typer.prompt(f"Passphrase of {whose}", hide_input=True))


def at_hand(keys: Path | None, passphrase: str, roles: Sequence[str]) -> list[Signer]:
    """Signers of those roles' keys that are in the folder, perhaps none."""
    if keys is None:
        return []
    here = [role for role in roles if any(keys.glob(f"{role}-[0-9]*.pem"))]
    remote = [role for role in roles if any(keys.glob(f"{role}-[0-9]*.uri"))]
    if not here and not remote:
        return []
    return key_files.load_all(
        keys, secret(passphrase) if here else passphrase, [r for r in roles if r in here + remote]
    )


def say(text: str) -> None:
    """A line for people."""
    console.print(text, markup=False, soft_wrap=True)


def staged_words(repository: channels.Repository) -> list[str]:
    """Everything that waits to be published, as its signature will say it."""
    words: list[str] = []
    for change in repository.staged():
        words += offline.in_words(*offline.read_request(repository.to_sign(change.role)))
    return words


def say_staged(repository: channels.Repository) -> None:
    """Tell what waits to be published, and which signatures it lacks."""
    for staged in repository.staged():
        state = "ready to publish"
        if staged.missing:
            state = (
                f"{staged.missing} signature(s) missing: release sign {staged.role}, here or with "
                "--export and --import"
            )
        say(f"{staged.role} version {staged.version}: {state}")


class Step:
    """One change: its words, and whether and how it is done and told."""

    def __init__(self, dry_run: bool, as_json: bool, yes: bool) -> None:
        self.dry_run = dry_run
        self.as_json = as_json
        self._yes = yes or as_json

    def take(
        self,
        words: str | Iterable[str],
        change: Callable[[], Any],
        repository: channels.Repository | None = None,
        question: str = "Sign this?",
    ) -> Any:
        """Say `words`, ask, `change()`, and tell what is staged now and what it returned."""
        lines = [words] if isinstance(words, str) else list(words)
        if not self.as_json:
            say("You sign: " + "\n".join(lines))
        answer: Any = None
        if not self.dry_run:
            if not self._yes:
                typer.confirm(question, abort=True)
            answer = change()
        staged = []
        if repository is not None and not self.dry_run:
            staged = [change._asdict() for change in repository.staged()]
        if self.as_json:
            told = answer if isinstance(answer, int | str | list | dict) else None
            content = {
                "words": "\n".join(lines), "done": not self.dry_run, "staged": staged,
                "result": told,
            }  # fmt: skip
            click.echo(json.dumps(content))
        elif self.dry_run:
            say("Nothing was signed (dry run).")
        elif repository is not None:
            say_staged(repository)
        return answer
