"""Serial recovery on the simulated board, through a standard SMP client over the serial port."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import smp.packet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from smpclient.generics import success
from smpclient.requests.file_management import FileDownload, FileUpload
from smpclient.requests.image_management import (
    ImageErase,
    ImageStatesRead,
    ImageStatesWrite,
    ImageUploadWrite,
)
from smpclient.requests.os_management import DateTimeRead, EchoWrite, MCUMgrParametersRead

from tests.boot import signed
from tests.boot.conftest import Workshop
from tests.boot.terminal import CONTROL, SLOT, TERMINAL_ID, Terminal, provision
from tools.errors import LinkError
from tools.technician.recovery_link import IdentityWrite, PermitWrite, RecoveryLink


@contextmanager
def repair(bench: Terminal) -> Iterator[RecoveryLink]:
    """Recovery of a terminal that would boot: the technician holds `*`."""
    bench.board.hold("*")
    bench.board.power_on()
    with bench.recovery() as link:
        bench.board.release("*")
        yield link


def ask(link: RecoveryLink, request: Any) -> Any:
    """The parsed answer of a standard client, refusal or not."""
    return link._run(link._client.request(request))


def refusal(link: RecoveryLink, request: Any) -> str:
    answer = ask(link, request)
    assert not success(answer), answer
    return str(answer.rsn)


def images(link: RecoveryLink) -> list[Any]:
    return list(ask(link, ImageStatesRead()).images)


def upload_trust(link: RecoveryLink, files: dict[str, bytes]) -> None:
    for role, content in files.items():
        link.upload_file(f"/data/trust/{role}.json", content)


# --- provisioning ---


def test_a_blank_board_says_what_it_is(blank: Terminal) -> None:
    blank.board.power_on()
    with blank.recovery() as link:
        found = link.status()
        assert (found.state, found.hardware_class, found.revision) == ("blank", "duka-r1", 1)
        assert found.uid == blank.board.board.unique_id
        parameters = ask(link, MCUMgrParametersRead())
        assert (parameters.buf_size, parameters.buf_count) == (1024, 1)


def test_the_key_is_told_again_until_the_first_image_and_then_never(
    blank: Terminal, workshop: Workshop
) -> None:
    blank.board.power_on()
    with blank.recovery() as link:
        key = link.make_identity(TERMINAL_ID)
        assert len(key) == 32
        assert link.make_identity(TERMINAL_ID) == key, "the first reply may have been lost"
        with pytest.raises(LinkError, match="has an identity"):
            link.make_identity(b"another!")
    blank.board.power_cycle()
    with blank.recovery() as link:
        assert link.make_identity(TERMINAL_ID) == key
        upload_trust(link, workshop.files)
        link.upload_image(workshop.images[1])
        with pytest.raises(LinkError, match="has an identity"):
            link.make_identity(TERMINAL_ID)


def test_two_boards_make_different_keys(blank: Terminal, workshop: Workshop) -> None:
    assert provision(blank, workshop.images[1], workshop.files) != workshop.device_key


@pytest.mark.parametrize("how", ["before", "torn", "after"])
def test_provisioning_can_be_repeated_after_a_cut_in_the_middle(
    blank: Terminal, workshop: Workshop, how: Any
) -> None:
    blank.board.power_on()
    with blank.recovery() as link:
        first = blank.board.flash.operations
        link.make_identity(TERMINAL_ID)
        operations = blank.board.flash.operations - first
    blank.board.power_off()
    for operation in (1, 128, *range(operations - 5, operations + 1)):
        blank.board.flash.restore(b"\xff" * blank.board.flash.size_bytes)
        blank.board.flash.damage(0, workshop.boot)
        blank.board.power_on()
        with blank.recovery() as link:
            at = blank.board.flash.operations + operation
            blank.board.cut_power_at_flash_operation(at, how)
            link._run(_until_dark(blank, link._client.request(IdentityWrite(terminal=TERMINAL_ID))))
        blank.board.power_on()
        with blank.recovery() as link:
            assert link.make_identity(TERMINAL_ID)
            assert link.status().state == "provisioned"
        blank.board.power_off()


async def _until_dark(bench: Terminal, work: Coroutine[Any, Any, object]) -> None:
    """Begin `work` and leave it when the supply is gone, as it then gets no answer any more."""
    task = asyncio.create_task(work)
    for _ in range(1000):
        if not bench.board.board.powered:
            break
        await asyncio.sleep(0.01)
    else:
        raise AssertionError("the cut did not fire")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_an_image_before_an_identity_is_refused(blank: Terminal, workshop: Workshop) -> None:
    blank.board.power_on()
    with blank.recovery() as link, pytest.raises(LinkError, match="make an identity first"):
        link.upload_image(workshop.images[1])


def test_a_terminal_id_of_another_length_is_refused(blank: Terminal) -> None:
    blank.board.power_on()
    with blank.recovery() as link, pytest.raises(LinkError, match="8 bytes"):
        link.make_identity(b"short")


# --- images ---


def test_a_bricked_terminal_is_mended_by_a_signed_image(
    bench: Terminal, workshop: Workshop
) -> None:
    bench.spoil(SLOT["a"] + 100)
    bench.board.power_on()
    with bench.recovery() as link:
        link.upload_image(workshop.images[2])
        link.choose_image(_digest(workshop.images[2]), confirm=False)
        link.reset()
    facts = bench.running()
    assert (facts["label"], facts["slot"], facts["trial"]) == ("probe 2", "b", True)


def _digest(image: bytes) -> bytes:
    return hashlib.sha256(image).digest()


def test_an_additional_image_waits_until_it_is_chosen_for_a_test(
    bench: Terminal, workshop: Workshop
) -> None:
    with repair(bench) as link:
        link.upload_image(workshop.images[2])
        first, second = images(link)
        assert (first.active, first.confirmed, first.version) == (True, True, "1")
        assert (second.active, second.bootable, second.version) == (False, False, "2")
        assert second.hash == _digest(workshop.images[2])
        link._request(ImageStatesWrite(hash=_digest(workshop.images[2]), confirm=False))
        assert images(link)[1].pending
        link.reset()
    facts = bench.running()
    assert (facts["slot"], facts["trial"]) == ("b", True)


def test_an_image_that_was_not_chosen_is_not_booted(bench: Terminal, workshop: Workshop) -> None:
    with repair(bench) as link:
        link.upload_image(workshop.images[2])
        link.reset()
    assert bench.running()["slot"] == "a"


def test_an_interrupted_upload_resumes_where_it_was(bench: Terminal, workshop: Workshop) -> None:
    image = workshop.images[2]
    with repair(bench) as link:
        half = link._run(_until(link._client.upload(image), len(image) // 2))
    with RecoveryLink(bench.board.serial_port) as link:
        offsets = link._run(_all(link._client.upload(image)))
        assert offsets[0] == half
        assert offsets[-1] == len(image)
        assert images(link)[1].hash == _digest(image)


def test_an_upload_goes_on_after_a_power_cut(bench: Terminal, workshop: Workshop) -> None:
    image = workshop.images[2]
    with repair(bench) as link:
        reached = link._run(_until(link._client.upload(image), 2 * 0x8000 + 100))
        assert reached < len(image), "cut in the middle"
    bench.board.power_off()
    with repair(bench) as link:
        offsets = link._run(_all(link._client.upload(image)))
        assert offsets[0] == 2 * 0x8000, "the last note, one each 32 KiB"
        assert images(link)[1].hash == _digest(image)


def test_an_upload_does_not_go_on_over_what_was_spoiled_meanwhile(
    bench: Terminal, workshop: Workshop
) -> None:
    image = workshop.images[2]
    with repair(bench) as link:
        link._run(_until(link._client.upload(image), 0x8000 + 100))
    bench.board.power_off()
    bench.spoil(SLOT["b"] + 100)
    with repair(bench) as link:
        assert link._run(_all(link._client.upload(image)))[0] < 0x8000, "from the start"
        assert images(link)[1].hash == _digest(image)


async def _until(offsets: Any, least: int) -> int:
    async for offset in offsets:
        if offset >= least:
            break
    return int(offset)


async def _all(offsets: Any) -> list[int]:
    return [offset async for offset in offsets]


def test_a_wrong_offset_is_answered_with_the_expected_one(
    bench: Terminal, workshop: Workshop
) -> None:
    image = workshop.images[2]
    with repair(bench) as link:
        first = ImageUploadWrite(off=0, data=image[:300], len=len(image), sha=_digest(image))
        assert ask(link, first).off == 300
        assert ask(link, ImageUploadWrite(off=500, data=image[500:600])).off == 300
        assert ask(link, ImageUploadWrite(off=100, data=image[100:200])).off == 300
        assert "offset 0" not in str(ask(link, ImageUploadWrite(off=300, data=image[300:400])))


def test_a_lost_last_answer_is_given_again(bench: Terminal, workshop: Workshop) -> None:
    image = workshop.images[2]
    with repair(bench) as link:
        link.upload_image(image)
        last = ImageUploadWrite(off=len(image) - 10, data=image[-10:])
        assert ask(link, last).off == len(image)


def test_an_upload_that_was_never_begun_is_refused(bench: Terminal) -> None:
    with repair(bench) as link:
        assert "offset 0" in refusal(link, ImageUploadWrite(off=10, data=b"x"))


def test_an_image_that_arrives_damaged_is_refused(bench: Terminal, workshop: Workshop) -> None:
    image = workshop.images[2]
    damaged = image[:-1] + bytes([image[-1] ^ 1])
    with repair(bench) as link:
        sent = 0
        while sent < len(image) - 500:
            piece = damaged[sent : sent + 500]
            fields: dict[str, Any] = {"len": len(image), "sha": _digest(image)} if not sent else {}
            sent = ask(link, ImageUploadWrite(off=sent, data=piece, **fields)).off
        said = refusal(link, ImageUploadWrite(off=sent, data=damaged[sent:]))
        assert "arrived damaged" in said
        assert len(images(link)) == 1


def test_a_client_that_names_no_hash_is_refused_before_anything_is_erased(
    bench: Terminal, workshop: Workshop
) -> None:
    image = workshop.images[2]
    with repair(bench) as link:
        link.upload_image(image)
        before = bench.board.flash.operations
        for sha in (None, b"", _digest(image)[:16], os.urandom(32)):
            first = ImageUploadWrite(off=0, data=image[:300], len=len(image), sha=sha)
            assert any(words in refusal(link, first) for words in ("sha", "not listed"))
        assert bench.board.flash.operations == before
        assert images(link)[1].hash == _digest(image)


def test_an_image_that_is_on_board_needs_no_upload(bench: Terminal, workshop: Workshop) -> None:
    with repair(bench) as link:
        link.upload_image(workshop.images[2])
        link.choose_image(_digest(workshop.images[2]), confirm=False)
        for release in (1, 2):
            image = workshop.images[release]
            before = bench.board.flash.operations
            assert link._run(_all(link._client.upload(image))) == [len(image)]
            assert bench.board.flash.operations == before


@pytest.mark.parametrize("restarts", [False, True])
def test_an_upload_that_is_interrupted_and_erased_goes_through_when_it_is_sent_again(
    bench: Terminal, workshop: Workshop, restarts: bool
) -> None:
    image = workshop.images[2]
    with repair(bench) as link:
        link._run(_until(link._client.upload(image), 0x9000))
    if restarts:
        bench.board.power_off()
        bench.board.hold("*")
        bench.board.power_on()
    with bench.recovery() as link:
        bench.board.release("*")
        assert success(ask(link, ImageErase()))
        assert link._run(_all(link._client.upload(image)))[0] < 0x8000, "from the start"
        assert images(link)[1].hash == _digest(image)


def test_a_note_of_an_upload_that_another_replaced_says_nothing(
    bench: Terminal, workshop: Workshop
) -> None:
    second, third = workshop.images[2], workshop.images[3]
    entries = [signed.entry(workshop.images[release], release) for release in (1, 2, 3)]
    with repair(bench) as link:
        upload_trust(link, workshop.channel.files(*entries, version=60))
        link._run(_until(link._client.upload(second), 0x9000))
    bench.board.power_off()
    bench.put_image("b", third)  # as an update over the air does
    with repair(bench) as link:
        link.upload_image(second)
        assert images(link)[1].hash == _digest(second)


def test_a_second_flash_during_a_trial_replaces_the_trial_and_not_the_way_back(
    bench: Terminal, workshop: Workshop
) -> None:
    entries = [signed.entry(workshop.images[release], release) for release in (1, 2, 3)]
    with repair(bench) as link:
        upload_trust(link, workshop.channel.files(*entries, version=70))
        link.upload_image(workshop.images[2])
        link.choose_image(_digest(workshop.images[2]), confirm=False)
        link.reset()
    assert bench.running()["release"] == 2
    bench.board.power_off()
    with repair(bench) as link:
        assert "the way back" in refusal(link, ImageErase())
        assert "in use" in refusal(link, ImageErase(slot=1))
        link.upload_image(workshop.images[3])
        link.choose_image(_digest(workshop.images[3]), confirm=False)
        link.reset()
    facts = bench.running()
    assert (facts["release"], facts["slot"], facts["trial"]) == (3, "b", True)
    for reason in ("first", "second"):
        bench.end("crash " + reason)
        facts = bench.running()
    assert (facts["release"], facts["slot"], facts["trial"]) == (1, "a", False)


def test_nothing_on_the_cable_confirms_a_release(bench: Terminal, workshop: Workshop) -> None:
    second = ImageStatesWrite(hash=_digest(workshop.images[2]), confirm=True)
    with repair(bench) as link:
        link.upload_image(workshop.images[2])
        assert "self-test" in refusal(link, second)
        link.choose_image(_digest(workshop.images[2]), confirm=False)
        assert "self-test" in refusal(link, second)
        assert "self-test" in refusal(link, ImageStatesWrite(confirm=True))
        assert [image.confirmed for image in images(link)] == [True, False]


def test_an_older_release_than_the_confirmed_one_is_not_taken(
    bench: Terminal, workshop: Workshop
) -> None:
    with repair(bench) as link:
        link.upload_image(workshop.images[2])
        link.choose_image(_digest(workshop.images[2]), confirm=False)
        link.reset()
    bench.running()
    bench.tell("confirm")
    bench.board.power_off()
    bench.spoil(SLOT["a"] + 100)
    with repair(bench) as link, pytest.raises(LinkError, match="1 is older"):
        link.upload_image(workshop.images[1])
    bench.board.power_off()
    bench.board.power_on()
    assert bench.running()["release"] == 2


def test_the_confirmed_release_of_before_is_not_chosen_over_the_one_that_runs(
    bench: Terminal, workshop: Workshop
) -> None:
    with repair(bench) as link:
        link.upload_image(workshop.images[2])
        link.choose_image(_digest(workshop.images[2]), confirm=False)
        link.reset()
    bench.running()
    old = ImageStatesWrite(hash=_digest(workshop.images[1]), confirm=False)
    bench.board.power_off()
    with repair(bench) as link:
        assert success(ask(link, old)), "a trial may be ended by hand"
        assert [image.active for image in images(link)] == [True, False]
        link.choose_image(_digest(workshop.images[2]), confirm=False)
        link.reset()
    bench.running()
    bench.tell("confirm")
    bench.board.power_off()
    with repair(bench) as link:
        assert "is older" in refusal(link, old)


def test_an_image_larger_than_the_slot_is_refused_at_once(bench: Terminal) -> None:
    with repair(bench) as link:
        before = bench.board.flash.operations
        request = ImageUploadWrite(off=0, data=b"x", len=0xA0001, sha=bytes(32))
        assert "does not fit" in refusal(link, request)
        nothing = ImageUploadWrite(off=0, data=b"", len=0, sha=bytes(32))
        assert "does not fit" in refusal(link, nothing)
        assert bench.board.flash.operations == before


def test_more_bytes_than_announced_are_refused(bench: Terminal, workshop: Workshop) -> None:
    image = workshop.images[2]
    with repair(bench) as link:
        sent = 0
        while sent < len(image) - 500:
            fields: dict[str, Any] = {"len": len(image), "sha": _digest(image)} if not sent else {}
            request = ImageUploadWrite(off=sent, data=image[sent : sent + 500], **fields)
            sent = ask(link, request).off
        too_much = ImageUploadWrite(off=sent, data=image[sent:] + b"x")
        assert "more bytes" in refusal(link, too_much)
        assert ask(link, ImageUploadWrite(off=sent, data=image[sent:])).off == len(image)


def test_an_unlisted_image_is_refused_and_the_slot_kept(
    bench: Terminal, workshop: Workshop
) -> None:
    with repair(bench) as link:
        link.upload_image(workshop.images[2])
        with pytest.raises(LinkError, match="not listed"):
            link.upload_image(workshop.images[3])
        with pytest.raises(LinkError, match="not listed"):
            link.upload_image(os.urandom(5000))
        assert images(link)[1].hash == _digest(workshop.images[2])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"hardware": {"class": "other-r9", "revisions": [1]}}, "other-r9"),
        ({"hardware": {"class": "duka-r1", "revisions": [2, 3]}}, "revisions"),
        ({"min_bootloader": 2}, "bootloader"),
        ({"security_version": 0}, "known holes"),
    ],
)
def test_a_signed_image_that_does_not_fit_this_terminal_is_refused(
    bench: Terminal, workshop: Workshop, changes: dict[str, Any], reason: str
) -> None:
    image = workshop.images[3]
    files = workshop.channel.files(signed.entry(image, 3, **changes), version=10)
    with repair(bench) as link:
        upload_trust(link, files)
        with pytest.raises(LinkError, match=reason):
            link.upload_image(image)
        assert len(images(link)) == 1


def test_a_state_write_of_an_unknown_damaged_or_failed_image_is_refused(
    bench: Terminal, workshop: Workshop
) -> None:
    digest = _digest(workshop.images[2])
    with repair(bench) as link:
        assert "no slot" in refusal(link, ImageStatesWrite(hash=digest, confirm=False))
        link.upload_image(workshop.images[2])
        bench.spoil(SLOT["b"] + 5000)
        assert "damaged" in refusal(link, ImageStatesWrite(hash=digest, confirm=False))


def test_erase_empties_the_other_slot_and_never_the_active_one(
    bench: Terminal, workshop: Workshop
) -> None:
    with repair(bench) as link:
        link.upload_image(workshop.images[2])
        assert "in use" in refusal(link, ImageErase(slot=0))
        assert "0 and 1" in refusal(link, ImageErase(slot=2))
        assert success(ask(link, ImageErase()))
        assert len(images(link)) == 1
    assert bench.board.flash.read(SLOT["b"], 0xA0000) == b"\xff" * 0xA0000


@pytest.mark.parametrize("how", ["before", "torn", "after"])
def test_a_cut_during_an_upload_leaves_the_running_release_and_can_be_repeated(
    bench: Terminal, workshop: Workshop, how: Any
) -> None:
    image = workshop.images[2]
    for operation in (1, 2, 60):
        with repair(bench) as link:
            bench.board.cut_power_at_flash_operation(bench.board.flash.operations + operation, how)
            link._run(_until_dark(bench, _all(link._client.upload(image))))
        bench.board.power_on()
        assert bench.running()["slot"] == "a"
        bench.board.power_off()
    with repair(bench) as link:
        link.upload_image(image)
        assert images(link)[1].hash == _digest(image)


def test_lost_boot_records_do_not_bring_an_unlisted_image_back(
    bench: Terminal, workshop: Workshop
) -> None:
    with repair(bench) as link:
        upload_trust(link, workshop.channel.files(signed.entry(workshop.images[3], 3), version=20))
    bench.board.power_off()
    bench.spoil(CONTROL, bytes(8192))
    bench.board.power_on()
    with bench.recovery() as link:
        assert images(link) == []
        link.upload_image(workshop.images[3])
        link.reset()
    assert bench.running()["label"] == "probe 3"


# --- files ---


def permits(workshop: Workshop, action: bytes = b"file") -> Callable[[bytes, bytes], bytes]:
    """The server, as the technician's tools ask it. It gives none for a challenge that the terminal
    did not draw."""
    info = b"duka technician 1"  # not tests.money.office: another terminal, another key
    key = HKDF(SHA256(), 32, salt=TERMINAL_ID, info=info).derive(workshop.device_key)

    def permit(challenge: bytes, file: bytes) -> bytes:
        drawn, proof = challenge[:16], challenge[16:]
        assert proof == hmac.digest(key, b"challenge" + drawn, "sha256")[:16]
        bound = hashlib.sha256(drawn + file).digest()[:16]
        return hmac.digest(key, action + bound, "sha256")[:16]

    return permit


def test_a_permitted_file_arrives_whole_and_replaces_the_old_one(
    bench: Terminal, workshop: Workshop
) -> None:
    permit = permits(workshop)
    with repair(bench) as link:
        for size in (0, 1, 5000):
            link.upload_permitted("/data/config.json", b"x" * size, permit)
        link.upload_permitted("/data/stock/7.cbor", os.urandom(3000), permit)


@pytest.mark.parametrize("name", ["config.json", "merchant.json", "update.json", "stock/1.cbor"])
def test_a_file_that_nobody_signed_or_permitted_is_refused(bench: Terminal, name: str) -> None:
    with repair(bench) as link, pytest.raises(LinkError, match="needs a permit"):
        link.upload_file(f"/data/{name}", b"{}")


def test_a_permit_is_for_one_file_one_content_one_action_and_one_time(
    bench: Terminal, workshop: Workshop
) -> None:
    permit = permits(workshop)
    asked: list[bytes] = []

    def remembered(challenge: bytes, file: bytes) -> bytes:
        asked.append(permit(challenge, file))
        return asked[-1]

    with repair(bench) as link:
        link.upload_permitted("/data/config.json", b"{}", remembered)
        for name, content in (("config.json", b"{1}"), ("merchant.json", b"{}")):
            with pytest.raises(LinkError, match="needs a permit"):
                link.upload_file(f"/data/{name}", content)
        for wrong in (
            lambda *_: asked[0],
            permits(workshop, b"unlock"),
            lambda *_: b"",
            lambda *_: bytes(16),
        ):
            with pytest.raises(LinkError, match="not for this"):
                link.upload_permitted("/data/config.json", b"{2}", wrong)
            with pytest.raises(LinkError, match="needs a permit"):
                link.upload_file("/data/config.json", b"{2}")
        again = PermitWrite(file=bytes(32), permit=asked[0])
        assert "ask for a challenge first" in refusal(link, again)


def test_in_recovery_only_the_signed_price_list_replaces_the_one_on_board(
    bench: Terminal, workshop: Workshop
) -> None:
    prices = b'{"version": 4, "products": []}'
    files = workshop.channel.files(signed.entry(workshop.images[1], 1), catalogue=prices)
    with repair(bench) as link:
        with pytest.raises(LinkError, match="upload the signed files first"):
            link.upload_file("/data/catalogue.json", prices)
        upload_trust(link, files)
        with pytest.raises(LinkError, match="not the signed one"):
            link.upload_file("/data/catalogue.json", prices.replace(b"4", b"5"))
        link.upload_file("/data/catalogue.json", prices)


FORBIDDEN_NAMES = (
    "/etc/passwd",
    "/data",
    "/data/",
    "/data/../rom/main.mpy",
    "/data/./x",
    "/data//x",
    "data/x",
    "/database/x",
    "/rom/main.mpy",
    "/slot/x",
    "/data/x.new",
    "/data/" + "x" * 60,
    "/data/a b",
    "/data/trust/x.bin",
    "/data/trust/sub/root.json",
)


def test_a_name_outside_the_data_folder_is_refused(bench: Terminal) -> None:
    with repair(bench) as link:
        for name in FORBIDDEN_NAMES:
            said = refusal(link, FileUpload(name=name, off=0, data=b"x", len=1))
            assert "/data/" in said, name


def test_files_cannot_be_read_out(bench: Terminal) -> None:
    with repair(bench) as link:
        assert "read out" in refusal(link, FileDownload(name="/data/config.json", off=0))


def test_a_file_too_large_or_longer_than_announced_is_refused(bench: Terminal) -> None:
    with repair(bench) as link:
        huge = FileUpload(name="/data/x", off=0, data=b"x", len=1 << 30)
        assert "too large" in refusal(link, huge)
        assert "more bytes" in refusal(link, FileUpload(name="/data/x", off=0, data=b"xy", len=1))


def test_a_wrong_file_offset_is_answered_with_the_expected_one(blank: Terminal) -> None:
    blank.board.power_on()
    with blank.recovery() as link:
        link.make_identity(TERMINAL_ID)
        assert ask(link, FileUpload(name="/data/x", off=0, data=b"12345", len=10)).off == 5
        assert ask(link, FileUpload(name="/data/x", off=7, data=b"89")).off == 5
        assert ask(link, FileUpload(name="/data/y", off=5, data=b"67890")).off == 0
        assert ask(link, FileUpload(name="/data/x", off=5, data=b"67890")).off == 10


# --- trust ---


def test_metadata_that_is_not_signed_by_the_root_is_refused(
    bench: Terminal, workshop: Workshop
) -> None:
    stranger = signed.Channel()
    files = stranger.files(signed.entry(workshop.images[3], 3), version=30)
    with repair(bench) as link:
        for role in files:
            with pytest.raises(LinkError, match=r"signatures|version|differs|listed"):
                link.upload_file(f"/data/trust/{role}.json", files[role])
        with pytest.raises(LinkError, match="not listed"):
            link.upload_image(workshop.images[3])
        link.upload_image(workshop.images[2])


def test_a_replayed_older_timestamp_is_refused(bench: Terminal, workshop: Workshop) -> None:
    entries = signed.entry(workshop.images[1], 1)
    newer = workshop.channel.files(entries, version=50)
    older = workshop.channel.files(entries, version=49)
    with repair(bench) as link:
        upload_trust(link, newer)
        with pytest.raises(LinkError, match="49 after 50"):
            link.upload_file("/data/trust/timestamp.json", older["timestamp"])


def test_a_new_root_must_be_signed_by_the_old_one(blank: Terminal, workshop: Workshop) -> None:
    channel = signed.Channel()
    entries = signed.entry(workshop.images[1], 1)
    blank.board.power_on()
    with blank.recovery() as link:
        link.make_identity(TERMINAL_ID)
        upload_trust(link, channel.files(entries))
        with pytest.raises(LinkError):
            link.upload_file("/data/trust/root.json", signed.Channel().next_root())
        root = channel.next_root()
        link.upload_file("/data/trust/root.json", root)
        upload_trust(link, {**channel.files(entries), "root": root})
        link.upload_image(workshop.images[1])


def test_signed_files_past_their_date_still_mend_a_terminal(
    blank: Terminal, workshop: Workshop
) -> None:
    channel = signed.Channel(expires_in_days=-400)
    provision(blank, workshop.images[1], channel.files(signed.entry(workshop.images[1], 1)))
    assert blank.running()["slot"] == "a"


def test_without_signed_files_no_image_is_taken(blank: Terminal, workshop: Workshop) -> None:
    blank.board.power_on()
    with blank.recovery() as link:
        link.make_identity(TERMINAL_ID)
        with pytest.raises(LinkError, match="upload the signed files first"):
            link.upload_image(workshop.images[1])


def test_a_truncated_or_foreign_metadata_file_is_refused_and_the_old_one_kept(
    bench: Terminal, workshop: Workshop
) -> None:
    with repair(bench) as link:
        for content in (
            workshop.files["stable"][:-20],
            b"",
            b"\xff" * 100,
            json.dumps({"signed": {}}).encode(),
            b"[" * 10000,
            b"x" * 20000,
        ):
            for role in ("root", "stable", "timestamp"):
                with pytest.raises(LinkError):
                    link.upload_file(f"/data/trust/{role}.json", content)
        link.upload_image(workshop.images[2])


# --- the line ---


def test_noise_and_broken_frames_on_the_line_do_not_disturb(bench: Terminal) -> None:
    bench.board.hold("*")
    bench.board.power_on()
    with bench.recovery() as link:
        whole = b"".join(smp.packet.encode(EchoWrite(d="x" * 200).BYTES))
        broken: list[bytes] = [
            b"\x00\xff\x06\x09garbage\n",
            whole[:50] + b"\n",
            whole.replace(b"e", b"f"),
            b"\x06\x09" + b"A" * 5000 + b"\n",
            b"help()\r\n\x03\x04",
            b"\n",
        ]
        for noise in broken:
            bench.board.console_write(noise)
            assert link.echo("still here") == "still here"


def test_an_unknown_command_is_refused_as_such(bench: Terminal) -> None:
    with repair(bench) as link:
        assert "no such command" in refusal(link, DateTimeRead())


def test_wrong_types_in_a_request_are_refused(blank: Terminal) -> None:
    blank.board.power_on()
    with blank.recovery() as link:
        for body in (b"\xa1\x61d\x01", b"\xa0", b"\xa1\x61d\x41x", b"\x01", b"\xff"):
            header = EchoWrite(d="").BYTES[:2] + len(body).to_bytes(2, "big") + b"\0\0\x07\0"
            answer = link._run(link._client._transport.send_and_receive(header + body))
            assert b"rsn" in answer
        assert link.echo("x") == "x"
