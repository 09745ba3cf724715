"""`sms.toml` in the data folder: which service centre carries short messages, and under which
number terminals reach the office. Read when the server and the worker begin.

    host = "smsc.example"
    port = 2775
    system_id = "duka"
    password_env = "DUKA_SMPP_PASSWORD"   # the environment's variable that holds it
    number = "+254700000100"              # terminals are told it at each check-in
    per_second = 10                       # messages, as the contract with the operator says
    tls = false
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from updater_server import toml_file

FILE = "sms.toml"


class Gateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    host: Annotated[str, msgspec.Meta(pattern=r"^[^\s]{1,253}\Z")]
    system_id: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,15}\Z")]
    number: Annotated[str, msgspec.Meta(pattern=r"^\+?[0-9]{3,15}\Z")]
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 2775
    password_env: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}\Z")] = ""
    system_type: Annotated[str, msgspec.Meta(pattern=r"^[ -~]{0,12}\Z")] = ""
    per_second: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 10
    tls: bool = False


def read(folder: Path) -> Gateway | None:
    """What the file of a data folder says; None where there is none.

    Raises:
        InputError: it cannot be read, or a field is missing, unknown or wrong.
    """
    return toml_file.read(folder / FILE, Gateway)
