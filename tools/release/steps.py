"""How one change is said, asked for, done and told. The commands of `tools.release` call it.

Each says in words what will be signed before anything is, made from the very bytes that are signed
then, and their SHA-256; `--dry-run` stops there; `--json` answers a program and asks nothing. Keys
may be elsewhere: a change that lacks signatures waits, and `release sign … --export` and `--import`
carry it to a key and back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click
import typer
from rich.console import Console
from securesystemslib.signer import Signer

from updater_server import channels
from updater_server.channels.shown import visible

console = Console(highlight=False, emoji=False)


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
