"""A record that a terminal lost: who may say so, how many, and what happens when it turns up."""

from __future__ import annotations

import hashlib

import pytest
from typer.testing import CliRunner

from tests.server.device import Device, make_record
from tests.server.shop import NOW, Shop
from tests.server.test_stock_and_journal import sold_offline
from updater_server.__main__ import cli
from updater_server.errors import ConflictError, InputError
from updater_server.sales import intake, losses
from updater_server.store.engine import writing

ON_BOTH_ENGINES = {
    "test_a_sale_whose_record_was_lost_and_turns_up_is_charged_exactly_once",
    "test_a_refund_that_was_lost_is_given_when_it_comes",
    "test_many_losses_wait_until_a_person_has_looked",
    "test_an_online_sale_that_the_terminal_lost_is_given_back_once_with_an_alarm",
    "test_a_person_sees_and_accepts_what_is_lost",
}


def with_losses(device: Device, *lost: int) -> list[bytes]:
    """The whole journal, with these records said to be lost."""
    return [b"" if n in lost else raw for n, raw in enumerate(device.journal, 1)]


def by_cable(shop: Shop, device: Device, raws: list[bytes]) -> int:
    with writing(shop.service.engine) as connection:
        return intake.take_in(connection, device.terminal_id, raws, NOW)


