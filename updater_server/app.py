"""The HTTP face: which path goes where. For `serving` and the tests; everything it calls is a plain
function elsewhere.

POST /m                  a terminal's sealed message
GET  /tuf/…              channels: metadata and targets
POST /v1/terminals       enrolment, by a technician's bearer token
GET  /v1/terminals       what each terminal really runs, by the same token
POST /v1/terminals/<id>/permit   lets a technician unlock or retire it by cable
POST /v1/terminals/<id>/journal  records that a technician exported from it
POST /v1/bench           what technicians did at their benches
GET  /                   the dashboard, by HTTP Basic (any name, a technician's token)
GET  /health             the process answers
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec
from litestar import Litestar, Request, Response, asgi, get, post
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.types import Receive, Scope, Send
from sqlalchemy.exc import OperationalError

from updater_server import dashboard, device_api
from updater_server.database import reading, writing
from updater_server.errors import ConflictError, InputError, ServerError
from updater_server.fleet import bench, terminals
from updater_server.messages import MESSAGE_LIMIT_BYTES
from updater_server.sales import intake, reconcile
from updater_server.sales.prices import PricesUnavailable
from updater_server.service import Service
from updater_server.static_files import StaticFiles

log = logging.getLogger("duka.app")

_QUIET = {"server": "", "date": ""}
_WORKERS = 8
"""Requests that may use the database at once; more wait in line."""

AnyRequest = Request[Any, Any, Any]
T = TypeVar("T")


class EnrolmentRequest(msgspec.Struct, forbid_unknown_fields=True, rename={"kind": "class"}):
    """Body of `POST /v1/terminals`."""

    terminal: str
    key: str
    kind: str
    revision: int
    float_minor: int = 0
    channel: str = terminals.DEFAULT_CHANNEL
    catalogue: str = terminals.DEFAULT_CATALOGUE


class PermitRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `POST /v1/terminals/<id>/permit`."""

    action: str
    challenge: str


class JournalRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `POST /v1/terminals/<id>/journal`: records in order, each in hexadecimal."""

    records: list[str]


class BenchEntry(msgspec.Struct, forbid_unknown_fields=True):
    """One element of the body of `POST /v1/bench`."""

    id: str
    at: int
    terminal: str
    job: str
    result: str
    details: dict[str, Any] = {}


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise InputError(str(error)) from error


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
    files = StaticFiles(service.folder.repository, service.prices.folder)

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
        data = _decode(body, EnrolmentRequest)
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

    def _permit(authorization: str, name: str, body: bytes) -> dict[str, str]:
        technician_id = _technician(service, authorization, "bearer")
        asked = _decode(body, PermitRequest)
        with writing(service.engine) as connection:
            made = bench.permit(
                connection,
                service.key,
                terminals.parse_terminal_id(name),
                asked.action,
                _hex(asked.challenge, "challenge"),
                technician_id,
                service.now(),
            )
        return {"permit": made.hex()}

    @post("/v1/terminals/{name:str}/permit", status_code=200)
    async def permit(request: AnyRequest, name: str) -> dict[str, str]:
        body = await request.body()
        who = request.headers.get("authorization", "")
        return dict(await in_thread(_permit, who, name, body))

    def _exported(authorization: str, name: str, body: bytes) -> dict[str, int]:
        _technician(service, authorization, "bearer")
        terminal_id = terminals.parse_terminal_id(name)
        raws = [_hex(record, "record") for record in _decode(body, JournalRequest).records]
        with writing(service.engine) as connection:
            if terminals.device_keys(connection, service.key, terminal_id) is None:
                raise InputError(f"no terminal {name} is enrolled")
            conflict = None
            through = 0
            try:
                through = intake.take_in(connection, terminal_id, raws, service.now())
            except ConflictError as error:
                conflict = error  # what came before it stays, and the alarm
            reconcile.reconcile(connection, terminal_id, service.now())
        if conflict is not None:
            raise conflict
        return {"acknowledged": through}

    @post("/v1/terminals/{name:str}/journal", status_code=200)
    async def exported_journal(request: AnyRequest, name: str) -> dict[str, int]:
        body = await request.body()
        who = request.headers.get("authorization", "")
        return dict(await in_thread(_exported, who, name, body))

    def _bench(authorization: str, body: bytes) -> dict[str, int]:
        technician_id = _technician(service, authorization, "bearer")
        jobs: dict[bytes, list[bench.Entry]] = {}
        sent = _decode(body, list[BenchEntry])
        if len(sent) > bench.ENTRIES_LIMIT:
            raise InputError(f"at most {bench.ENTRIES_LIMIT} entries at once")
        for item in sent:
            terminal_id = terminals.parse_terminal_id(item.terminal) if item.terminal else b""
            entry = bench.Entry(item.id, item.at, item.job, item.result, item.details)
            jobs.setdefault(terminal_id, []).append(entry)
        with writing(service.engine) as connection:
            new = bench.take_entries(connection, technician_id, jobs, service.now())
        return {"new": new}

    @post("/v1/bench", status_code=200)
    async def bench_log(request: AnyRequest) -> dict[str, int]:
        body = await request.body()
        return dict(await in_thread(_bench, request.headers.get("authorization", ""), body))

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
        [
            message,
            tuf_files,
            enrol,
            fleet,
            permit,
            exported_journal,
            bench_log,
            overview,
            health,
        ],
        openapi_config=None,
        exception_handlers={Exception: _plain_error},
        request_max_body_size=64 * 1024,
        on_shutdown=[close_pool],
        logging_config=None,
    )
