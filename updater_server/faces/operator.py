"""What the office may look at: the fleet as a list and as a page. For `app`. Reads only; what the
office changes it changes at the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from updater_server.errors import InputError
from updater_server.faces import dashboard, sign_in
from updater_server.faces.dashboard import statement_page
from updater_server.faces.lanes import Lane
from updater_server.faces.requests import AnyRequest, authorization, number, query
from updater_server.fleet import listing, technicians, terminals
from updater_server.parties import movements, statements
from updater_server.sales import currency, ledger
from updater_server.service import Service
from updater_server.store.engine import reading

PAGE_TERMINALS = 100
"""In one answer of `GET /v1/terminals`, unless another number is asked for."""
_PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    # Kept by the browser, and asked about: an unchanged page is not sent again.
    "cache-control": "private, no-cache",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
_STATEMENTS = {
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
}


class OperatorFace:
    """Each method answers one request: who asks, by their Authorization header, and for what."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._board = dashboard.Board(service)

    def fleet(self, token: str, asked: Mapping[str, str]) -> tuple[list[dict[str, Any]], str]:
        """`GET /v1/terminals`: (the terminals asked for, the Link header to those that follow)."""
        sign_in.technician(self._service, token, "bearer", technicians.OFFICE)
        wanted = listing.Wanted(asked.get("prefix", ""), asked.get("only", ""))
        after = terminals.parse_terminal_id(asked["after"]) if asked.get("after") else b""
        limit = number(asked.get("limit", str(PAGE_TERMINALS)), 1, listing.PAGE_LIMIT, "limit")
        with reading(self._service.engine) as connection:
            found = listing.listed(connection, wanted, after, limit)
            shown = ledger.with_floats(connection, found)
        for item in shown:
            del item["terminal_id"], item["chain_tag"]
            item["id"] = item["id"].hex()
        following = ""
        if len(shown) == limit:
            rest = {**asked, "after": shown[-1]["id"]}
            following = f'</v1/terminals?{urlencode(rest)}>; rel="next"'
        return shown, following

    def page(self, token: str, asked: Mapping[str, str]) -> tuple[str, str]:
        """`GET /`: (the dashboard, its strong ETag)."""
        sign_in.technician(self._service, token, "basic", technicians.OFFICE)
        wanted = listing.Wanted(asked.get("prefix", "").strip(), asked.get("only", ""))
        return self._board.page(wanted, number(asked.get("page", "1"), 1, 10**6, "page"))

    def statement(self, token: str, asked: Mapping[str, str]) -> tuple[bytes, str, str]:
        """`GET /statement`: (what was asked for, its media type, its file name; "" for the page).

        Of the last seven days, unless other days are asked for.
        """
        sign_in.technician(self._service, token, "basic", technicians.OFFICE)
        kind = asked.get("as", "html")
        if kind not in _STATEMENTS:
            raise InputError(f"as is one of {', '.join(_STATEMENTS)}")
        with reading(self._service.engine) as connection:
            who = movements.holder(connection, asked.get("holder", ""))
            first_day, last_day = statements.span(
                connection, asked.get("from", ""), asked.get("to", ""), self._service.now()
            )
            code = asked.get("currency", "")
            money = currency.of_holder(connection, self._service.prices, who.account, code)
            found = statements.of_account(
                connection, who.name, who.account, money, first_day, last_day
            )
        name = f"statement-{who.name}-{first_day}-{last_day}.{kind}"
        if kind == "csv":
            return statements.as_csv(found).encode(), _STATEMENTS[kind], name
        if kind == "pdf":
            from updater_server.parties import statement_pdf  # half of a server's start

            return statement_pdf.as_pdf(found), _STATEMENTS[kind], name
        return statement_page.html(found).encode(), _STATEMENTS[kind], ""

    def metrics(self, token: str) -> bytes:
        """`GET /metrics`: figures for Prometheus."""
        sign_in.technician(self._service, token, "basic", technicians.OFFICE)
        from updater_server.faces import metrics  # its library, only where somebody scrapes

        return metrics.page(self._service)


def routes(service: Service, lane: Lane) -> list[HTTPRouteHandler]:
    """The office's paths, answered in the threads of `lane`."""
    face = OperatorFace(service)

    @get("/v1/terminals")
    async def fleet(request: AnyRequest) -> Response[list[dict[str, Any]]]:
        shown, following = await lane.run(face.fleet, authorization(request), query(request))
        return Response(shown, headers={"link": following} if following else {})

    @get("/", media_type="text/html")
    async def overview(request: AnyRequest) -> Response[str]:
        html, tag = await lane.run(face.page, authorization(request), query(request))
        headers = {**_PAGE_HEADERS, "etag": tag}
        if request.headers.get("if-none-match", "").removeprefix("W/") == tag:
            return Response("", status_code=304, headers=headers)
        return Response(html, media_type="text/html", headers=headers)

    @get("/statement")
    async def statement(request: AnyRequest) -> Response[bytes]:
        body, kind, name = await lane.run(face.statement, authorization(request), query(request))
        headers = {**_PAGE_HEADERS, "cache-control": "private, no-store"}
        if name:
            headers["content-disposition"] = f'attachment; filename="{name}"'
        return Response(body, media_type=kind, headers=headers)

    @get("/metrics")
    async def metrics(request: AnyRequest) -> Response[bytes]:
        body = await lane.run(face.metrics, authorization(request))
        return Response(body, media_type="text/plain; version=0.0.4; charset=utf-8")

    return [fleet, overview, statement, metrics]
