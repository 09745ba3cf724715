"""Chance and calendar of a simulated world: what keys are made, which salts, ids and nonces are
drawn, and what the release manager's tools take for today.

Within `seeded`, this process draws from a seed and reads the world's calendar, so that a world, its
flash, its paper and its bytes on the air are functions of that seed. The server's processes do the
same by `tests/support/world_clock.py`. The product has no switch for any of this.
"""

from __future__ import annotations

import os
import random
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone, tzinfo
from unittest import mock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tuf.ngclient._internal import trusted_metadata_set

import tools.release.keys
import tools.release.publishing
import updater_server.channels.audit
import updater_server.channels.dates
import updater_server.channels.keys

_CALENDARS = (
    tools.release.keys,
    tools.release.publishing,
    updater_server.channels.audit,
    updater_server.channels.dates,
)


class _IsPrivateKey(type):
    def __instancecheck__(cls, thing: object) -> bool:
        return isinstance(thing, Ed25519PrivateKey)


class _DrawnKey(metaclass=_IsPrivateKey):
    """In place of the class whose keys are made by a generator that has no seed."""

    @staticmethod
    def generate() -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(os.urandom(32))


def _calendar(now_unix_s: Callable[[], float]) -> type[datetime]:
    class Calendar(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Calendar:
            return cls.fromtimestamp(now_unix_s(), tz)

    return Calendar


@contextmanager
def seeded(seed: str, now_unix_s: Callable[[], float]) -> Iterator[None]:
    """Within, chance comes from `seed` and the date from `now_unix_s`."""
    draw = random.Random(seed)
    at = f"@{int(now_unix_s())} +0000"
    environment = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at, "LOGNAME": "release-manager"}
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(os, "urandom", draw.randbytes))
        stack.enter_context(mock.patch.object(random, "_urandom", draw.randbytes))
        stack.enter_context(
            mock.patch.object(updater_server.channels.keys, "Ed25519PrivateKey", _DrawnKey)
        )
        calendar = _calendar(now_unix_s)
        for module in _CALENDARS:
            stack.enter_context(mock.patch.object(module, "datetime", calendar))
        of_tuf = types.SimpleNamespace(datetime=calendar, timezone=timezone)
        stack.enter_context(mock.patch.object(trusted_metadata_set, "datetime", of_tuf))
        stack.enter_context(mock.patch.dict(os.environ, environment))
        yield
