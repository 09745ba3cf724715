"""Each job of the technician alone, with what goes wrong at a technician."""

from __future__ import annotations

import json
import os
import pty
import re
from collections.abc import Callable

import pytest

from hw_sim.flash import NorFlash
from hw_sim.threaded import SimulatedBoard
from tests.attacks.flash import DATA, DATA_BYTES
from tests.powercut.files import Files
from tests.support.world import MERCHANT_PIN, SERVER_NAME, SERVER_PORT, eventually
from tests.technician.conftest import PASSPHRASE, Eyes, Technician
from tests.terminal.conftest import MakeWorld, TerminalWorld
from tools.errors import LinkError, explain
from tools.release.image import ROOT, build_selftest
from tools.technician import custody, parts
from tools.technician.log import Job
from tools.technician.options import console
from tools.technician.progress import on_each_port
from tools.technician.recovery_link import RecoveryLink

TechnicianOf = Callable[[TerminalWorld], Technician]


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
    shop: MakeWorld, technician_of: TechnicianOf
) -> None:
    world = shop("calm")
    technician = technician_of(world)
    sell_without_network(world)
    said = technician.refused("retire", "--port", technician.port, *technician.server, "--yes")
    assert "records of sales are not on the server" in said
    blocked = "select blocked from terminal"
    assert not world.books.rows(blocked)[0]["blocked"], "the server was not even asked"

    folder = technician.folder / "exports"
    technician.tech("logs", "--port", technician.port, "--out", str(folder))
    technician.tech("retire", "--port", technician.port, *technician.server, "--yes")
    technician.tech("sync", *technician.server)
    assert world.books.debits_minor() == [4750], "the sale reached the ledger all the same"
    assert "(not sent)" not in technician.tech("history")


def test_sales_go_to_the_server_through_the_cable(
    shop: MakeWorld, technician_of: TechnicianOf
) -> None:
    world = shop("calm")
    technician = technician_of(world)
    sell_without_network(world)
    said = technician.tech("sync", "--port", technician.port, *technician.server)
    assert ", 0 left" in said
    assert world.books.debits_minor() == [4750]


def test_an_export_holds_every_record_and_no_secret(
    shop: MakeWorld, technician_of: TechnicianOf
) -> None:
    world = shop("calm")
    technician = technician_of(world)
    world.merchant.sign_in()
    world.wait_online()
    receipt = world.merchant.sell()
    folder = technician.folder / "exports"
    technician.tech("logs", "--port", technician.port, "--out", str(folder))
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


def test_a_merchant_who_is_locked_out_is_unlocked(
    shop: MakeWorld, technician_of: TechnicianOf
) -> None:
    world = shop("calm")
    technician = technician_of(world)
    world.terminal.wait_shows("Your PIN, then #", timeout_s=60)
    for _ in range(2):
        world.terminal.board.type("1111#")
        world.terminal.wait_shows("Wrong PIN")
        world.terminal.board.press("#")
        world.terminal.wait_shows("Your PIN, then #")
    world.terminal.board.type("1111#")
    world.terminal.wait_shows("Please wait")
    wrong = [*technician.server[:3], "not-a-token"]
    assert "401" in technician.refused("unlock", "--port", technician.port, *wrong)
    technician.tech("unlock", "--port", technician.port, *technician.server)
    world.merchant.sign_in()


def test_new_settings_need_the_server_and_a_technician(
    shop: MakeWorld, technician_of: TechnicianOf
) -> None:
    world = shop()
    technician = technician_of(world)
    reached = ("--server-for-terminal", f"{SERVER_NAME}:{SERVER_PORT}")
    shown = ("--merchant", "Duka la Juma", "--merchant-pin", "9876", *reached)
    wrong = ["--server", world.server.url, "--token", "nobody"]
    assert "401" in technician.refused("configure", "--port", technician.port, *wrong, *shown)
    world.terminal.board.power_cycle()
    technician.tech("configure", "--port", technician.port, *technician.server, *shown)
    world.merchant.sign_in("9876")
    world.merchant.sell()
    assert "Duka la Juma" in world.terminal.receipts()[-1].text


