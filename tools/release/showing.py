"""What is in force, whether it is sound, and who did what: commands that change nothing."""

from __future__ import annotations

import json

import typer

from tools import oracle
from tools.release import image as images
from tools.release.options import JsonOption, RepositoryOption
from tools.release.steps import say
from updater_server import channels
from updater_server.channels.shown import visible


def show(repository: RepositoryOption, as_json: JsonOption = False) -> None:
    """Say what the channels offer, who signs for what, and until when."""
    content = oracle.open_repository(repository).show()
    if as_json:
        typer.echo(json.dumps(content, indent=1))
        return
    for role, about in content["roles"].items():
        until = images.day_of(about["expires"])
        say(
            f"{role:16} version {about['version']:<4} until {until}  "
            f"{about['threshold']} of {len(about['keys'])} keys"
        )
    for channel, entries in content["channels"].items():
        plan = channels.RolloutPlan.parse(content["rollouts"][channel])
        for entry in entries:
            number = entry["release"]
            version = visible(entry["version"])
            say(f"{channel}: release {number} ({version}), {plan.in_words(number)}")
        for name, flag in plan.flags.items():
            say(f"{channel}: flag {visible(name)}, {flag.in_words()}")
    say(f"price lists: {', '.join(content['catalogues']) or 'none'}")
    for staged in content["staged"]:
        say(
            f"waits: {staged['role']} version {staged['version']}, {staged['missing']} missing, "
            f"SHA-256 {staged['sha256']}"
        )
    for text in content["unreadable"].values():
        say(f"waits, and is damaged: {text}")


def verify(repository: RepositoryOption, as_json: JsonOption = False) -> None:
    """Check everything a terminal would check, and the log; exit code 1 when something is wrong."""
    opened = oracle.open_repository(repository)
    problems = opened.verify()
    try:
        opened.audit()
    except channels.RepositoryDamaged as error:
        problems.append(str(error))
    if as_json:
        typer.echo(json.dumps({"sound": not problems, "problems": problems}))
    else:
        for problem in problems:
            say(problem)
        if not problems:
            say("Sound: signatures, versions, lengths, hashes, files and the log agree.")
    if problems:
        raise typer.Exit(1)


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
