"""The secrets that seal, as a database keeps them: wrapped under its `server.key`. For `service`,
`backup` and the command line.

`server.key` and the database are two places, and a change of the key is cut between any two steps:
the new key is written beside the old one (`server.key.next`), one transaction wraps every secret
under it, then it takes the old one's name. Whichever of the two opens the database is the key, and
one of them always does.
"""

from __future__ import annotations

import fcntl
import hmac
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Engine, insert, select, update

from updater_server import server_key
from updater_server.atomic import sync_folder, write_atomically
from updater_server.errors import StateError, VaultError
from updater_server.server_key import FIRST, FOREVER, SealedValue, ServerKey, WrappingKey
from updater_server.store.engine import reading, writing
from updater_server.store.tables import server_constant, wrapped_secret

NEXT = "server.key.next"
_KEY_CHECK = "key_check"
_NOBODY = "the server"


Samples = Callable[[Connection], Iterable[SealedValue]]


class OtherKey(StateError):
    """The secrets of a database are wrapped under another key than this one."""


# --- in a transaction ---


def fingerprint(connection: Connection) -> str | None:
    """Of the key under which the secrets of a database are wrapped; None: it has none yet."""
    found = select(wrapped_secret.c.wrapped_under).where(wrapped_secret.c.number == FOREVER)
    return connection.scalar(found)


def unwrapped(connection: Connection, key: WrappingKey) -> dict[int, bytes]:
    """The secrets of a database; {} if it has none yet.

    Raises:
        OtherKey: they are wrapped under another key; the text says by which fingerprint.
        StateError: one of them is damaged.
    """
    secrets = {}
    for row in connection.execute(select(wrapped_secret).order_by(wrapped_secret.c.number)):
        if row.wrapped_under != key.fingerprint:
            raise OtherKey(
                f"server.key is not the key of this database: its fingerprint is "
                f"{key.fingerprint}, and what is needed is {row.wrapped_under}: put that one into "
                "the data folder (from where it was changed, or from where it is kept apart from "
                "the back-ups); nothing was changed"
            )
        try:
            secrets[int(row.number)] = key.unwrap(row.number, row.wrapped)
        except VaultError as error:
            raise StateError(
                f"{error}: the database is damaged there; restore a back-up, nothing was changed"
            ) from error
    return secrets


def keep(
    connection: Connection, key: WrappingKey, number: int, secret: bytes, by: str, now: int
) -> None:
    """Add a secret to a database."""
    connection.execute(
        insert(wrapped_secret).values(
            number=number,
            mark=server_key.mark(number),
            wrapped=key.wrap(number, secret),
            wrapped_under=key.fingerprint,
            wrapped_at=now,
            made_at=now,
            made_by=by,
        )
    )


def wrap_anew(connection: Connection, old: WrappingKey, new: WrappingKey, now: int) -> int:
    """Wrap every secret of a database under another key; how many there are.

    Raises:
        OtherKey: `old` is not their key.
        StateError: one does not come out as it went in.
    """
    secrets = unwrapped(connection, old)
    for number, secret in secrets.items():
        connection.execute(
            update(wrapped_secret)
            .where(wrapped_secret.c.number == number)
            .values(wrapped=new.wrap(number, secret), wrapped_under=new.fingerprint, wrapped_at=now)
        )
    if unwrapped(connection, new) != secrets:
        raise StateError("the secrets did not come out as they went in; nothing was changed")
    return len(secrets)


def begin(
    connection: Connection, key: WrappingKey, samples: Iterable[SealedValue], now: int
) -> None:
    """Give a database its secrets. In one of before there were any, `server.key` itself sealed: its
    bytes are the first secret then, if the database knows them by their digest, or they open any
    of the `samples` of what is sealed there.

    Raises:
        StateError: another key did.
    """
    before = ServerKey(key.secret)
    asked = select(server_constant.c.value).where(server_constant.c.name == _KEY_CHECK)
    known = connection.scalar(asked)
    sealed = list(samples)
    if known is not None:
        is_mine = hmac.compare_digest(known, before.digest("key check", b"duka").hex())
    else:
        is_mine = not sealed or any(_opens(before, value) for value in sealed)
    if not is_mine:
        raise OtherKey(
            f"server.key (fingerprint {key.fingerprint}) is not the key of this database: put back "
            "the one that was kept apart from the back-up; nothing was changed"
        )
    is_old = known is not None or bool(sealed)
    for number in (FOREVER, FIRST):
        secret = key.secret if is_old else os.urandom(server_key.KEY_BYTES)
        keep(connection, key, number, secret, _NOBODY, now)