def test_settings_that_were_not_named_stay_as_they_are(
    shop: MakeWorld, technician_of: TechnicianOf
) -> None:
    world = shop()
    technician = technician_of(world)
    world.wait_online()
    told = custody.settings_of(technician.port)
    assert told is not None
    assert set(told["merchant"]) == {"name"}, "nothing by which a PIN can be guessed"
    said = technician.tech(
        "configure", "--port", technician.port, *technician.server, "--time-zone", "+03:00"
    )
    assert "utc_offset_s: None -> 10800" in said
    assert custody.settings_of(technician.port) == {**told, "utc_offset_s": 10800}
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
    shop: MakeWorld, technician_of: TechnicianOf, words: list[str], told: str
) -> None:
    technician = technician_of(shop("calm"))
    before = custody.settings_of(technician.port)
    assert told in technician.refused(
        "configure", "--port", technician.port, *technician.server, *words
    )
    assert custody.settings_of(technician.port) == before


def test_a_terminal_out_of_service_for_its_settings_gets_whole_ones(
    shop: MakeWorld, technician_of: TechnicianOf
) -> None:
    world = shop("calm")
    technician = technician_of(world)
    spoil_settings(world)
    world.terminal.wait_shows("Needs service", timeout_s=60)
    job = ("configure", "--port", technician.port, *technician.server)
    assert "cannot tell its settings" in technician.refused(*job, "--apn", "internet")
    shown = ("--merchant", "Duka la Juma", "--merchant-pin", "9876")
    technician.tech(*job, *shown, "--server-for-terminal", f"{SERVER_NAME}:{SERVER_PORT}")
    world.merchant.sign_in("9876")


def test_a_release_from_a_folder_goes_on_trial_in_the_other_slot(
    shop: MakeWorld, technician_of: TechnicianOf
) -> None:
    world = shop()
    technician = technician_of(world)
    world.wait_online()
    world.offer(2)
    folder = technician.signed_folder()
    said = technician.tech("flash", "--port", technician.port, "--folder", str(folder))
    assert "1.1.0 is on trial" in said
    eventually(lambda: world.running() == (2, False), 90, "release 2, confirmed")
    assert world.terminal.slot_release("b") == 2


def test_an_image_that_is_not_the_signed_one_is_refused_before_the_upload_begins(
    shop: MakeWorld, technician_of: TechnicianOf
) -> None:
    world = shop("calm")
    technician = technician_of(world)
    folder = technician.signed_folder()
    image = folder / "image.romfs"
    image.write_bytes(image.read_bytes()[:-1] + b"!")
    said = technician.refused("flash", "--port", technician.port, "--folder", str(folder))
    assert "not the image that its channel lists" in said


