"""Which adapter speaks to which kind of supplier. A new kind is a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from updater_server.errors import InputError
from updater_server.sales.suppliers import airtime, iso8583, xmlvend
from updater_server.sales.suppliers.base import Supplier

Maker = Callable[[dict[str, Any], dict[str, str]], Supplier]
KINDS: dict[str, Maker] = {
    airtime.KIND: lambda settings, secrets: airtime.Airtime(
        airtime.Account.made(settings, secrets)
    ),
    iso8583.KIND: lambda settings, secrets: iso8583.Iso8583(iso8583.Host.made(settings, secrets)),
    xmlvend.KIND: lambda settings, secrets: xmlvend.XmlVend(
        xmlvend.Utility.made(settings, secrets)
    ),
}


def made(kind: str, settings: dict[str, Any], secrets: dict[str, str]) -> Supplier:
    """The adapter of a supplier.

    Raises:
        InputError: no such kind, or its settings are wrong.
    """
    if kind not in KINDS:
        raise InputError(f"no supplier of kind {kind!r}: {', '.join(sorted(KINDS))}")
    return KINDS[kind](settings, secrets)
