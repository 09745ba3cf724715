"""The HTTP face: which path goes where. For `serving` and the tests; everything it calls is a plain
function elsewhere.

POST /m                  a terminal's sealed message
GET  /tuf/…              channels: metadata and targets
POST /v1/terminals       enrolment, by a technician's bearer token
GET  /v1/terminals       what each terminal really runs, page by page, by a token of the office
POST /v1/terminals/<id>/permit   lets a technician unlock, retire or set it by cable
POST /v1/terminals/<id>/journal  records that a technician exported from it, under its seal
POST /v1/bench           what technicians did at their benches
POST /v1/suppliers/<name>/reports/<secret>  what suppliers tell of sales that they make
GET  /                   the dashboard, by HTTP Basic (any name, a token of the office)
GET  /statement           what an account did in some days: page, CSV or PDF, by HTTP Basic as above
GET  /board/air           what went over the air by month and purpose (`airtime`)
GET  /board               the board; /board/live its inside, /board/halt stops a release (`board`)
GET  /metrics             figures for Prometheus, by HTTP Basic as above
     /api/v1/…            programs of the operator and of parties (`partners`)
GET  /health             what was written can be read: 200 "ok", or 503 and what is wrong

Terminals' messages, files, and what people ask for have threads of their own (`lanes`): no page and
no list can make a sale wait for a thread.
"""

from __future__ import annotations

from collections.abc import Callable

from litestar import Litestar, Response, asgi, get
from litestar.types import Receive, Scope, Send

from updater_server.faces import board, operator, supplier_reports, technician
from updater_server.faces.errors import plain_error
from updater_server.faces.files import StaticFiles
from updater_server.faces.front import Front
from updater_server.faces.health import Health
from updater_server.faces.lanes import Lane
from updater_server.service import Service
from updater_server.store.engine import is_sqlite

BODY_LIMIT_BYTES = 64 * 1024


def make_app(service: Service, leaving: Callable[[], bool] = lambda: False) -> Front:
    """The whole server as one ASGI application. `leaving`: whether it was told to end."""
    # Two: one opens and seals while the other's commit is on its way to the disk. PostgreSQL
    # brings several commits to the disk at once.
    several = 2 if is_sqlite(service.engine) else 6
    messages = Lane("messages", threads=several, waiting=128 - several, patience_s=8)
    pages = Lane("pages", threads=2, waiting=14, patience_s=10)
    downloads = Lane("files", threads=4, waiting=252, patience_s=20)
    reports = Lane("reports", threads=1, waiting=31, patience_s=10)
    looks = Lane("health", threads=1, waiting=7, patience_s=5)
    files = StaticFiles(service.folder.repository, downloads, service.prices.folder)
    whole = Health(service, leaving=leaving)

    @asgi("/tuf", is_mount=True, copy_scope=True)
    async def tuf_files(scope: Scope, receive: Receive, send: Send) -> None:
        await files(scope, receive, send)

    @get("/health", media_type="text/plain")
    async def health() -> Response[str]:
        problems = await looks.run(whole.problems)
        return Response("\n".join(problems) or "ok", status_code=503 if problems else 200)

    texting = Lane("texts", threads=1, waiting=15, patience_s=10)
    tried = Lane("the sandbox", threads=1, waiting=15, patience_s=10)
    made: dict[bool, Litestar] = {}

    @asgi("/api", is_mount=True, copy_scope=True)
    async def api(scope: Scope, receive: Receive, send: Send) -> None:
        from updater_server.faces.partners import app, tried_out  # where nobody asks, at no cost

        asked = tried_out.is_meant(scope) and service.sandbox is not None
        if asked not in made:
            made[asked] = (
                app.make(service.sandbox, tried, headers=tried_out.HEADERS)
                if asked and service.sandbox
                else app.make(service, pages, texting)
            )
        await made[asked](scope, receive, send)

    async def close_lanes() -> None:
        for lane in (messages, pages, downloads, reports, looks, texting, tried):
            lane.close()

    rest = Litestar(
        [
            tuf_files,
            *technician.routes(service, pages),
            *operator.routes(service, pages),
            *board.routes(service, pages),
            *supplier_reports.routes(service, reports),
            health,
            api,
        ],
        openapi_config=None,
        exception_handlers={Exception: plain_error},
        request_max_body_size=BODY_LIMIT_BYTES,
        on_shutdown=[close_lanes],
        logging_config=None,
    )
    return Front(service, messages, rest)