def test_a_sale_whose_record_was_lost_and_turns_up_is_charged_exactly_once(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    assert device.ask({0: 3, 1: with_losses(device, 2)})[1] == 5
    assert shop.float_of(device) == 95_250
    assert shop.alarms() == ["journal_lost"]
    for _ in range(3):
        assert device.upload() == {0: 3, 1: 5, 2: 90_500}
    assert by_cable(shop, device, device.journal) == 5
    assert shop.float_of(device) == 90_500
    assert shop.alarms() == ["journal_lost", "journal_supplied"]
    assert shop.problems() == []


def test_a_terminal_that_calls_its_next_sales_lost_is_charged_when_it_sends_them(
    shop: Shop,
) -> None:
    device, batch = sold_offline(shop, 1)
    device.upload()
    ahead = Device(device.terminal_id, device.key, shop.post)
    ahead.sent, ahead.journal, ahead.tag = 99, list(device.journal), device.tag
    ahead.record(2, ["air50", 5000, 250, batch, 1])
    ahead.record(6, [4, 0])
    ahead.record(1, [2, 7, "power-on"])
    assert ahead.ask({0: 3, 1: [b"", b"", ahead.journal[5]]})[1] == 6
    assert shop.float_of(device) == 95_250
    assert ahead.upload(4, 5)[1] == 6
    assert shop.float_of(device) == 90_500
    assert shop.problems() == []


def test_records_that_are_not_written_yet_cannot_be_called_lost(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    for raws in ([b""] * 3000, [*device.journal, b""], [b""]):
        reply = device.ask({0: 3, 1: raws})
        assert reply[1] == "bad_message"
        assert "behind a lost record" in reply[2]
    assert shop.sql("SELECT COUNT(*) FROM journal_record") == [(0,)]
    assert device.upload()[1] == 5


def test_a_loss_counts_only_under_the_terminals_seal(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    with pytest.raises(InputError, match="under its seal"):
        by_cable(shop, device, with_losses(device, 2))
    assert shop.sql("SELECT COUNT(*) FROM journal_record") == [(0,)]
    assert by_cable(shop, device, device.journal) == 5
    assert by_cable(shop, device, with_losses(device, 2)) == 5, "it is stored: nothing is lost"
    assert shop.alarms() == []


def test_what_only_the_cable_brings_must_fit_on_both_sides(shop: Shop) -> None:
    device, batch = sold_offline(shop)
    device.ask({0: 3, 1: with_losses(device, 2, 3)})
    forged, tag = make_record(2, 2, ["air50", 5000, 250, batch, 2], device.journal[0][-8:])
    with pytest.raises(ConflictError):
        by_cable(shop, device, [forged, make_record(6, 3, [2, 0], tag)[0]])
    by_cable(shop, device, [device.journal[0], forged])
    by_cable(shop, device, [device.journal[2]])
    assert shop.sql("SELECT COUNT(*) FROM journal_late") == [(0,)]
    by_cable(shop, device, device.journal[1:3])
    assert shop.sql("SELECT COUNT(*) FROM journal_late") == [(2,)]
    assert shop.float_of(device) == 90_500
    assert shop.problems() == []


def test_a_sale_given_back_whose_intent_comes_last_costs_nothing(shop: Shop) -> None:
    device, batch = sold_offline(shop, 0)
    sale = device.record(2, ["air50", 5000, 250, batch, 0])
    device.record(5, [sale, "spoiled"])
    device.ask({0: 3, 1: with_losses(device, sale)})
    device.upload()
    assert shop.float_of(device) == 100_000
    assert shop.sql("SELECT outcome FROM stock_outcome ORDER BY 1") == [("sold",), ("spoiled",)]
    assert shop.problems() == []


def test_a_refund_that_was_lost_is_given_when_it_comes(shop: Shop) -> None:
    device, batch = sold_offline(shop, 0)
    sale = device.record(2, ["air50", 5000, 250, batch, 0])
    refund = device.record(5, [sale, "spoiled"])
    device.record(10, ["language", "sw"])
    device.ask({0: 3, 1: with_losses(device, refund)})
    assert shop.float_of(device) == 95_250
    for _ in range(2):
        device.upload()
        assert shop.float_of(device) == 100_000
    assert shop.problems() == []


def test_a_sale_that_came_late_is_no_mismatch_until_the_terminal_has_heard_of_it(
    shop: Shop,
) -> None:
    device, _ = sold_offline(shop)
    device.ask({0: 3, 1: with_losses(device, 2)})
    device.check_in(own_float=95_250)
    device.upload()
    device.check_in(own_float=95_250)
    device.check_in(own_float=90_500)
    assert "float_mismatch" not in shop.alarms()
    device.check_in(own_float=95_251)
    assert "float_mismatch" in shop.alarms()


def test_many_losses_wait_until_a_person_has_looked(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    for n in range(losses.OPEN_LIMIT + 1):
        device.record(10, ["volume", n])
    device.check_in(own_float=0)
    lost = range(6, 6 + losses.OPEN_LIMIT)
    raws = with_losses(device, *lost, 4)
    reply = device.ask({0: 3, 1: raws})
    assert (reply[1], "accept" in reply[2]) == ("conflict", True)
    assert shop.sql("SELECT acknowledged_through FROM terminal") == [(3,)], "what came before stays"
    assert shop.alarms() == ["journal_too_many_lost"]
    with writing(shop.service.engine) as connection:
        with pytest.raises(InputError, match="as far as it has said"):
            losses.accept(connection, device.terminal_id, len(device.journal) + 1, "Asha", NOW)
        assert losses.accept(connection, device.terminal_id, 5, "Asha", NOW) == 2
        assert losses.open_losses(connection, device.terminal_id) == []
    assert device.ask({0: 3, 1: raws})[1] == len(device.journal)
    assert shop.problems() == []
    assert device.upload()[1] == len(device.journal)
    assert shop.float_of(device) == 90_500, "given up or lost, it is booked when it comes"
    with writing(shop.service.engine) as connection:
        assert losses.open_losses(connection, device.terminal_id) == []
    assert shop.problems() == []


def test_a_terminal_whose_flash_was_put_back_is_an_alarm(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    device.upload()
    device.check_in(own_float=90_500, _10=[1, 6])
    assert "journal_rewound" not in shop.alarms()
    device.check_in(own_float=90_500, _10=[1, 5])
    assert "journal_rewound" in shop.alarms()


def test_an_open_sale_that_is_restated_is_not_posted_again(shop: Shop) -> None:
    device, batch = sold_offline(shop, 1)
    time = 1_790_000_000
    shop.stock_vault("air20", 1, start=500)
    online = device.record(3, ["air20", 2000, 100])
    answer = device.sale(online, "air20", 2000)
    device.record(4, [online, b"sealed", answer[3], 0, answer[5]])
    device.record(11, [2, 2, time, "air50", 5000, 250, batch, 0])
    device.record(11, [online, 3, time, "air20", 2000, 100])
    device.record(11, [online, 3, time, "air20", 2000, 100, b"sealed", answer[3], 0])
    device.record(11, [77])
    device.upload()
    assert shop.float_of(device) == 100_000 - 4750 - 1900
    assert shop.alarms() == []
    device.record(11, [2, 2, time, "air50", 5000, 0, batch, 0])
    device.upload()
    assert shop.alarms() == ["journal_nonsense"]
    assert shop.problems() == []


def test_an_online_sale_that_the_terminal_lost_is_given_back_once_with_an_alarm(
    shop: Shop,
) -> None:
    device = shop.enrol()
    shop.stock_vault()
    sale = device.record(3, ["air50", 5000, 250])
    device.sale(sale)
    device.record(5, [sale, "lost"])
    device.upload()
    assert shop.float_of(device) == 100_000
    assert shop.alarms() == ["sale_lost"]
    device.record(5, [sale, "lost"])
    device.upload()
    assert shop.float_of(device) == 100_000
    assert shop.problems() == []


def test_a_lost_voucher_file_that_is_fetched_again_is_told_to_a_person(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    batch = shop.assign(device)
    file = device.ask({0: 4, 1: batch})[1]
    device.ask({0: 4, 1: batch})
    assert shop.alarms() == []
    device.ask({0: 5, 1: batch, 2: hashlib.sha256(file).digest()})
    assert device.ask({0: 4, 1: batch})[1] == file
    assert shop.alarms() == ["stock_renewed"]


def test_a_person_sees_and_accepts_what_is_lost(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    device.check_in()
    device.ask({0: 3, 1: with_losses(device, 2, 3)})
    command = ["terminal", "lost", device.terminal_id.hex(), "--data", str(shop.folder)]

    def said(*more: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, [*command, *more])
        return result.exit_code, result.output

    assert said() == (0, "lost and not accepted: 2, 3\n")
    code, text = said("--accept-through", "6", "--by", "Asha")
    assert (code, "records 1 to 5" in text) == (2, True)
    assert said("--accept-through", "3", "--by", "Asha") == (0, "lost and not accepted: none\n")
    assert shop.sql("SELECT through, who FROM loss_accepted") == [(3, "Asha")]
