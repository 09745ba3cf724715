"""A terminal begins: it is enrolled, and its first float is posted with it or not at all. For the
technicians' face.
"""

from __future__ import annotations

from sqlalchemy import Connection

from updater_server.fleet import enrolment as enrolments
from updater_server.fleet.enrolment import Enrolment
from updater_server.sales import currency, ledger
from updater_server.sales.currency import Currency
from updater_server.server_key import ServerKey


def enrol(
    connection: Connection,
    key: ServerKey,
    enrolment: Enrolment,
    technician_id: int,
    now: int,
    money: Currency,
) -> bool:
    """Enrol a terminal with its first float, for ever in the currency `money`, which is that of its
    price list; False if exactly this was done before (a repeated request).

    Raises:
        InputError: a field is wrong, or the office has not allowed so high a float, or the currency
            has other digits in these books.
        LimitReached: the technician enrolled too many today.
        ConflictError: the terminal is enrolled with another key or other particulars.
    """
    if not enrolments.enrol(connection, key, enrolment, technician_id, now, money.code):
        return False
    currency.bind(connection, money)
    if enrolment.initial_float_minor:
        ledger.top_up(
            connection,
            enrolment.terminal_id,
            enrolment.initial_float_minor,
            f"enrolment:{enrolment.terminal_id.hex()}",
            now,
        )
    return True
