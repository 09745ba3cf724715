"""A sale's question by short message: the last road, for who has a network and no data. In the heap
only while it is asked (`ask`).

The same sealed bytes as by any other road, one message each way; who sent a message does not
count, what opens does. What comes an hour late: `sms_box`. Format: docs/formats/messages.md.
"""

from bootloader.shared import cbor, cose
from bootloader.shared.compat import const, sleep_ms, ticks_add, ticks_diff, ticks_ms
from bootloader.shared.hashes import hkdf_sha256
from firmware import counts
from firmware.log import log
from firmware.net.modem import sms
from firmware.net.modem.errors import LinkError
from firmware.office.messenger import NoNetwork

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.office.messenger import Messenger

_ANSWER_MS = const(75000)
_LOOK_MS = const(500)
_UNTOLD_MS = const(10000)
"""So often the card is looked at in case a notice was lost."""
_REMEMBERED = const(4)
# Of `counts`: a message counts as one whole unit of its place, and not by its bytes.
_AIR_WASTED = const(7)
_AIR_SMS = const(8)
_AIR_ONE = const(32)
WORD_BYTES = const(20)
_WORD = const(1)


def opened(messenger: "Messenger", data: bytes) -> tuple[int, bytes] | None:
    """(sequence of the sale, content) of a message that answers one of the last questions."""
    for sequence, counter in messenger.texted:
        try:
            return sequence, cose.open_reply(messenger.keys.down, messenger.salt, counter, data)
        except ValueError:
            pass
    return None


def word(messenger: "Messenger", data: bytes) -> tuple[int, int] | None:
    """(counter, what it says) of a word of the office to this terminal; None if it is none."""
    if len(data) != WORD_BYTES or data[0] != _WORD:
        return None
    terminal_id = messenger.terminal_id
    key = hkdf_sha256(messenger.device_key, terminal_id, b"duka word 1", 16)
    nonce = b"\x03" + bytes(4) + data[1:9]
    try:
        said = cbor.loads(
            cose.unseal(key, nonce, cbor.dumps(["duka/word/1", terminal_id]), data[9:])
        )
    except ValueError:
        return None
    if not isinstance(said, dict) or not isinstance(said.get(0), int):
        return None
    return int.from_bytes(data[1:9], "big"), said[0]


async def ask(messenger: "Messenger", sequence: int, plain: bytes) -> bytes:
    """The server's answer to the sale with that sequence, whose question is `plain`: one that came
    meanwhile for an earlier question, else to a message that is sent now.

    Raises:
        NoNetwork: none came in time; it may come later.
    """
    if messenger.client is None or not messenger.sms_to:
        raise NoNetwork("no short messages")
    modem: Any = messenger.client.transport
    answers: list[bytes] = []
    left: list[bytes] = []

    def use(data: bytes) -> bool:
        found = opened(messenger, data)
        if found and found[0] == sequence:
            answers.append(found[1])
            return True
        # another sale's answer, or a word, is `sms_box`'s, once; all else only fills the card
        if data in left or not (found or word(messenger, data)):
            return True
        left.append(data)
        return False

    async with modem.lock:
        try:
            await sms.take(modem, use)
            if answers:
                return answers[0]
            counter, sealed = messenger.seal(plain)
            if len(sealed) > sms.DATA_BYTES:
                raise NoNetwork("too long for a short message")
            messenger.texted = (messenger.texted + ((sequence, counter),))[-_REMEMBERED:]
            await sms.send(modem, messenger.sms_to, sealed)
            counts.spent(_AIR_WASTED)  # bytes of before are no messages
            counts.air(_AIR_ONE)
            counts.spent(_AIR_SMS)
            log("sale", "{} asked by SMS".format(sequence))
            until = ticks_add(ticks_ms(), _ANSWER_MS)
            looked = ticks_ms()
            while not answers and ticks_diff(until, ticks_ms()) > 0:
                await sleep_ms(_LOOK_MS)
                modem.poll()
                if modem.sms_waiting or ticks_diff(ticks_ms(), looked) >= _UNTOLD_MS:
                    looked = ticks_ms()
                    left.clear()
                    await sms.take(modem, use)
        except LinkError as error:
            raise NoNetwork(str(error))
        finally:
            modem.sms_waiting = True  # what was not for this sale is still there
    if not answers:
        raise NoNetwork("no answer by SMS")
    return answers[0]
