"""Airtime in the shape of Africa's Talking's service, so that its client libraries are clients of
ours. For `app`.

POST /version1/airtime/send              apiKey: a token; form: username (its name), recipients
GET  /version1/query/transaction/find    apiKey; username, transactionId

*Sent* says that the sale is begun and paid; what became of it is found by asking. Each number of an
order is one sale. The header Idempotency-Key makes an order one for ever: without it, asking again
is another order.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from litestar import Response, get, post
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.handlers import HTTPRouteHandler

from updater_server.errors import BusyError, ConflictError, InputError
from updater_server.faces.lanes import Lane
from updater_server.faces.partners import access
from updater_server.faces.requests import AnyRequest, query
from updater_server.parties import program_sales
from updater_server.parties.tokens import Caller
from updater_server.sales import currency
from updater_server.sales.currency import Currency
from updater_server.sales.online import Delivered, Refused
from updater_server.sales.suppliers.base import major, minor
from updater_server.service import Service
from updater_server.store.engine import reading, writing

RECIPIENTS = 50
"""In one order."""
_TRANSACTION = "DUKA"
_STATES = {"delivered": "Success", "refused": "Failed"}
Told = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class _Wanted:
    number: str
    amount: str


class Airtime:
    """What programs may order by this shape."""

    def __init__(self, service: Service, pace: access.Pace) -> None:
        self._service = service
        self._pace = pace

    def send(self, api_key: str, key: str, body: bytes) -> Told:
        """Status and answer of one order.

        Raises:
            NotAuthorizedException: no such token, or not under its name.
        """
        form = _form(body)
        wanted = _recipients(form.get("recipients", ""))
        with reading(self._service.engine) as connection:
            asks = self._caller(connection, api_key, form.get("username", ""))
            money = currency.shown(connection, self._service.prices)
        if not wanted:
            return 400, _refusal("Recipients are missing, or too many")
        key = hashlib.sha256(key.encode()).hexdigest()[:56] if key else program_sales.new_key()
        try:
            entries = [
                self._one(asks, money, f"{key}:{place}", one) for place, one in enumerate(wanted)
            ]
        except ConflictError:
            return 409, _refusal("This idempotency key was used for another order")
        except BusyError as error:
            return 503, _refusal(str(error))
        return 201, _accepted(entries, money)

    def _caller(self, connection: Any, api_key: str, username: str) -> Caller:
        asks = access.caller(connection, f"Bearer {api_key}")
        self._pace.ask(asks.id)
        if asks.name != username:
            raise NotAuthorizedException("The supplied authentication is invalid")
        access.mover(asks)
        return asks

    def _one(self, asks: Caller, money: Currency, key: str, wanted: _Wanted) -> dict[str, str]:
        """One sale, begun or as it stands."""
        amount_minor = minor(wanted.amount, money.code, money.minor_digits)
        number = wanted.number.removeprefix("+")
        if amount_minor is None or not number.isdecimal() or not number.isascii():
            return _entry(wanted, money, 0, "Failed", "None", "Invalid phone number or amount")
        service = self._service
        shelf = program_sales.Shelf(service.key, service.prices, service.desk, service.now())
        try:
            with writing(service.engine) as connection:
                sequence, answer = program_sales.order(
                    connection, shelf, asks, key, number, amount_minor
                )
        except InputError as error:
            return _entry(wanted, money, amount_minor, "Failed", "None", str(error))
        if isinstance(answer, Refused):
            return _entry(wanted, money, amount_minor, "Failed", "None", answer.text)
        assert asks.till_id is not None, "it has sold"
        reference = f"{_TRANSACTION}_{asks.till_id.hex()}_{sequence}"
        status = "Success" if isinstance(answer, Delivered) else "Sent"
        return _entry(wanted, money, amount_minor, status, reference, "None")

    def find(self, api_key: str, username: str, transaction: str) -> Told:
        """How a sale stands.

        Raises:
            NotAuthorizedException: no such token, or not under its name.
        """
        with reading(self._service.engine) as connection:
            asks = self._caller(connection, api_key, username)
            till = asks.till_id.hex() if asks.till_id else ""
            number = transaction.removeprefix(f"{_TRANSACTION}_{till}_")
            found = None
            if number.isdecimal() and number.isascii() and len(number) <= 10:
                found = program_sales.find(connection, asks, int(number))
            money = currency.shown(connection, self._service.prices)
        if found is None:
            return 200, {"status": "Failure", "errorMessage": "No such transaction"}
        data = {
            "requestId": transaction,
            "phoneNumber": f"+{found.recipient}",
            "value": f"{money.code} {major(found.amount_minor, money.minor_digits)}",
            "status": _STATES.get(found.state, "Sent"),
            "description": found.refusal_text or "",
        }
        return 200, {"status": "Success", "data": data}


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode("utf-8"), max_num_fields=16))
    except ValueError:
        return {}


def _recipients(text: str) -> list[_Wanted]:
    """Those of an order; none if it is not as it must be, or more than `RECIPIENTS`."""
    try:
        told = json.loads(text)
        wanted = [_Wanted(item["phoneNumber"], item["amount"]) for item in told]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
    fits = all(isinstance(one.number, str) and isinstance(one.amount, str) for one in wanted)
    return wanted if fits and len(wanted) <= RECIPIENTS else []


def _entry(
    wanted: _Wanted, money: Currency, amount_minor: int, status: str, reference: str, error: str
) -> dict[str, str]:
    return {
        "phoneNumber": wanted.number,
        "amount": _four(money, amount_minor),
        "status": status,
        "requestId": reference,
        "errorMessage": error,
        "discount": f"{money.code} 0.0000",
    }


def _four(money: Currency, amount_minor: int) -> str:
    """An amount with four places, as this shape has it."""
    digits = money.minor_digits
    whole, rest = divmod(amount_minor, 10**digits)
    places = (f"{rest:0{digits}d}" if digits else "").ljust(4, "0")
    return f"{money.code} {whole}.{places}"


def _accepted(entries: list[dict[str, str]], money: Currency) -> dict[str, Any]:
    taken = [entry for entry in entries if entry["status"] != "Failed"]
    amounts = [minor(entry["amount"], money.code, money.minor_digits) for entry in taken]
    total_minor = sum(amount_minor for amount_minor in amounts if amount_minor is not None)
    return {
        "errorMessage": "None",
        "numSent": len(taken),
        "totalAmount": _four(money, total_minor),
        "totalDiscount": f"{money.code} 0.0000",
        "responses": entries,
    }


def _refusal(text: str) -> dict[str, Any]:
    return {
        "errorMessage": text,
        "numSent": 0,
        "totalAmount": "0",
        "totalDiscount": "0",
        "responses": [],
    }


def _turned_away(_request: AnyRequest, error: HTTPException) -> Response[str]:
    words = "The supplied authentication is invalid" if error.status_code == 401 else error.detail
    return Response(words, status_code=error.status_code, media_type="text/plain")


def routes(service: Service, lane: Lane, pace: access.Pace) -> list[HTTPRouteHandler]:
    """The two paths, answered in the threads of `lane`; in no OpenAPI document of ours."""
    face = Airtime(service, pace)
    shape: dict[str, Any] = {
        "include_in_schema": False,
        "exception_handlers": {HTTPException: _turned_away},
    }

    @post("/version1/airtime/send", **shape)
    async def send(request: AnyRequest) -> Response[dict[str, Any]]:
        key = request.headers.get("idempotency-key", "")
        api_key = request.headers.get("apikey", "")
        status, told = await lane.run(face.send, api_key, key, await request.body())
        return Response(told, status_code=status)

    @get("/version1/query/transaction/find", **shape)
    async def find(request: AnyRequest) -> Response[dict[str, Any]]:
        asked = query(request)
        status, told = await lane.run(
            face.find,
            request.headers.get("apikey", ""),
            asked.get("username", ""),
            asked.get("transactionId", ""),
        )
        return Response(told, status_code=status)

    return [send, find]
