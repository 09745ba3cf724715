"""The options that commands share, each declared once, and commands whose parameters are groups of
options. For the commands of `tools.release`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from securesystemslib.signer import Signer

from tools import oracle
from tools.release.at_hand import PASSPHRASE, at_hand, later, unasked
from tools.release.steps import Step
from updater_server import channels
from updater_server.channels.shown import visible

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
HardwareClassOption = Annotated[str, typer.Option(help="hardware class")]
ReleaseArgument = Annotated[int, typer.Argument(help="release number")]
YesOption = Annotated[bool, typer.Option("--yes", help="do not ask before signing")]
ExpectOption = Annotated[
    list[str] | None,
    typer.Option("--expect", help="SHA-256 of what may be signed; anything else is refused"),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="say what, and stop")]
JsonOption = Annotated[bool, typer.Option("--json", help="answer for programs; asks nothing")]


@dataclass(frozen=True)
class Manner:
    """How a change is asked for and told; a group of options."""

    yes: YesOption = False
    dry_run: DryRunOption = False
    as_json: JsonOption = False

    @property
    def step(self) -> Step:
        """The change that is made so."""
        return Step(self.dry_run, self.as_json, self.yes)


@dataclass(frozen=True)
class Desk:
    """The folder of the channels and the keys that are here; a group of options."""

    repository: RepositoryOption
    keys: KeysAtHand = None
    passphrase: PassphraseOption = ""

    def open(self) -> channels.Repository:
        """The repository, in which nothing is staged or signed that no terminal would take.

        Raises:
            RepositoryDamaged: there is none, or it does not verify.
        """
        return oracle.open_repository(self.repository)

    def open_for_halt(self) -> channels.Repository:
        """As `open`, even if a list in it cannot be read, which is told: a halt must go out."""
        opened = channels.Repository.open(self.repository, strict=False, judge=oracle.TERMINAL)
        for text in opened.published.damaged.values():
            typer.echo(f"passed over: {visible(text)}", err=True)
        return opened

    def at_hand(self, roles: Sequence[str]) -> list[Signer]:
        """Signers of those roles' keys that are here (`at_hand.at_hand`)."""
        return at_hand(self.keys, self.passphrase, roles)

    def unasked(self, roles: Sequence[str]) -> tuple[dict[str, list[Signer]], list[str]]:
        """Signers by role, and the roles without keys here; nobody is asked (`at_hand.unasked`)."""
        return unasked(self.keys, self.passphrase, roles)

    def later(self, roles: Sequence[str]) -> Callable[[], list[Signer]]:
        """`at_hand`, to be called when somebody has agreed; a slip in `keys` is told now."""
        return later(self.keys, self.passphrase, roles)

    def stage(
        self,
        opened: channels.Repository,
        build: Callable[[], Any],
        step: Step,
        roles: Sequence[str],
        words: str | Iterable[str],
    ) -> Any:
        """`Step.stage`, signed by the keys of `roles` that are here."""
        return step.stage(opened, build, self.later(roles), words)


def grouped(command: Callable[..., Any]) -> Callable[..., None]:
    """`command` as the command line calls it: each field of a parameter that is a dataclass is an
    option of its own.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if name in groups:
            parameters += _options_of(groups[name])
        else:
            keyword = inspect.Parameter.KEYWORD_ONLY
            parameters.append(parameter.replace(kind=keyword, annotation=hints[name]))

    @functools.wraps(command)
    def typed(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        command(**given)

    del typed.__dict__["__wrapped__"]  # whose parameters are not the options
    typed.__dict__["__signature__"] = inspect.Signature(parameters)
    typed.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return typed


def _options_of(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(group)
    ]
