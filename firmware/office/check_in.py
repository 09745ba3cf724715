"""Telling the server how the terminal is, and hearing what waits for it (message kind 1)."""

from bootloader.shared.compat import const
from firmware.kept.files import digest
from firmware.office import windows
from firmware.office.messenger import CHECK_IN, FLOAT_MINOR, UINT32, BadReply, field
from firmware.office.sync import settle, tell, with_notices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.boot_info import BootInfo
    from firmware.office.messenger import Content, Messenger
    from firmware.sales.journal import Journal
    from firmware.sales.till import Till

    Answer = tuple[int, str | None, list[int], list[int]]

_CHECK_IN_TIME = const(1)
_CHECK_IN_RELEASE = const(2)
_CHECK_IN_SLOT = const(3)
_CHECK_IN_TRIAL = const(4)
_CHECK_IN_BOOT_COUNT = const(5)
_CHECK_IN_BATTERY_MV = const(6)
_CHECK_IN_SIGNAL = const(7)
_CHECK_IN_FAILURE = const(8)
_CHECK_IN_OWN_FLOAT = const(9)
_CHECK_IN_JOURNAL = const(10)
_CHECK_IN_FILES = const(11)
_CHECK_IN_WAITS = const(12)
_CHECK_IN_COUNTERS = const(13)
_CHECK_IN_RESTARTS = const(14)
_CHECK_IN_IMAGE = const(15)
_CHECK_IN_SETTINGS = const(16)
_CHECK_IN_REPLY_TIME = const(1)
_CHECK_IN_REPLY_FLOAT = const(2)
_CHECK_IN_REPLY_ACKNOWLEDGED = const(3)
_CHECK_IN_REPLY_TEXT = const(4)
_CHECK_IN_REPLY_WAITING = const(5)
_CHECK_IN_REPLY_RECALLED = const(6)
_CHECK_IN_REPLY_BLOCKED = const(7)
_CHECK_IN_REPLY_COAP_PORT = const(8)
_CHECK_IN_REPLY_SMS_TO = const(9)
_CHECK_IN_REPLY_STOLEN = const(11)


def status(
    *,
    time: int,
    release: int,
    slot: str,
    trial: bool,
    boot_count: int,
    battery_mv: int,
    signal: int,
    failure: list[int | str] | None,
    files: list[list[str]] | None = None,
    waits: list[int | str] | None = None,
    restarts: int = 0,
    runs: tuple[bytes, bytes] | None = None,
) -> "Content":
    """How the terminal is, for `check_in`. `failure`: None or [release, reason]; `files` that it
    cannot work with, each [file, reason], when they are others than it last said; `waits`: for
    what the update does, [release or 0, code]; `restarts`: the release that it starts into now, or
    0; `runs`: the SHA-256 of image and settings, while the server was not told since the start.
    """
    fields: Content = {
        _CHECK_IN_TIME: time,
        _CHECK_IN_RELEASE: release,
        _CHECK_IN_SLOT: slot,
        _CHECK_IN_TRIAL: trial,
        _CHECK_IN_BOOT_COUNT: boot_count,
        _CHECK_IN_BATTERY_MV: battery_mv,
        _CHECK_IN_SIGNAL: signal,
        _CHECK_IN_FAILURE: failure,
    }
    if files is not None:
        fields[_CHECK_IN_FILES] = files
    if waits:
        fields[_CHECK_IN_WAITS] = waits
    if restarts:
        fields[_CHECK_IN_RESTARTS] = restarts
    if runs:
        fields[_CHECK_IN_IMAGE], fields[_CHECK_IN_SETTINGS] = runs
    return fields


def runs(boot: "BootInfo", settings: str) -> tuple[bytes, bytes] | None:
    """SHA-256 of the image that runs and of the file of settings at that path; None if it cannot be
    read.
    """
    try:
        return boot.control.state.slots[boot.slot].sha256, digest(settings)
    except OSError:
        return None


async def check_in(
    journal: "Journal", messenger: "Messenger", till: "Till", fields: "Content"
) -> "Answer":
    """Tell the server how the terminal is (`status`) and take over its float. Returns the server's
    time, its text for the merchant or None, the batch ids that wait, and those that are recalled.

    Raises:
        NoNetwork, ServerRefused: see there.
        BadReply: also if the server's journal cannot be this one's; the float is then left alone.
    """
    fields[_CHECK_IN_OWN_FLOAT] = till.float_minor
    known, following = journal.state.acknowledged, journal.next_sequence
    fields[_CHECK_IN_JOURNAL] = places = [journal.oldest, following]
    if known + 1 < following and not journal.has_news(known, following - 1):
        places.append(known + 1)  # the rest are settlements, which say nothing new
    counted = windows.due(_CHECK_IN_RESTARTS in fields)
    if counted:
        fields[_CHECK_IN_COUNTERS] = counted
    reply = await with_notices(messenger, CHECK_IN, fields)
    windows.answered(counted)
    time = field(reply, _CHECK_IN_REPLY_TIME, int, 0, UINT32)
    ledger_minor = field(reply, _CHECK_IN_REPLY_FLOAT, int, -FLOAT_MINOR, FLOAT_MINOR)
    through = field(reply, _CHECK_IN_REPLY_ACKNOWLEDGED, int, 0)
    text = reply.get(_CHECK_IN_REPLY_TEXT)
    if text is not None:
        field(reply, _CHECK_IN_REPLY_TEXT, str, 0, 200)
    waiting = _batches(reply, _CHECK_IN_REPLY_WAITING)
    recalled: list[int] = []
    if _CHECK_IN_REPLY_RECALLED in reply:
        recalled = _batches(reply, _CHECK_IN_REPLY_RECALLED)
    if through >= journal.next_sequence:
        raise BadReply("the server has records up to %d" % through)
    messenger.told = through
    coap_port = 0
    if _CHECK_IN_REPLY_COAP_PORT in reply:
        coap_port = field(reply, _CHECK_IN_REPLY_COAP_PORT, int, 1, 65535)
    messenger.coap_port = coap_port
    sms_to = ""
    if _CHECK_IN_REPLY_SMS_TO in reply:
        sms_to = field(reply, _CHECK_IN_REPLY_SMS_TO, str, 3, 16)
        for at, char in enumerate(sms_to):
            if char not in "0123456789" and (at or char != "+"):
                raise BadReply("no telephone number")
    messenger.sms_to = sms_to
    till.blocked = reply.get(_CHECK_IN_REPLY_BLOCKED) is True
    till.stolen = reply.get(_CHECK_IN_REPLY_STOLEN) is True
    if through < journal.state.acknowledged:
        # It was put back from a back-up: it hears again what it has forgotten, and its figure of
        # the float is not believed until then.
        await tell(journal, messenger, till, through)
    else:
        settle(journal, through, ledger_minor, time)
    return time, text, waiting, recalled


def _batches(reply: "Content", key: int) -> list[int]:
    batch_ids: list[int] = field(reply, key, list, 0, 16)
    for batch_id in batch_ids:
        field({key: batch_id}, key, int, 1, UINT32)
    return batch_ids
