"""Who is told of alarms, and how: the file `notices.toml` of the data folder, read strictly. For
`worker` and the command line.

Secrets are not in it: it names the environment's variables that hold them.

    [[receiver]]
    name = "asha"                   # 1 to 32 letters, digits and -
    kind = "email"                  # email, sms or webhook
    to = "asha@example.org"         # of an email or an sms
    grade = 1                       # 0: money only … 3: everything
    per_hour = 12                   # messages, never more
    canary = "robot@example.org"    # where canaries go instead: an address, a number, a url
    # email: host, port, from, starttls (true), user, password_env
    # sms: url, to_field, text_field, fields (a table), header, token_env
    # webhook: url, secret_env (signs each body)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from updater_server import toml_file
from updater_server.errors import InputError

FILE = "notices.toml"
KINDS = ("email", "sms", "webhook")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_MAIL = re.compile(r"[^\s@<>,;]{1,64}@[^\s@<>,;]{1,190}")
_NUMBER = re.compile(r"\+?[0-9]{6,15}")
_RECEIVERS = 100
_COMMON: dict[str, type] = {
    "name": str, "kind": str, "to": str, "grade": int, "per_hour": int, "canary": str,
}  # fmt: skip
_OF_KIND: dict[str, dict[str, type]] = {
    "email": {
        "host": str, "port": int, "from": str, "starttls": bool, "user": str, "password_env": str,
    },
    "sms": {
        "url": str, "to_field": str, "text_field": str, "fields": dict, "header": str,
        "token_env": str,
    },
    "webhook": {"url": str, "secret_env": str},
}  # fmt: skip


@dataclass(frozen=True)
class Receiver:
    """One person's mailbox or telephone, or a program that listens."""

    name: str
    kind: str
    to: str = ""
    grade: int = 2
    per_hour: int = 12
    way: dict[str, Any] = field(default_factory=dict)
    """What else this kind needs."""
    canary: str = ""
    """Who gets this queue's canaries, by the same way; "": nobody, they end before they leave."""

    def for_canaries(self) -> Receiver:
        """The same way to another end."""
        if self.kind == "webhook":
            return replace(self, way={**self.way, "url": self.canary})
        return replace(self, to=self.canary)


def read(path: Path) -> list[Receiver]:
    """Everybody in the file; nobody if there is none.

    Raises:
        InputError: it cannot be read, or a field is missing, unknown or wrong; the text names it.
    """
    table = toml_file.read(path, dict[str, Any]) or {}
    unknown = table.keys() - {"receiver"}
    if unknown:
        raise InputError(f"{path.name}: what is {sorted(unknown)[0]}?")
    listed = table.get("receiver", [])
    if not isinstance(listed, list) or len(listed) > _RECEIVERS:
        raise InputError(f"{path.name}: receivers are [[receiver]], at most {_RECEIVERS}")
    found = [_receiver(item, f"{path.name}, receiver {n}") for n, item in enumerate(listed, 1)]
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{path.name}: {name} is there twice")
    return found


def _receiver(item: Any, where: str) -> Receiver:
    if not isinstance(item, dict) or item.get("kind") not in KINDS:
        raise InputError(f"{where}: kind is one of {', '.join(KINDS)}")
    kind: str = item["kind"]
    allowed = _COMMON | _OF_KIND[kind]
    for name, value in item.items():
        if name not in allowed:
            raise InputError(f"{where}: an {kind} has no {name}")
        if type(value) is not allowed[name]:
            raise InputError(f"{where}: {name} is mistyped")
    made = Receiver(
        **{name: item[name] for name in _COMMON if name in item and name != "kind"},
        kind=kind,
        way={name: value for name, value in item.items() if name not in _COMMON},
    ) if "name" in item else None  # fmt: skip
    if made is None or not _NAME.fullmatch(made.name):
        raise InputError(f"{where}: name is 1 to 32 small letters, digits and -")
    if not 0 <= made.grade <= 3:
        raise InputError(f"{where}: grade is 0 (money only) to 3 (everything)")
    if not 2 <= made.per_hour <= 1000:
        raise InputError(f"{where}: per_hour is 2 to 1000")
    _check_way(made, where)
    if made.canary:
        _check_way(made.for_canaries(), f"{where}, canary")
    return made


def _check_way(made: Receiver, where: str) -> None:
    way = made.way
    if made.kind == "email":
        if not _MAIL.fullmatch(made.to) or not _MAIL.fullmatch(str(way.get("from", ""))):
            raise InputError(f"{where}: an email needs `to` and `from`, like asha@example.org")
        if not way.get("host") or not 1 <= way.get("port", 25) <= 65535:
            raise InputError(f"{where}: an email needs `host`, and `port` is 1 to 65535")
        return
    if made.kind == "sms" and not _NUMBER.fullmatch(made.to):
        raise InputError(f"{where}: an sms needs `to`, like +254700000001")
    url = urlsplit(str(way.get("url", "")))
    if url.scheme not in ("http", "https") or not url.hostname:
        raise InputError(f"{where}: an {made.kind} needs `url`, like https://gateway.example/send")
    texts = way.get("fields", {})
    if not all(isinstance(value, str) for value in texts.values()):
        raise InputError(f"{where}: fields are texts")
