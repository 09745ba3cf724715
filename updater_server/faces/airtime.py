"""The byte ledger of the fleet over HTTP. For `board`.

GET /board/air  each month by purpose, and what it costs; ?as=json the same for programs,
                ?month=202611&as=csv each terminal's
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from updater_server.errors import InputError
from updater_server.faces import sign_in
from updater_server.faces.dashboard import air_page
from updater_server.faces.lanes import Lane
from updater_server.faces.requests import AnyRequest, authorization, number, query
from updater_server.faces.viewing import HEADERS, KINDS, SEES
from updater_server.service import Service
from updater_server.store.engine import reading
from updater_server.telemetry import air


class AirFace:
    """Answers who may see the board."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def months(self, token: str, asked: Mapping[str, str]) -> tuple[bytes, str]:
        """`GET /board/air`: (what was asked for, its media type).

        Raises:
            InputError: nothing like that can be shown.
        """
        service = self._service
        sign_in.technician(service, token, "basic", *SEES)
        kind = asked.get("as", "html")
        if kind not in KINDS:
            raise InputError(f"as is one of {', '.join(KINDS)}")
        prices = air.operators(service.folder.path)
        with reading(service.engine) as connection:
            if kind == "csv":
                month = number(asked.get("month", ""), 1970_01, 9999_12, "month")
                return air.as_csv(air.by_terminal(connection, month)).encode(), KINDS[kind]
            months = air.of_fleet(connection)
        if kind == "json":
            return msgspec.json.encode([_values(one, prices) for one in months]), KINDS[kind]
        return air_page.html(months, prices, service.now()).encode(), KINDS[kind]


def _values(month: air.Month, prices: Mapping[str, air.Operator]) -> dict[str, Any]:
    costs = {
        name: {"currency": one.currency, "micros": one.of(month)} for name, one in prices.items()
    }
    return {
        "month": month.month,
        "terminals": month.terminals,
        "spent": month.spent,
        "bytes": month.total_bytes,
        "costs": costs,
    }


def routes(service: Service, lane: Lane) -> list[HTTPRouteHandler]:
    """The ledger's path, answered in the threads of `lane`."""
    face = AirFace(service)

    @get("/board/air")
    async def months(request: AnyRequest) -> Response[bytes]:
        body, kind = await lane.run(face.months, authorization(request), query(request))
        return Response(body, media_type=kind, headers=HEADERS)

    return [months]
