"""What people's requests carry, read strictly: whatever does not fit is an InputError that says so.
For the faces of technicians and of the office.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec
from litestar import Request

from updater_server.errors import InputError

AnyRequest = Request[Any, Any, Any]
T = TypeVar("T")


def decode(body: bytes, kind: type[T]) -> T:
    """A JSON body as `kind`.

    Raises:
        InputError: it is not one.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(str(error)) from error


def hexadecimal(text: str, what: str) -> bytes:
    """The bytes that `text` names.

    Raises:
        InputError: it is not hexadecimal; the text names `what`.
    """
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise InputError(f"{what} is not hexadecimal") from error


def number(text: str, lowest: int, highest: int, what: str) -> int:
    """A whole number of the query.

    Raises:
        InputError: it is none, or out of bounds; the text names `what`.
    """
    if not re.fullmatch("[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
        raise InputError(f"{what} is {lowest} to {highest}")
    return int(text)


def query(request: AnyRequest) -> dict[str, str]:
    """The first value of each parameter."""
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        found.setdefault(name, value)
    return found


def authorization(request: AnyRequest) -> str:
    """The Authorization header; empty without one."""
    return request.headers.get("authorization", "")
