"""What a start came to: a Plan to boot a release, or a Repair. `bootloader.boot` makes one of them,
`bootloader.main` acts on it.

These classes have no methods on purpose: they live as long as the release runs, and a method would
keep this module, and through it the bootloader, in memory beside it.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.identity import Identity as StoredIdentity
    from bootloader.shared.board import Watchdog
    from bootloader.shared.control import ControlBlock


class Identity:
    """Who the terminal is, for a release: `terminal_id` (8 bytes), `device_key` (32 bytes),
    `hardware_class`, `hardware_revision`, `chip_id` (bytes)."""

    terminal_id: bytes
    device_key: bytes
    hardware_class: str
    hardware_revision: int
    chip_id: bytes


class BootInfo:
    """What a release is told (docs/architecture.md, "Start-up"). Releases of any age read these
    attributes: none may go or be renamed. `control` and `watchdog` come with the jump."""

    slot: str
    trial: bool
    release: int
    boot_count: int
    reset_cause: str
    last_failure: "dict[str, object] | None"
    trial_failed: bool  # whether `last_failure` ended a trial: that release is never tried again
    control: "ControlBlock | None"
    watchdog: "Watchdog | None"
    identity: Identity


class Plan:
    """Boot the release that `info` tells of: `image_size` bytes of its slot. `control_key` seals
    the boot records. `info` goes when the release has ended."""

    info: BootInfo
    image_size: int
    control_key: bytes


class Repair:
    """No release may run: a technician is wanted, and `why` says what for. `who` and `control` are
    None as far as they are unknown."""

    why: str
    who: "StoredIdentity | None"
    control: "ControlBlock | None"
