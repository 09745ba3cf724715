"""The brake: halts a release, and can do nothing else.

With its own key, `brake-1`, it says on its channel what is halted; the key can say nothing else. A
plan that halts is put out, too, for terminals of before: with the key of the plans, or with a halt
that people signed before (`Repository.ready_brake`).
"""

from __future__ import annotations

import fcntl
from datetime import UTC, datetime
from typing import Any, NamedTuple

from updater_server import channels
from updater_server.channels import keys as key_files
from updater_server.renewal import PASSPHRASE
from updater_server.service import Service


class Braked(NamedTuple):
    """What came of it: whether the release is halted now, by whom, or why it is not."""

    is_halted: bool
    by: str
    why_not: str = ""


FOUND, WORKER = "found halted", "the worker"
"""By whom: it was halted already, or is now."""


def halt(service: Service, channel: str, release: int, because: dict[str, Any]) -> Braked:
    """See that `release` is halted on `channel`; `because` goes into the chained log. Safe to call
    twice, from two workers at once, and beside people: the folder's lock has an order.

    Never raises for what is wrong with channels or keys: that is said.
    """
    now = datetime.fromtimestamp(service.now(), UTC)
    try:
        with (service.folder.repository / ".brake").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)  # one brake at a time: the second finds it done
            return _halt(service, channel, release, because, now)
    except (channels.RepositoryError, channels.RolloutError, OSError) as error:
        return Braked(False, "", str(error))


def _halt(
    service: Service, channel: str, release: int, because: dict[str, Any], now: datetime
) -> Braked:
    folder = service.folder
    repository = channels.Repository.open(folder.repository, strict=False)
    if release in repository.published.rollout(channel).halted:
        return Braked(True, FOUND)
    if not folder.online_keys.is_dir():
        return Braked(False, "", "the server has no keys (online-keys/)")
    passphrases = key_files.from_environment(PASSPHRASE)
    signers, closed = key_files.load_what_opens(folder.online_keys, passphrases)
    try:
        roles = repository.brake(channel, release, because, signers, now)
        repository.publish(signers, now, roles)
    except channels.ReleaseRefused:
        # Somebody halted it between the two looks: theirs stands. Or nobody may have it any more.
        repository.published.read_anew()
        if release in repository.published.rollout(channel).halted:
            return Braked(True, FOUND)
        raise
    except channels.MissingSignatures as error:
        return Braked(False, "", "; ".join([str(error), *closed]))
    return Braked(True, WORKER)
