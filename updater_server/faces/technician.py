"""What technicians may ask: to enrol a terminal, for permits to change one by cable, and to hand in
journals and what was done at their benches. For `app`.

Each request carries a technician's bearer token. Source: docs/formats/enrolment.md.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from sqlalchemy import Connection

from updater_server.errors import ConflictError, InputError
from updater_server.faces import sign_in
from updater_server.faces.lanes import Lane
from updater_server.faces.requests import AnyRequest, authorization, decode, hexadecimal
from updater_server.fleet import exports, permits, technicians, technicians_log, terminals
from updater_server.fleet.alarms import raise_alarm
from updater_server.fleet.enrolment import Enrolment
from updater_server.sales import currency, intake, opening, reconcile
from updater_server.service import Service
from updater_server.store.engine import writing


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


class TechnicianFace:
    """Each method answers one request: who asks, by their Authorization header, and what."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def enrol(self, token: str, body: bytes) -> tuple[bool, dict[str, Any]]:
        """`POST /v1/terminals`: (whether it is new, the answer)."""
        service = self._service
        who = self._asker(token)
        data = decode(body, EnrolmentRequest)
        root = service.prices.repository().root_bytes()
        catalogue = service.prices.catalogue(data.catalogue)
        enrolment = Enrolment(
            terminal_id=hexadecimal(data.terminal, "terminal"),
            device_key=hexadecimal(data.key, "key"),
            hardware_class=data.kind,
            hardware_revision=data.revision,
            initial_float_minor=data.float_minor,
            channel=data.channel,
            catalogue=data.catalogue,
            merchant=data.merchant,
        )
        with self._limited(who) as connection:
            new = opening.enrol(
                connection,
                service.key,
                enrolment,
                who.technician_id,
                service.now(),
                currency.of_catalogue(catalogue),
            )
        return new, {
            "terminal": data.terminal.lower(),
            "channel": data.channel,
            "catalogue": data.catalogue,
            "currency": catalogue.currency,
            "time": service.now(),
            "root": base64.b64encode(root).decode(),
        }

    def permit(self, token: str, name: str, body: bytes) -> dict[str, str]:
        """`POST /v1/terminals/<id>/permit`."""
        service = self._service
        who = self._asker(token)
        asked = decode(body, PermitRequest)
        wish = permits.Wish(
            terminals.parse_terminal_id(name),
            asked.action,
            hexadecimal(asked.challenge, "challenge"),
            None if asked.content is None else hexadecimal(asked.content, "content"),
        )
        with self._limited(who) as connection:
            made = permits.permit(connection, service.key, wish, who.technician_id, service.now())
            if asked.place is not None and wish.content is not None:
                place = asked.place
                terminals.set_place(
                    connection, wish.terminal_id, place.channel, place.catalogue, place.merchant
                )
        return {"permit": made.hex()}

    def journal(self, token: str, name: str, body: bytes) -> dict[str, int]:
        """`POST /v1/terminals/<id>/journal`: through which record everything is stored."""
        service = self._service
        who = self._asker(token)
        terminal_id = terminals.parse_terminal_id(name)
        parts = [
            exports.Part(
                part.first,
                [hexadecimal(record, "record") for record in part.records],
                hexadecimal(part.seal, "seal"),
            )
            for part in decode(body, JournalRequest).parts
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
            technicians_log.note(connection, who.technician_id, terminal_id, "journal", facts, now)
        if conflict is not None:
            raise conflict
        return {"acknowledged": through}

    def log(self, token: str, body: bytes) -> dict[str, int]:
        """`POST /v1/bench`: how many entries are new."""
        who = self._asker(token)
        jobs: dict[bytes, list[technicians_log.Entry]] = {}
        sent = decode(body, list[BenchEntry])
        if len(sent) > technicians_log.ENTRIES_LIMIT:
            raise InputError(f"at most {technicians_log.ENTRIES_LIMIT} entries at once")
        for item in sent:
            terminal_id = terminals.parse_terminal_id(item.terminal) if item.terminal else b""
            entry = technicians_log.Entry(item.id, item.at, item.job, item.result, item.details)
            jobs.setdefault(terminal_id, []).append(entry)
        now = self._service.now()
        with writing(self._service.engine) as connection:
            return {"new": technicians_log.take_entries(connection, who.technician_id, jobs, now)}

    def _asker(self, token: str) -> technicians.Technician:
        roles = (technicians.BENCH, technicians.OFFICE)
        return sign_in.technician(self._service, token, "bearer", *roles)

    @contextmanager
    def _limited(self, who: technicians.Technician) -> Iterator[Connection]:
        """A writing transaction for a technician; the office hears of one that reaches a limit."""
        service = self._service
        try:
            with writing(service.engine) as connection:
                yield connection
        except technicians.LimitReached as reached:
            with writing(service.engine) as connection:
                text = f"technician {who.name} asked for more {reached.what} than a day's limit"
                raise_alarm(connection, None, "technician_limit", text, service.now())
            raise


def routes(service: Service, lane: Lane) -> list[HTTPRouteHandler]:
    """The technicians' paths, answered in the threads of `lane`."""
    face = TechnicianFace(service)

    @post("/v1/terminals")
    async def enrol(request: AnyRequest) -> Response[dict[str, Any]]:
        body = await request.body()
        new, answer = await lane.run(face.enrol, authorization(request), body)
        return Response(answer, status_code=201 if new else 200)

    @post("/v1/terminals/{name:str}/permit", status_code=200)
    async def permit(request: AnyRequest, name: FromPath[str]) -> dict[str, str]:
        body = await request.body()
        return dict(await lane.run(face.permit, authorization(request), name, body))

    @post("/v1/terminals/{name:str}/journal", status_code=200)
    async def exported_journal(request: AnyRequest, name: FromPath[str]) -> dict[str, int]:
        body = await request.body()
        return dict(await lane.run(face.journal, authorization(request), name, body))

    @post("/v1/bench", status_code=200)
    async def log(request: AnyRequest) -> dict[str, int]:
        body = await request.body()
        return dict(await lane.run(face.log, authorization(request), body))

    return [enrol, permit, exported_journal, log]
