"""Each fault of modem and network, met by the terminal's whole way to the server on simulated time;
and a sample of `inv torture gsm`.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any
from unittest import mock

import pytest

from firmware import bell
from firmware.net.link import ONLINE
from hw_sim.modem.consumption import Draw
from tests.support.driven import Driven, drive
from tests.support.without_tcp import Counter, at_counter
from tests.torture import gsm
from tests.torture.gsm_faults import FAULTS, Fault
from tests.torture.gsm_trade import Report, Trade
from tests.torture.gsm_wrong_builds import WRONG_BUILDS, WrongBuild, look_at


@pytest.mark.parametrize("part", gsm.PARTS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_is_cured_within_its_bound(fault: Fault, part: str) -> None:
    report = Report()

    async def story(counter: Counter) -> None:
        trade = Trade(counter, report)
        await trade.sell()
        await asyncio.sleep(30)
        chance = random.Random(fault.name)
        await gsm.strike(counter.driven, trade, chance, [fault], report)
        assert report.rows[fault.name].unanswered <= fault.lost
        await asyncio.sleep(5)
        await trade.sell()
        assert not trade.open

    with gsm.a_shop(1000) as shop:
        at_counter(shop, story, len(fault.name), part=gsm.PARTS[part])
    assert report.hangs == []
    assert report.is_clean


@pytest.mark.parametrize(("idle_ms", "within_s"), [(0, 20.5), (1_000_000, 122.5)])
def test_a_modem_that_restarted_without_a_word_is_noticed_in_20_s_or_alone_in_two_minutes(
    idle_ms: int, within_s: float
) -> None:
    async def story(driven: Driven) -> None:
        driven.idle_ms = idle_ms
        await driven.online(60)
        for _ in range(10):
            await asyncio.sleep(97)
            air = driven.network.traffic.modelled_total_bytes
            driven.part.crash(silent=True)
            await driven.until(lambda: not driven.modem.attached, within_s, "that it restarted")
            assert driven.network.traffic.modelled_total_bytes == air
            await driven.until(lambda: driven.modem.attached, 30, "data service")

    drive(story)


def test_who_signs_in_where_the_modem_restarted_without_a_word_has_it_noticed_at_once() -> None:
    async def story(driven: Driven) -> None:
        await driven.online(60)
        await asyncio.sleep(997)
        driven.part.crash(silent=True)
        await asyncio.sleep(5)
        assert driven.modem.attached, "nobody has asked"
        driven.link.hurry()
        await driven.until(lambda: not driven.modem.attached, 3, "that it restarted")

    drive(story)


def test_whoever_notices_that_the_modem_restarted_has_data_service_made_anew_at_once() -> None:
    async def story(driven: Driven) -> None:
        await driven.online(60)
        for _ in range(4):
            await asyncio.sleep(930)
            driven.part.crash(silent=True)
            await asyncio.sleep(5)
            await driven.link.look()  # who sells
            assert not driven.modem.attached
            await driven.until(lambda: driven.modem.attached, 20, "data service")
            await driven.until(lambda: driven.link.state == ONLINE, 20, "an answer")

    drive(story)


@pytest.mark.parametrize(("part", "step"), [("m95", b"AT+QIACT"), ("sim800", b"AT+CIICR")])
def test_a_modem_that_starts_anew_while_the_network_is_asked_is_not_waited_for(
    part: str, step: bytes
) -> None:
    async def story(driven: Driven) -> None:
        await driven.online(60)
        send = driven.uart.write
        asked: list[bytes] = []

        def noted(data: Any) -> Any:
            if step in bytes(data) and not asked:
                asked.append(step)
                asyncio.get_running_loop().call_later(0.2, driven.part.crash)
            return send(data)

        with mock.patch.object(driven.uart, "write", noted):
            driven.part.crash(silent=True)
            await driven.link.look()
            await driven.until(lambda: asked, 60, "the step")
            await asyncio.sleep(1)
        await driven.until(lambda: driven.modem.attached, 45, "data service")

    drive(story, part=gsm.PARTS[part])


def test_what_a_radio_does_is_the_same_whenever_its_code_was_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its beats count from then: of the host's clock nothing may be left in a run."""

    async def story(driven: Driven) -> float:
        await driven.online(60)
        await asyncio.sleep(930)
        driven.part.crash(silent=True)
        return await driven.until(lambda: not driven.modem.attached, 122, "that it restarted")

    noticed_after_s = set()
    for loaded_at_ms in (0, 1000, 18_000):
        monkeypatch.setattr(bell, "_FIRST", loaded_at_ms)
        noticed_after_s.add(drive(story))
    assert len(noticed_after_s) == 1


