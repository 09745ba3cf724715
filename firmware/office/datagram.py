"""A sealed question by datagram: the first road, for what fits and where the server takes it. In
the heap only while it is asked (`messenger`).
"""

from bootloader.shared import cose
from bootloader.shared.compat import const
from firmware import lent
from firmware.net.coap import ask
from firmware.net.modem.errors import ModemError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.office.messenger import Messenger

_ACK_TIMEOUT_MS = const(2000)
_SPREAD_MS = const(1000)


def waits_ms(random: bytes, has_passed: bool) -> tuple[int, ...]:
    """After how long it is asked again, and at last given up: RFC 7252's first two waits, drawn by
    `random` (2 bytes); three where datagrams are known to pass, for then it is the radio that lost
    one.
    """
    first_ms = _ACK_TIMEOUT_MS + (random[0] << 8 | random[1]) * _SPREAD_MS // 65536
    return (first_ms, 2 * first_ms) + ((2 * first_ms,) if has_passed else ())


def opened(messenger: "Messenger", counter: int, body: bytes) -> bytes | None:
    """What an answer to the message with that counter says; None if it is not the server's."""
    try:
        return cose.open_reply(messenger.keys.down, messenger.salt, counter, body)
    except ValueError:
        return None


async def by_datagram(messenger: "Messenger", plain: bytes) -> bytes | None:
    """What the server answers to `plain`, opened; None when no answer came by this road."""
    client = messenger.client
    if client is None:
        return None
    modem: Any = client.transport
    counter, sealed = messenger.seal(plain)  # its turn for the modem is its turn among the counters
    async with modem.lock:
        drawn = messenger.random(4)
        try:
            if not messenger.address:
                try:
                    names = lent.load(modem.names)
                    messenger.address = await names.resolve(modem, client.host)
                finally:
                    lent.give_back((modem.names,))
            answer = await ask(
                modem,
                messenger.address,
                messenger.coap_port,
                drawn[0] << 8 | drawn[1],
                sealed,
                waits_ms(drawn[2:], messenger.misses <= 0),
                lambda body: opened(messenger, counter, body),
            )
        except ModemError:
            answer = None
        if answer is None:
            messenger.address = ""
        else:
            messenger.misses = -1
            modem.outcome(True)
        return answer
