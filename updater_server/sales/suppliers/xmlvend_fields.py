"""Messages of XMLVend 2.1 as tables: what is asked, and which fields an answer has. For `xmlvend`;
a utility with other fields is another table.

A message in a SOAP 1.1 envelope over HTTP. Source: NRS 009-6-10 (XMLVend 2.1), schemas `base` and
`revenue`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from updater_server.sales.suppliers.xml_reading import Node, NotXml, read

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
BASE = "http://www.nrs.eskom.co.za/xmlvend/base/2.1/schema"
REVENUE = "http://www.nrs.eskom.co.za/xmlvend/revenue/2.1/schema"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"


class NotAMessage(Exception):
    """It is not the message that it should be; the text says where."""


# --- what is asked: (element, its attributes, its children or the name of its text) ---

Part = tuple[str, Mapping[str, str], "tuple[Part, ...] | str"]
"""A value that begins with "=" is written as it stands, every other is the name of one."""


def _id_method(element: str) -> Part:
    meter: Part = ("b:meterIdentifier", {"xsi:type": "=b:MeterNumber", "msno": "meter"}, ())
    return (element, {"xsi:type": "=b:VendIDMethod"}, (meter,))


_WHO: tuple[Part, ...] = (
    ("b:clientID", {"xsi:type": "=b:EANDeviceID", "ean": "client"}, ()),
    ("b:terminalID", {"xsi:type": "=b:GenericDeviceID", "id": "terminal"}, ()),
    ("b:msgID", {"dateTime": "time", "uniqueNumber": "number"}, ()),
    ("b:authCred", {}, (("b:opName", {}, "operator"), ("b:password", {}, "password"))),
)
_ABOUT: Part = ("b:adviceReqMsgID", {"dateTime": "about_time", "uniqueNumber": "about_number"}, ())
CONFIRM: Part = ("r:confirmCustomerReq", {}, (*_WHO, _id_method("r:idMethod")))
VEND: Part = (
    "r:creditVendReq",
    {},
    (
        *_WHO,
        ("b:resource", {"xsi:type": "=b:Electricity"}, ()),
        _id_method("b:idMethod"),
        (
            "r:purchaseValue",
            {"xsi:type": "=r:PurchaseValueCurrency"},
            (("r:amt", {"value": "amount", "symbol": "currency"}, ()),),
        ),
    ),
)
LAST_RESPONSE: Part = ("b:adviceReq", {"xsi:type": "=b:LastRespAdviceReq"}, (*_WHO, _ABOUT))
REVERSAL: Part = ("b:adviceReq", {"xsi:type": "=b:ReversalAdviceReq"}, (*_WHO, _ABOUT))


def action(message: Part) -> str:
    """What its SOAPAction is."""
    return message[0].partition(":")[2]


def write(message: Part, values: Mapping[str, str]) -> bytes:
    """A message in its envelope. Raises KeyError: a value is missing."""
    head = f'xmlns:s="{SOAP}" xmlns:b="{BASE}" xmlns:r="{REVENUE}" xmlns:xsi="{_XSI}"'
    body = f"<s:Envelope {head}><s:Body>{_written(message, values)}</s:Body></s:Envelope>"
    return f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode()


def _written(part: Part, values: Mapping[str, str]) -> str:
    name, attributes, content = part
    shown = "".join(
        f" {key}={quoteattr(what[1:] if what.startswith('=') else values[what])}"
        for key, what in attributes.items()
    )
    if isinstance(content, str):
        inner = escape(values[content])
    else:
        inner = "".join(_written(child, values) for child in content)
    return f"<{name}{shown}>{inner}</{name}>" if inner else f"<{name}{shown}/>"


# --- what is answered ---


@dataclass(frozen=True)
class Field:
    """Where it stands, and what it must look like; without `needed` it may be missing."""

    path: str
    pattern: str
    needed: bool = True


_AMOUNT = "[0-9]{1,12}(\\.[0-9]{1,8})?"
_WORDS = "(?s).*"
"""What is only shown: no odd letter of it may hold up a token that was paid for."""
_CIPHER = "[0-9]{20}"
ANSWER = {
    "time": Field("reqMsgID@dateTime", "[0-9]{14}"),
    "number": Field("reqMsgID@uniqueNumber", "[0-9]{1,6}"),
}
CONFIRMED = {
    "meter": Field("confirmCustResult/meterDetail@msno", "[0-9]{11,13}"),
    "name": Field("confirmCustResult/custVendDetail@name", _WORDS, needed=False),
    "least": Field("confirmCustResult/meterDetail/minVendAmt@value", _AMOUNT, needed=False),
    "most": Field("confirmCustResult/meterDetail/maxVendAmt@value", _AMOUNT, needed=False),
}
SOLD = {
    "receipt": Field("creditVendReceipt@receiptNo", "[0-9A-Za-z_./-]{4,64}"),
    "tendered": Field("tenderAmt@value", _AMOUNT),
    "currency": Field("tenderAmt@symbol", "[A-Za-z]{1,3}"),
    "customer": Field("custVendDetail@name", _WORDS, needed=False),
}
"""Of `creditVendResp`; its transactions are read by the tables below."""
CREDIT = {
    "meter": Field("creditTokenIssue/meterDetail@msno", "[0-9]{11,13}"),
    "token": Field("creditTokenIssue/token/stsCipher", _CIPHER),
    "units": Field("creditTokenIssue/units@value", _WORDS, needed=False),
    "tariff": Field("tariff/name", _WORDS, needed=False),
    "tax": Field("tax@value", _WORDS, needed=False),
    "first_key": Field("kcTokenIssue/token/set1stMeterKey/stsCipher", _CIPHER, needed=False),
    "second_key": Field("kcTokenIssue/token/set2ndMeterKey/stsCipher", _CIPHER, needed=False),
}
"""Of a transaction with a token: `CreditVendTx`; of units that nobody pays for,
`creditTokenIssue` is an `FBETokenIssue`.
"""
CHARGE = {"amount": Field("amt@value", _AMOUNT)}
"""Of a transaction without one: `DebtRecoveryTx`, `ServiceChrgTx`."""
ADVICE = {
    "about_time": Field("adviceReqMsgID@dateTime", "[0-9]{14}"),
    "about_number": Field("adviceReqMsgID@uniqueNumber", "[0-9]{1,6}"),
    "reversed": Field("@txReversed", "true|false|0|1", needed=False),
}
FAULT = {"words": Field("fault/desc", _WORDS, needed=False)}


def fields(node: Node, table: Mapping[str, Field]) -> dict[str, str]:
    """What an element has of a table; what may be missing is not in it then.

    Raises:
        NotAMessage: something is missing, doubled, or does not look as it must.
    """
    found = {}
    for name, field in table.items():
        try:
            value = node.value(field.path)
        except NotXml as error:
            raise NotAMessage(str(error)) from error
        if value is None:
            if field.needed:
                raise NotAMessage(f"{node.name} lacks {field.path}")
        elif re.fullmatch(field.pattern, value) is None:
            raise NotAMessage(f"{field.path} of {node.name}: {value[:40]!r}")
        else:
            found[name] = value
    return found


def unwrap(data: bytes) -> Node:
    """The one message in an envelope: an answer, or what a fault has in its details (`fault` if
    that is nothing).

    Raises:
        NotAMessage: there is none, or it is of another schema.
    """
    try:
        envelope = read(data)
        body = envelope.one("Body")
    except NotXml as error:
        raise NotAMessage(str(error)) from error
    named = (envelope.name, envelope.namespace)
    if named not in (("Envelope", SOAP), ("Envelope", SOAP_12)) or body is None:
        raise NotAMessage("no envelope with a body")
    if body.namespace != envelope.namespace or len(body.children) != 1:
        raise NotAMessage(f"{len(body.children)} messages in one envelope")
    (message,) = body.children
    if message.name == "Fault" and message.namespace == envelope.namespace:
        detail = next(iter([*message.all("detail"), *message.all("Detail")]), None)
        if detail is None or len(detail.children) != 1:
            raise NotAMessage("a fault without a word about it")
        (message,) = detail.children
    if message.namespace not in (BASE, REVENUE):
        raise NotAMessage(f"{message.name} is of another schema")
    return message