def test_a_day_without_coverage_costs_three_percent_of_the_battery_and_no_more() -> None:
    async def story(driven: Driven) -> None:
        await driven.online(60)
        meter = driven.part.meter
        before_s, before_mah = meter.seconds(Draw.SEARCHING), meter.charge_mah()
        driven.network.set_coverage(False)
        await asyncio.sleep(86400)
        assert 600 < meter.seconds(Draw.SEARCHING) - before_s < 2700
        assert meter.charge_mah() - before_mah < 0.03 * 2000, "of 2,000 mAh"
        driven.network.set_coverage(True)
        await driven.online(990)

    drive(story)


def test_where_calls_cannot_be_refused_a_ring_is_hung_up() -> None:
    async def story(driven: Driven) -> None:
        commands = driven.part._interpreter._table
        del commands["+GSMBUSY"]
        await driven.online(60)
        for _ in range(3):
            driven.network.faults.ring(600)
            await asyncio.sleep(1)
            assert await driven.online(60) < 20
        assert driven.network.faults.calls_heard == 3

    drive(story)


def test_nobody_who_rings_is_heard() -> None:
    async def story(driven: Driven) -> None:
        await driven.online(60)
        driven.network.faults.ring(600)
        assert driven.network.faults.calls_refused == 1
        assert await driven.online(60) < 10

    drive(story)


def test_an_access_point_gets_its_user_and_password() -> None:
    async def story(driven: Driven) -> None:
        with pytest.raises(AssertionError, match="not within"):
            await driven.online(120)
        assert driven.modem.trouble == "no_gprs"
        driven.config.apn_login = ("web", "gprs 1")
        await driven.online(400)

    drive(story, apn_login=("web", "gprs 1"))


def test_the_same_seed_is_the_same_run_and_a_sample_keeps_its_promises() -> None:
    reports = [gsm.run(7, 3) for _ in range(2)]
    assert reports[0].digest == reports[1].digest
    assert reports[0].is_clean, reports[0]
    assert len(reports[0].rows) > 1
    assert reports[0].digest != gsm.run(8, 1).digest


class _Asked(dict[str, bytes]):
    """Files that know which of them were asked for."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def get(self, path: str, default: Any = None) -> Any:
        self.paths.append(path)
        return super().get(path, default)


def test_a_small_release_comes_by_its_short_name_and_a_large_one_in_pieces_by_its_whole_one() -> (
    None
):
    report = Report()

    async def story(counter: Counter) -> None:
        files = counter.server.files = _Asked()
        await counter.driven.online(60)
        trade = Trade(counter, report)
        for size_bytes, folder, pieces in ((6_000, "/tuf/p/", 1), (40_000, "/tuf/targets/", 3)):
            files.paths.clear()
            await trade.update(random.Random(size_bytes).randbytes(size_bytes))
            assert [path.startswith(folder) for path in files.paths] == [True] * pieces

    with gsm.a_shop(10) as shop:
        at_counter(shop, story, 3)
    assert (report.updates, report.updated) == (2, 2)


@pytest.mark.parametrize("wrong", WRONG_BUILDS, ids=lambda wrong: wrong.name)
def test_a_wrong_build_is_noticed(wrong: WrongBuild) -> None:
    report = look_at(wrong)
    assert not report.is_clean
