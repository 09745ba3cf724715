"""Talk to a terminal over its serial port.

A blank board answers in MicroPython's raw REPL, a bootloader in recovery in SMP.

For the technician's command line and for tests. Interface: docs/formats/serial.md.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import logging
import termios
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

import mpremote.transport
import mpremote.transport_serial
import smp.error
import smp.message
from pydantic import Field
from smpclient import SMPClient
from smpclient.exceptions import SMPClientException, SMPUploadError
from smpclient.generics import SMPRequest, TEr1, TEr2, TRep, success
from smpclient.requests.image_management import ImageStatesWrite
from smpclient.requests.os_management import EchoWrite, ResetWrite
from smpclient.transport.serial import SMPSerialTransport

from tools.errors import LinkError

Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all)."""

_T = TypeVar("_T")
_SECTOR_BYTES = 4096
logging.getLogger("smpclient").addHandler(logging.NullHandler())  # it fails by `LinkError`

_GREETS_S = 10.0
_WORKS_S = 60.0
"""How long one request may take: with the first image after its start a terminal checks all signed
files on board, ten seconds at 133 MHz and two more with each further channel.
"""
_PROVISIONING_GROUP = 64


class StatusResponse(smp.message.ReadResponse):
    """What the bootloader says of itself and of the chip."""

    _GROUP_ID = _PROVISIONING_GROUP
    _COMMAND_ID = 0

    state: str
    hardware_class: str = Field(alias="class")
    revision: int
    bootloader: int
    uid: bytes
    terminal: bytes | None = None


class _ProvisioningErrorV1(smp.error.ErrorV1):
    _GROUP_ID = _PROVISIONING_GROUP


class _ProvisioningErrorV2(smp.error.ErrorV2[smp.error.MGMT_ERR]):
    _GROUP_ID = _PROVISIONING_GROUP


class StatusRead(smp.message.ReadRequest):
    """Asks for the status."""

    _GROUP_ID = _PROVISIONING_GROUP
    _COMMAND_ID = 0
    _Response = StatusResponse
    _ErrorV1 = _ProvisioningErrorV1
    _ErrorV2 = _ProvisioningErrorV2


class IdentityResponse(smp.message.WriteResponse):
    """The public key that the terminal made."""

    _GROUP_ID = _PROVISIONING_GROUP
    _COMMAND_ID = 1

    key: bytes


class IdentityWrite(smp.message.WriteRequest):
    """Gives the terminal its number; it makes its key."""

    _GROUP_ID = _PROVISIONING_GROUP
    _COMMAND_ID = 1
    _Response = IdentityResponse
    _ErrorV1 = _ProvisioningErrorV1
    _ErrorV2 = _ProvisioningErrorV2

    terminal: bytes


class ChallengeResponse(smp.message.ReadResponse):
    """Random bytes that one permit must be for."""

    _GROUP_ID = _PROVISIONING_GROUP
    _COMMAND_ID = 2

    challenge: bytes


class ChallengeRead(smp.message.ReadRequest):
    """Asks for a challenge."""

    _GROUP_ID = _PROVISIONING_GROUP
    _COMMAND_ID = 2
    _Response = ChallengeResponse
    _ErrorV1 = _ProvisioningErrorV1
    _ErrorV2 = _ProvisioningErrorV2


class PermitResponse(smp.message.WriteResponse):
    """The permit was taken."""

    _GROUP_ID = _PROVISIONING_GROUP
    _COMMAND_ID = 2


class PermitWrite(smp.message.WriteRequest):
    """Names the one file that may come now, by its hash, and brings the permit for it."""

    _GROUP_ID = _PROVISIONING_GROUP
    _COMMAND_ID = 2
    _Response = PermitResponse
    _ErrorV1 = _ProvisioningErrorV1
    _ErrorV2 = _ProvisioningErrorV2

    file: bytes
    permit: bytes


