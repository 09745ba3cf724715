"""Everything that the terminal parses, one function a target: bytes in, True if they were accepted
as good. Only what the parser promises to raise is caught; whatever else leaves is a finding.

Runs on both interpreters, so it has no library beyond the device's own.
"""

import asyncio
import sys
from binascii import crc32
from hashlib import sha256
from io import BytesIO

from bootloader import identity
from bootloader.recovery import smp
from bootloader.shared import canonical, cbor, control, cose, release, tuf, tuf_files, tuf_signed
from bootloader.shared.crypto import ed25519, p256, rsa_pss
from bootloader.shared.hashes import hmac_sha256
from bootloader.shared.partitions import Partition
from firmware.kept import config
from firmware.net import coap, http, http_client
from firmware.net.modem import chat, sms, standard
from firmware.sales import catalogue, journal, ring, stock
from firmware.sales.state import SETTING
from firmware.update import delta, install, patch


def finish(coroutine) -> object:  # type: ignore[no-untyped-def]
    if sys.implementation.name == "micropython":
        return asyncio.run(coroutine)
    # Nothing here waits, and without a loop for each input it is a hundred times quicker.
    try:
        while True:
            coroutine.send(None)
    except StopIteration as end:
        return end.value


KEY = bytes(range(32))
NOW_S = 1790000000
COUNTER = 77
SALT = b"salt"


_BLANK = b"\xff" * 256
_CHIPS = {sectors: [bytearray(sectors * 4096) for _ in range(3)] for sectors in (1, 2, 4)}
"""Cells of chips are in no board's heap: there before that is measured, and taken in turn."""


class Flash:
    """NOR flash of a few sectors over the bytes given, the rest blank."""

    def __init__(self, data: bytes, sectors: int) -> None:
        self.size_bytes = sectors * 4096
        chips = _CHIPS[sectors]
        self.cells = chips.pop(0)
        chips.append(self.cells)
        given = min(len(data), self.size_bytes)
        self.cells[:given] = memoryview(data)[:given]
        self._blank(given, self.size_bytes)

    def _blank(self, start: int, end: int) -> None:
        for at in range(start, end, len(_BLANK)):
            size = min(len(_BLANK), end - at)
            self.cells[at : at + size] = memoryview(_BLANK)[:size]

    def read_into(self, address: int, buf: memoryview) -> None:
        buf[:] = memoryview(self.cells)[address : address + len(buf)]

    def program(self, address: int, data: bytes) -> None:
        for i in range(len(data)):
            self.cells[address + i] &= data[i]

    def erase(self, address: int) -> None:
        self._blank(address, address + 4096)


def partition(data: bytes, sectors: int):  # type: ignore[no-untyped-def]
    flash = Flash(data, sectors)
    return Partition(flash, 0, flash.size_bytes)


def json(data: bytes) -> bool:
    try:
        value = canonical.loads(data, 4096)
    except canonical.JsonError:
        return False
    canonical.encode(value)
    return True


is_bound = tuf_files.is_bound
check_signatures = tuf_signed.SignatureCheck.check


def believed(keyid, key):  # type: ignore[no-untyped-def]
    """Whatever a key id is made of, so that what lies behind its check is reached."""
    is_bound(keyid, key)
    return True


ROLES = ("root", "timestamp", "snapshot", "targets", "stable")
good_metadata: list = []  # type: ignore[type-arg]  # those roles' files, set by the runner


def metadata(data: bytes) -> bool:
    """The first byte says in whose place the rest comes."""
    if not data:
        return False
    place = data[0] % 5
    files = list(good_metadata)
    files[place] = data[1:]
    # Signatures are not checked, so that what lies behind them is reached.
    tuf_signed.SignatureCheck.check = lambda *of: None
    tuf_files.is_bound = believed
    try:
        trusted = tuf.TrustedMetadata(files[0], NOW_S)
        trusted.update_timestamp(files[1])
        trusted.update_snapshot(files[2])
        trusted.update_targets(files[3])
        trusted.update_delegated("stable", "targets", files[4])
        for role in ROLES:
            trusted.limit_bytes(role)
            trusted.file_name(role)
        for path, entry in trusted.targets("stable").items():
            trusted.target_name(path, entry)
            release.Release.parse(path, entry)
        trusted.find("stable/duka-r1/7.full")
        trusted.fresh_until_s("stable")
    except (tuf.TrustError, release.ReleaseRefused):
        return False
    finally:
        tuf_files.is_bound = is_bound
        tuf_signed.SignatureCheck.check = check_signatures
    return True


def cbor_(data: bytes) -> bool:
    try:
        value = cbor.loads(data)
    except cbor.CborError:
        return False
    return bool(cbor.loads(cbor.dumps(value)) == value)


