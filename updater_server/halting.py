"""HALT: a person stops a release at once, with the keys that the server has. For the board and the
command line.

The keys are those of `renewal`: with `brake-1` or `rollout-1` among them, or a halt that was signed
before, it is in force within a second. Without them it is staged all the same, so that nothing is
promoted past it, an alarm calls whoever has the keys, and the one who asked is told that nothing
has happened in the field yet.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from enum import Enum

from securesystemslib.signer import Signer

from updater_server import channels
from updater_server.channels import keys as key_files
from updater_server.channels.policy import ROLLOUT_ROLES
from updater_server.errors import InputError, StateError
from updater_server.fleet import alarms, operators
from updater_server.renewal import PASSPHRASE
from updater_server.service import Service
from updater_server.store.engine import writing

WAITS = "halt_waits"
log = logging.getLogger("duka.halting")


class Halted(Enum):
    """What came of it."""

    NOW = "halted: no terminal switches to it any more once it has heard of it"
    BEFORE = "it was halted already"


def halt(service: Service, channel: str, release: int, by: str) -> Halted:
    """Halt a release on a channel, by the person `by`, and put that into force.

    Raises:
        InputError: no such channel, or it lists no such release.
        StateError: it is staged and not in force, as a key is not here; or nothing could be done.
            The text says what to do.
    """
    person = operators.name(by)
    if channel not in channels.CHANNELS:
        raise InputError(f"no channel {channel[:20]!r}: {', '.join(channels.CHANNELS)}")
    now = datetime.fromtimestamp(service.now(), UTC)
    folder = service.folder
    try:
        repository = channels.Repository.open(folder.repository, strict=False)
        role = ROLLOUT_ROLES[channel]
        is_readable = role not in repository.published.damaged
        if is_readable and release in repository.published.rollout(channel).halted:
            return Halted.BEFORE
        signers: list[Signer] = []
        closed: list[str] = []
        if folder.online_keys.is_dir():
            passphrases = key_files.from_environment(PASSPHRASE)
            signers, closed = key_files.load_what_opens(folder.online_keys, passphrases)
        repository.halt(channel, release, signers, now, person)
        braked = []
        if repository.can_hold(channel, signers):
            braked.append(repository.hold(channel, release, signers, now, {"by": person}))
    except channels.ReleaseRefused as error:
        raise InputError(str(error)) from error
    except (channels.RepositoryError, OSError) as error:
        raise StateError(f"nothing was halted: {error}") from error
    _note(service, channel, release, person)
    try:
        try:
            repository.publish(signers, now, [role, *braked])
        except channels.MissingSignatures:
            # No key of the plans: the plan waits for it, for terminals that know no brake.
            braked = braked or repository.brake(channel, release, {"by": person}, signers, now)
            repository.publish(signers, now, braked)
    except (channels.RepositoryError, OSError) as error:
        text = waits(release, channel, "; ".join([str(error), *closed]))
        with writing(service.engine) as connection:
            alarms.raise_alarm(connection, None, WAITS, text, service.now())
        raise StateError(f"NOT IN FORCE: {text}") from error
    log.warning("release %d is halted on %s by %s", release, channel, person)
    return Halted.NOW


def waits(release: int, channel: str, why: str) -> str:
    """What the alarm says of a halt that nobody could sign."""
    return (
        f"halt of release {release} on {channel}: signed by nobody yet ({why}). Whoever holds the "
        f"key: `release publish`"
    )


def waited(text: str) -> tuple[int, str]:
    """(Release, channel) of such an alarm."""
    words = text.split()
    return int(words[3]), words[5].rstrip(":")


def _note(service: Service, channel: str, release: int, person: str) -> None:
    with writing(service.engine) as connection:
        subject = f"release {release}"
        operators.note(connection, person, "halt", subject, f"on {channel}", service.now())
