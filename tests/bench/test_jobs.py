"""Each job of the bench alone, with what goes wrong at a bench."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from hw_sim.board import SimulatedBoard
from hw_sim.flash import NorFlash
from tests.attacks.flash import DATA, DATA_BYTES
from tests.bench.conftest import PASSPHRASE, Bench, Eyes
from tests.powercut.files import Files
from tests.support.world import MERCHANT_PIN, SERVER_NAME, SERVER_PORT, eventually
from tests.terminal.conftest import MakeWorld, TerminalWorld
from tools.bench import custody, selftest
from tools.bench.log import Job
from tools.bench.progress import on_each_port
from tools.errors import explain
from tools.image import ROOT, build_selftest
from tools.technician import console
from tools.terminal_link import LinkError, RecoveryLink

BenchOf = Callable[[TerminalWorld], Bench]


def sell_without_network(world: TerminalWorld) -> None:
    """One sale from stock that the server does not learn of."""
    world.wait_online()
    world.terminal.set_coverage(False)
    world.terminal.wait_shows("No network", timeout_s=60)
    world.merchant.sign_in()
    world.merchant.sell(from_stock=True)


def spoil_settings(world: TerminalWorld) -> None:
    """Settings that no terminal can use, and no copy that worked, while it is switched off."""
    board = world.terminal.board
    board.power_off()
    part = NorFlash(None)
    part.restore(board.flash.snapshot())
    files = Files(part, DATA, DATA_BYTES)
    files.mount()
    for name in ("config.json", "config.json.last"):
        with files.open("/data/" + name, "wb") as file:
            file.write(b"{}")
    board.flash.restore(part.snapshot())
    board.power_on()


def test_a_terminal_with_unsynced_sales_is_not_retired_until_they_are_exported(
    shop: MakeWorld, bench_of: BenchOf
) -> None:
    world = shop("calm")
    bench = bench_of(world)
    sell_without_network(world)
    said = bench.refused("retire", "--port", bench.port, *bench.server, "--yes")
    assert "records of sales are not on the server" in said
    blocked = "select blocked from terminal"
    assert not world.books.rows(blocked)[0]["blocked"], "the server was not even asked"

    folder = bench.folder / "exports"
    bench.tech("logs", "--port", bench.port, "--out", str(folder))
    bench.tech("retire", "--port", bench.port, *bench.server, "--yes")
    bench.tech("sync", *bench.server)
    assert world.books.debits_minor() == [4750], "the sale reached the ledger all the same"
    assert "(not sent)" not in bench.tech("history")


def test_sales_go_to_the_server_through_the_cable(shop: MakeWorld, bench_of: BenchOf) -> None:
    world = shop("calm")
    bench = bench_of(world)
    sell_without_network(world)
    said = bench.tech("sync", "--port", bench.port, *bench.server)
    assert ", 0 left" in said
    assert world.books.debits_minor() == [4750]


def test_an_export_holds_every_record_and_no_secret(shop: MakeWorld, bench_of: BenchOf) -> None:
    world = shop("calm")
    bench = bench_of(world)
    world.merchant.sign_in()
    world.wait_online()
    receipt = world.merchant.sell()
    folder = bench.folder / "exports"
    bench.tech("logs", "--port", bench.port, "--out", str(folder))
    text = next(folder.glob("*.jsonl")).read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[0]["status"]["terminal"] == world.terminal_id
    sequences = [line["record"] for line in lines if "record" in line]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
    secrets = [pin for product in ("air50", "air100") for pin in world.pins(product)]
    assert any(pin[:4] in receipt.text for pin in secrets), "a PIN was on paper"
    flat = text + bytes.fromhex("".join(line.get("raw", "") for line in lines)).decode("latin-1")
    assert not [pin for pin in secrets if pin in flat]
    assert MERCHANT_PIN not in [line.get("log", "") for line in lines]


def test_a_merchant_who_is_locked_out_is_unlocked(shop: MakeWorld, bench_of: BenchOf) -> None:
    world = shop("calm")
    bench = bench_of(world)
    world.terminal.wait_shows("Your PIN, then #", timeout_s=60)
    for _ in range(2):
        world.terminal.board.type("1111#")
        world.terminal.wait_shows("Wrong PIN")
        world.terminal.board.press("#")
        world.terminal.wait_shows("Your PIN, then #")
    world.terminal.board.type("1111#")
    world.terminal.wait_shows("Please wait")
    wrong = [*bench.server[:3], "not-a-token"]
    assert "401" in bench.refused("unlock", "--port", bench.port, *wrong)
    bench.tech("unlock", "--port", bench.port, *bench.server)
    world.merchant.sign_in()


def test_new_settings_need_the_server_and_a_technician(shop: MakeWorld, bench_of: BenchOf) -> None:
    world = shop()
    bench = bench_of(world)
    reached = ("--server-for-terminal", f"{SERVER_NAME}:{SERVER_PORT}")
    shown = ("--merchant", "Duka la Juma", "--merchant-pin", "9876", *reached)
    wrong = ["--server", world.server.url, "--token", "nobody"]
    assert "401" in bench.refused("configure", "--port", bench.port, *wrong, *shown)
    world.terminal.board.power_cycle()
    bench.tech("configure", "--port", bench.port, *bench.server, *shown)
    world.merchant.sign_in("9876")
    world.merchant.sell()
    assert "Duka la Juma" in world.terminal.receipts()[-1].text


def test_settings_that_were_not_named_stay_as_they_are(shop: MakeWorld, bench_of: BenchOf) -> None:
    world = shop()
    bench = bench_of(world)
    world.wait_online()
    told = custody.settings_of(bench.port)
    assert told is not None
    assert set(told["merchant"]) == {"name"}, "nothing by which a PIN can be guessed"
    said = bench.tech("configure", "--port", bench.port, *bench.server, "--time-zone", "+03:00")
    assert "utc_offset_s: None -> 10800" in said
    assert custody.settings_of(bench.port) == {**told, "utc_offset_s": 10800}
    world.merchant.sign_in()
    world.merchant.sell()
    told_office = world.books.rows("select merchant_name, channel from terminal")[0]
    assert told_office == {"merchant_name": "Mama Asha Shop", "channel": "stable"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--time-zone", "3"], "write it as +03:00"),
        (["--time-zone", "+15:00"], "write it as +03:00"),
        (["--merchant-pin", "12"], "4 to 8 digits"),
        (["--channel", "gamma"], "no channel gamma"),
        (["--merchant", "M" * 33], "name: not within 1..32"),
        (["--server-for-terminal", "duka.example:70000"], "port from 1 to 65535"),
        (["--apn", "a" * 100], "apn: not within 0..60 bytes"),
        (["--language", "english"], "language: not within 2..2"),
        ([], "name what to change"),
    ],
)
def test_settings_that_the_terminal_could_not_use_never_reach_it(
    shop: MakeWorld, bench_of: BenchOf, words: list[str], told: str
) -> None:
    bench = bench_of(shop("calm"))
    before = custody.settings_of(bench.port)
    assert told in bench.refused("configure", "--port", bench.port, *bench.server, *words)
    assert custody.settings_of(bench.port) == before


def test_a_terminal_out_of_service_for_its_settings_gets_whole_ones(
    shop: MakeWorld, bench_of: BenchOf
) -> None:
    world = shop("calm")
    bench = bench_of(world)
    spoil_settings(world)
    world.terminal.wait_shows("Needs service", timeout_s=60)
    job = ("configure", "--port", bench.port, *bench.server)
    assert "cannot tell its settings" in bench.refused(*job, "--apn", "internet")
    shown = ("--merchant", "Duka la Juma", "--merchant-pin", "9876")
    bench.tech(*job, *shown, "--server-for-terminal", f"{SERVER_NAME}:{SERVER_PORT}")
    world.merchant.sign_in("9876")


def test_a_release_from_a_folder_goes_on_trial_in_the_other_slot(
    shop: MakeWorld, bench_of: BenchOf
) -> None:
    world = shop()
    bench = bench_of(world)
    world.wait_online()
    world.offer(2)
    folder = bench.signed_folder()
    said = bench.tech("flash", "--port", bench.port, "--folder", str(folder))
    assert "1.1.0 is on trial" in said
    eventually(lambda: world.running() == (2, False), 90, "release 2, confirmed")
    assert world.terminal.slot_release("b") == 2


def test_an_image_that_is_not_the_signed_one_is_refused_before_the_upload_begins(
    shop: MakeWorld, bench_of: BenchOf
) -> None:
    world = shop("calm")
    bench = bench_of(world)
    folder = bench.signed_folder()
    image = folder / "image.romfs"
    image.write_bytes(image.read_bytes()[:-1] + b"!")
    said = bench.refused("flash", "--port", bench.port, "--folder", str(folder))
    assert "not the image that its channel lists" in said


def test_an_upload_whose_cable_is_pulled_goes_on_where_it_was(
    shop: MakeWorld, bench_of: BenchOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = shop("calm")
    bench = bench_of(world)
    folder = bench.signed_folder()
    bench.brick()
    seen: list[int] = []
    upload = RecoveryLink.upload_image

    def pulled(link: RecoveryLink, image: bytes, progress: Callable[[int, int], None]) -> None:
        def watch(done: int, total: int) -> None:
            seen.append(done)
            if done > 0x9000 and not pulls:
                pulls.append(done)
                world.terminal.board.power_off()
            progress(done, total)

        upload(link, image, watch)

    pulls: list[int] = []
    monkeypatch.setattr(RecoveryLink, "upload_image", pulled)
    monkeypatch.setattr(RecoveryLink.__init__, "__defaults__", (3.0,))
    said = bench.refused("recover", "--port", bench.port, "--folder", str(folder))
    assert "cable" in said
    seen.clear()
    world.terminal.board.power_on()
    bench.tech("recover", "--port", bench.port, "--folder", str(folder))
    assert seen[0] == 0x8000, "not from the start"


def test_a_copied_flash_is_no_second_terminal(make_world: MakeWorld, bench_of: BenchOf) -> None:
    world = make_world("calm")
    world.server.start()
    bench = bench_of(world)
    folder = ["--folder", str(bench.signed_folder())]
    original = NorFlash(world.flash)
    copy = NorFlash(None)
    copy.restore(original.snapshot())
    original.close()
    with SimulatedBoard(copy, unique_id=b"another!") as board:
        board.power_on()
        port = ["--port", board.serial_port]
        assert "recovery (foreign)" in bench.tech("list", *port)
        assert "it was copied" in bench.refused("recover", *port, *folder)
        assert "it was copied" in bench.refused("provision", *port, *bench.provision_options())
        assert board.flash.read(0x042000, 64) == copy.snapshot()[0x042000 : 0x042000 + 64]


def test_files_that_are_not_what_they_should_be_are_named_before_anything_is_written(
    bench_of: BenchOf, make_world: MakeWorld
) -> None:
    world = make_world("factory").open_shop()
    bench = bench_of(world)
    options = bench.provision_options()
    fetch = ["fetch", "--server", world.server.url, "--out", str(bench.folder / "out"), "--root"]
    for content in (b"", b"{}", b"\xff\xfe", b'{"signed": {"_type": "timestamp"}}'):
        bench.root.write_bytes(content)
        assert "root file" in bench.refused(*fetch, str(bench.root))
    assert "No such file" in bench.refused(*fetch, str(bench.folder / "nothing.json"))
    bench.root.write_bytes(world.manager.root)
    short = ["12" if word == "2580" else word for word in options]
    assert "4 to 8 digits" in bench.refused("provision", "--port", bench.port, *short)
    bench.boot.write_bytes(b"not an image")
    assert "boot image is none" in bench.refused("provision", "--port", bench.port, *options)
    assert "blank board" in bench.tech("list", "--port", bench.port)


def test_the_tools_leave_the_shell_as_it_is(bench_of: BenchOf, make_world: MakeWorld) -> None:
    bench = bench_of(make_world("factory"))
    for option in ("--install-completion", "--show-completion"):
        code, said = bench.run(option)
        assert code == 2, said
        assert "No such option" in said


def test_a_port_that_is_not_there_is_named(bench_of: BenchOf, make_world: MakeWorld) -> None:
    bench = bench_of(make_world("factory"))
    said = bench.tech("list", "--port", "/dev/no-such-port")
    assert "Is the cable in?" in said


def test_a_provision_that_lost_its_server_goes_on_later(
    make_world: MakeWorld, bench_of: BenchOf
) -> None:
    world = make_world("factory").open_shop()
    bench = bench_of(world)
    options = bench.provision_options()
    wrong = ["x" * 32 if word == world.token else word for word in options]
    assert "401" in bench.refused("provision", "--port", bench.port, *wrong)
    assert "recovery (provisioned)" in bench.tech("list", "--port", bench.port)
    bench.tech("provision", "--port", bench.port, *options)
    world.wait_online()
    again = bench.refused("provision", "--port", bench.port, *options)
    assert "sells already" in again


def test_several_blank_boards_are_provisioned_at_once_and_enrolled_later(
    make_world: MakeWorld, bench_of: BenchOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world("factory")
    world.server.start()
    bench = bench_of(world)
    folder = bench.signed_folder()
    world.server.stop()
    monkeypatch.setenv("DUKA_BATCH_PASSPHRASE", PASSPHRASE)
    batch = bench.folder / "batch.json"
    with (
        SimulatedBoard(NorFlash(None), unique_id=b"board-01") as one,
        SimulatedBoard(NorFlash(None), unique_id=b"board-02") as two,
    ):
        one.power_on()
        two.power_on()
        both = ["--port", one.serial_port, "--port", two.serial_port]
        said = bench.tech(
            *("provision", *both, "--folder", str(folder), "--boot-image", str(bench.boot)),
            *("--merchant", "Shop", "--merchant-pin", "2580", "--offline-batch", str(batch)),
            *("--server-for-terminal", "duka.example:80"),
        )
        assert said.count("enrol it with") == 2
    world.server.start()
    monkeypatch.setenv("DUKA_BATCH_PASSPHRASE", "another one")
    assert "wrong passphrase" in bench.refused("enrol", str(batch), *bench.server)
    monkeypatch.setenv("DUKA_BATCH_PASSPHRASE", PASSPHRASE)
    assert "2 terminals" in bench.tech("enrol", str(batch), *bench.server)
    assert "2 terminals" in bench.tech("enrol", str(batch), *bench.server), "harmless twice"


def _test_by(world: TerminalWorld, eyes: Eyes, job: Job) -> str | Exception:
    port = world.terminal.board.serial_port
    return on_each_port([port], lambda name, row: selftest.selftest(name, eyes, job, row), console)[
        port
    ]


def test_a_selftest_of_a_sound_terminal_ends_with_a_slip(shop: MakeWorld) -> None:
    world = shop("calm")
    world.wait_online()
    job = Job("selftest", "")
    bars: list[bool] = []

    class Reader(Eyes):
        def sees(self, question: str) -> bool:
            bars.append(console._live_stack != [])
            return super().sees(question)

    result = _test_by(world, Reader(world.terminal), job)
    assert isinstance(result, str), explain(result)
    assert bars and not any(bars), "a bar would be drawn over the question"
    slip = world.terminal.receipts()[-1].text
    for part in ("keypad", "LCD", "flash", "battery", "RTC", "printer", "SIM", "modem"):
        assert f"{part}: ok" in slip
    world.wait_online()


def test_a_selftest_names_the_part_that_is_broken(shop: MakeWorld) -> None:
    world = shop("calm")
    world.wait_online()
    world.terminal.board.call(world.terminal.board.board.battery.set_mv, 3100)
    job = Job("selftest", "")
    result = _test_by(world, Eyes(world.terminal), job)
    assert isinstance(result, LinkError)
    found = re.search(r"battery \((\d+) mV\)", str(result))
    assert found, result
    assert abs(int(found[1]) - 3100) < 10, "read through a converter with steps"


def test_the_simulated_board_keeps_every_promise_of_the_porting_guide(
    bench_of: BenchOf, make_world: MakeWorld
) -> None:
    bench = bench_of(make_world("factory"))
    image = bench.folder / "selftest.romfs"
    image.write_bytes(build_selftest(ROOT, "sim"))
    board = bench.world.terminal.board
    board.power_on()
    said = bench.tech("conform", "--port", bench.port, "--image", str(image))
    assert "keeps all" in said
    assert "blank board" in bench.tech("list", "--port", bench.port)
    board.call(setattr, board.board, "noise", lambda n: bytes(n))
    assert "randomness (NoEntropyError" in bench.refused(
        "conform", "--port", bench.port, "--image", str(image)
    )
