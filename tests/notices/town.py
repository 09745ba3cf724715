"""A town's mail server, SMS gateway and webhook listener, real ones on loopback, and a server whose
alarms are raised by hand.
"""

from __future__ import annotations

import asyncio
import json
import threading
from email import message_from_bytes
from email.message import Message as Mail
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.server.shop import Shop
from updater_server.fleet import alarms
from updater_server.notices import plan
from updater_server.notices.message import Message
from updater_server.notices.receivers import Receiver
from updater_server.notices.worker import Notices
from updater_server.store.engine import writing
from updater_server.store.tables import alarm


class Mailbox:
    """What came by mail; `refuses` with this answer while it is set."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.refuses = ""

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """One mail (aiosmtpd's hook)."""
        if self.refuses:
            return self.refuses
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"


class MailServer:
    """An SMTP server on a free port, in a thread of its own."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        serving = asyncio.run_coroutine_threadsafe(self._serve(mailbox), self._loop)
        self._server = serving.result(10)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, mailbox: Mailbox) -> asyncio.Server:
        return await self._loop.create_server(
            lambda: SMTP(mailbox, hostname="mail.example", loop=self._loop), "127.0.0.1", 0
        )

    def close(self) -> None:
        """Close it."""
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


class Listener:
    """An HTTP server that keeps what is posted to it; `answers` with this status, after `hangs`."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.answers = 200
        self.hangs = threading.Event()
        self.hangs.set()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                listener.hangs.wait(20)
                if listener.answers == 200:
                    listener.bodies.append(body)
                    listener.headers.append({k.lower(): v for k, v in self.headers.items()})
                self.send_response(listener.answers)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def forms(self) -> list[dict[str, str]]:
        """What was posted as forms."""
        return [{k: v[0] for k, v in parse_qs(body.decode()).items()} for body in self.bodies]

    def documents(self) -> list[dict[str, Any]]:
        """What was posted as JSON."""
        return [json.loads(body) for body in self.bodies]


class Town:
    """`tell` is what a worker's look does, at the town's clock."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.now = shop.clock
        shop.enrol(7)
        self.mailbox = Mailbox()
        self.mail = MailServer(self.mailbox)
        self.gateway, self.hook = Listener(), Listener()
        self.notices = Notices(shop.service, "duka.example")

    def close(self) -> None:
        """Close the town's servers."""
        self.mail.close()
        for listener in (self.gateway, self.hook):
            listener.hangs.set()
            listener.server.shutdown()
            listener.server.server_close()

    def write(self, text: str) -> None:
        """The file that says who is told."""
        (self.shop.folder / "notices.toml").write_text(text)

    def everybody(self, per_hour: int = 12, grade: int = 3) -> None:
        """A mail to Asha, an SMS to Joy, a webhook."""
        common = f"per_hour = {per_hour}\ngrade = {grade}\n"
        self.write(
            f'[[receiver]]\nname = "asha"\nkind = "email"\nto = "asha@example.org"\n{common}'
            f'from = "duka@example.org"\nhost = "127.0.0.1"\nport = {self.mail.port}\n'
            "starttls = false\n"
            f'[[receiver]]\nname = "joy"\nkind = "sms"\nto = "+254700000001"\n{common}'
            f'url = "{self.gateway.url}"\nfields = {{username = "duka"}}\n'
            f'[[receiver]]\nname = "board"\nkind = "webhook"\n{common}url = "{self.hook.url}"\n'
        )

    def alarm(self, code: str, text: str = "it is so", whose: bytes | None = None) -> None:
        """Something happens."""
        with writing(self.shop.service.engine) as connection:
            alarms.raise_alarm(connection, whose, code, text, self.now[0])

    def over(self, code: str) -> None:
        """It is dealt with."""
        with writing(self.shop.service.engine) as connection:
            alarms.settle(connection, [code], [], self.now[0])

    def acknowledge(self) -> None:
        """Joy looks after everything."""
        with writing(self.shop.service.engine) as connection:
            for number in connection.scalars(alarm.select().with_only_columns(alarm.c.id)).all():
                alarms.acknowledge(connection, number, "joy", "joy", self.now[0])

    def look(self, after_s: int = 0) -> None:
        """The worker looks, and what is due arrives."""
        self.now[0] += after_s
        self.notices.look()
        self.notices.wait(15)

    def planned(self, receiver: Receiver, after_s: int = 0) -> list[Message]:
        """What one look writes for one receiver; nothing is sent."""
        self.now[0] += after_s
        with writing(self.shop.service.engine) as connection:
            before = connection.exec_driver_sql("SELECT COALESCE(MAX(id), 0) FROM notice").scalar()
            plan.plan(connection, [receiver], self.now[0])
            rows = connection.exec_driver_sql(
                f"SELECT content FROM notice WHERE id > {before} ORDER BY id"
            )
            return [Message.from_json(row[0]) for row in rows]
