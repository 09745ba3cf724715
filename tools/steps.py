"""What every command of the release manager shares: options, keys at hand, and how one change is
said, asked for, done and told. `tools.release`, `tools.promotion` and `tools.keys` call it.

Each says in words what will be signed before anything is, made from the very bytes that are signed
then, and their SHA-256; `--dry-run` stops there; `--json` answers a program and asks nothing. Keys
may be elsewhere: a change that lacks signatures waits, and `release sign … --export` and `--import`
carry it to a key and back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import click
import typer
from rich.console import Console
from securesystemslib.signer import Signer

from tools import oracle
from updater_server import channels
from updater_server.channels import keys as key_files
from updater_server.channels.shown import visible

console = Console(highlight=False, emoji=False)
PASSPHRASE = "DUKA_PASSPHRASE"  # noqa: S105 the variable's name
_TRIES = 3

KeysOption = Annotated[Path, typer.Option("--keys", help="folder of the key files")]
KeysAtHand = Annotated[
    Path | None, typer.Option("--keys", help="folder of the key files that are here, if any")
]
RepositoryOption = Annotated[Path, typer.Option("--repository", help="folder of the channels")]
PassphraseOption = Annotated[
    str,
    typer.Option(
        envvar=PASSPHRASE,
        help="opens the key files; asked for, key by key, when not in DUKA_PASSPHRASE or, of one "
        "key, in DUKA_PASSPHRASE_STABLE_1 (for stable-1.pem)",
        show_default=False,
    ),
]
ChannelOption = Annotated[str, typer.Option(help=", ".join(channels.CHANNELS))]
YesOption = Annotated[bool, typer.Option("--yes", help="do not ask before signing")]
ExpectOption = Annotated[
    list[str] | None,
    typer.Option("--expect", help="SHA-256 of what may be signed; anything else is refused"),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="say what, and stop")]
JsonOption = Annotated[bool, typer.Option("--json", help="answer for programs; asks nothing")]


def secret(given: str, whose: str = "the keys") -> str:
    """The passphrase that was given, or asked for now."""
    return given or str(typer.prompt(f"Passphrase of {whose}", hide_input=True))


class Passphrases:
    """The passphrase of each key file: from the environment, or asked for, key by key. What opened
    one key is tried on the next before anybody is asked.
    """

    def __init__(self, given: str = "") -> None:
        self._given = given
        self._known: list[str] = []

    def __call__(self, path: Path) -> str:
        given = key_files.own_passphrase(PASSPHRASE, path) or self._given
        if given:
            return given
        if not path.is_file():
            raise key_files.KeyFileError(f"there is no key file {path}; nothing was signed")
        for known in self._known:
            if _opens(path, known):
                return known
        for left in reversed(range(_TRIES)):
            answer = secret("", path.name)
            if _opens(path, answer):
                self._known.append(answer)
                break
            if left:
                say(f"That does not open {path.name}. Once more:")
        return answer


def _opens(path: Path, passphrase: str) -> bool:
    try:
        key_files.load(path, passphrase)
    except key_files.KeyFileError:
        return False
    return True


def at_hand(keys: Path | None, passphrase: str, roles: Sequence[str]) -> list[Signer]:
    """Signers of those roles' keys that are in the folder.

    Raises:
        KeyFileError: there is no such folder, it holds no key of any of `roles`, or one does not
            open. Who names no folder has no key here.
    """
    if keys is None:
        return []
    here = fitting(keys, roles)
    return key_files.load_all(keys, Passphrases(passphrase), here)


def later(keys: Path | None, passphrase: str, roles: Sequence[str]) -> Callable[[], list[Signer]]:
    """`at_hand`, to be called when somebody has agreed; a slip in `keys` is told now."""
    if keys is not None:
        fitting(keys, roles)
    return lambda: at_hand(keys, passphrase, roles)


def fitting(keys: Path, roles: Sequence[str]) -> list[str]:
    """Those of `roles` that have keys in the folder. Raises as `at_hand`."""
    if not keys.is_dir():
        raise key_files.KeyFileError(f"--keys: there is no folder {keys}; nothing was signed")
    here = [
        role
        for role in roles
        if any(any(keys.glob(f"{role}-[0-9]*.{kind}")) for kind in ("pem", "uri"))
    ]
    if not here:
        raise key_files.KeyFileError(
            f"--keys: {keys} holds no key of {' or '.join(roles)}; nothing was signed. Without "
            "--keys a change is staged for keys that are elsewhere"
        )
    return here


def open_for_halt(folder: Path) -> channels.Repository:
    """The repository, even if a list in it cannot be read, which is told: a halt must go out."""
    opened = channels.Repository.open(folder, strict=False)
    for text in opened.damaged.values():
        typer.echo(f"passed over: {visible(text)}", err=True)
    opened.judge = oracle.TERMINAL
    return opened


def plain(text: str) -> str:
    """`text` with whatever would steer the terminal, but for line breaks, as an escape."""
    return "".join(c if c == "\n" or c.isprintable() else visible(c) for c in text)


def say(text: str) -> None:
    """A line for people, or several."""
    console.print(plain(text), markup=False, soft_wrap=True)


def say_staged(repository: channels.Repository) -> None:
    """Tell what waits to be published, which signatures it lacks, and of which keys."""
    for staged in repository.staged():
        state = "ready to publish"
        if staged.missing:
            state = (
                f"{staged.missing} signature(s) missing, of keys {', '.join(staged.may_sign)}: "
                f"release sign {staged.role}, here or with --export and --import"
            )
        say(f"{staged.role} version {staged.version}: {state}")
    for text in repository.unreadable().values():
        say(text)


def compare(expect: Sequence[str] | None, shown: Mapping[str, str]) -> None:
    """Refuse what is not among the hashes that `--expect` names.

    Raises:
        RepositoryError: the text names the role.
    """
    for role, sha256 in shown.items():
        if expect and sha256 not in {value.strip().lower() for value in expect}:
            raise channels.RepositoryError(
                f"what would be signed for {role} has the SHA-256 {sha256}, which --expect does "
                "not name; nothing was signed"
            )


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
        sha256: Mapping[str, str] | None = None,
    ) -> Any:
        """Say `words`, ask, `change()`, and tell what is staged now and what it returned. `sha256`
        of what is signed, by role, is told to programs.
        """
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
                "words": "\n".join(lines), "sha256": dict(sha256 or {}),
                "done": not self.dry_run, "staged": staged, "result": told,
            }  # fmt: skip
            click.echo(json.dumps(content))
        elif self.dry_run:
            say("Nothing was signed (dry run).")
        elif repository is not None:
            say_staged(repository)
        return answer

    def stage(
        self,
        opened: channels.Repository,
        build: Callable[[], Any],
        signers: Callable[[], Sequence[Signer]],
        words: str | Iterable[str] = (),
    ) -> Any:
        """Work out what `build` would stage, say it behind `words`, ask, and stage just that,
        signed by `signers()`. Returns what `build` returned.
        """
        with opened.drafting() as drafts:
            answer = build()
        lines = [words] if isinstance(words, str) else list(words)
        for of_role in opened.in_words(drafts).values():
            lines += of_role
        sha256 = {role: draft.sha256 for role, draft in drafts.by_role.items()}

        def change() -> Any:
            opened.stage(drafts, signers())
            return answer

        return self.take(lines, change, opened, sha256=sha256)