def test_an_upload_whose_cable_is_pulled_goes_on_where_it_was(
    shop: MakeWorld, technician_of: TechnicianOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = shop("calm")
    technician = technician_of(world)
    folder = technician.signed_folder()
    technician.brick()
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
    said = technician.refused("recover", "--port", technician.port, "--folder", str(folder))
    assert "cable" in said
    seen.clear()
    world.terminal.board.power_on()
    technician.tech("recover", "--port", technician.port, "--folder", str(folder))
    assert seen[0] == 0x8000, "not from the start"


def test_a_copied_flash_is_no_second_terminal(
    make_world: MakeWorld, technician_of: TechnicianOf
) -> None:
    world = make_world("calm")
    world.server.start()
    technician = technician_of(world)
    folder = ["--folder", str(technician.signed_folder())]
    original = NorFlash(world.flash)
    copy = NorFlash(None)
    copy.restore(original.snapshot())
    original.close()
    with SimulatedBoard(copy, unique_id=b"another!") as board:
        board.power_on()
        port = ["--port", board.serial_port]
        assert "recovery (foreign)" in technician.tech("list", *port)
        assert "it was copied" in technician.refused("recover", *port, *folder)
        assert "it was copied" in technician.refused(
            "provision", *port, *technician.provision_options()
        )
        assert board.flash.read(0x042000, 64) == copy.snapshot()[0x042000 : 0x042000 + 64]


def test_files_that_are_not_what_they_should_be_are_named_before_anything_is_written(
    technician_of: TechnicianOf, make_world: MakeWorld
) -> None:
    world = make_world("factory").open_shop()
    technician = technician_of(world)
    options = technician.provision_options()
    fetch = [
        "fetch",
        "--server",
        world.server.url,
        "--out",
        str(technician.folder / "out"),
        "--root",
    ]
    for content in (b"", b"{}", b"\xff\xfe", b'{"signed": {"_type": "timestamp"}}'):
        technician.root.write_bytes(content)
        assert "root file" in technician.refused(*fetch, str(technician.root))
    assert "No such file" in technician.refused(*fetch, str(technician.folder / "nothing.json"))
    technician.root.write_bytes(world.manager.root)
    short = ["12" if word == "2580" else word for word in options]
    assert "4 to 8 digits" in technician.refused("provision", "--port", technician.port, *short)
    technician.boot.write_bytes(b"not an image")
    assert "boot image is none" in technician.refused(
        "provision", "--port", technician.port, *options
    )
    assert "blank board" in technician.tech("list", "--port", technician.port)


def test_the_tools_leave_the_shell_as_it_is(
    technician_of: TechnicianOf, make_world: MakeWorld
) -> None:
    technician = technician_of(make_world("factory"))
    for option in ("--install-completion", "--show-completion"):
        code, said = technician.run(option)
        assert code == 2, said
        assert "No such option" in said


def test_a_port_that_is_not_there_is_named(
    technician_of: TechnicianOf, make_world: MakeWorld
) -> None:
    technician = technician_of(make_world("factory"))
    said = technician.tech("list", "--port", "/dev/no-such-port")
    assert "Is the cable in?" in said


def test_a_port_on_which_nothing_answers_is_told_of_in_one_line(
    technician_of: TechnicianOf, make_world: MakeWorld
) -> None:
    technician = technician_of(make_world("factory"))
    ours, theirs = pty.openpty()
    port = os.ttyname(theirs)
    with technician.start("list", "--port", port) as program:
        said, _ = program.communicate(timeout=60)
    for end in (ours, theirs):
        os.close(end)
    assert said.splitlines() == [f"{port}  nothing answers"]


def test_a_provision_that_lost_its_server_goes_on_later(
    make_world: MakeWorld, technician_of: TechnicianOf
) -> None:
    world = make_world("factory").open_shop()
    technician = technician_of(world)
    options = technician.provision_options()
    wrong = ["x" * 32 if word == world.token else word for word in options]
    assert "401" in technician.refused("provision", "--port", technician.port, *wrong)
    assert "recovery (provisioned)" in technician.tech("list", "--port", technician.port)
    technician.tech("provision", "--port", technician.port, *options)
    world.wait_online()
    again = technician.refused("provision", "--port", technician.port, *options)
    assert "sells already" in again


def test_several_blank_boards_are_provisioned_at_once_and_enrolled_later(
    make_world: MakeWorld, technician_of: TechnicianOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world("factory")
    world.server.start()
    technician = technician_of(world)
    folder = technician.signed_folder()
    world.server.stop()
    monkeypatch.setenv("DUKA_BATCH_PASSPHRASE", PASSPHRASE)
    batch = technician.folder / "batch.json"
    with (
        SimulatedBoard(NorFlash(None), unique_id=b"board-01") as one,
        SimulatedBoard(NorFlash(None), unique_id=b"board-02") as two,
    ):
        one.power_on()
        two.power_on()
        both = ["--port", one.serial_port, "--port", two.serial_port]
        said = technician.tech(
            *("provision", *both, "--folder", str(folder), "--boot-image", str(technician.boot)),
            *("--merchant", "Shop", "--merchant-pin", "2580", "--offline-batch", str(batch)),
            *("--server-for-terminal", "duka.example:80"),
        )
        assert said.count("enrol it with") == 2
    world.server.start()
    monkeypatch.setenv("DUKA_BATCH_PASSPHRASE", "another one")
    assert "wrong passphrase" in technician.refused("enrol", str(batch), *technician.server)
    monkeypatch.setenv("DUKA_BATCH_PASSPHRASE", PASSPHRASE)
    assert "2 terminals" in technician.tech("enrol", str(batch), *technician.server)
    assert "2 terminals" in technician.tech("enrol", str(batch), *technician.server), (
        "harmless twice"
    )


def _test_by(world: TerminalWorld, eyes: Eyes, job: Job) -> str | Exception:
    port = world.terminal.board.serial_port
    return on_each_port([port], lambda name, row: parts.selftest(name, eyes, job, row), console)[
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
    technician_of: TechnicianOf, make_world: MakeWorld
) -> None:
    technician = technician_of(make_world("factory"))
    image = technician.folder / "selftest.romfs"
    image.write_bytes(build_selftest(ROOT, "sim"))
    board = technician.world.terminal.board
    board.power_on()
    said = technician.tech("conform", "--port", technician.port, "--image", str(image))
    assert "keeps all" in said
    assert "blank board" in technician.tech("list", "--port", technician.port)
    board.call(setattr, board.board.noise, "source", lambda n: bytes(n))
    assert "randomness (NoEntropyError" in technician.refused(
        "conform", "--port", technician.port, "--image", str(image)
    )