def cose_reply(data: bytes) -> bool:
    try:
        cbor.loads(cose.open_reply(KEY[:16], SALT, COUNTER, data))
    except (cose.SealError, cbor.CborError):
        return False
    return True


def coap_answer(data: bytes) -> bool:
    found = coap.parse(data)
    if found is None:
        return False
    kind, code, message_id, payload = found
    assert 0 <= kind <= 3 and 0 <= code < 256 and 0 <= message_id < 65536
    assert data.endswith(payload) and len(payload) <= len(data) - 4
    return True


def sms_message(data: bytes) -> bool:
    """An SMS-DELIVER, from whomever: the network vouches for nothing in it."""
    found = sms.parse(data)
    if found is None:
        return False
    assert data.endswith(found) and len(found) <= 140
    return True


def control_record(data: bytes) -> bool:
    """Sealed anew, so that the fields behind the seal are reached."""
    page = bytearray(data[:256])
    page.extend(bytes(256 - len(page)))
    if len(data) & 1:
        page[-32:] = hmac_sha256(KEY, memoryview(page)[:-32])
    try:
        control.decode(page, KEY)
    except control.ControlError:
        return False
    return True


def control_block(data: bytes) -> bool:
    block = control.ControlBlock(partition(data, 2), KEY)
    if block.load() is None:
        return False
    block.record_crash("fuzz")
    again = control.ControlBlock(block._partition, KEY)
    assert again.load() is not None, "the block was lost by writing to it"
    return True


def identity_copy(data: bytes) -> bool:
    """With its hash made anew, so that the CBOR behind it is reached."""
    end = 6 + int.from_bytes(data[4:6], "little")
    if 6 < end <= len(data):
        data = data[:end] + sha256(data[:end]).digest() + data[end + 32 :]
    try:
        identity.decode(data[:256])
    except identity.IdentityError:
        return False
    return True


def journal_flash(data: bytes) -> bool:
    """Mounted, read from end to end, written to and mounted again; accepted if all was readable."""
    return _walked(partition(data, 4))


def _walked(flash) -> bool:  # type: ignore[no-untyped-def]
    book = journal.Journal(flash, lambda: NOW_S)
    try:
        book.mount()
        for _ in book.records(1):
            pass
        is_sound = not book.unreadable
        sequence = book.append(SETTING, ["fuzz", 1])
        again = journal.Journal(flash, lambda: NOW_S)
        again.mount()
        assert again.next_sequence == sequence + 1, "an appended record was lost"
    except (ring.JournalDamaged, journal.JournalFull):
        return False
    return is_sound


def journal_record(data: bytes) -> bool:
    """A whole record, its CRC and chain made anew, behind a good journal's first sector head."""
    if len(data) < 2:
        return False
    flash = partition(b"", 4)
    book = journal.Journal(flash, lambda: NOW_S)
    book.mount()
    body = data[1:240]
    head = bytes([1 + data[0] % 127, len(body)]) + (1).to_bytes(4, "big") + NOW_S.to_bytes(4, "big")
    raw = head + body
    raw += crc32(raw).to_bytes(4, "big")
    raw += sha256(book.ring.chain + raw[:-4]).digest()[:8]
    flash.flash.cells[book.ring.at : book.ring.at + len(raw)] = raw
    return _walked(flash)


def smp_frames(data: bytes) -> bool:
    reader = smp.LineReader()
    good = False
    for message in reader.feed(data):
        smp.answer(message, lambda *of: {"rc": 0})
        good = True
    return good


def smp_message(data: bytes) -> bool:
    """What a whole frame with a right CRC may hold."""
    if len(data) < 8:
        return False
    reply = smp.answer(data, lambda group, command, is_write, body: {"rc": 0, "n": len(body)})
    return reply is not None


LINE_BYTES = chat.LINE_LIMIT_BYTES + 0


def at_lines(data: bytes) -> bool:
    reader = chat.LineReader()
    cell = standard.Cell(None)
    lines = 0
    for at in range(0, len(data), 64):
        reader.feed(memoryview(data)[at : at + 64])
        while True:
            line = reader.take(bool(at & 64))
            if line is None:
                break
            lines += 1
            cell.on_registration(line)
            assert len(line) <= LINE_BYTES
    assert len(reader.buffer) <= LINE_BYTES + 64
    return lines > 0


def http_head(data: bytes) -> bool:
    try:
        status, headers = http.parse_head(data)
        length = http.body_length("GET", status, headers)
        http.content_range(headers)
    except http.BadResponse:
        return False
    return bool(status >= 100 and length >= 0)


class _Wire:
    """A transport whose far end says `data` and goes away."""

    connected = False

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    async def open(self, host: str, port: int) -> None:
        self.connected = True

    async def send(self, data: bytes) -> None:
        pass

    async def receive(self, max_bytes: int, timeout_ms: int) -> bytes:
        piece = self.data[self.at : self.at + min(max_bytes, 100)]
        self.at += len(piece)
        return piece

    async def close(self) -> None:
        self.connected = False


