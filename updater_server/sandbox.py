"""A sandbox beside a server's books: a data folder of its own inside the server's, with its own
database and key, on the same price lists. For the command line and `serving`.

What is in it cannot leave it, as nothing that is real reads its database; what its database holds
out besides is in `sales.sandbox`.
"""

from __future__ import annotations

import dataclasses
import logging
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from updater_server.errors import InputError, ServerError, StateError
from updater_server.fleet import technicians, terminals
from updater_server.fleet.enrolment import Enrolment
from updater_server.parties import program_sales, tokens, tree
from updater_server.sales import currency, opening, sandbox, supplier_setup
from updater_server.sales.suppliers.sandbox import KIND
from updater_server.sales.vending import Desk
from updater_server.service import DataFolder, Service
from updater_server.startup import examine, its_place
from updater_server.store.engine import reading, writing

FLOAT_MINOR = 1_000_000
"""Of a new program's till; nothing of it is money."""
_WHO = "sandbox"
"""The technician, and the supplier, of a sandbox."""
log = logging.getLogger("duka.sandbox")


def place_of(folder: DataFolder) -> DataFolder:
    """Where a server's sandbox is, if it has one."""
    return DataFolder(folder.path / "sandbox")


def share_prices(folder: DataFolder) -> None:
    """Let the sandbox read the server's channels: it has none of its own."""
    link = place_of(folder).repository
    if not link.is_symlink():
        link.symlink_to("../repository", target_is_directory=True)


def furnish(service: Service, by: str) -> list[str]:
    """Make new books a sandbox's, and let its supplier make every top-up on the price lists;
    returns those. Again: with those that came since.

    Raises:
        StateError: there is something in these books.
        PricesUnavailable: no list can be read; nothing was done.
    """
    now = service.now()
    made = sorted(
        {
            product.product_id
            for catalogue in service.prices.all().values()
            for product in catalogue.products
            if product.kind == program_sales.TOPUP
        }
    )
    with writing(service.engine) as connection:
        is_new = not sandbox.is_one(connection)
        sandbox.declare(connection)
        if is_new:
            technicians.add(connection, _WHO, technicians.OFFICE, by, now)
            supplier_setup.put(connection, service.key, _WHO, KIND, {}, {}, by, now)
        for product_id in made:
            supplier_setup.set_route(connection, product_id, _WHO, "", by, now)
    return made


def add_program(
    service: Service, connection: Connection, name: str, catalogue: str, by: str, now: int
) -> str:
    """A token with which a program sells in a sandbox, by a till and a merchant of its own that
    both begin here; it is shown once.

    Raises:
        InputError: these are no sandbox's books; or the name is no party's code, or taken.
        PricesUnavailable: there is no such price list.
    """
    if not sandbox.is_one(connection):
        raise InputError("these books are real: `sandbox make` makes others beside them")
    code = tree.code_of(name)
    till_id = secrets.token_bytes(8)
    money = currency.of_catalogue(service.prices.catalogue(catalogue))
    technicians.allow_float(connection, _WHO, FLOAT_MINOR, by, now)
    enrolment = Enrolment(
        till_id, secrets.token_bytes(32), tokens.TILL, 1, FLOAT_MINOR,
        terminals.DEFAULT_CHANNEL, catalogue,
    )  # fmt: skip
    who = technicians.id_of(connection, _WHO)
    opening.enrol(connection, service.key, enrolment, who, now, money)
    whose = tree.add(connection, code, code, "merchant", "", by, now)
    tree.give_terminal(connection, till_id, whose, by, now)
    return tokens.add(connection, name, whose, True, by, now, till_id)


@contextmanager
def opened(service: Service) -> Iterator[Service]:
    """`service` with its sandbox at work, if it has one that can be. What is wrong with a sandbox
    is said, and stops nothing that is real.
    """
    with ExitStack() as inside:
        at_work = None
        if place_of(service.folder).is_begun:
            try:
                at_work = _at_work(service, inside)
            except (ServerError, SQLAlchemyError) as error:
                log.error("there is no sandbox today: %s", error)
                inside.close()
        yield dataclasses.replace(service, sandbox=at_work)


def _at_work(service: Service, inside: ExitStack) -> Service:
    found = Service.open(place_of(service.folder).path, service.now)
    inside.callback(found.engine.dispose)
    examine(found, inside.enter_context(its_place(found)))
    with reading(found.engine) as connection:
        if not sandbox.is_one(connection):
            raise StateError(f"{found.folder.path} holds no sandbox's books: `sandbox make`")
    desk = Desk(found.engine, found.key, found.now)
    inside.callback(desk.close)
    return dataclasses.replace(found, desk=desk)
