"""The price lists in force, read from the signed catalogues, and every price ever shown. For
`sales` and `fleet`.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from sqlalchemy import Connection, insert, select

from updater_server.channels import Catalogue, EntryError, Repository, RepositoryError
from updater_server.channels.entry import Product
from updater_server.tables import price

log = logging.getLogger("duka.prices")


class PricesUnavailable(Exception):
    """No sound catalogue can be read now; nothing can be sold until one is published."""


class PriceLists:
    """Catalogues by target path (`catalogue/default.json`); read again whenever the repository was
    published anew. What was published last and verified stays in force.

    Safe to call from several threads.
    """

    def __init__(self, repository_directory: Path) -> None:
        self._directory = repository_directory
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._catalogues: dict[str, Catalogue] = {}
        self._repository: Repository | None = None
        self.problem: str | None = None
        """Why what was published last is not in force, if it is not."""

    def _refresh(self) -> None:
        try:
            status = (self._directory / "metadata" / "timestamp.json").stat()
        except OSError as error:
            raise PricesUnavailable("no channels are published on this server yet") from error
        seen = (status.st_mtime_ns, status.st_ino, status.st_size)
        if seen == self._seen:
            return
        try:
            repository = Repository.open(self._directory)
            catalogues = {
                f"catalogue/{name}.json": repository.catalogue(name)
                for name in repository.catalogue_names()
            }
        except (RepositoryError, EntryError) as error:
            if self._repository is None:
                raise PricesUnavailable(f"the channels do not verify: {error}") from error
            # Files that were spoiled or forged change no price and stop no sale.
            self.problem = f"the channels do not verify, the prices before stay in force: {error}"
            log.error("%s", self.problem)
            self._seen = seen
            return
        self.problem = None
        self._repository, self._catalogues, self._seen = repository, catalogues, seen

    def repository(self) -> Repository:
        """The repository as last published.

        Raises:
            PricesUnavailable: there is none, or it does not verify.
        """
        with self._lock:
            self._refresh()
            assert self._repository is not None
            return self._repository

    def catalogue(self, path: str) -> Catalogue:
        """The catalogue at a target path.

        Raises:
            PricesUnavailable: not published, or it does not verify.
        """
        with self._lock:
            self._refresh()
            found = self._catalogues.get(path)
        if found is None:
            raise PricesUnavailable(f"{path} is not published")
        return found

    def all(self) -> dict[str, Catalogue]:
        """Every catalogue by target path.

        Raises:
            PricesUnavailable: none is published, or they do not verify.
        """
        with self._lock:
            self._refresh()
            return dict(self._catalogues)

    def product(self, catalogue_path: str, product_id: str) -> Product | None:
        """One product of a catalogue, or None."""
        for product in self.catalogue(catalogue_path).products:
            if product.product_id == product_id:
                return product
        return None

    def record(self, connection: Connection, catalogue_path: str, now: int) -> None:
        """Remember every price of a catalogue, so that a late journal can be judged by the prices
        of its day.
        """
        known = {
            tuple(row)
            for row in connection.execute(
                select(price.c.product_id, price.c.amount_minor, price.c.commission_minor).where(
                    price.c.catalogue == catalogue_path
                )
            )
        }
        for product in self.catalogue(catalogue_path).products:
            shown = (product.product_id, product.amount_minor, product.commission_minor)
            if shown not in known:
                connection.execute(
                    insert(price).values(
                        catalogue=catalogue_path,
                        product_id=shown[0],
                        amount_minor=shown[1],
                        commission_minor=shown[2],
                        first_seen_at=now,
                    )
                )


def was_shown(
    connection: Connection,
    catalogue_path: str,
    product_id: str,
    amount_minor: int,
    commission_minor: int,
) -> bool:
    """Whether this catalogue ever showed this price with this commission."""
    return (
        connection.scalar(
            select(price.c.first_seen_at).where(
                price.c.catalogue == catalogue_path,
                price.c.product_id == product_id,
                price.c.amount_minor == amount_minor,
                price.c.commission_minor == commission_minor,
            )
        )
        is not None
    )