def http_response(data: bytes) -> bool:
    client = http_client.HttpClient(_Wire(data), "server", 80)
    try:
        response = finish(client.request("GET", "/", limit_bytes=1000))
        assert len(http.plain_body(response, 2000)) <= 2000
    except http.HttpError:
        return False
    return True


def config_json(data: bytes) -> bool:
    try:
        config.Config(data)
    except config.ConfigError:
        return False
    return True


def catalogue_json(data: bytes) -> bool:
    try:
        found = catalogue.Catalogue(data)
    except catalogue.CatalogueError:
        return False
    # What was taken in can be sold from.
    assert [found.product(product.id).amount_minor for product in found.products] == [
        product.amount_minor for product in found.products
    ]
    return True


OLD = b"".join([sha256(bytes([n])).digest() for n in range(64)])
NEW_BYTES = 2100


def delta_patch(data: bytes) -> bool:
    at = [0]
    made = [0]

    def read(buf) -> None:  # type: ignore[no-untyped-def]
        end = at[0] + len(buf)
        if end > len(data):
            raise EOFError
        buf[:] = data[at[0] : end]
        at[0] = end

    def old(offset, buf) -> None:  # type: ignore[no-untyped-def]
        assert 0 <= offset <= len(OLD) - len(buf), "read outside the base"
        buf[:] = OLD[offset : offset + len(buf)]

    def write(view) -> None:  # type: ignore[no-untyped-def]
        made[0] += len(view)
        assert made[0] <= NEW_BYTES, "wrote more than the image"

    try:
        for steps, _ in enumerate(delta.apply(read, old, len(OLD), write, NEW_BYTES)):
            assert steps < 20000, "a small patch makes endless work"
    except (delta.DeltaError, EOFError):
        return False
    return True


def patch_to_old(data: bytes) -> bool:
    source = BytesIO(data)
    made = bytearray()

    def old(offset, buf) -> None:  # type: ignore[no-untyped-def]
        assert 0 <= offset <= len(OLD) - len(buf), "read outside the base"
        buf[:] = OLD[offset : offset + len(buf)]

    def write(view) -> None:  # type: ignore[no-untyped-def]
        made.extend(view)
        assert len(made) <= NEW_BYTES, "wrote more than the image"

    def of_image(offset, view) -> None:  # type: ignore[no-untyped-def]
        assert 0 <= offset <= len(made) - len(view), "read what is not made yet"
        view[:] = made[offset : offset + len(view)]

    try:
        for steps, _ in enumerate(
            patch.apply(source.readinto, old, len(OLD), write, of_image, NEW_BYTES)
        ):
            assert steps < 20000, "a small patch makes endless work"
    except patch.PatchError:
        return False
    return True


def payload(data: bytes) -> bool:
    """A downloaded payload: even lengths as a full image, odd ones as a delta."""
    source = partition(data, 1)
    slot = partition(b"", 1)
    base = partition(OLD, 1) if len(data) & 1 else None
    try:
        finish(install.expand(source, min(len(data), 4096), slot, NEW_BYTES, base, len(OLD)))
    except install.InstallError:
        return False
    return True


def stock_file(data: bytes) -> bool:
    def read(at: int, size: int) -> bytes:
        return data[at : at + size]

    try:
        head = stock._head(read)
        at = head[5]
        for index in range(min(head[4], 20)):
            (serial, sealed), at = stock._entry(read, at)
            cose.open_pin(KEY[:16], head[0], index, head[1:4], serial, sealed)
    except (stock.StockError, cose.SealError):
        return False
    return True


def keys(data: bytes) -> bool:
    """Public keys of every kind in text, and DER signatures: nothing is ever raised."""
    try:
        text = str(data, "utf-8")
    except ValueError:
        text = ""
    found = p256.public_key(text) is not None or rsa_pss.public_key(text) is not None
    return found or p256._signature(data) is not None


def ed25519_parts(data: bytes) -> bool:
    return ed25519.verify(data[:32], data[32:96], data[96:]) is True


TARGETS = {
    "json": json,
    "metadata": metadata,
    "cbor": cbor_,
    "cose": cose_reply,
    "coap": coap_answer,
    "sms": sms_message,
    "control": control_record,
    "control-block": control_block,
    "identity": identity_copy,
    "journal": journal_flash,
    "record": journal_record,
    "smp": smp_frames,
    "smp-message": smp_message,
    "at": at_lines,
    "http": http_head,
    "response": http_response,
    "config": config_json,
    "catalogue": catalogue_json,
    "delta": delta_patch,
    "patch": patch_to_old,
    "payload": payload,
    "stock": stock_file,
    "keys": keys,
    "ed25519": ed25519_parts,
}
