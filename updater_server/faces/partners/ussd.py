"""USSD in the shape of Africa's Talking's call-backs: a merchant asks from any telephone for
floats, last sales, and how one sale stands. For `app`.

POST /v1/ussd/<token of the gateway>   form: sessionId, serviceCode, phoneNumber, text

The gateway sends all that was typed since the beginning ("1*123456"), so nothing of a session is
kept here. An answer begins with CON where more is wanted, else with END. It moves nothing.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from urllib.parse import parse_qsl

from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from updater_server.faces.lanes import Lane
from updater_server.faces.partners import access
from updater_server.faces.partners.answers import FLOATS, LAST, ONE, Answers
from updater_server.faces.requests import AnyRequest
from updater_server.service import Service
from updater_server.store.engine import reading

LETTERS = 182
"""A network shows no more at once."""
_MENU = "CON Duka\n1 Float\n2 Last sales\n3 One sale"
_ASK_PIN = "CON Your PIN"
_ASK_NUMBER = "CON Number of the sale (on the slip)"
_NOTHING = "END Not possible. Ask your agent."


@dataclass(frozen=True)
class Typed:
    """What a session has come to."""

    number: str
    parts: tuple[str, ...]


class Ussd:
    """What telephones may ask."""

    def __init__(self, service: Service, pace: access.Pace | None = None) -> None:
        self._service = service
        self._answers = Answers(service)
        self._pace = pace or access.Pace(a_second=0.2, at_once=12)

    def answer(self, token: str, body: bytes) -> str:
        """The next screen of a session.

        Raises:
            NotAuthorizedException: it is not the gateway that we know.
            TooManyRequestsException: this telephone asks too often.
        """
        with reading(self._service.engine) as connection:
            access.caller(connection, f"Bearer {token}")
        typed = _typed(body)
        if typed is None:
            return _NOTHING
        self._pace.ask(zlib.crc32(typed.number.encode()))
        needed = {FLOATS: 2, LAST: 2, ONE: 3}
        if not typed.parts:
            return _MENU
        choice = typed.parts[0]
        if choice not in needed or len(typed.parts) > needed[choice]:
            return _NOTHING
        if choice == ONE and len(typed.parts) == 1:
            return _ASK_NUMBER
        if len(typed.parts) < needed[choice]:
            return _ASK_PIN
        return self._told(typed, choice)

    def _told(self, typed: Typed, choice: str) -> str:
        pin, asked = typed.parts[-1], typed.parts[1:-1]
        lines = self._answers.told(typed.number, choice, asked, pin)
        return _NOTHING if lines is None else ("END " + "\n".join(lines))[:LETTERS]


def _typed(body: bytes) -> Typed | None:
    """None if it is no call-back of a gateway."""
    try:
        form = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=16))
    except ValueError:
        return None
    number, text = form.get("phoneNumber", ""), form.get("text", "")
    if not re.fullmatch("\\+[0-9]{7,15}", number) or len(text) > 100:
        return None
    return Typed(number, tuple(text.split("*")) if text else ())


def routes(service: Service, lane: Lane) -> list[HTTPRouteHandler]:
    """The one path, answered in the threads of `lane`; in no OpenAPI document of ours."""
    face = Ussd(service)

    @post("/v1/ussd/{token:str}", status_code=200, media_type="text/plain", include_in_schema=False)
    async def ussd(request: AnyRequest, token: FromPath[str]) -> Response[str]:
        body = await request.body()
        return Response(await lane.run(face.answer, token, body), media_type="text/plain")

    return [ussd]
