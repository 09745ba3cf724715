"""What the boot image tells a release of its start; types alone, so no image has this file.

The boot image is older than the release, or newer: nothing else of it may be relied on
(docs/architecture.md, "Start-up").
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol, TypedDict

    from bootloader.shared.board import Watchdog
    from bootloader.shared.control import ControlBlock

    class Failure(TypedDict):
        """Why a release was given up."""

        release: int
        reason: str

    class Identity(Protocol):
        """Who the terminal is."""

        terminal_id: bytes
        device_key: bytes
        hardware_class: str
        hardware_revision: int
        chip_id: bytes

    class BootInfo(Protocol):
        """How the terminal came to run this release."""

        slot: str
        trial: bool
        release: int
        boot_count: int
        reset_cause: str
        last_failure: Failure | None
        control: ControlBlock
        watchdog: Watchdog
        identity: Identity
        challenge: bytes | None
        """For a technician's next permit; set by `firmware.service.commands` alone."""
