"""The keys of a message's map, by name: the server's own table of docs/formats/messages.md, which a
test holds against that page. The terminal's code has one of its own.

`<Kind>` are the keys of a request, `<Kind>Reply` those of its reply.
"""

from __future__ import annotations

KIND = 0
"""What the message is, one of `Kind`; the same in its reply, or `Kind.ERROR`."""
NEWEST = -2
"""In replies that are asked for often: the tag of the timestamp in force."""


class Kind:
    """Kinds of messages."""

    CHECK_IN = 1
    SALE = 2
    JOURNAL = 3
    STOCK = 4
    STOCK_RECEIVED = 5
    STOCK_HELD = 6
    LOOK_UP = 7
    ERROR = -1


class ErrorReply:
    """Of kind `Kind.ERROR`."""

    CODE = 1
    TEXT = 2


class CheckIn:
    """What a terminal reports of itself."""

    TIME = 1
    RELEASE = 2
    SLOT = 3
    TRIAL = 4
    BOOT_COUNT = 5
    BATTERY_MV = 6
    SIGNAL = 7
    FAILURE = 8
    OWN_FLOAT = 9
    JOURNAL = 10
    FILES = 11
    """What it cannot work with."""
    WAITS = 12
    COUNTERS = 13
    RESTARTS = 14
    IMAGE = 15
    SETTINGS = 16
    NOTICES = 17
    """Through which it has them."""
    NO_ROOM = 18
    """For notices."""


class CheckInReply:
    """What a terminal is told when it checks in."""

    TIME = 1
    FLOAT = 2
    ACKNOWLEDGED = 3
    TEXT = 4
    WAITING = 5
    RECALLED = 6
    BLOCKED = 7
    COAP_PORT = 8
    SMS_TO = 9
    NOTICES = 10
    STOLEN = 11


class Sale:
    """An online sale that is asked for."""

    SEQUENCE = 1
    PRODUCT = 2
    AMOUNT = 3
    TIME = 4
    COUNTERS = 13
    COMMISSION = 20
    RECIPIENT = 21
    CANCEL = 22


class SaleReply:
    """Delivered (PIN, SERIAL, EXPIRY, FLOAT, DETAILS), refused (CODE, TEXT) or pending (AGAIN), as
    STATUS says.
    """

    STATUS = 1
    PIN = 2
    SERIAL = 3
    EXPIRY = 4
    FLOAT = 5
    CODE = 6
    TEXT = 7
    AGAIN = 8
    DETAILS = 9


DELIVERED, REFUSED, PENDING = 0, 1, 2
"""Values of `SaleReply.STATUS`."""


class LookUp:
    """Whose a recipient is, before money moves."""

    PRODUCT = 1
    RECIPIENT = 2
    AMOUNT = 3


class LookUpReply:
    """Known (NAME, LEAST, MOST) or refused (CODE, TEXT), as STATUS says."""

    STATUS = 1
    NAME = 2
    LEAST = 3
    MOST = 4
    CODE = 6
    TEXT = 7


class Journal:
    """Records of a terminal's journal."""

    RECORDS = 1
    COUNTERS = 13
    NOTICES = 17
    NO_ROOM = 18


class JournalReply:
    """How far they are stored, and what the float is now."""

    ACKNOWLEDGED = 1
    FLOAT = 2
    BATCHES = 6
    """Whose vouchers the terminal must name."""
    BLOCKED = 7
    NOTICES = 10


class Stock:
    """A batch of stock that is fetched."""

    BATCH = 1


class StockReply:
    """Its file."""

    FILE = 1


class StockReceived:
    """A batch that the terminal has stored."""

    BATCH = 1
    SHA_256 = 2


class StockHeld:
    """Some of the vouchers in a batch that a restored server forgot."""

    BATCH = 1
    PRODUCT = 2
    FACE_AMOUNT = 3
    EXPIRY = 4
    COUNT = 5
    FIRST = 6
    SERIALS = 7


class Done:
    """The reply to kinds 5 and 6."""

    TRUE = 1


class StockFile:
    """The keys inside a stock file."""

    BATCH = 1
    PRODUCT = 2
    FACE_AMOUNT = 3
    EXPIRY = 4
    ENTRIES = 5
