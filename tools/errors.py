"""Errors that a person at the command line is told about in one line, instead of a traceback."""

from __future__ import annotations

import httpx

from tools.image import BuildError
from tools.oracle import Unfit
from tools.terminal_link import LinkError
from updater_server import channels
from updater_server.channels.keys import KeyFileError
from updater_server.channels.offline import OfflineError

EXPECTED: tuple[type[Exception], ...] = (
    BuildError,
    LinkError,
    Unfit,
    KeyFileError,
    OfflineError,
    channels.EntryError,
    channels.PayloadError,
    channels.PolicyError,
    channels.RepositoryError,
    channels.RolloutError,
    httpx.HTTPError,
    OSError,
)


def explain(error: Exception) -> str:
    """One line that says what went wrong and, where it is known, what to do."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"the server answered {error.response.status_code}: {error.response.text.strip()}"
    if isinstance(error, httpx.HTTPError):
        return f"the server cannot be reached: {error}"
    return str(error)
