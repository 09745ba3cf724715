"""The board and the pipeline over HTTP, and HALT. For `app`.

GET  /board        the page, by HTTP Basic: a token of a viewer, a release manager or the office
GET  /board/live   its inside alone, with an ETag
GET  /board/terminals/<id>  what one terminal said it ran, change by change
GET  /board/releases/<release>  what one release is, weighs, and who signed the lists that have it
GET  /board/verdicts/<channel>/<release>  what the newest verdict was made of
GET  /pipeline     every release on its way; ?as=csv, ?as=json
POST /board/halt   {"channel": …, "release": …}: by a release manager's token alone
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Response, get, post
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from updater_server import halting
from updater_server.channels import RepositoryError, open_published, pipeline_table, sheets
from updater_server.errors import InputError, StateError
from updater_server.faces import airtime, sign_in
from updater_server.faces.dashboard import (
    air_page,
    pipeline_page,
    release_page,
    sheet_page,
    terminal_page,
)
from updater_server.faces.dashboard.board import LiveBoard
from updater_server.faces.lanes import Lane
from updater_server.faces.requests import AnyRequest, authorization, decode, query
from updater_server.faces.viewing import HEADERS, KINDS, SEES
from updater_server.fleet import as_of, technicians, terminals
from updater_server.lookout import counting
from updater_server.sales import stolen
from updater_server.service import Service
from updater_server.store.engine import reading
from updater_server.telemetry import air

log = logging.getLogger("duka.board")


class HaltWish(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `POST /board/halt`."""

    channel: str
    release: int


class BoardFace:
    """Each method answers one request: who asks, by their Authorization header, and for what."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._live = LiveBoard(service)

    def page(self, token: str) -> str:
        """`GET /board`."""
        who = sign_in.technician(self._service, token, "basic", *SEES)
        return self._live.page(who.name, who.role == technicians.RELEASE)

    def inside(self, token: str) -> tuple[str, str]:
        """`GET /board/live`: (the inside, its ETag)."""
        sign_in.technician(self._service, token, "basic", *SEES)
        return self._live.inside()

    def terminal(self, token: str, name: str) -> str:
        """`GET /board/terminals/<id>`: one terminal's page."""
        sign_in.technician(self._service, token, "basic", *SEES)
        found = self._live.history
        try:
            found.follow()
        except RepositoryError as error:
            log.warning("the history: %s", error)  # what it was before
        with reading(self._service.engine) as connection:
            terminal_id = terminals.find(connection, name)
            owner = terminals.get(connection, terminal_id)
            told = as_of.timeline(connection, terminal_id)
            heard_at = as_of.last_check_in(connection, terminal_id)
            months = air.of_terminal(connection, terminal_id)
            stolen_with = 0
            if owner.stolen_at is not None:
                stolen_with = len(stolen.out_there(connection, terminal_id))
        spent = air_page.section(months, air.operators(self._service.folder.path))
        now = self._service.now()
        return terminal_page.html(owner, told, heard_at, found, now, spent, stolen_with)

    def sheet(self, token: str, channel: str, release: int) -> str:
        """`GET /board/verdicts/<channel>/<release>`: what the newest verdict was made of.

        Raises:
            InputError: there is none.
        """
        sign_in.technician(self._service, token, "basic", *SEES)
        found = sheets.read(self._service.folder.repository).get(channel, {}).get(str(release))
        if found is None:
            raise InputError(f"no verdict on release {release} on {channel[:16]} yet")
        return sheet_page.html(channel, release, found, self._service.now())

    def release(self, token: str, release: int) -> str:
        """`GET /board/releases/<release>`: one release's page.

        Raises:
            InputError: no channel ever listed it.
        """
        sign_in.technician(self._service, token, "basic", *SEES)
        found = self._live.history
        try:
            found.follow()
            published = open_published(self._service.folder.repository, strict=False)
        except RepositoryError as error:
            raise StateError(str(error)) from error
        with reading(self._service.engine) as connection:
            runs = counting.runs(connection)
        html = release_page.html(release, found, published, self._service.now(), runs)
        if html is None:
            raise InputError(f"no channel ever listed release {release}")
        return html

    def pipeline(self, token: str, asked: Mapping[str, str]) -> tuple[bytes, str]:
        """`GET /pipeline`: (what was asked for, its media type)."""
        sign_in.technician(self._service, token, "basic", *SEES)
        kind = asked.get("as", "html")
        if kind not in KINDS:
            raise InputError(f"as is one of {', '.join(KINDS)}")
        found, now = self._live.history, self._service.now()
        try:
            found.follow()
        except RepositoryError as error:
            raise StateError(str(error)) from error
        if kind == "csv":
            return pipeline_table.as_csv(found).encode(), KINDS[kind]
        if kind == "json":
            return msgspec.json.encode(pipeline_table.as_values(found, now)), KINDS[kind]
        return pipeline_page.html(found, now).encode(), KINDS[kind]

    def halt(self, token: str, body: bytes) -> tuple[int, str]:
        """`POST /board/halt`: (status, what came of it in words)."""
        who = sign_in.technician(self._service, token, "basic", technicians.RELEASE)
        wish = decode(body, HaltWish)
        try:
            done = halting.halt(self._service, wish.channel, wish.release, who.name)
        except StateError as error:
            log.error("HALT of %d on %s by %s: %s", wish.release, wish.channel, who.name, error)
            return 503, str(error)
        finally:
            self._live.forget()
        return 200, f"release {wish.release} on {wish.channel}: {done.value}"


