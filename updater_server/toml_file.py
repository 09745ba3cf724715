"""A file that an operator writes, in TOML, read as the struct that says its fields. For whatever of
the server has one in the data folder.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

import msgspec

from updater_server.errors import InputError

T = TypeVar("T")


def read(path: Path, kind: type[T]) -> T | None:
    """What the file says, as a `kind`; None where there is none.

    Raises:
        InputError: it cannot be read, or a field is missing, unknown or wrong; the text names the
            file.
    """
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), kind)
    except FileNotFoundError:
        return None
    except (
        OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError,
    ) as error:  # fmt: skip
        raise InputError(f"{path.name}: {error}") from error
