"""When a release that is ready may be switched to. For `offer`; pure."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    from bootloader.shared.release import Release

    class GateFacts(TypedDict):
        """What the merchant and the terminal are about."""

        open_sale: bool
        idle_s: int
        battery_mv: int
        unsynced_records: int


def gate_blocks(release: "Release", facts: "GateFacts") -> tuple[str, str] | None:
    """Why the switch must wait, as the server's code and in words for the log, or None."""
    if facts["open_sale"]:
        return "gate_sale", "a sale is open"
    if facts["idle_s"] < release.gate_idle_s:
        return "gate_idle", "the terminal is in use"
    if facts["battery_mv"] < release.gate_battery_mv:
        return "battery", "the battery is low"
    if facts["unsynced_records"] > release.gate_unsynced_records:
        return "unsynced", "too many sales wait for the server"
    return None
