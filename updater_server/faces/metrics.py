"""Figures for Prometheus (text exposition format 0.0.4): what `GET /metrics` says. For `operator`.

Each scrape is one reading of a handful of questions whose cost does not grow with the fleet.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry
from sqlalchemy import Connection, func, select

from updater_server.fleet import alarms, canaries, listing
from updater_server.lookout import picture
from updater_server.lookout.picture import Books, Fleet
from updater_server.notices import outbox
from updater_server.sales import vault
from updater_server.service import Service
from updater_server.store.engine import reading, write_line
from updater_server.store.tables import check_in, ledger_transaction


class _Figures(Collector):
    """What there is to tell, asked when it is asked for."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Every figure."""
        with reading(self._service.engine) as connection:
            yield from self._of_the_books(connection)
            yield from self._of_the_fleet(connection)
            yield from self._of_the_queues(connection)
        yield GaugeMetricFamily(
            "duka_writers_waiting",
            "Transactions that wait for their turn to write",
            write_line(self._service.engine).waiting,
        )
        free = shutil.disk_usage(self._service.folder.path).free
        yield GaugeMetricFamily("duka_disk_free_bytes", "Room on the data folder's disk", free)

    def _of_the_fleet(self, connection: Connection) -> Iterator[Metric]:
        """What the worker saw last, of the newest release of each channel."""
        fleet, at = picture.kept(connection, Fleet)
        books, _ = picture.kept(connection, Books)
        counted = GaugeMetricFamily(
            "duka_channel_terminals",
            "Terminals that may take the newest release of a channel, by what became of it",
            labels=["channel", "release", "state"],
        )
        for channel, found in fleet.channels.items() if fleet else ():
            for state, count in found.states.items():
                counted.add_metric([channel, str(found.release), state], count)
        yield counted
        yield GaugeMetricFamily("duka_fleet_counted_seconds", "When the worker counted it", at)
        if books is not None:
            wrong = len(books.problems)
            yield GaugeMetricFamily("duka_books_wrong", "Promises about money found broken", wrong)

    def _of_the_queues(self, connection: Connection) -> Iterator[Metric]:
        lag = GaugeMetricFamily(
            "duka_canary_lag_seconds", "How far a queue is behind", labels=["queue"]
        )
        changed = GaugeMetricFamily(
            "duka_canary_changed_seconds", "When a queue's canary last moved", labels=["queue"]
        )
        now = self._service.now()
        for one in canaries.listing(connection):
            lag.add_metric([one.queue], one.age_s(now))
            changed.add_metric([one.queue], one.changed_at)
        yield lag
        yield changed

    def _of_the_books(self, connection: Connection) -> Iterator[Metric]:
        total, on_trial = listing.counted(connection, listing.EVERY)
        yield GaugeMetricFamily("duka_terminals", "Terminals enrolled", total)
        yield GaugeMetricFamily("duka_terminals_on_trial", "Terminals that try a release", on_trial)
        running = GaugeMetricFamily(
            "duka_terminals_running", "Terminals by what they said they run", labels=["release"]
        )
        for release, count in connection.execute(
            select(check_in.c.release, func.count()).group_by(check_in.c.release)
        ):
            running.add_metric([str(release)], count)
        yield running
        open_ones = GaugeMetricFamily(
            "duka_alarms_open", "Open alarms; grade 0: money may be wrong", labels=["code", "grade"]
        )
        for kind in alarms.kinds(connection):
            open_ones.add_metric([kind.code, str(kind.grade)], kind.alarms)
        yield open_ones
        waiting = outbox.waiting_count(connection)
        yield GaugeMetricFamily("duka_notices_waiting", "Messages that wait for people", waiting)
        free = GaugeMetricFamily(
            "duka_vouchers_free", "Vouchers in the vault that can be sold", labels=["product"]
        )
        for product, count in vault.free_counts(connection, self._service.now()).items():
            free.add_metric([product], count)
        yield free
        newest = connection.scalar(select(func.max(ledger_transaction.c.id))) or 0
        yield CounterMetricFamily("duka_ledger_transactions", "Posted to the ledger", newest)


def page(service: Service) -> bytes:
    """Everything, as Prometheus reads it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(service))
    return generate_latest(registry)
