"""The HTTP face: which path goes where. For `serving` and the tests; everything it calls is a plain
function elsewhere.

POST /m                  a terminal's sealed message
GET  /tuf/…              channels: metadata and targets
POST /v1/terminals       enrolment, by a technician's bearer token
GET  /v1/terminals       what each terminal really runs, by the same token
GET  /                   the dashboard, by HTTP Basic (any name, a technician's token)
GET  /health             the process answers
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, asgi, get, post
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.types import Receive, Scope, Send
from sqlalchemy.exc import OperationalError

from updater_server import dashboard, device_api
from updater_server.database import reading, writing
from updater_server.errors import ConflictError, InputError, ServerError
from updater_server.fleet import terminals
from updater_server.messages import MESSAGE_LIMIT_BYTES
from updater_server.sales.prices import PricesUnavailable
from updater_server.service import Service
from updater_server.static_files import StaticFiles

log = logging.getLogger("duka.app")

_QUIET = {"server": "", "date": ""}
_WORKERS = 8
"""Requests that may use the database at once; more wait in line."""

AnyRequest = Request[Any, Any, Any]


class EnrolmentRequest(msgspec.Struct, forbid_unknown_fields=True, rename={"kind": "class"}):
    """Body of `POST /v1/terminals`."""

    terminal: str
    key: str
    kind: str
    revision: int
    float_minor: int = 0
    channel: str = terminals.DEFAULT_CHANNEL
    catalogue: str = terminals.DEFAULT_CATALOGUE


def _hex(text: str, what: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise InputError(f"{what} is not hexadecimal") from error


def _technician(service: Service, authorization: str, scheme: str) -> int:
    """The technician behind an Authorization header. Raises NotAuthorizedException (401)."""
    given, _, credentials = authorization.partition(" ")
    token = credentials.strip() if given.lower() == scheme else ""
    if token and scheme == "basic":
        try:
            token = base64.b64decode(token, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            token = ""
    if token:
        with reading(service.engine) as connection:
            found = terminals.technician_of(connection, token)
        if found is not None:
            return found
    raise NotAuthorizedException("a technician's token is needed")


def _plain_error(request: AnyRequest, error: Exception) -> Response[Any]:
    """Errors as one line: bare on the terminals' paths, JSON elsewhere."""
    headers: dict[str, str] = {}
    if isinstance(error, HTTPException):
        status, text = error.status_code, error.detail
    elif isinstance(error, ConflictError):
        status, text = 409, str(error)
    elif isinstance(error, InputError):
        status, text = 422, str(error)
    elif isinstance(error, PricesUnavailable | OperationalError | ServerError):
        status, text = 503, "try later" if isinstance(error, OperationalError) else str(error)
    else:
        log.exception("unexpected error at %s", request.url.path, exc_info=error)
        status, text = 500, "an error of ours; it is in the log"
    path = request.scope["path"]
    if path == "/m":
        return Response(b"", status_code=503 if status == 500 else status, headers=_QUIET)
    if path == "/" and status == 401:
        headers["www-authenticate"] = 'Basic realm="Duka", charset="UTF-8"'
    return Response({"error": text}, status_code=status, headers=headers)


def make_app(service: Service) -> Litestar:
    """The whole server as one ASGI application."""
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="duka")
    files = StaticFiles(service.folder.repository)

    async def in_thread(call: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(pool, call, *arguments)

    @post("/m", status_code=200, request_max_body_size=MESSAGE_LIMIT_BYTES)
    async def message(request: AnyRequest) -> Response[bytes]:
        body = await request.body()
        status, reply = await in_thread(device_api.handle, service, body)
        return Response(reply, status_code=status, media_type="application/cose", headers=_QUIET)

    @asgi("/tuf", is_mount=True, copy_scope=True)
    async def tuf_files(scope: Scope, receive: Receive, send: Send) -> None:
        await files(scope, receive, send)

    def _enrol(authorization: str, body: bytes) -> tuple[bool, dict[str, Any]]:
        technician_id = _technician(service, authorization, "bearer")
        try:
            data = msgspec.json.decode(body, type=EnrolmentRequest)
        except msgspec.MsgspecError as error:
            raise InputError(str(error)) from error
        root = service.prices.repository().root_bytes()
        catalogue = service.prices.catalogue(data.catalogue)
        enrolment = terminals.Enrolment(
            terminal_id=_hex(data.terminal, "terminal"),
            device_key=_hex(data.key, "key"),
            hardware_class=data.kind,
            hardware_revision=data.revision,
            initial_float_minor=data.float_minor,
            channel=data.channel,
            catalogue=data.catalogue,
        )
        with writing(service.engine) as connection:
            new = terminals.enrol(connection, service.key, enrolment, technician_id, service.now())
        return new, {
            "terminal": data.terminal.lower(),
            "channel": data.channel,
            "catalogue": data.catalogue,
            "currency": catalogue.currency,
            "time": service.now(),
            "root": base64.b64encode(root).decode(),
        }

    @post("/v1/terminals")
    async def enrol(request: AnyRequest) -> Response[dict[str, Any]]:
        body = await request.body()
        new, answer = await in_thread(_enrol, request.headers.get("authorization", ""), body)
        return Response(answer, status_code=201 if new else 200)

    def _fleet(authorization: str) -> list[dict[str, Any]]:
        _technician(service, authorization, "bearer")
        with reading(service.engine) as connection:
            shown = terminals.overview(connection)
        for item in shown:
            del item["terminal_id"], item["chain_tag"]
            item["id"] = item["id"].hex()
        return shown

    @get("/v1/terminals")
    async def fleet(request: AnyRequest) -> list[dict[str, Any]]:
        return list(await in_thread(_fleet, request.headers.get("authorization", "")))

    def _dashboard(authorization: str) -> str:
        _technician(service, authorization, "basic")
        return dashboard.page(service)

    @get("/", media_type="text/html")
    async def overview(request: AnyRequest) -> Response[str]:
        html = await in_thread(_dashboard, request.headers.get("authorization", ""))
        return Response(
            html,
            media_type="text/html",
            headers={
                "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
                "cache-control": "no-store",
                "x-content-type-options": "nosniff",
                "referrer-policy": "no-referrer",
            },
        )

    @get("/health", media_type="text/plain")
    async def health() -> str:
        return "ok"

    async def close_pool() -> None:
        pool.shutdown(wait=True)

    return Litestar(
        [message, tuf_files, enrol, fleet, overview, health],
        openapi_config=None,
        exception_handlers={Exception: _plain_error},
        request_max_body_size=64 * 1024,
        on_shutdown=[close_pool],
        logging_config=None,
    )
