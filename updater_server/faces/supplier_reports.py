"""Suppliers' call-backs: `POST /v1/suppliers/<name>/reports/<secret>`. For `app`.

Nobody signs them, so the path has a secret of the supplier's; and what one says is not believed, it
is a reason to ask the supplier itself (`sales.reports`).
"""

from __future__ import annotations

from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from updater_server.faces.lanes import Lane
from updater_server.faces.requests import AnyRequest
from updater_server.sales import reports
from updater_server.service import Service
from updater_server.store.engine import writing

OK, NOT_FOUND, UNREADABLE, TRY_LATER = 200, 404, 422, 503


class SupplierFace:
    """What suppliers may tell."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def report(self, name: str, secret: str, body: bytes) -> int:
        """The status that one call-back is answered with."""
        service = self._service
        if service.desk is None:
            return TRY_LATER
        try:
            with writing(service.engine) as connection:
                told = reports.take(connection, service.desk, name, secret, body, service.now())
        except reports.NotOurs:
            return NOT_FOUND
        except reports.NotAReport:
            return UNREADABLE
        with writing(service.engine) as connection:
            found = reports.about(connection, service.desk, name, told, service.now())
        if found is not None:
            service.desk.ask(found, name)
        return OK


def routes(service: Service, lane: Lane) -> list[HTTPRouteHandler]:
    """The suppliers' path, answered in the threads of `lane`."""
    face = SupplierFace(service)

    @post("/v1/suppliers/{name:str}/reports/{secret:str}", status_code=OK)
    async def report(
        request: AnyRequest, name: FromPath[str], secret: FromPath[str]
    ) -> Response[None]:
        body = await request.body()
        return Response(None, status_code=await lane.run(face.report, name, secret, body))

    return [report]
