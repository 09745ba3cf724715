"""What a technician sees of card and network, from the driver against the simulated part."""

from __future__ import annotations

from collections.abc import Awaitable
from types import SimpleNamespace
from typing import Any

import pytest

from firmware.flows.steps import sim_network
from firmware.net.modem import figures
from firmware.net.modem.chat import matches
from firmware.net.modem.errors import ModemError
from firmware.ui.texts import Words
from tests.support.radio import Radio

WORDS = Words("en")


async def rows_of(radio: Radio, trouble: str = "") -> dict[str, str]:
    """The technician's page of it."""

    async def busy(work: Awaitable[Any], *_: Any) -> tuple[bool, Any]:
        return True, await work

    link = SimpleNamespace(modem=radio.modem, trouble=trouble, signal=radio.modem.signal)
    ui, config = SimpleNamespace(busy=busy), SimpleNamespace(apn="internet")
    desk: Any = SimpleNamespace(words=WORDS, ui=ui, link=link, config=config)
    rows = await sim_network.rows(desk)
    assert rows is not None
    return dict(row for row in rows if row)


def test_card_network_and_modem_are_told_and_nothing_of_the_link_changes() -> None:
    async def story(radio: Radio) -> None:
        modem = radio.modem
        await modem.connect("internet")
        found = await figures.asked(modem)
        assert found["operator"] == radio.network.operator_name
        assert (found["state"], found["cell"]) == ("1", "00C3 1A2B")
        assert radio.network.sim and found["card"] == radio.network.sim.iccid
        assert found["imei"].isdigit() and len(found["imei"]) == 15
        assert found["address"].count(".") == 3
        assert found["revision"] and not found["revision"].startswith("Revision")
        assert modem.attached and modem.registered and radio.sim800.ip_state == "IP STATUS"
        await modem.refresh()
        assert modem.registered, "a registration is read as before"
        page = await rows_of(radio)
        for name in ("operator", "cell", "address"):
            assert page[WORDS(name)] == found[name]
        assert (page[WORDS("sim")], page["IMEI"]) == (found["card"], found["imei"])
        assert page[WORDS("registered")] == WORDS("rg_home") and "dBm" in page[WORDS("signal")]

    Radio(seed=11).run(story)


def test_without_card_and_network_what_is_not_there_is_empty() -> None:
    async def story(radio: Radio) -> None:
        with pytest.raises(ModemError):
            await radio.modem.connect("internet")
        found = await figures.asked(radio.modem)
        assert found["card"] == found["operator"] == found["cell"] == found["address"] == ""
        assert found["state"] in ("0", "2") and found["imei"]
        page = await rows_of(radio, "no_sim")
        assert page[WORDS("n_no_sim")] == "" and page["IMEI"] == found["imei"]
        assert {page[WORDS(name)] for name in ("operator", "cell", "address", "sim")} == {"-"}

    Radio(seed=12, sim_inserted=False).run(story)


def test_a_modem_that_is_off_is_an_error_and_not_a_page_of_nothing() -> None:
    async def story(radio: Radio) -> None:
        radio.sim800.on_power(False)
        with pytest.raises(ModemError):
            await figures.asked(radio.modem)
        assert await rows_of(radio, "no_modem") == {WORDS("n_no_modem"): ""}

    Radio(seed=13).run(story)


@pytest.mark.parametrize(
    ("line", "state"),
    [
        (b"+CREG: 1", b"1"),
        (b"+CREG: 1,5", b"5"),
        (b'+CREG: 1,"00C3","1A2B"', b"1"),
        (b'+CREG: 2,5,"00C3","0005"', b"5"),
        (b'+CREG: 3,"0001","0001"', b"3"),
    ],
)
def test_a_registration_is_the_same_with_its_cell_behind_it(line: bytes, state: bytes) -> None:
    radio = Radio(seed=14)
    radio.modem.cell.on_registration(line)
    assert radio.modem.cell.registration == state
    assert radio.modem.registered == (state in (b"1", b"5"))


def test_a_number_without_a_name_is_one_that_begins_with_a_figure() -> None:
    assert (
        matches(b"0", b"8925402F") and not matches(b"0", b"OK") and not matches(b"0", b"+CREG: 1")
    )
