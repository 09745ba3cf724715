"""The HTTP face: which path goes where. For `serving` and the tests; everything it calls is a plain
function elsewhere.

POST /m                  a terminal's sealed message
GET  /tuf/…              channels: metadata and targets
POST /v1/terminals       enrolment, by a technician's bearer token
GET  /v1/terminals       what each terminal really runs, page by page, by a token of the office
POST /v1/terminals/<id>/permit   lets a technician unlock, retire or set it by cable
POST /v1/terminals/<id>/journal  records that a technician exported from it, under its seal
POST /v1/bench           what technicians did at their benches
GET  /                   the dashboard, by HTTP Basic (any name, a token of the office)
GET  /health             what was written can be read: 200 "ok", or 503 and what is wrong

Terminals' messages, files, and what people ask for have threads of their own (`lanes`): no page and
no list can make a sale wait for a thread.
"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
from litestar import Litestar, Request, Response, asgi, get, post
from litestar.exceptions import (
    HTTPException,
    NotAuthorizedException,
    PermissionDeniedException,
)
from litestar.types import Receive, Scope, Send
from sqlalchemy import Connection

from updater_server import dashboard, device_api
from updater_server.database import is_the_databases_fault, reading, writing
from updater_server.errors import ConflictError, InputError, ServerError
from updater_server.fleet import bench, exports, technicians, terminals
from updater_server.fleet.alarms import raise_alarm
from updater_server.health import Health
from updater_server.lanes import Lane
from updater_server.messages import MESSAGE_LIMIT_BYTES
from updater_server.sales import intake, reconcile
from updater_server.sales.prices import PricesUnavailable
from updater_server.service import Service
from updater_server.static_files import StaticFiles

log = logging.getLogger("duka.app")

BODY_LIMIT_BYTES = 64 * 1024
PAGE_TERMINALS = 100
"""In one answer of `GET /v1/terminals`, unless another number is asked for."""
_RETRY_AFTER_S = "5"

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
    merchant: str | None = None


class Place(msgspec.Struct, forbid_unknown_fields=True):
    """What new settings make of a terminal, as far as they say."""

    channel: str | None = None
    catalogue: str | None = None
    merchant: str | None = None


class PermitRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `POST /v1/terminals/<id>/permit`."""

    action: str
    challenge: str
    content: str | None = None
    place: Place | None = None


class ExportPart(msgspec.Struct, forbid_unknown_fields=True):
    """Records in a row, each in hexadecimal, and the terminal's seal over them."""

    first: int
    records: list[str]
    seal: str


class JournalRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `POST /v1/terminals/<id>/journal`: parts of an export, in order."""

    parts: list[ExportPart]


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
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(str(error)) from error


def _hex(text: str, what: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise InputError(f"{what} is not hexadecimal") from error


def _number(text: str, lowest: int, highest: int, what: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
        raise InputError(f"{what} is {lowest} to {highest}")
    return int(text)


def _query(request: AnyRequest) -> dict[str, str]:
    """The first value of each parameter."""
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        found.setdefault(name, value)
    return found


def _technician(
    service: Service, authorization: str, scheme: str, role: str | None = None
) -> technicians.Technician:
    """The technician behind an Authorization header, who must have `role` if one is named.

    Raises:
        NotAuthorizedException: (401) no token, or it is nobody's or withdrawn.
        PermissionDeniedException: (403) the token does not open this.
    """
    given, _, credentials = authorization.partition(" ")
    token = credentials.strip() if given.lower() == scheme else ""
    if token and scheme == "basic":
        try:
            token = base64.b64decode(token, validate=True).decode().partition(":")[2]
        except ValueError:  # not ASCII, not base64, or not UTF-8 inside
            token = ""
    if token:
        with reading(service.engine) as connection:
            found = technicians.of_token(connection, token)
        if found is not None:
            if role is not None and found.role != role:
                raise PermissionDeniedException(f"a token of the role {role} is needed")
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
    if path == "/m":
        status = 503 if status == 500 else status
        headers = {"retry-after": _RETRY_AFTER_S} if status == 503 else {}
        return Response(b"", status_code=status, headers=headers)
    if status == 503:
        headers["retry-after"] = _RETRY_AFTER_S
    if path == "/" and status == 401:
        headers["www-authenticate"] = 'Basic realm="Duka", charset="UTF-8"'
    return Response({"error": text}, status_code=status, headers=headers)


def make_app(service: Service) -> Litestar:
    """The whole server as one ASGI application."""
    messages = Lane("messages", threads=4, waiting=124, patience_s=8)
    pages = Lane("pages", threads=2, waiting=14, patience_s=10)
    downloads = Lane("files", threads=4, waiting=252, patience_s=20)
    looks = Lane("health", threads=1, waiting=7, patience_s=5)
    files = StaticFiles(service.folder.repository, downloads, service.prices.folder)
    whole = Health(service)
    board = dashboard.Board(service)

    @post("/m", status_code=200, request_max_body_size=MESSAGE_LIMIT_BYTES)
    async def message(request: AnyRequest) -> Response[bytes]:
        body = await request.body()
        status, reply = await messages.run(device_api.handle, service, body)
        headers = {"retry-after": _RETRY_AFTER_S} if status == device_api.TRY_LATER else {}
        return Response(reply, status_code=status, media_type="application/cose", headers=headers)

    @asgi("/tuf", is_mount=True, copy_scope=True)
    async def tuf_files(scope: Scope, receive: Receive, send: Send) -> None:
        await files(scope, receive, send)

    @contextmanager
    def limited(who: technicians.Technician) -> Iterator[Connection]:
        """A writing transaction for a technician; the office hears of one that reaches a limit."""
        try:
            with writing(service.engine) as connection:
                yield connection
        except technicians.LimitReached as reached:
            with writing(service.engine) as connection:
                text = f"technician {who.name} asked for more {reached.what} than a day's limit"
                raise_alarm(connection, None, "technician_limit", text, service.now())
            raise

    def _enrol(authorization: str, body: bytes) -> tuple[bool, dict[str, Any]]:
        who = _technician(service, authorization, "bearer")
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
            merchant=data.merchant,
        )
        with limited(who) as connection:
            new = terminals.enrol(
                connection, service.key, enrolment, who.technician_id, service.now()
            )
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
        new, answer = await pages.run(_enrol, request.headers.get("authorization", ""), body)
        return Response(answer, status_code=201 if new else 200)

    def _fleet(authorization: str, asked: Mapping[str, str]) -> tuple[list[dict[str, Any]], str]:
        _technician(service, authorization, "bearer", technicians.OFFICE)
        wanted = terminals.Wanted(asked.get("prefix", ""), asked.get("only", ""))
        after = terminals.parse_terminal_id(asked["after"]) if asked.get("after") else b""
        limit = _number(asked.get("limit", str(PAGE_TERMINALS)), 1, terminals.PAGE_LIMIT, "limit")
        with reading(service.engine) as connection:
            shown = terminals.listed(connection, wanted, after, limit)
        for item in shown:
            del item["terminal_id"], item["chain_tag"]
            item["id"] = item["id"].hex()
        following = ""
        if len(shown) == limit:
            query = {**asked, "after": shown[-1]["id"]}
            following = f'</v1/terminals?{urlencode(query)}>; rel="next"'
        return shown, following

    @get("/v1/terminals")
    async def fleet(request: AnyRequest) -> Response[list[dict[str, Any]]]:
        who = request.headers.get("authorization", "")
        shown, following = await pages.run(_fleet, who, _query(request))
        return Response(shown, headers={"link": following} if following else {})

    def _permit(authorization: str, name: str, body: bytes) -> dict[str, str]:
        who = _technician(service, authorization, "bearer")
        asked = _decode(body, PermitRequest)
        wish = bench.Wish(
            terminals.parse_terminal_id(name),
            asked.action,
            _hex(asked.challenge, "challenge"),
            None if asked.content is None else _hex(asked.content, "content"),
        )
        with limited(who) as connection:
            made = bench.permit(connection, service.key, wish, who.technician_id, service.now())
            if asked.place is not None and wish.content is not None:
                place = asked.place
                terminals.set_place(
                    connection, wish.terminal_id, place.channel, place.catalogue, place.merchant
                )
        return {"permit": made.hex()}

    @post("/v1/terminals/{name:str}/permit", status_code=200)
    async def permit(request: AnyRequest, name: str) -> dict[str, str]:
        body = await request.body()
        who = request.headers.get("authorization", "")
        return dict(await pages.run(_permit, who, name, body))

    def _exported(authorization: str, name: str, body: bytes) -> dict[str, int]:
        who = _technician(service, authorization, "bearer")
        terminal_id = terminals.parse_terminal_id(name)
        parts = [
            exports.Part(
                part.first,
                [_hex(record, "record") for record in part.records],
                _hex(part.seal, "seal"),
            )
            for part in _decode(body, JournalRequest).parts
        ]
        now = service.now()
        with writing(service.engine) as connection:
            conflict = None
            through = 0
            raws = exports.sealed_records(connection, service.key, terminal_id, parts)
            try:
                through = intake.take_in(connection, terminal_id, raws, now, is_sealed=True)
            except ConflictError as error:
                conflict = error  # what came before it stays, and the alarm
            reconcile.reconcile(connection, terminal_id, now)
            facts = {"parts": len(parts), "acknowledged": through}
            bench.note(connection, who.technician_id, terminal_id, "journal", facts, now)
        if conflict is not None:
            raise conflict
        return {"acknowledged": through}

    @post("/v1/terminals/{name:str}/journal", status_code=200)
    async def exported_journal(request: AnyRequest, name: str) -> dict[str, int]:
        body = await request.body()
        who = request.headers.get("authorization", "")
        return dict(await pages.run(_exported, who, name, body))

    def _bench(authorization: str, body: bytes) -> dict[str, int]:
        who = _technician(service, authorization, "bearer")
        jobs: dict[bytes, list[bench.Entry]] = {}
        sent = _decode(body, list[BenchEntry])
        if len(sent) > bench.ENTRIES_LIMIT:
            raise InputError(f"at most {bench.ENTRIES_LIMIT} entries at once")
        for item in sent:
            terminal_id = terminals.parse_terminal_id(item.terminal) if item.terminal else b""
            entry = bench.Entry(item.id, item.at, item.job, item.result, item.details)
            jobs.setdefault(terminal_id, []).append(entry)
        with writing(service.engine) as connection:
            new = bench.take_entries(connection, who.technician_id, jobs, service.now())
        return {"new": new}

    @post("/v1/bench", status_code=200)
    async def bench_log(request: AnyRequest) -> dict[str, int]:
        body = await request.body()
        return dict(await pages.run(_bench, request.headers.get("authorization", ""), body))

    def _dashboard(authorization: str, asked: Mapping[str, str]) -> tuple[str, str]:
        _technician(service, authorization, "basic", technicians.OFFICE)
        wanted = terminals.Wanted(asked.get("prefix", "").strip(), asked.get("only", ""))
        number = _number(asked.get("page", "1"), 1, 10**6, "page")
        return board.page(wanted, number)

    @get("/", media_type="text/html")
    async def overview(request: AnyRequest) -> Response[str]:
        who = request.headers.get("authorization", "")
        html, tag = await pages.run(_dashboard, who, _query(request))
        headers = {
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
            # Kept by the browser, and asked about: an unchanged page is not sent again.
            "cache-control": "private, no-cache",
            "etag": tag,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
        }
        if request.headers.get("if-none-match", "").removeprefix("W/") == tag:
            return Response("", status_code=304, headers=headers)
        return Response(html, media_type="text/html", headers=headers)

    @get("/health", media_type="text/plain")
    async def health() -> Response[str]:
        problems = await looks.run(whole.problems)
        return Response("\n".join(problems) or "ok", status_code=503 if problems else 200)

    async def close_lanes() -> None:
        for lane in (messages, pages, downloads, looks):
            lane.close()

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
        request_max_body_size=BODY_LIMIT_BYTES,
        on_shutdown=[close_lanes],
        logging_config=None,
    )
