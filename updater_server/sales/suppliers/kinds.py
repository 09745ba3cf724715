"""Which adapter speaks to which kind of supplier. A new kind is a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from updater_server.errors import InputError
from updater_server.sales.suppliers import airtime, iso8583, sandbox, xmlvend
from updater_server.sales.suppliers.base import Supplier
from updater_server.sales.suppliers.net import REAL, Net

Maker = Callable[[dict[str, Any], dict[str, str], Net], Supplier]
KINDS: dict[str, Maker] = {
    airtime.KIND: lambda settings, secrets, net: airtime.Airtime(
        airtime.Account.made(settings, secrets), net
    ),
    iso8583.KIND: lambda settings, secrets, net: iso8583.Iso8583(
        iso8583.Host.made(settings, secrets), net
    ),
    xmlvend.KIND: lambda settings, secrets, net: xmlvend.XmlVend(
        xmlvend.Utility.made(settings, secrets), net
    ),
    sandbox.KIND: lambda settings, secrets, net: sandbox.Sandbox(),
}


def made(kind: str, settings: dict[str, Any], secrets: dict[str, str], net: Net = REAL) -> Supplier:
    """The adapter of a supplier.

    Raises:
        InputError: no such kind, or its settings are wrong.
    """
    if kind not in KINDS:
        raise InputError(f"no supplier of kind {kind!r}: {', '.join(sorted(KINDS))}")
    return KINDS[kind](settings, secrets, net)
