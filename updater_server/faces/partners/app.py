"""The API's paths and its OpenAPI document. For `faces.app`, which mounts it.

GET  /v1/parties                          those within reach
GET  /v1/parties/<code>
POST /v1/deposits                         201; the operator's programs
POST /v1/transfers                        201
GET  /v1/statements/<party or terminal>   ?first_day= &last_day=
GET  /v1/terminals/<id>/sales             ?before= &limit=
GET  /v1/terminals/<id>/sales/<number>
GET  /openapi/openapi.json
POST /version1/airtime/send               as Africa's Talking has it (`airtime`)
GET  /version1/query/transaction/find
POST /v1/ussd/<token>                     a telephone asks, by its network's gateway (`ussd`)
POST /v1/texts/<token>                    the same by a text (`texts`)

Errors are problem details (RFC 9457).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, TypeVar

from litestar import Litestar, Request, Response, get, post
from litestar.datastructures import ResponseHeader, State
from litestar.exceptions import HTTPException, ValidationException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Server
from litestar.params import JSONBody, Parameter
from msgspec import Struct

from updater_server.errors import ConflictError, InputError, ServerError
from updater_server.faces.errors import RETRY_AFTER_S
from updater_server.faces.lanes import Lane
from updater_server.faces.partners import airtime, texts, ussd
from updater_server.faces.partners.calls import REPORTS, SALES, Calls
from updater_server.faces.partners.shapes import (
    DepositAsked,
    MovementShown,
    PartyShown,
    SaleShown,
    SalesShown,
    ShiftShown,
    StatementShown,
    TransferAsked,
    ZReportShown,
)
from updater_server.faces.requests import authorization, decode
from updater_server.sales.prices import PricesUnavailable
from updater_server.service import Service
from updater_server.store.engine import is_the_databases_fault

log = logging.getLogger("duka.api")

BODY_LIMIT_BYTES = 16 * 1024
_PROBLEM = "application/problem+json"
AnyRequest = Request[object, object, State]
Asked = TypeVar("Asked")


class Problem(Struct, omit_defaults=True):
    """RFC 9457."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"


def _described(*statuses: int) -> dict[int, ResponseSpec]:
    said = {status: HTTPStatus(status).phrase for status in (*statuses, 400, 401, 429, 503)}
    return {
        status: ResponseSpec(
            Problem, generate_examples=False, description=text, media_type=_PROBLEM
        )
        for status, text in sorted(said.items())
    }


def _problem(request: AnyRequest, error: Exception) -> Response[Problem]:
    headers: dict[str, str] = {}
    if isinstance(error, HTTPException):
        status, detail = error.status_code, error.detail
        headers = {k: v for k, v in (error.headers or {}).items() if k.lower() == "retry-after"}
        extra = getattr(error, "extra", None)
        if isinstance(extra, list) and extra:
            detail = "; ".join(
                f"{one.get('key', '')}: {one.get('message', '')}"
                for one in extra
                if isinstance(one, dict)
            )
    elif isinstance(error, ConflictError):
        status, detail = 409, str(error)
    elif isinstance(error, InputError):
        status, detail = 422, str(error)
    elif isinstance(error, PricesUnavailable | ServerError):
        status, detail = 503, str(error)
    elif is_the_databases_fault(error):
        log.error("the database, at %s: %s", request.url.path, error)
        status, detail = 503, "try later"
    else:
        log.exception("unexpected error at %s", request.url.path, exc_info=error)
        status, detail = 500, "an error of ours; it is in the log"
    if status == 503:
        headers["retry-after"] = RETRY_AFTER_S
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    title = HTTPStatus(status).phrase
    return Response(
        Problem(title, status, detail),
        status_code=status,
        headers=headers,
        media_type=_PROBLEM,
    )


async def _strictly(request: AnyRequest, kind: type[Asked]) -> Asked:
    """The body once more: the framework takes "100" for a number, and money is never a text.

    Raises:
        ValidationException: (400) a field is mistyped.
    """
    try:
        return decode(await request.body(), kind)
    except InputError as error:
        raise ValidationException(str(error)) from error


