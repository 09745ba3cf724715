"""The release manager's command line, second part: promotion, rollout, halt, and the log.

`tools.__main__` calls it; what every command shares is `tools.steps`.
"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from tools import oracle
from tools.release import app, payload_words, say_let_out
from tools.steps import (
    ChannelOption,
    DryRunOption,
    JsonOption,
    KeysAtHand,
    PassphraseOption,
    RepositoryOption,
    Step,
    YesOption,
    later,
    open_for_halt,
    say,
)
from updater_server import channels
from updater_server.channels.policy import ROLLOUT_KEYS
from updater_server.channels.restoring import RESTORED_ROLES
from updater_server.channels.shown import visible

rollout_app = typer.Typer(no_args_is_help=True, help="How far a release is let out.")

ReleaseArgument = Annotated[int, typer.Argument(help="release number")]


@app.command("promote")
def promote(
    from_channel: Annotated[str, typer.Argument(help="channel that lists the release")],
    to_channel: Annotated[str, typer.Argument(help="the next one: ci, alpha, beta, stable")],
    number: ReleaseArgument,
    repository: RepositoryOption,
    keys: KeysAtHand = None,
    passphrase: PassphraseOption = "",
    hardware_class: Annotated[str, typer.Option(help="hardware class")] = "duka-r1",
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """List a release of one channel on the next: the same bytes, never a rebuild."""
    opened = oracle.open_repository(repository)
    entry = opened.promotable(from_channel, to_channel, number, hardware_class)
    let_out = opened.rollout(from_channel).in_words(number)
    payloads = opened.promoted_payloads(entry, to_channel)
    words = [
        f"release {number} ({entry.version}) of {hardware_class}, image sha256 "
        f"{entry.image.sha256}, as it is on {from_channel} ({let_out}), for channel {to_channel}.",
        *payload_words(payloads),
    ]

    def build() -> None:
        opened.add_release(to_channel, entry, payloads)

    step = Step(dry_run, as_json, yes)
    step.stage(opened, build, later(keys, passphrase, [to_channel]), words)
    say_let_out(opened, to_channel, number, step)


@app.command("unlist")
def unlist(
    number: ReleaseArgument,
    channel: ChannelOption,
    repository: RepositoryOption,
    keys: KeysAtHand = None,
    passphrase: PassphraseOption = "",
    hardware_class: Annotated[str, typer.Option(help="hardware class")] = "duka-r1",
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take a release off a channel's list; lower numbers may follow. Who runs it keeps it."""
    opened = oracle.open_repository(repository)
    words = (
        f"channel {channel} without release {number} of {hardware_class}: no terminal takes it any "
        "more, and the next may have a lower number. Terminals that run it keep it."
    )

    step = Step(dry_run, as_json, yes)
    step.stage(
        opened,
        lambda: opened.unlist(channel, number, hardware_class),
        later(keys, passphrase, [channel]),
        words,
    )


@rollout_app.command("set")
def set_rollout(
    number: ReleaseArgument,
    threshold: Annotated[int, typer.Argument(help="of 10000 terminals", min=0, max=10_000)],
    channel: ChannelOption,
    repository: RepositoryOption,
    keys: KeysAtHand = None,
    passphrase: PassphraseOption = "",
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let a release out to so many of 10,000 terminals."""
    opened = open_for_halt(repository)
    words = f"release {number} on {channel} may be taken by {threshold / 100:g} % of terminals."
    if number in opened.rollout(channel).halted:
        words += f" It is halted: nobody takes it before `release resume {number}`."

    step = Step(dry_run, as_json, yes)
    step.stage(
        opened,
        lambda: opened.set_rollout(channel, number, threshold),
        later(keys, passphrase, [ROLLOUT_KEYS]),
        words,
    )


@app.command("halt")
def halt(
    number: ReleaseArgument,
    channel: ChannelOption,
    repository: RepositoryOption,
    keys: KeysAtHand = None,
    passphrase: PassphraseOption = "",
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Stop a release: nobody switches to it any more, not even who has downloaded it."""
    opened = open_for_halt(repository)
    words = f"release {number} on {channel} is halted: no terminal switches to it any more."
    for other in channels.CHANNELS:
        listed = () if other in opened.damaged else opened.releases(other)
        if other != channel and any(entry.release == number for entry in listed):
            words += f"\n  {other} lists it, too: it is not halted there by this."

    step = Step(dry_run, as_json, yes)
    step.stage(
        opened,
        lambda: opened.halt(channel, number),
        later(keys, passphrase, [ROLLOUT_KEYS]),
        words,
    )


@app.command("resume")
def resume(
    number: ReleaseArgument,
    channel: ChannelOption,
    repository: RepositoryOption,
    keys: KeysAtHand = None,
    passphrase: PassphraseOption = "",
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let a halted release go on, as far as its threshold says."""
    opened = open_for_halt(repository)
    words = f"release {number} on {channel} goes on as far as its threshold says."

    step = Step(dry_run, as_json, yes)
    step.stage(
        opened,
        lambda: opened.resume(channel, number),
        later(keys, passphrase, [ROLLOUT_KEYS]),
        words,
    )


@app.command("rollback-to")
def rollback_to(
    number: ReleaseArgument,
    channel: ChannelOption,
    repository: RepositoryOption,
    keys: KeysAtHand = None,
    passphrase: PassphraseOption = "",
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Halt everything newer than a release. Who runs something newer needs a new release."""
    opened = open_for_halt(repository)
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

    def build() -> None:
        for each in newer:
            opened.halt(channel, each)

    step = Step(dry_run, as_json, yes)
    step.stage(opened, build, later(keys, passphrase, [ROLLOUT_KEYS]), words)


@app.command("restored")
def restored(
    repository: RepositoryOption,
    keys: KeysAtHand = None,
    passphrase: PassphraseOption = "",
    role: Annotated[
        list[str] | None, typer.Option(help="only this role; repeat (default: all but root)")
    ] = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """After the folder was restored from its copy: the same content under numbers that are above
    all that was published since the copy, so that every terminal follows again.
    """
    opened = open_for_halt(repository)
    roles = tuple(role) if role else RESTORED_ROLES
    words = [
        f"{each} with the content that is here, above every number that was published before now"
        for each in roles
    ]
    wanted = list(dict.fromkeys(channels.key_role(each) for each in roles))

    step = Step(dry_run, as_json, yes)
    step.stage(
        opened,
        lambda: opened.take_up_again(roles=roles),
        later(keys, passphrase, wanted),
        words,
    )


@app.command("audit")
def audit(repository: RepositoryOption, as_json: JsonOption = False) -> None:
    """Check the log of who did what, and show it; exit code 1 when it was changed."""
    for line in oracle.open_repository(repository).audit():
        if as_json:
            content = {name: getattr(line, name) for name in line.__struct_fields__}
            typer.echo(json.dumps(content))
        else:
            details = ", ".join(f"{name} {value}" for name, value in line.details.items())
            said = f"{line.at} {line.who}: {line.what} ({details})"
            say(f"{line.number:4} {visible(said)}")
    if not as_json:
        say("The log is whole and tells of all that is in force.")
