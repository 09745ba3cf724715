"""What a release entry and a catalogue say, with every field checked. For `channels`, the tools and
`sales`.

Source: docs/formats/release.md.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Number = Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
HexSha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
HardwareClass = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z")]
ProductId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,23}\Z")]
Text = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}\Z")]

IMAGE_LIMIT_BYTES = 0x0A0000
"""Size of the largest slot of any class; `layouts` knows each."""


class EntryError(Exception):
    """A release entry or catalogue breaks its format; the text names the field."""


class Hardware(msgspec.Struct, frozen=True, rename={"hardware_class": "class"}):
    """Which boards may run it."""

    hardware_class: HardwareClass
    revisions: Annotated[list[Positive], msgspec.Meta(min_length=1, max_length=16)]


class JournalVersions(msgspec.Struct, frozen=True):
    """Journal record versions it can read, and the one it writes."""

    reads: Annotated[list[Positive], msgspec.Meta(min_length=1, max_length=16)]
    writes: Positive


class Image(msgspec.Struct, frozen=True):
    """The expanded ROMFS image."""

    size_bytes: Annotated[int, msgspec.Meta(ge=1, le=IMAGE_LIMIT_BYTES)]
    sha256: HexSha256


class PayloadReference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A target that expands to the image; a delta needs the image with `base_sha256` in the running
    slot.
    """

    kind: Literal["full", "delta"]
    path: str
    base_sha256: HexSha256 | None = None


class TrialPolicy(msgspec.Struct, frozen=True):
    """When a trial boot is given up."""

    crashes_allowed: Count = 2
    unconfirmed_boots_allowed: Count = 16
    selftest_deadline_s: Positive = 300


class InstallGate(msgspec.Struct, frozen=True):
    """What must hold before the terminal switches."""

    battery_mv: Count = 3600
    unsynced_records: Count = 50
    idle_s: Count = 10


class ReleaseEntry(msgspec.Struct, frozen=True):
    """`custom` of a release's `.full` target. `payloads` is filled in by
    `Repository.add_release`.
    """

    release: Number
    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+-]{0,31}\Z")]
    commit: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{7,64}\Z")]
    built: Count
    security_version: Count
    hardware: Hardware
    image: Image
    min_bootloader: Count = 1
    stepping_stone: Count = 0
    journal: JournalVersions = JournalVersions([1], 1)
    payloads: list[PayloadReference] = []
    trial: TrialPolicy = TrialPolicy()
    gate: InstallGate = InstallGate()
    text: dict[Language, Text] = {}

    def check(self) -> None:
        """Raises EntryError if a field breaks its limits (constructors of msgspec do not look)."""
        ReleaseEntry.parse(self.custom())

    def custom(self) -> dict[str, Any]:
        """As JSON-like builtins, for TUF's `custom`."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built

    @staticmethod
    def parse(custom: object) -> ReleaseEntry:
        """From TUF's `custom`.

        Raises:
            EntryError: a field is missing, mistyped or out of its limits.
        """
        try:
            entry = msgspec.convert(custom, ReleaseEntry)
        except msgspec.ValidationError as error:
            raise EntryError(f"release entry: {error}") from error
        if entry.stepping_stone >= entry.release:
            raise EntryError("release entry: the stepping stone must be an earlier release")
        if entry.journal.writes not in entry.journal.reads:
            raise EntryError("release entry: it must read the journal version it writes")
        return entry


class Product(msgspec.Struct, frozen=True, rename={"product_id": "id"}):
    """One thing a merchant sells."""

    product_id: ProductId
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
    operator: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    amount_minor: Annotated[int, msgspec.Meta(ge=1, le=10**9)]
    commission_minor: Annotated[int, msgspec.Meta(ge=0, le=10**9)]
    instructions: Text
    pin_groups: Annotated[
        list[Annotated[int, msgspec.Meta(ge=1, le=16)]], msgspec.Meta(min_length=1, max_length=8)
    ]


class OfflinePolicy(msgspec.Struct, frozen=True):
    """The bounds of selling without the network."""

    max_amount_minor: Count
    max_count: Count
    max_total_minor: Count
    max_age_s: Count


class Catalogue(msgspec.Struct, frozen=True):
    """A signed price list: target `catalogue/<name>.json`."""

    version: Positive
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
    minor_digits: Annotated[int, msgspec.Meta(ge=0, le=3)]
    products: Annotated[list[Product], msgspec.Meta(max_length=100)]
    offline: OfflinePolicy

    def encode(self) -> bytes:
        """Compact JSON, fields in the order of the format."""
        return msgspec.json.encode(self)

    def check(self) -> None:
        """Raises EntryError if a field breaks its limits."""
        Catalogue.parse(self.encode())

    @staticmethod
    def parse(data: bytes) -> Catalogue:
        """From the target's bytes.

        Raises:
            EntryError: not JSON, a field is wrong, a product is listed twice or earns more than it
                costs.
        """
        try:
            catalogue = msgspec.json.decode(data, type=Catalogue)
        except msgspec.MsgspecError as error:
            raise EntryError(f"catalogue: {error}") from error
        seen: set[str] = set()
        for product in catalogue.products:
            if product.product_id in seen:
                raise EntryError(f"catalogue: product {product.product_id} is listed twice")
            seen.add(product.product_id)
            if product.commission_minor > product.amount_minor:
                raise EntryError(f"catalogue: {product.product_id}: commission over the amount")
        return catalogue
