"""One message on its way to one receiver. For `worker`; it holds no transaction and no lock.

A message may come twice (a worker that dies between sending and noting it), so each carries what a
receiver can tell by: a mail its Message-ID, a webhook its alerts' fingerprints.
"""

from __future__ import annotations

import hmac
import json
import os
import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate

import httpx

from updater_server.notices.message import Message
from updater_server.notices.receivers import Receiver

PATIENCE_S = 10.0
"""A mail server or a gateway that hangs is left after this."""


class NotSent(Exception):
    """It did not go out; the text says why, without secrets."""


def send(
    receiver: Receiver,
    message: Message,
    number: int,
    server: str,
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Hand a message over; `number` is its own for ever, `server` names this server.

    Raises:
        NotSent: the receiver's server refused it, or cannot be reached in time.
    """
    try:
        if receiver.kind == "email":
            _mail(receiver, message, f"<{number}.{receiver.name}@{server}>", environment)
        elif receiver.kind == "sms":
            _sms(receiver, message, environment)
        else:
            _webhook(receiver, message, server, environment)
    except (smtplib.SMTPException, OSError, httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotSent(f"{type(error).__name__}: {error}"[:200]) from error


def _secret(receiver: Receiver, name: str, environment: Mapping[str, str]) -> str:
    variable = receiver.way.get(name)
    if not variable:
        return ""
    found = environment.get(variable, "")
    if not found:
        raise NotSent(f"{variable} is not set in the worker's environment")
    return found


def _mail(
    receiver: Receiver, message: Message, message_id: str, environment: Mapping[str, str]
) -> None:
    way = receiver.way
    mail = EmailMessage()
    mail["From"] = way["from"]
    mail["To"] = receiver.to
    mail["Subject"] = " ".join(message.subject.split())
    mail["Date"] = formatdate(message.at)
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    mail.set_content(message.text())
    password = _secret(receiver, "password_env", environment)
    with smtplib.SMTP(way["host"], way.get("port", 25), timeout=PATIENCE_S) as connection:
        if way.get("starttls", True):
            connection.starttls(context=ssl.create_default_context())
        if way.get("user"):
            connection.login(way["user"], password)
        connection.send_message(mail)


def _sms(receiver: Receiver, message: Message, environment: Mapping[str, str]) -> None:
    way = receiver.way
    fields = {
        **way.get("fields", {}),
        way.get("to_field", "to"): receiver.to,
        way.get("text_field", "message"): message.sms(),
    }
    headers = {"accept": "application/json"}
    token = _secret(receiver, "token_env", environment)
    if token:
        headers[way.get("header", "apiKey")] = token
    _answered(httpx.post(way["url"], data=fields, headers=headers, timeout=PATIENCE_S))


def _webhook(
    receiver: Receiver, message: Message, server: str, environment: Mapping[str, str]
) -> None:
    body = json.dumps(message.alertmanager(receiver.name, server)).encode()
    headers = {"content-type": "application/json"}
    secret = _secret(receiver, "secret_env", environment)
    if secret:
        headers["x-duka-signature"] = "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()
    url = receiver.way["url"]
    _answered(httpx.post(url, content=body, headers=headers, timeout=PATIENCE_S))


def _answered(response: httpx.Response) -> None:
    if not response.is_success:
        raise NotSent(f"{response.url.host} answered {response.status_code}")
