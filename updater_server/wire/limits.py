"""The bounds of what the server signs, stores and sends, so that no terminal must refuse it. For
every module of the server.

Each is (least, most) as in docs/formats/limits.toml, which a test holds these figures against.
Terminals check the same figures with code of their own.
"""

from __future__ import annotations

import re

UINT32 = (1 << 32) - 1

# Price list
PRICE_LIST_BYTES = (1, 12288)
PRICE_LIST_VERSION = (1, 999_999_999_999_999)
MINOR_DIGITS = (0, 3)
PRODUCTS = (0, 64)
PRODUCT_NAME = (1, 32)
OPERATOR = (1, 32)
AMOUNT_MINOR = (1, (1 << 30) - 1)
INSTRUCTIONS = (0, 200)
DIAL = (3, 40)
HELPLINE = (1, 24)
PIN_GROUPS = (1, 16)
PIN_GROUP = (1, 16)
COMMISSION_PERMILLE = (0, 1000)
RECIPIENT_DIGITS = (4, 20)
RECIPIENT_STARTS = (0, 24)
RECIPIENT_START = (1, 8)
PREFIX_OPERATORS = (1, 12)
PREFIXES = (1, 96)
OFFLINE_COUNT = (0, 10_000)
OFFLINE_TOTAL_MINOR = (0, (1 << 30) - 1)
OFFLINE_AGE_S = (0, 31_536_000)
OFFLINE_WIPE_S = (0, 31_536_000)

# Release entry and rollout plan
RELEASE = (1, UINT32)
SIGNED_RELEASE = (1, 4_000_000_000)
"""Nothing is signed so high that nothing could come after it."""
BUILT = (0, UINT32)
SECURITY_VERSION = (0, 65_535)
HARDWARE_REVISIONS = (1, 16)
HARDWARE_REVISION = (1, 65_535)
MIN_BOOTLOADER = (0, 65_535)
JOURNAL_READS = (1, 16)
JOURNAL_VERSION = (1, 255)
IMAGE_BYTES = (1, 0x0A0000)
"""The size of a slot of `duka-r1`."""
PAYLOADS = (1, 16)
CRASHES_ALLOWED = (0, 100)
UNCONFIRMED_BOOTS_ALLOWED = (1, 1000)
SELFTEST_DEADLINE_S = (1, 86_400)
GATE_BATTERY_MV = (0, 4100)
GATE_UNSYNCED_RECORDS = (0, 65_535)
GATE_IDLE_S = (0, 3600)
DELTA_IDLE_STEPS = (0, 2)
PATCH_DECISIONS = (0, 450_000)
TEXT_LANGUAGES = (0, 8)
TEXT = (0, 200)
ROLLOUT_RELEASES = (0, 64)
THRESHOLD = (0, 10_000)
WITHIN = (0, 429_496)
HALTED = (0, 16)
FLAGS = (0, 8)
FLAG_NAME = (1, 16)
FLAG_TERMINALS = (0, 16)
BRAKE_HALTED = (0, 16)
BRAKE_OFF = FLAGS
BRAKE_VERSION = (1, UINT32)
BRAKE_LIFTED = (0, UINT32)
PACE_AFTER_H = (0, 1_000_000)
PACE_MILLIONTHS = (1, 1_000_000)
PACE_FACTOR = (1, 100)
PACE_EVERY_H = (1, 8760)
PACE_RATE = (0, 1_000_000)
QUOTE_BYTES = (1, 655_360)
WIDENS = (0, 100)

# Vouchers and stock
PRODUCT_ID = (1, 24)
PIN_BYTES = (4, 32)
SERIAL_BYTES = (1, 40)
EXPIRY = (0, UINT32)
STOCK_FILE_BYTES = (1, 4096)
"""A terminal's heap holds the message, its content and the file at once."""
BATCH_ID = (1, UINT32)
BATCH_VOUCHERS = (1, 100)

# Messages and ledger
REQUEST_BYTES = (1, 16 * 1024)
REPLY_BYTES = (1, 6144)
FLOAT_MINOR = (-(1 << 40), 1 << 40)
TOP_UP_MINOR = (-(10**12), 10**12)
FIRST_FLOAT_MINOR = (0, 10**9)
MERCHANT_TEXT = (0, 200)
NOTICES = (0, 8)
NOTICE_NUMBER = (1, UINT32)
NOTICE_TEXT = (1, 200)
NOTICE_REFERENCE = (1, 48)
COAP_PORT = (1, 65_535)
COAP_PAYLOAD_BYTES = (1, 1024)
SMS_BYTES = (1, 140)
SMS_NUMBER = (3, 16)
SMS_WORD_AGE_S = (0, 604_800)
"""Older ones a terminal passes over."""
BATCHES_WAITING = (0, 16)
FAILURE_REASON = (0, 200)
REFUSED_FILES = (0, 8)
REFUSED_FILE = (1, 64)
REFUSED_REASON = (0, 100)

STOCK_LISTS_WANTED = (0, 8)
WAIT_CODE = (1, 16)
ASK_AGAIN_S = (1, 3600)
SALE_DETAILS = (0, 12)
DETAIL_LABEL = (1, 16)
DETAIL_VALUE = (0, 64)
CUSTOMER_NAME = (0, 48)

# People and shops
DELIVERY_BYTES = (1, 64 * 1024 * 1024)
MERCHANT_NAME = (1, 32)
TECHNICIAN_NAME = (1, 64)
ALLOWANCE_MINOR = (0, 10**12)
DAILY_REQUESTS = (0, 100_000)

PIN_PATTERN = re.compile("[0-9A-Z]{{{},{}}}".format(*PIN_BYTES))
SERIAL_PATTERN = re.compile("[0-9A-Za-z-]{{{},{}}}".format(*SERIAL_BYTES))
RECIPIENT_PATTERN = re.compile("[0-9]{{{},{}}}".format(*RECIPIENT_DIGITS))
DETAIL_LABEL_PATTERN = re.compile("[a-z_0-9]{{{},{}}}".format(*DETAIL_LABEL))
SMS_NUMBER_PATTERN = re.compile(r"\+?[0-9]{3,15}")
PRODUCT_ID_PATTERN = re.compile(f"[a-z0-9][a-z0-9_.-]{{0,{PRODUCT_ID[1] - 1}}}")


def within(value: int, bounds: tuple[int, int]) -> bool:
    """Whether `value` lies within `bounds`, both ends included."""
    return bounds[0] <= value <= bounds[1]


def unfit_voucher(product_id: str, pin: str, serial: str, expires_at: int) -> str | None:
    """Why no terminal could take this voucher, in words that do not tell the PIN; or None."""
    if not PRODUCT_ID_PATTERN.fullmatch(product_id):
        return f"{product_id!r} is no product id"
    if not PIN_PATTERN.fullmatch(pin):
        return "a PIN has {} to {} digits or capital letters".format(*PIN_BYTES)
    if not SERIAL_PATTERN.fullmatch(serial):
        return "a serial number has {} to {} letters, digits or dashes".format(*SERIAL_BYTES)
    if not within(expires_at, EXPIRY):
        return (
            f"expiry {expires_at} is no day that a terminal knows: a day to 2106-02-06, seconds, "
            f"or nothing for none"
        )
    return None
