"""What a SIM800 says of names: the address of a host. In the heap only while it is asked
(`office.datagram`). Source: SIM800 Series AT Command Manual 1.12, AT+CDNSGIP.
"""

from bootloader.shared.compat import const
from firmware import counts
from firmware.net.modem.chat import ChatError
from firmware.net.modem.errors import LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.net.modem.sim800 import Modem

_RESOLVE_MS = const(10000)
_NAME_BYTES = const(108)  # as in `sim800`


async def resolve(modem: "Modem", host: str) -> str:
    """The address of a host as the modem's DNS has it. The caller holds the modem's lock.

    Raises:
        LinkError: none, or no answer.
    """
    if all(c in "0123456789." for c in host):
        return host
    counts.air(_NAME_BYTES + 2 * len(host))
    try:
        line = await modem.chat.command(
            b'AT+CDNSGIP="' + host.encode() + b'"', (b"+CDNSGIP:",), _RESOLVE_MS
        )
    except ChatError as error:
        raise LinkError(str(error))
    words = str(bytes(b if b < 128 else 63 for b in line), "ascii").split('"')
    address = words[3] if len(words) > 3 else ""
    if not 6 < len(address) < 16 or any(c not in "0123456789." for c in address):
        raise LinkError("no address of " + host)
    return address
