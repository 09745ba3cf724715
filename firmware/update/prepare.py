"""Brings the signed image of an offer into the slot that does not run, by the first way that makes
it. For `client` only.
"""

from bootloader.shared.compat import collect, const, sleep_ms
from bootloader.shared.control import OTHER
from bootloader.shared.partitions import SECTOR_BYTES, make_firm
from firmware.lent import load

from .errors import Interrupted, StorageError
from .install import InstallError, digest_of, expand, patched
from .payload import Payload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootloader.shared.board import Board
    from bootloader.shared.partitions import Partition
    from bootloader.shared.release import Release
    from firmware.boot_info import BootInfo

    from .offer import Offer, Way
    from .record import Record
    from .server import Server


_MOMENT_MS = const(1000)


class Preparation:
    """One attempt after the other; what an earlier one left is gone on with."""

    def __init__(
        self,
        server: "Server",
        board: "Board",
        boot: "BootInfo",
        record: "Record",
        log: "Callable[[str], object]",
    ) -> None:
        self._partitions = board.partitions
        self._control = boot.control
        self._running = boot.slot
        self._record = record
        self._log = log
        self._payload = Payload(server, board.partitions["download"], record, log)

    async def run(self, offer: "Offer") -> str:
        """ "" once the offer `is_ready`, or in one word why no way made the image.

        Raises:
            Interrupted: no payload is listed, a difference failed for the first time, or as
                `Payload.bring`.
        """
        release = offer.release
        slot = self._partitions["slot_" + OTHER[self._running]]
        if await _holds_firmly(slot, release):
            offer.is_ready = True
            return ""
        if not offer.ways:
            raise Interrupted("no payload is listed")
        reason = ""
        while offer.ways:
            try:
                await self._payload.bring(offer)
                await self._expand(offer.ways[0], slot, release)
                if await digest_of(slot, release.image_size_bytes) == release.image_sha256:
                    self._log("image verified in flash")
                    offer.is_ready = True
                    offer.download = None
                    return ""
                raise InstallError("image_hash", "the slot does not hold the signed image")
            except (InstallError, StorageError) as error:
                reason = getattr(error, "reason", "storage")
                self._log(offer.ways[0].kind + " payload: " + str(error))
                offer.download = None
                if self._is_tried_again(offer, reason):
                    raise Interrupted(reason + ", is tried again")
                del offer.ways[0]
        return reason

    def _is_tried_again(self, offer: "Offer", reason: str) -> bool:
        """Whether a difference failed for the first time: what came of it is here, so another try
        costs no airtime, and the full image is dear.
        """
        number = offer.release.release
        if offer.ways[0].kind == "full" or self._record.has_failed(number):
            return False
        self._record.postpone(number, reason)
        return True

    async def _expand(self, way: "Way", slot: "Partition", release: "Release") -> None:
        self._log("expanding " + way.kind)
        self._control.empty(OTHER[self._running])
        payload = self._partitions["download"]
        base = self._partitions["slot_" + self._running]
        base_size = self._control.state.slots[self._running].image_size
        size = release.image_size_bytes
        for tries_left in (2, 1, 0):
            collect()  # room for the window, or what a patch is read with
            try:
                if way.kind == "patch":
                    await self._read(way, payload, slot, release, base, base_size)
                elif way.kind == "delta":
                    load("firmware.update.delta")
                    await expand(payload, way.length, slot, size, base, base_size)
                else:
                    await expand(payload, way.length, slot, size)
                return
            except MemoryError:
                # Others are at work, and give back what they took; a look anew costs airtime.
                if not tries_left:
                    raise
            await sleep_ms(_MOMENT_MS)

    async def _read(
        self,
        way: "Way",
        payload: "Partition",
        slot: "Partition",
        release: "Release",
        base: "Partition",
        base_size: int,
    ) -> None:
        number = release.release
        is_failed = self._record.has_failed(number)
        reader = load("firmware.update.reader")
        patch = reader.bring(is_failed)
        if not is_failed:
            # It counts as failed while it is under way: who restarts in it goes on in byte code.
            self._record.begin_try(number)
        try:
            await patched(
                patch, payload, way.length, slot, release.image_size_bytes, base, base_size
            )
        except Exception:
            if not is_failed:
                self._record.end_try()
            raise
        finally:
            reader.tidy()
        if not is_failed:
            self._record.end_try()


async def _holds_firmly(slot: "Partition", release: "Release") -> bool:
    """Whether an earlier run left the image in `slot`, and it will read as well when it is booted.

    A cut may have left weak cells in any sector's last page: what follows may be there from before,
    for releases are much alike.
    """
    if await digest_of(slot, release.image_size_bytes) != release.image_sha256:
        return False
    for offset in range(0, release.image_size_bytes, SECTOR_BYTES):
        make_firm(slot, offset)
        await sleep_ms(0)
    return await digest_of(slot, release.image_size_bytes) == release.image_sha256
