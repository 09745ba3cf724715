"""What came with a voucher beside its PIN (more tokens, a name, units): sealed into records of its
own, ahead of the answer that makes them count. `firmware.sales.till` loads it by its name for one
sale and lets it go.
"""

from hashlib import sha256

from bootloader.shared import cbor, cose
from bootloader.shared.compat import const
from firmware.sales.journal import JournalFull
from firmware.sales.sale import SaleRefused
from firmware.sales.state import DETAILS, pieces_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.sales.journal import Journal
    from firmware.sales.sale import Sale

_PIECE_BYTES = const(200)  # of what is sealed in one record
_PIECE_ROOM = const(300)  # and what that record, or the answer's own, takes at most


def _seal_of(sale: "Sale", serial: str, pin: str) -> tuple[bytes, bytes]:
    """(nonce, additional data): another token is another nonce."""
    aad = b"duka/details/1" + sale.product_id.encode() + serial.encode() + b"/" + pin.encode()
    return b"\x04" + sha256(sale.sequence.to_bytes(4, "big") + aad).digest()[:12], aad


def put_down(
    journal: "Journal", key: bytes, sale: "Sale", serial: str, pin: str, details: list[list[str]]
) -> list[int]:
    """`details` to flash; returns the sequences of their records, for the answer's own.

    Raises:
        SaleRefused: journal_full.
    """
    nonce, aad = _seal_of(sale, serial, pin)
    sealed = cose.seal(key, nonce, aad, cbor.dumps(details))
    starts = range(0, len(sealed), _PIECE_BYTES)
    # a sale that was restated between them would leave the first ones without protection
    journal.make_room((len(starts) + 1) * _PIECE_ROOM)
    try:
        return [
            journal.append(DETAILS, [sale.sequence, sealed[at : at + _PIECE_BYTES]])
            for at in starts
        ]
    except JournalFull:
        raise SaleRefused("journal_full")


def pick_up(
    journal: "Journal", key: bytes, sale: "Sale", serial: str, pin: str, places: list[int]
) -> list[list[str]]:
    """What `put_down` put down.

    Raises:
        SaleRefused: unreadable.
    """
    pieces = pieces_of(journal.read, sale.sequence, places)
    nonce, aad = _seal_of(sale, serial, pin)
    try:
        sealed = b"".join([piece for _, piece in pieces])
        found: list[list[str]] = cbor.loads(cose.unseal(key, nonce, aad, sealed))
    except ValueError:
        raise SaleRefused("unreadable")
    return found