class BlankBoard:
    """A board with nothing but MicroPython on it, reached through its raw REPL.

    Raises:
        LinkError: nothing answers as a MicroPython REPL on this port.
    """

    def __init__(self, port: str, timeout_s: float = 5) -> None:
        try:
            self._transport = mpremote.transport_serial.SerialTransport(port, baudrate=115200)
            self._transport.enter_raw_repl(soft_reset=False, timeout_overall=timeout_s)
        except mpremote.transport.TransportError as error:
            raise LinkError(
                f"{port}: no MicroPython prompt ({error}). Is the terminal on, and is it blank?"
            ) from error

    def __enter__(self) -> BlankBoard:
        return self

    def __exit__(self, *_: object) -> None:
        # Left in the raw REPL, a board would not be known again on this port.
        with contextlib.suppress(mpremote.transport.TransportError, OSError):
            self._transport.exit_raw_repl()
        self._transport.close()

    def write_boot(self, image: bytes, progress: Progress = lambda done, total: None) -> None:
        """Write the boot image at the start of flash and check it by reading it back.

        The sector with the image's header is written last: a board whose set-up was cut or found
        faulty is as blank as before.

        Raises:
            LinkError: the board refused a step, or what it read back is not what was sent.
        """
        self._exec("import norflash, binascii, hashlib; _flash = norflash.Flash()")
        self._exec("_flash.erase(0)")
        for done, at in enumerate(reversed(range(0, len(image), _SECTOR_BYTES)), start=1):
            piece = image[at : at + _SECTOR_BYTES]
            text = base64.b64encode(piece).decode()
            self._exec(f"_flash.erase({at}); _d = binascii.a2b_base64('{text}')")
            self._exec(
                f"for _i in range(0, len(_d), 256):\n    _flash.program({at} + _i, _d[_i:_i + 256])"
            )
            progress(min(done * _SECTOR_BYTES, len(image)), len(image))
        self._exec("_d = None; _h = hashlib.sha256(); _b = bytearray(256)")
        self._exec(
            f"for _a in range(0, {len(image)}, 256):\n"
            "    _flash.read_into(_a, _b)\n"
            f"    _h.update(memoryview(_b)[:min(256, {len(image)} - _a)])"
        )
        read_back = self._exec("print(binascii.hexlify(_h.digest()).decode())").strip()
        if read_back != hashlib.sha256(image).hexdigest():
            self._exec("_flash.erase(0)")
            raise LinkError("the boot image read back is not the one sent: the flash is faulty")

    def reset(self) -> None:
        """Restart the board; it comes up in what `write_boot` wrote."""
        with contextlib.suppress(mpremote.transport.TransportError):
            self._transport.exec_raw_no_follow("import machine; machine.reset()")
        # The command must have left the port before the port is closed.
        self._transport.serial.flush()
        time.sleep(0.2)

    def _exec(self, code: str) -> str:
        try:
            output: bytes = self._transport.exec(code)
        except mpremote.transport.TransportError as error:
            raise LinkError(f"the board refused a step of the set-up: {error}") from error
        return output.decode()


class RecoveryLink:
    """A bootloader in serial recovery, reached by SMP. Synchronous; one request at a time, which
    may take `timeout_s`.
    """

    def __init__(self, port: str, timeout_s: float = _WORKS_S) -> None:
        self._port = port
        self._timeout_s = timeout_s
        self._runner = asyncio.Runner()
        greeting_s = min(timeout_s, _GREETS_S)
        self._client = SMPClient(SMPSerialTransport(), port, timeout_s=greeting_s)

    def __enter__(self) -> RecoveryLink:
        try:
            self._run(self._client.connect())
        except LinkError:
            self._runner.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(LinkError):
            self._run(self._client.disconnect())
        self._runner.close()

    def echo(self, text: str) -> str:
        """Return what the terminal says back to `text`."""
        return str(self._request(EchoWrite(d=text)).r)

    def status(self) -> StatusResponse:
        """Return who and what is on this port."""
        return self._request(StatusRead())

    def make_identity(self, terminal_id: bytes) -> bytes:
        """Have the terminal make its device key; return it. It is shown this once."""
        return self._request(IdentityWrite(terminal=terminal_id)).key

    def upload_file(
        self, path: str, content: bytes, progress: Progress = lambda done, total: None
    ) -> None:
        """Write one file under /data on the terminal."""
        offsets = self._client.upload_file(content, path, self._timeout_s)
        self._run(self._follow(offsets, len(content), progress))

    def upload_permitted(
        self,
        path: str,
        content: bytes,
        permit: Callable[[bytes, bytes], bytes],
        progress: Progress = lambda done, total: None,
    ) -> None:
        """Write a file that nobody signed to a terminal that had its first image. `permit` is given
        the terminal's challenge and the file's hash, and asks the server (action `file`).
        """
        challenge = self._request(ChallengeRead()).challenge
        file = hashlib.sha256(path.encode() + b"\0" + content).digest()
        self._request(PermitWrite(file=file, permit=permit(challenge, file)))
        self.upload_file(path, content, progress)

    def upload_image(self, image: bytes, progress: Progress = lambda done, total: None) -> None:
        """Upload a release image; the terminal accepts it only if its channel lists it."""
        offsets = self._client.upload(image, first_timeout_s=self._timeout_s)
        self._run(self._follow(offsets, len(image), progress))

    def choose_image(self, sha256: bytes, confirm: bool) -> None:
        """Boot the uploaded image of that hash next: on trial, or with `confirm` for good."""
        self._request(ImageStatesWrite(hash=sha256, confirm=confirm))

    def reset(self) -> None:
        """Restart the terminal."""
        self._request(ResetWrite())

    async def _follow(self, offsets: AsyncIterator[int], total: int, progress: Progress) -> None:
        async for offset in offsets:
            progress(offset, total)

    def _request(self, request: SMPRequest[TRep, TEr1, TEr2]) -> TRep:
        answer = self._run(self._client.request(request, self._timeout_s))
        if success(answer):
            return answer
        raise LinkError(f"{self._port}: the terminal refused: {_reason(answer)}")

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        try:
            return self._runner.run(work)
        except SMPUploadError as error:
            reason = _reason(error.args[0]) if error.args else str(error)
            raise LinkError(f"{self._port}: the terminal refused: {reason}") from error
        except (SMPClientException, TimeoutError, OSError, termios.error) as error:
            raise LinkError(
                f"{self._port}: {error or type(error).__name__}. Is the terminal in recovery "
                "(hold * while switching on) and the cable in?"
            ) from error


def _reason(answer: object) -> str:
    """The terminal's own words in a refusal; without any, what SMP calls it."""
    return str(getattr(answer, "rsn", None) or answer)