def _from_our_page(request: AnyRequest) -> None:
    """Refuse what another site's page sends with a password that the browser remembers.

    Raises:
        PermissionDeniedException: (403) it is not from this server's own page, or says not.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    origin = request.headers.get("origin")
    host = request.headers.get("host", "")
    if kind != "application/json" or (origin is not None and urlsplit(origin).netloc != host):
        raise PermissionDeniedException("a HALT is JSON, and comes from this server's own page")


def routes(service: Service, lane: Lane) -> list[HTTPRouteHandler]:
    """The board's paths, answered in the threads of `lane`."""
    face = BoardFace(service)

    @get("/board", media_type="text/html")
    async def board(request: AnyRequest) -> Response[str]:
        html = await lane.run(face.page, authorization(request))
        return Response(html, media_type="text/html", headers=HEADERS)

    @get("/board/live", media_type="text/html")
    async def live(request: AnyRequest) -> Response[str]:
        html, tag = await lane.run(face.inside, authorization(request))
        headers = {**HEADERS, "etag": tag}
        if request.headers.get("if-none-match", "").removeprefix("W/") == tag:
            return Response("", status_code=304, headers=headers)
        return Response(html, media_type="text/html", headers=headers)

    @get("/board/terminals/{name:str}", media_type="text/html")
    async def terminal(request: AnyRequest, name: FromPath[str]) -> Response[str]:
        html = await lane.run(face.terminal, authorization(request), name)
        return Response(html, media_type="text/html", headers=HEADERS)

    @get("/board/verdicts/{channel:str}/{release:int}", media_type="text/html")
    async def sheet(
        request: AnyRequest, channel: FromPath[str], release: FromPath[int]
    ) -> Response[str]:
        html = await lane.run(face.sheet, authorization(request), channel, release)
        return Response(html, media_type="text/html", headers=HEADERS)

    @get("/board/releases/{release:int}", media_type="text/html")
    async def release(request: AnyRequest, release: FromPath[int]) -> Response[str]:
        html = await lane.run(face.release, authorization(request), release)
        return Response(html, media_type="text/html", headers=HEADERS)

    @get("/pipeline")
    async def pipeline(request: AnyRequest) -> Response[bytes]:
        body, kind = await lane.run(face.pipeline, authorization(request), query(request))
        return Response(body, media_type=kind, headers=HEADERS)

    @post("/board/halt", status_code=200)
    async def halt(request: AnyRequest) -> Response[dict[str, Any]]:
        _from_our_page(request)
        body = await request.body()
        status, text = await lane.run(face.halt, authorization(request), body)
        return Response({"text": text}, status_code=status)

    shown = [board, live, terminal, sheet, release, pipeline, halt]
    return [*shown, *airtime.routes(service, lane)]
