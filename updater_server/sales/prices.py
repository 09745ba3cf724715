"""The price lists in force, read from the signed catalogues, and every price ever shown. For
`sales` and `fleet`.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.dialects import postgresql

from updater_server.channels import (
    Catalogue,
    EntryError,
    Published,
    RepositoryError,
    last_good,
    open_published,
)
from updater_server.channels.entry import Product
from updater_server.store.engine import when_committed
from updater_server.store.prepared import Prepared
from updater_server.store.tables import price

log = logging.getLogger("duka.prices")


class PricesUnavailable(Exception):
    """No sound catalogue can be read now; nothing can be sold until one is published."""


_RETRY_S = 5.0
_OF_A_PRICE = ("catalogue", "product_id", "amount_minor", "commission_minor")
_SHOWN = Prepared(
    select(price.c.first_seen_at).where(*(price.c[name] == bindparam(name) for name in _OF_A_PRICE))
)
_RECORD = Prepared(
    insert(price),
    [*_OF_A_PRICE, "first_seen_at"],
    on_postgresql=postgresql.insert(price).on_conflict_do_nothing(),  # others may show it first
)


class PriceLists:
    """Catalogues by target path (`catalogue/default.json`); read again whenever the repository was
    published anew. What was published last and verified stays in force, over a restart, too, if
    there is a folder to keep it in; the repository is looked at again until it verifies.

    Safe to call from several threads.
    """

    def __init__(self, repository_directory: Path, kept: Path | None = None) -> None:
        self._directory = repository_directory
        self._timestamp = repository_directory / "metadata" / "timestamp.json"
        self._kept = kept
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._retry_at = 0.0
        self._catalogues: dict[str, Catalogue] = {}
        self._recorded: dict[str, Catalogue] = {}
        self._repository: Published | None = None
        self._trouble = ""
        self._is_going_on_with_what_was = False

    def _refresh(self) -> None:
        seen = None
        try:
            status = self._timestamp.stat()
            seen = (status.st_mtime_ns, status.st_ino, status.st_size)
        except OSError as error:
            if self._kept is None or not self._kept.is_dir():
                raise PricesUnavailable("no channels are published on this server yet") from error
        is_known = seen is not None and seen == self._seen
        if is_known and (not self._trouble or time.monotonic() < self._retry_at):
            return
        try:
            repository = open_published(self._directory, strict=False)
            catalogues = _catalogues(repository)
        except (RepositoryError, EntryError, OSError) as error:
            self._go_on_with_what_was(error)
        else:
            self._take(repository, catalogues)
        self._seen = seen
        self._retry_at = time.monotonic() + _RETRY_S

    def _go_on_with_what_was(self, error: Exception) -> None:
        """Files that were spoiled, forged or not all copied yet change no price and stop no sale.

        Raises:
            PricesUnavailable: nothing is known from before.
        """
        if self._repository is None and self._kept is not None:
            before = last_good.load(self._kept)
            if before is not None:
                self._repository, self._catalogues = before, _catalogues(before)
        if self._repository is None:
            raise PricesUnavailable(f"the channels do not verify: {error}") from error
        self._is_going_on_with_what_was = True
        self._say(f"the channels do not verify, what was published before stays in force: {error}")

    def _take(self, repository: Published, catalogues: dict[str, Catalogue]) -> None:
        before = last_good.load(self._kept) if self._kept is not None else self._repository
        older = last_good.older(repository, before) if before else []
        self._repository, self._catalogues = repository, catalogues
        self._is_going_on_with_what_was = False
        if repository.damaged:
            self._say("; ".join(repository.damaged.values()))
        elif older:
            self._say(
                f"the channels are older than they were ({', '.join(older)}): if they were "
                "restored from a copy, `release restored`, then publish"
            )
        else:
            self._trouble = ""
            self._keep(repository)

    def _keep(self, repository: Published) -> None:
        if self._kept is not None:
            try:
                last_good.keep(repository, self._kept)
            except (RepositoryError, OSError) as error:
                log.warning("what is published cannot be kept: %s", error)

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            log.error("%s", trouble)
        self._trouble = trouble

    def trouble(self) -> str:
        """What is wrong with the repository now; "" if nothing is."""
        with self._lock:
            try:
                self._refresh()
            except PricesUnavailable as error:
                return str(error) if (self._directory / "metadata").is_dir() else ""
            return self._trouble

    def folder(self) -> Path:
        """Where the timestamp is that terminals are to be given: the repository, or what verified
        last while that does not.
        """
        with self._lock:
            try:
                self._refresh()
            except PricesUnavailable:
                return self._directory
            is_kept = self._kept and (self._kept / "metadata" / "timestamp.json").exists()
            if self._kept and is_kept and self._is_going_on_with_what_was:
                return self._kept
            return self._directory

    def repository(self) -> Published:
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
        return self.catalogue(catalogue_path).product(product_id)

    def record(
        self, connection: Connection, catalogue_path: str, catalogue: Catalogue, now: int
    ) -> None:
        """Remember every price of a catalogue (that of this path), so that a late journal can be
        judged by the prices of its day. One of which all is on the disk is not looked at again.
        """
        if self._recorded.get(catalogue_path) is catalogue:
            return
        for product in catalogue.products:
            shown = {
                "catalogue": catalogue_path,
                "product_id": product.product_id,
                "amount_minor": product.amount_minor,
                "commission_minor": product.commission_minor,
            }
            if _SHOWN.scalar(connection, **shown) is None:
                _RECORD.run(connection, **shown, first_seen_at=now)
        when_committed(connection, lambda: self._recorded.update({catalogue_path: catalogue}))


def _catalogues(repository: Published) -> dict[str, Catalogue]:
    return {
        f"catalogue/{name}.json": repository.catalogue(name)
        for name in repository.catalogue_names()
    }


def was_shown(
    connection: Connection,
    catalogue_path: str,
    product_id: str,
    amount_minor: int,
    commission_minor: int,
) -> bool:
    """Whether this catalogue ever showed this price with this commission."""
    shown = _SHOWN.scalar(
        connection,
        catalogue=catalogue_path,
        product_id=product_id,
        amount_minor=amount_minor,
        commission_minor=commission_minor,
    )
    return shown is not None