def _opens(key: ServerKey, sealed: SealedValue) -> bool:
    try:
        key.open(sealed.purpose, sealed.context, sealed.value)
    except VaultError:
        return False
    return True


# --- a data folder's file and its database ---


def opened(path: Path, engine: Engine, samples: Samples, now: int) -> ServerKey:
    """What seals in a database whose key is in the file at `path`. The first time, its secrets are
    made; a change of the key that was cut is ended.

    Raises:
        StateError: no key, or another database's; the text says what to do, nothing was changed.
    """
    found = _secrets(path, engine)
    if not found:
        with writing(engine) as connection:
            if fingerprint(connection) is None:
                begin(connection, server_key.load(path), samples(connection), now)
        found = _secrets(path, engine)
    return ServerKey.of(found, lambda: _secrets(path, engine))


class Changed(NamedTuple):
    """What became of a `server.key`: fingerprints, and where the one of before is."""

    old: str
    new: str
    aside: Path
    secrets: int


def change(
    path: Path, engine: Engine, now: int, note: Callable[[Connection, str], None]
) -> Changed:
    """Give a database another `server.key`; servers that run go on. Cut anywhere, the next who
    opens the folder ends it or leaves it as it was, and doing it again is right in both cases.
    `note` writes down what was done, in the same transaction.

    Raises:
        StateError: the key at `path` is not the database's, or a file cannot be written.
    """
    with _held(path.parent):
        _settled(path, engine)
        old, new = server_key.load(path), _following(path)
        with writing(engine) as connection:
            count = wrap_anew(connection, old, new, now)
            note(connection, f"fingerprint {old.fingerprint} to {new.fingerprint}")
        aside = _put_in_place(path)
    return Changed(old.fingerprint, new.fingerprint, aside, count)


def _read(path: Path, engine: Engine) -> dict[int, bytes]:
    with reading(engine) as connection:
        return unwrapped(connection, server_key.load(path))


def _secrets(path: Path, engine: Engine) -> dict[int, bytes]:
    try:
        return _read(path, engine)
    except OtherKey:  # or it was changed just now
        with _held(path.parent):
            return _settled(path, engine)


def _settled(path: Path, engine: Engine) -> dict[int, bytes]:
    """The secrets, once no change of the key is under way in this folder: one that the database
    knows of is ended.
    """
    try:
        return _read(path, engine)
    except OtherKey as other:
        try:
            found = _read(path.with_name(NEXT), engine)
        except StateError:
            raise other from None
        _put_in_place(path)
        return found


def _following(path: Path) -> WrappingKey:
    """The new key, in its file beside the old one. One that a cut change left is taken, as its
    transaction may be on its way to the database yet; half a one was never used.
    """
    following = path.with_name(NEXT)
    try:
        try:
            new = server_key.load(following)
        except StateError:
            following.unlink(missing_ok=True)
            new = server_key.create(following)
        sync_folder(path.parent)
    except OSError as error:
        raise StateError(f"{following} cannot be written: {error.strerror}") from error
    return new


def _put_in_place(path: Path) -> Path:
    """Let the new key be `server.key`; the old one stays beside it under its fingerprint."""
    old = server_key.load(path)
    aside = path.with_name(f"{path.name}.{old.fingerprint}")
    try:
        write_atomically(aside, old.secret, 0o600)
        path.with_name(NEXT).replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise StateError(
            f"the new key is in {NEXT} and not in {path} yet ({error.strerror}): the next command "
            "tries it again"
        ) from error
    return aside


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Be the only one who changes the key files of a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
