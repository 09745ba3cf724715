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
_LONGEST_FIRST_MS = const(6000)


def waits_ms(random: bytes, has_passed: bool, usual_ms: int = 0) -> tuple[int, ...]:
    """After how long it is asked again, and at last given up: RFC 7252's first two waits, drawn by
    `random` (2 bytes); three where datagrams are known to pass, for then it is the radio that lost
    one. The first is longer where answers take `usual_ms`: asking again before one can be there is
    paid for, and brings nothing.
    """
    drawn_ms = _ACK_TIMEOUT_MS + (random[0] << 8 | random[1]) * _SPREAD_MS // 65536
    first_ms = max(drawn_ms, min(usual_ms + usual_ms // 4, _LONGEST_FIRST_MS))
    return (first_ms, 2 * drawn_ms) + ((2 * drawn_ms,) if has_passed else ())


def opened(messenger: "Messenger", counter: int, body: bytes) -> bytes | None:
    """What an answer to the message with that counter says; None if it is not the server's."""
    try:
        return cose.open_reply(messenger.keys.down, messenger.salt, counter, body)
    except ValueError:
        return None


async def by_datagram(messenger: "Messenger", plain: bytes) -> bytes | None:
    """What the server answers to `plain`, opened; None when no answer came by this road."""
    client: Any = messenger.client
    modem = client.transport
    counter, sealed = messenger.seal(plain)  # its turn for the modem is its turn among the counters
    async with modem.lock:
        drawn = messenger.random(4)
        try:
            if not client.address:
                try:
                    names = lent.load(modem.names)
                    client.address = await names.resolve(modem, client.host)
                finally:
                    lent.give_back((modem.names,))
            answer, took_ms = await ask(
                modem,
                client.address,
                messenger.coap_port,
                drawn[0] << 8 | drawn[1],
                sealed,
                waits_ms(drawn[2:], messenger.misses <= 0, messenger.usual_ms),
                lambda body: opened(messenger, counter, body),
            )
        except ModemError:
            answer = None
        if answer is None:
            client.address = ""
        else:
            messenger.misses = -1
            # The slowest of late, and forgotten by the quarter: one that was asked for twice makes
            # the next wait longer, not all that follow.
            messenger.usual_ms = max(took_ms, messenger.usual_ms * 3 // 4)
            modem.outcome(True)
        return answer
