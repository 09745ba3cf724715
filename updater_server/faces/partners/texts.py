"""SMS in the shape of Africa's Talking's call-backs: a merchant asks by a text what he may ask by
USSD. For `app`.

POST /v1/texts/<token of the gateway>   form: id, from, to, text, date

    float PIN        sales PIN        sale NUMBER PIN

The answer goes out as a text of its own, by the gateway's messaging service (`texts.toml` in the
data folder says where), and only to the number that the text came from: who forges a sender reads
nothing. A text that is not understood, a wrong PIN, a number that is nobody's, or one too many, is
not answered at all: nothing is learned by it, and it costs nothing. The gateway is told 200 all the
same, or it would bring the text again.
"""

from __future__ import annotations

import logging
import os
import re
import tomllib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
from litestar import Response, post
from litestar.exceptions import TooManyRequestsException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from updater_server.errors import BusyError, InputError, StateError
from updater_server.faces.lanes import Lane
from updater_server.faces.partners import access
from updater_server.faces.partners.answers import FLOATS, LAST, ONE, Answers
from updater_server.faces.requests import AnyRequest
from updater_server.sales.suppliers.http import Address
from updater_server.service import Service
from updater_server.store.engine import reading

log = logging.getLogger("duka.texts")

FILE = "texts.toml"
LETTERS = 160
"""Of one text."""
PATIENCE_S = 8.0
"""For the gateway to take an answer."""
_CHOICES = {"float": (FLOATS, 2), "sales": (LAST, 2), "sale": (ONE, 3)}
"""By the first word: what is asked, and in how many words."""
_REMEMBERED = 1000
_FIELDS = {"url": str, "username": str, "sender": str, "token_env": str}


@dataclass(frozen=True)
class Text:
    """One that came in."""

    message_id: str
    number: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Gateway:
    """Where answers go out."""

    url: str
    username: str
    token: str
    sender: str = ""

    @staticmethod
    def of(folder: Path, environment: Mapping[str, str]) -> Gateway:
        """From `texts.toml`, which names the environment's variable that holds the token.

        Raises:
            StateError: it is not there, or not as it must be; the text says what.
        """
        try:
            table = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise StateError(f"{FILE}: {error}") from error
        for name, value in table.items():
            if not isinstance(value, _FIELDS.get(name, type(None))):
                raise StateError(f"{FILE}: {name} is unknown, or mistyped")
        missing = {"url", "username", "token_env"} - table.keys()
        if missing:
            raise StateError(f"{FILE}: {min(missing)} is missing")
        try:
            Address.parse(table["url"])
        except InputError as error:
            raise StateError(f"{FILE}: {error}") from error
        token = environment.get(table["token_env"], "")
        if not token:
            raise StateError(f"{FILE}: {table['token_env']} is not set in the environment")
        return Gateway(table["url"], table["username"], token, table.get("sender", ""))

    def send(self, number: str, text: str) -> None:
        """One text. Raises BusyError: the gateway did not take it; it may be asked again."""
        form = {"username": self.username, "to": number, "message": text}
        if self.sender:
            form["from"] = self.sender
        headers = {"accept": "application/json", "apiKey": self.token}
        try:
            told = httpx.post(self.url, data=form, headers=headers, timeout=PATIENCE_S)
        except httpx.HTTPError as error:
            raise BusyError(f"no answer went out: {type(error).__name__}") from error
        if not told.is_success:
            raise BusyError(f"no answer went out: the gateway said {told.status_code}")


class Texts:
    """What telephones may ask by texts."""

    def __init__(
        self,
        service: Service,
        pace: access.Pace | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._service = service
        self._answers = Answers(service)
        self._pace = pace or access.Pace(a_second=0.02, at_once=6)
        self._environment = environment
        self._answered: dict[str, None] = {}

    def take(self, token: str, body: bytes) -> None:
        """One text that came in, answered by another or not at all.

        Raises:
            NotAuthorizedException: it is not the gateway that we know.
            StateError: nobody said where answers go out.
            BusyError: the answer did not go out: the gateway may bring the text again.
        """
        with reading(self._service.engine) as connection:
            access.caller(connection, f"Bearer {token}")
        gateway = Gateway.of(self._service.folder.path, self._environment)
        text = _text(body)
        if text is None or text.message_id in self._answered:
            return
        choice, needed = _CHOICES.get(text.words[0].lower(), ("", 0))
        if len(text.words) != needed:
            return
        try:
            self._pace.ask(zlib.crc32(text.number.encode()))
        except TooManyRequestsException:
            log.info("a telephone asks too often by texts: it is not answered")
            return
        lines = self._answers.told(text.number, choice, text.words[1:-1], text.words[-1])
        if lines is None:
            return
        gateway.send(text.number, "\n".join(lines)[:LETTERS])
        if len(self._answered) >= _REMEMBERED:
            self._answered.clear()
        if text.message_id:
            self._answered[text.message_id] = None


def _text(body: bytes) -> Text | None:
    """None if it is no text that a gateway brings."""
    try:
        form = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=16))
    except ValueError:
        return None
    number, words = form.get("from", ""), tuple(form.get("text", "")[:LETTERS].split())
    if not re.fullmatch("\\+[0-9]{7,15}", number) or not words:
        return None
    return Text(form.get("id", "")[:64], number, words)


def routes(service: Service, lane: Lane) -> list[HTTPRouteHandler]:
    """The one path, answered in the threads of `lane`; in no OpenAPI document of ours."""
    face = Texts(service)

    @post(
        "/v1/texts/{token:str}", status_code=200, media_type="text/plain", include_in_schema=False
    )
    async def texts(request: AnyRequest, token: FromPath[str]) -> Response[str]:
        await lane.run(face.take, token, await request.body())
        return Response("", media_type="text/plain")

    return [texts]
