"""What Prometheus scrapes, read by its own parser."""

from __future__ import annotations

import base64

import pytest
from litestar.exceptions import NotAuthorizedException
from prometheus_client.parser import text_string_to_metric_families

from tests.notices.town import Town
from updater_server.faces.operator import OperatorFace


def scrape(town: Town) -> dict[tuple[str, tuple[str, ...]], float]:
    token = "Basic " + base64.b64encode(f"any:{town.shop.token}".encode()).decode()
    text = OperatorFace(town.shop.service).metrics(token).decode()
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_figures_are_what_the_books_say(town: Town) -> None:
    before = scrape(town)
    device = town.shop.enrol(1)
    town.shop.stock_vault(count=5)
    device.sale(1)
    device.check_in(_2=9)
    town.alarm("rollback")
    town.alarm("rollback", "another")
    town.everybody()
    town.mailbox.refuses = "451 later"
    town.look(20)
    now = scrape(town)
    assert now["duka_terminals", ()] == before["duka_terminals", ()] + 1
    assert now["duka_terminals_running", ("9",)] == 1
    assert now["duka_alarms_open", ("rollback", "2")] == 2
    assert now["duka_vouchers_free", ("air50",)] == 4
    assert now["duka_notices_waiting", ()] == 1
    posted = ("duka_ledger_transactions_total", ())
    assert now[posted] == before[posted] + 2  # its first float, and the sale
    assert now["duka_disk_free_bytes", ()] > 0


def test_strangers_are_told_nothing(town: Town) -> None:
    with pytest.raises(NotAuthorizedException):
        OperatorFace(town.shop.service).metrics("")
