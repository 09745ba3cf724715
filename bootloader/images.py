"""Is the image in a slot the one that was meant? The start and recovery ask; only flash is read."""

from hashlib import sha256

from bootloader.shared.compat import const
from bootloader.shared.partitions import PartitionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.control import Slot
    from bootloader.shared.partitions import Partition

_BLOCK_BYTES = const(4096)


def is_intact(partition: "Partition", slot: "Slot") -> bool:
    """True if the flash holds the image that the control record speaks of."""
    try:
        return sha256_of(partition, slot.image_size) == slot.sha256
    except (PartitionError, OSError):
        return False


def sha256_of(partition: "Partition", image_size: int) -> bytes:
    """SHA-256 of the first `image_size` bytes. Raises PartitionError if there are not so many."""
    if not 0 < image_size <= partition.size_bytes:
        raise PartitionError("no image of that size")
    digest = sha256()
    block = bytearray(_BLOCK_BYTES)
    for offset in range(0, image_size, _BLOCK_BYTES):
        view = memoryview(block)[: min(_BLOCK_BYTES, image_size - offset)]
        partition.read_into(offset, view)
        digest.update(view)
    found: bytes = digest.digest()
    return found