Day = Annotated[str, Parameter(pattern="^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
Name = Annotated[str, Parameter(pattern="^[A-Za-z0-9][A-Za-z0-9-]{1,31}$")]
Id = Annotated[str, Parameter(pattern="^[0-9a-f]{16}$")]
Number = Annotated[int, Parameter(ge=1, le=2**32 - 1)]


def _on_money(calls: Calls, lane: Lane) -> list[HTTPRouteHandler]:

    @get("/v1/parties", responses=_described())
    async def parties(request: AnyRequest) -> list[PartyShown]:
        """Parties within reach, those above first."""
        return await lane.run(calls.parties, authorization(request))

    @get("/v1/parties/{code:str}", responses=_described(404))
    async def party(request: AnyRequest, code: Name) -> PartyShown:
        """One party, its float and its credit."""
        return await lane.run(calls.party, authorization(request), code)

    @post("/v1/deposits", responses=_described(403, 404, 409, 415, 422))
    async def deposit(request: AnyRequest, data: JSONBody[DepositAsked]) -> MovementShown:
        """Post what a party paid in; once, by its reference. For the operator's programs."""
        asked = await _strictly(request, type(data))
        return await lane.run(calls.deposit, authorization(request), asked)

    @post("/v1/transfers", responses=_described(403, 404, 409, 415, 422))
    async def transfer(request: AnyRequest, data: JSONBody[TransferAsked]) -> MovementShown:
        """Move float one step along the tree; once, by its reference."""
        asked = await _strictly(request, type(data))
        return await lane.run(calls.transfer, authorization(request), asked)

    @get("/v1/statements/{holder:str}", responses=_described(404, 422))
    async def statement(
        request: AnyRequest, holder: Name, first_day: Day = "", last_day: Day = ""
    ) -> StatementShown:
        """What a party's or a terminal's float did; the last seven days unless others are named."""
        return await lane.run(calls.statement, authorization(request), holder, first_day, last_day)

    return [parties, party, deposit, transfer, statement]


def _on_sales(calls: Calls, lane: Lane) -> list[HTTPRouteHandler]:
    @get("/v1/terminals/{terminal:str}/sales", responses=_described(404))
    async def sales(
        request: AnyRequest,
        terminal: Id,
        before: Annotated[int | None, Parameter(ge=1, le=2**32 - 1)] = None,
        limit: Annotated[int, Parameter(ge=1, le=SALES)] = SALES,
    ) -> SalesShown:
        """A terminal's online sales, newest first."""
        return await lane.run(calls.sales, authorization(request), terminal, before, limit)

    @get("/v1/terminals/{terminal:str}/sales/{number:int}", responses=_described(404))
    async def one_sale(request: AnyRequest, terminal: Id, number: Number) -> SaleShown:
        """One online sale by its number."""
        return await lane.run(calls.sale, authorization(request), terminal, number)

    @get("/v1/terminals/{terminal:str}/z-reports", responses=_described(404))
    async def z_reports(
        request: AnyRequest,
        terminal: Id,
        limit: Annotated[int, Parameter(ge=1, le=REPORTS)] = REPORTS,
    ) -> list[ZReportShown]:
        """A terminal's Z reports, newest first, and what differs from journal and ledger."""
        return await lane.run(calls.z_reports, authorization(request), terminal, limit)

    @get("/v1/terminals/{terminal:str}/shifts", responses=_described(404))
    async def shifts(
        request: AnyRequest,
        terminal: Id,
        limit: Annotated[int, Parameter(ge=1, le=REPORTS)] = REPORTS,
    ) -> list[ShiftShown]:
        """A terminal's shifts, newest first: who, and cash counted against expected."""
        return await lane.run(calls.shifts, authorization(request), terminal, limit)

    return [sales, one_sale, z_reports, shifts]


def make(
    service: Service,
    lane: Lane,
    texting: Lane | None = None,
    headers: Sequence[ResponseHeader] = (),
) -> Litestar:
    """The API as an ASGI application of its own, answered in the threads of `lane`, each answer
    with these headers. `texting`: threads that may wait for a gateway.
    """
    calls = Calls(service)
    made = Litestar(
        [
            *_on_money(calls, lane),
            *_on_sales(calls, lane),
            *airtime.routes(service, lane, calls.pace),
            *ussd.routes(service, lane),
            *texts.routes(service, texting or lane),
        ],
        openapi_config=OpenAPIConfig(
            title="Duka",
            version="1",
            description="Floats, deposits, transfers, statements and sales of the trade above the "
            "terminals. Money is a whole number of minor units beside its currency.",
            path="/openapi",
            render_plugins=[JsonRenderPlugin()],
            create_examples=False,
            use_handler_docstrings=True,
            servers=[Server(url="/api")],
            components=Components(
                security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}
            ),
            security=[{"token": []}],
        ),
        exception_handlers={Exception: _problem},
        response_headers=headers,
        request_max_body_size=BODY_LIMIT_BYTES,
        logging_config=None,
    )
    for name, schema in (made.openapi_schema.components.schemas or {}).items():
        if name.endswith("Asked"):  # the framework leaves out what the shape forbids
            schema.additional_properties = False
    return made
