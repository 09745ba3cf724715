"""`robots.toml` in the data folder: which robots there are. Read again at each round."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from updater_server import toml_file
from updater_server.errors import InputError
from updater_server.wire import limits

FILE = "robots.toml"
MOST = 20
_Hex16 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}\Z")]
_Hex64 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Robot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of them: what it buys, as which terminal. `name` is what alarms and the board say, best
    the supplier's. `recipient` only of what is made for a number, a meter or a reference.
    """

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,23}\Z")]
    terminal: _Hex16
    device_key: _Hex64
    product: Annotated[str, msgspec.Meta(min_length=1, max_length=24)]
    amount_minor: Annotated[int, msgspec.Meta(ge=1, le=limits.AMOUNT_MINOR[1])]
    recipient: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{0,20}\Z")] = ""
    catalogue: str = "catalogue/default.json"
    channel: str = "stable"

    @property
    def terminal_id(self) -> bytes:
        """Its eight bytes."""
        return bytes.fromhex(self.terminal)


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `server`: where terminals reach it."""

    server: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s/]+\Z")]
    robot: Annotated[list[Robot], msgspec.Meta(max_length=MOST)] = []
    every_s: Annotated[int, msgspec.Meta(ge=60, le=86_400)] = 300


def read(folder: Path) -> Listed | None:
    """What the file of a data folder says; None where there is none.

    Raises:
        InputError: it cannot be read, a field is missing, unknown or wrong, or a robot is there
            twice.
    """
    found = toml_file.read(folder / FILE, Listed)
    if found is None:
        return None
    for field in ("name", "terminal"):
        values = [getattr(robot, field) for robot in found.robot]
        twice = [value for value in values if values.count(value) > 1]
        if twice:
            raise InputError(f"{FILE}: {field} {twice[0]} is there twice")
    return found
