"""A partner's program: a token, and HTTP to the server's application in this process."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

import httpx

from tests.parties.trade import Trade
from updater_server.faces.front import Front
from updater_server.parties import tokens, tree
from updater_server.store.engine import writing


def token_of(trade: Trade, name: str, code: str, may_move: bool) -> str:
    """A new token; `code` "": the operator's own."""
    with writing(trade.shop.service.engine) as connection:
        whose = tree.find(connection, code) if code else None
        return tokens.add(connection, name, whose, may_move, "asha", trade.now[0])


class Program:
    """Asks with its token."""

    def __init__(self, front: Front, token: str) -> None:
        self.token = token
        self._loop = asyncio.new_event_loop()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=front),
            base_url="http://duka.example/api/v1",
            headers={"authorization": f"Bearer {token}"} if token else {},
        )

    @staticmethod
    def new(trade: Trade, front: Front, name: str, code: str, may_move: bool = False) -> Program:
        """With a token of its own."""
        return Program(front, token_of(trade, name, code, may_move))

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _tb: TracebackType | None,
    ) -> None:
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()

    def get(self, path: str, **query: Any) -> httpx.Response:
        """One GET."""
        return self._loop.run_until_complete(self._client.get(path, params=query))

    def post(self, path: str, **body: Any) -> httpx.Response:
        """One POST of JSON."""
        return self._loop.run_until_complete(self._client.post(path, json=body))

    def raw(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Anything else."""
        return self._loop.run_until_complete(self._client.request(method, path, **more))
