"""What a refusal looks like over HTTP. For `app`."""

from __future__ import annotations

import logging
from typing import Any

from litestar import Response
from litestar.exceptions import HTTPException

from updater_server.errors import ConflictError, InputError, ServerError
from updater_server.faces.requests import AnyRequest
from updater_server.fleet import technicians
from updater_server.sales.prices import PricesUnavailable
from updater_server.store.engine import is_the_databases_fault

log = logging.getLogger("duka.app")

_ASKS_FOR_A_PASSWORD = ("/", "/board", "/pipeline")
"""Pages that a browser opens first."""
RETRY_AFTER_S = "5"
"""What somebody is told who is to try later."""


def plain_error(request: AnyRequest, error: Exception) -> Response[Any]:
    """Errors as one line of JSON."""
    headers: dict[str, str] = {}
    if isinstance(error, HTTPException):
        status, text = error.status_code, error.detail
    elif isinstance(error, ConflictError):
        status, text = 409, str(error)
    elif isinstance(error, InputError):
        status, text = 422, str(error)
    elif isinstance(error, technicians.LimitReached):
        status, text = 429, str(error)
    elif isinstance(error, PricesUnavailable | ServerError):
        status, text = 503, str(error)
    elif is_the_databases_fault(error):
        log.error("the database, at %s: %s", request.url.path, error)
        status, text = 503, "try later"
    else:
        log.exception("unexpected error at %s", request.url.path, exc_info=error)
        status, text = 500, "an error of ours; it is in the log"
    path = request.scope["path"]
    if status == 503:
        headers["retry-after"] = RETRY_AFTER_S
    if path in _ASKS_FOR_A_PASSWORD and status == 401:
        headers["www-authenticate"] = 'Basic realm="Duka", charset="UTF-8"'
    return Response({"error": text}, status_code=status, headers=headers)
