"""Who this terminal is: the `identity` partition. Only the bootloader writes it, in recovery.

Two whole copies, one a sector (docs/formats/terminal-files.md). Page 1 of each sector holds marks,
bytes that turn from 0xFF to 0x00 once: byte 0 says that the device key is never told again, each
byte after it stands for one boot control block that was lost and begun anew.
"""

from hashlib import sha256

from bootloader.shared.cbor import CborError, dumps, loads
from bootloader.shared.compat import const
from bootloader.shared.hashes import hkdf_sha256
from bootloader.shared.partitions import PAGE_BYTES, SECTOR_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.partitions import Partition

_MAGIC = b"DKID"
_HEAD_BYTES = const(6)
_SECTORS = (0, SECTOR_BYTES)


class IdentityError(ValueError):
    """There is no identity here that this terminal may use. The text says why."""


class ForeignIdentityError(IdentityError):
    """The identity was made on another chip: this flash, or what is in it, was copied."""


class Identity:
    """What is stored: who the terminal is, and on which chip and board it was made."""

    def __init__(
        self,
        terminal_id: bytes,
        device_key: bytes,
        hardware_class: str,
        hardware_revision: int,
        chip_id: bytes,
    ) -> None:
        """Raises IdentityError if a field has the wrong type or length."""
        if not (
            isinstance(terminal_id, bytes)
            and len(terminal_id) == 8
            and isinstance(device_key, bytes)
            and len(device_key) == 32
            and isinstance(hardware_class, str)
            and isinstance(hardware_revision, int)
            and isinstance(chip_id, bytes)
            and 0 < len(chip_id) <= 16
        ):
            raise IdentityError("a field of the identity is malformed")
        self.terminal_id = terminal_id
        self.device_key = device_key
        self.hardware_class = hardware_class
        self.hardware_revision = hardware_revision
        self.chip_id = chip_id

    def control_key(self, chip_id: bytes) -> bytes:
        """The key of the control block on the chip `chip_id` (docs/formats/messages.md, keys)."""
        return hkdf_sha256(self.device_key, self.terminal_id + chip_id, b"duka control 1", 32)


def encode(identity: Identity) -> bytes:
    """One copy of `identity`, at most a page long."""
    body = dumps(
        {
            1: identity.terminal_id,
            2: identity.device_key,
            3: identity.hardware_class,
            4: identity.hardware_revision,
            5: identity.chip_id,
        }
    )
    head = _MAGIC + len(body).to_bytes(2, "little") + body
    copy: bytes = head + sha256(head).digest()
    if len(copy) > PAGE_BYTES:
        raise IdentityError("the identity does not fit a page")
    return copy


def decode(page: bytes | bytearray) -> Identity:
    """The Identity in the first bytes of `page`. Raises IdentityError if it is not one."""
    page = bytes(page)
    end = _HEAD_BYTES + int.from_bytes(page[4:6], "little")
    if page[:4] != _MAGIC or end + 32 > len(page):
        raise IdentityError("not an identity")
    if sha256(page[:end]).digest() != page[end : end + 32]:
        raise IdentityError("the identity is damaged")
    try:
        fields = loads(page[_HEAD_BYTES:end])
        if not isinstance(fields, dict):
            raise IdentityError("the identity is malformed")
        return Identity(fields[1], fields[2], fields[3], fields[4], fields[5])
    except (CborError, KeyError, TypeError):
        raise IdentityError("the identity is malformed")


def load(partition: "Partition", chip_id: bytes) -> Identity | None:
    """The identity of this terminal; None if none was ever written.

    Raises IdentityError if both copies are damaged; ForeignIdentityError if it was made on another
    chip, for a copied flash is not another terminal.
    """
    found = None
    for sector in _SECTORS:
        try:
            found = decode(partition.read(sector, PAGE_BYTES))
            break
        except IdentityError:
            pass
    if found is None:
        if is_blank(partition):
            return None
        raise IdentityError("both copies of the identity are damaged")
    if found.chip_id != chip_id:
        raise ForeignIdentityError("the identity belongs to another chip")
    return found


def is_blank(partition: "Partition") -> bool:
    """True if no identity was ever written here."""
    return all(partition.is_blank(sector, PAGE_BYTES) for sector in _SECTORS)


def store(partition: "Partition", identity: Identity) -> None:
    """Write both copies. Raises IdentityError if the flash does not take them."""
    copy = encode(identity)
    for sector in _SECTORS:
        partition.erase_sector(sector)
        partition.program(sector, copy)
    for sector in _SECTORS:
        if partition.read(sector, len(copy)) != copy:
            raise IdentityError("the flash does not take the identity")


def _is_marked(partition: "Partition", index: int) -> bool:
    # Either sector's word counts, and any bit: a mark half made is made.
    return any(partition.read(s + PAGE_BYTES + index, 1) != b"\xff" for s in _SECTORS)


def _mark(partition: "Partition", index: int) -> None:
    for sector in _SECTORS:
        partition.program(sector + PAGE_BYTES + index, b"\0")
    if not _is_marked(partition, index):
        raise IdentityError("the flash takes no mark")


def is_sealed(partition: "Partition") -> bool:
    """True once the device key may not be told any more."""
    return _is_marked(partition, 0)


def seal(partition: "Partition") -> None:
    """Never tell the device key again. Raises IdentityError, OSError."""
    if not is_sealed(partition):
        _mark(partition, 0)


def eras(partition: "Partition") -> int:
    """How often the control block was lost and begun anew."""
    count = 0
    while count < PAGE_BYTES - 1 and _is_marked(partition, count + 1):
        count += 1
    return count


def add_era(partition: "Partition") -> int:
    """Count a lost control block; the first boot count of the next one, above all before it.

    Raises IdentityError after the 255th: the terminal needs a new identity.
    """
    count = eras(partition) + 1
    if count >= PAGE_BYTES:
        raise IdentityError("the control block was lost too often")
    _mark(partition, count)
    return count << 24
