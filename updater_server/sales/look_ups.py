"""What can be known of a recipient before money moves. For the terminals' face."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from updater_server.errors import InputError, VaultError
from updater_server.sales import supplier_setup
from updater_server.sales.online import is_recipient
from updater_server.sales.prices import PriceLists
from updater_server.sales.suppliers.base import KnowsCustomers, Question
from updater_server.sales.vending import Desk


def why_not(
    connection: Connection,
    prices: PriceLists,
    owner: Any,
    product_id: str,
    recipient: str,
    desk: Desk | None,
) -> str | None:
    """The code of `REFUSALS` for which nothing could be sold to this recipient now; or None. Reads
    only.

    Raises:
        PricesUnavailable: no catalogue can be read.
    """
    product = prices.product(owner.catalogue, product_id)
    if owner.blocked:
        return "blocked"
    if product is None:
        return "unknown_product"
    if not is_recipient(product, recipient):
        return "bad_recipient"
    made = supplier_setup.route(connection, product_id)
    if made is None or desk is None or made.stopped or not desk.takes(made.supplier):
        return "supplier_down"
    return None


def asked(
    connection: Connection,
    prices: PriceLists,
    owner: Any,
    product_id: str,
    recipient: str,
    desk: Desk,
    now: int,
) -> tuple[str, Question] | None:
    """Which supplier knows this recipient by name, and what it is to be asked; None if none does,
    or it cannot be asked.
    """
    made = supplier_setup.route(connection, product_id)
    if made is None:
        return None
    try:
        adapter = desk.adapter(connection, made.supplier)
    except (InputError, VaultError):
        return None
    if not isinstance(adapter, KnowsCustomers):
        return None
    catalogue = prices.catalogue(owner.catalogue)
    question = Question(adapter.spelled(recipient), catalogue.currency, catalogue.minor_digits, now)
    return made.supplier, question
