"""Who may use the terminal, and their PINs, in a file: docs/formats/terminal-files.md.

Loaded by name while somebody signs in or people are changed. A PIN is never kept plain: what is
kept is PBKDF2 of it under a salt of its own, as for the PIN in `firmware.kept.config`.
"""

import os

from bootloader.shared import cbor
from bootloader.shared.compat import const
from bootloader.shared.hashes import equal, pbkdf2_sha256
from firmware.kept.files import COPY, exists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.kept.config import Config
    from firmware.kept.files import Kept

PATH = "/data/merchant.people"
OWNER = const(0)  # role, and number of the one owner
CASHIER = const(1)
TECHNICIAN = const(2)
MOST = const(8)  # besides the owner
MOST_LETTERS = const(16)
LEAST_DIGITS = const(4)
MOST_DIGITS = const(8)
_VERSION = const(1)
_MAX_BYTES = const(1024)
_MARK_BYTES = const(8)
_SALT_BYTES = const(16)
_HASH_BYTES = const(32)
_MAX_ROUNDS = const(20000)
_MAX_NUMBER = const(65535)


class PeopleError(ValueError):
    """The file cannot be used; the text says what is wrong with it."""


class Person:
    """`number` is never given to anybody else. `secret`: salt, hash and rounds of the PIN."""

    def __init__(self, number: int, role: int, name: str, secret: "list[Any]") -> None:
        self.number = number
        self.role = role
        self.name = name
        self.secret = secret


class People:
    """`others`: everybody but the owner, in the order in which they came."""

    def __init__(self, data: bytes | None = None) -> None:
        """Read `data`; None: nobody was ever added.

        Raises:
            PeopleError: it is not as specified.
        """
        self.next_number = 1
        self.others: list[Person] = []
        # [first bytes of the hash in the settings that it stands for, salt, hash, rounds]
        self._owner: list[Any] | None = None
        if data is None:
            return
        try:
            version, self.next_number, self._owner, others = cbor.loads(data)
            if version != _VERSION or not 0 < self.next_number <= _MAX_NUMBER:
                raise ValueError("version or number")
            if self._owner is not None:
                mark, *secret = self._owner
                _check_bytes(mark, _MARK_BYTES)
                _check_secret(secret)
            if len(others) > MOST:
                raise ValueError("too many")
            for number, role, name, *secret in others:
                _check_secret(secret)
                self._take(Person(number, role, name, secret))
        except (ValueError, TypeError) as error:
            raise PeopleError("people: {}".format(error))

    def _take(self, person: Person) -> None:
        if not 0 < person.number < self.next_number or self.find(person.number):
            raise ValueError("number")
        if person.role not in (CASHIER, TECHNICIAN):
            raise ValueError("role")
        if not isinstance(person.name, str) or not 0 < len(person.name) <= MOST_LETTERS:
            raise ValueError("name")
        self.others.append(person)

    def dump(self) -> bytes:
        """What `People` reads."""
        others = [[one.number, one.role, one.name] + one.secret for one in self.others]
        return cbor.dumps([_VERSION, self.next_number, self._owner, others])

    def find(self, number: int) -> Person | None:
        """The one with that number, None: the owner, or somebody who is gone."""
        for one in self.others:
            if one.number == number:
                return one
        return None

    def is_right(self, config: "Config", number: int, pin: str) -> bool:
        """Whether `pin` is that person's. Who counts the tries: `firmware.flows.steps.pin`."""
        salt, digest, rounds = config.pin_salt, config.pin_hash, config.pin_rounds
        if number == OWNER:
            # A technician who gives the owner a new PIN in the settings ends what he chose here.
            if self._owner and equal(self._owner[0], digest[:_MARK_BYTES]):
                _, salt, digest, rounds = self._owner
        else:
            one = self.find(number)
            if not one:
                return False
            salt, digest, rounds = one.secret
        return equal(pbkdf2_sha256(pin.encode(), salt, rounds), digest)

    def set_pin(self, config: "Config", number: int, pin: str, salt: bytes) -> None:
        """Give a person a new PIN; `salt`: 16 random bytes."""
        rounds = config.pin_rounds
        secret = [salt, pbkdf2_sha256(pin.encode(), salt, rounds), rounds]
        one = self.find(number)
        if one:
            one.secret = secret
        elif number == OWNER:
            self._owner = [config.pin_hash[:_MARK_BYTES]] + secret

    def add(self, role: int, name: str) -> Person:
        """A new person, who has no PIN yet. Raises PeopleError: there are `MOST`."""
        if len(self.others) >= MOST or self.next_number >= _MAX_NUMBER:
            raise PeopleError("people: too many")
        person = Person(self.next_number, role, name[:MOST_LETTERS], [])
        self.next_number += 1
        self.others.append(person)
        return person


def _check_bytes(value: "Any", size: int) -> None:
    if not isinstance(value, bytes) or len(value) != size:
        raise ValueError("bytes")


def _check_secret(secret: "list[Any]") -> None:
    salt, digest, rounds = secret
    _check_bytes(salt, _SALT_BYTES)
    _check_bytes(digest, _HASH_BYTES)
    if not 0 < rounds <= _MAX_ROUNDS:
        raise ValueError("rounds")


def _read(path: str) -> People:
    try:
        size_bytes = min(os.stat(path)[6], _MAX_BYTES) + 1
        with open(path, "rb") as file:
            data = file.read(size_bytes)
    except OSError:
        raise PeopleError("people: missing")
    if len(data) > _MAX_BYTES:
        raise PeopleError("people: too long")
    return People(data)


def load(files: "Kept", path: str = PATH) -> People:
    """Everybody; with no file that can be used the owner alone, with the PIN of the settings."""
    if not exists(path) and not exists(path + COPY):
        return People()
    try:
        read: Callable[[str], People] = _read
        return files.load(read, path)
    except PeopleError:
        return People()


def store(files: "Kept", people: People, path: str = PATH) -> None:
    """Keep everybody; a cut leaves all as before or all as now. Raises OSError: nothing changed."""
    files.put(path, people.dump())


def is_guessed_first(pin: str) -> bool:
    """Whether `pin` is one that a thief tries first: one digit, or digits in a row."""
    row = "01234567890"
    back = "09876543210"
    return pin in row or pin in back or pin == pin[0] * len(pin)
