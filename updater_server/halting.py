"""Halts are put into force here, by a person's HALT and by the worker's verdict alike, with the
keys that the server has.

The keys are those of `renewal`: with `brake-1` or `rollout-1` among them, or a halt that was signed
before, it is in force within a second. It is made from what is in force and from nothing that
waits. A person's HALT that no key here can sign is staged all the same, so that nothing is promoted
past it, an alarm calls whoever has the keys, and the one who asked is told that nothing has
happened in the field yet.
"""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

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


class NoKeys(channels.RepositoryError):
    """No key that is here can halt it; the text says which are missing or do not open."""


def put_into_force(
    service: Service, channel: str, release: int, because: Mapping[str, Any]
) -> Halted:
    """Halt a release by brake and plan, as far as keys are here; `because` goes into the chained
    log. Safe to call twice, from two workers at once, and beside people: the folder's lock has an
    order.

    Raises:
        ReleaseRefused: the channel neither lists it nor lets it out.
        NoKeys: it is not in force, for want of keys.
        RepositoryError, RolloutError, OSError: the channels cannot be read or written.
    """
    folder, now = service.folder, datetime.fromtimestamp(service.now(), UTC)
    with (folder.repository / ".brake").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # one brake at a time: the second finds it done
        repository = channels.Repository.open(folder.repository, strict=False)
        if _is_halted(repository.published, channel, release):
            return Halted.BEFORE
        if not folder.online_keys.is_dir():
            raise NoKeys("the server has no keys (online-keys/)")
        passphrases = key_files.from_environment(PASSPHRASE)
        signers, closed = key_files.load_what_opens(folder.online_keys, passphrases)
        try:
            roles = repository.brake(channel, release, because, signers, now)
            repository.publish(signers, now, roles)
        except channels.ReleaseRefused:
            # Somebody halted it between the two looks: theirs stands. Or nobody may have it.
            repository.published.read_anew()
            if _is_halted(repository.published, channel, release):
                return Halted.BEFORE
            raise
        except channels.MissingSignatures as error:
            raise NoKeys("; ".join([str(error), *closed])) from error
        # By the brake alone: the plan waits for its key, for terminals that know no brake.
        _stage(repository, channel, release, now, because)
    return Halted.NOW


def _is_halted(published: channels.Published, channel: str, release: int) -> bool:
    is_readable = ROLLOUT_ROLES[channel] not in published.damaged
    return is_readable and release in published.rollout(channel).halted


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
    try:
        try:
            done = put_into_force(service, channel, release, {"by": person})
        except NoKeys as error:
            repository = channels.Repository.open(service.folder.repository, strict=False)
            at = datetime.fromtimestamp(service.now(), UTC)
            _stage(repository, channel, release, at, {"by": person})
            _note(service, channel, release, person)
            text = waits(release, channel, str(error))
            with writing(service.engine) as connection:
                alarms.raise_alarm(connection, None, WAITS, text, service.now())
            raise StateError(f"NOT IN FORCE: {text}") from error
    except channels.ReleaseRefused as error:
        raise InputError(str(error)) from error
    except (channels.RepositoryError, channels.RolloutError, OSError) as error:
        raise StateError(f"nothing was halted: {error}") from error
    if done is Halted.NOW:
        _note(service, channel, release, person)
        log.warning("release %d is halted on %s by %s", release, channel, person)
    return done


def _stage(
    repository: channels.Repository,
    channel: str,
    release: int,
    now: datetime,
    because: Mapping[str, Any],
) -> None:
    """Let the plan's halt wait for whoever has its key, unless it waits already or is in force."""
    if ROLLOUT_ROLES[channel] in repository.published.damaged:
        return
    if release not in repository.coming_plan(channel).halted:
        repository.halt(channel, release, (), now, str(because.get("by", "")))


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
