"""Errors that a person at the command line is told about in one line, instead of a traceback."""

from __future__ import annotations

import httpx

from tools.oracle import Unfit
from updater_server import channels
from updater_server.channels.carried import OfflineError
from updater_server.channels.keys import KeyFileError


class BuildError(Exception):
    """The image cannot be built from this source; the text names the file and the reason."""


class LinkError(Exception):
    """The terminal did not answer, or refused; the text says what a technician can do."""


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
