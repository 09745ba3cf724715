"""What a release entry and a catalogue say, with every field checked. For `channels`, the tools and
`sales`.

Source: docs/formats/release.md.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from updater_server.wire import limits


def _of(bounds: tuple[int, int]) -> msgspec.Meta:
    """A number within bounds."""
    return msgspec.Meta(ge=bounds[0], le=bounds[1])


def _long(bounds: tuple[int, int], pattern: str | None = None) -> msgspec.Meta:
    """A text or list whose length is within bounds."""
    return msgspec.Meta(min_length=bounds[0], max_length=bounds[1], pattern=pattern)


_PRINTED = r"^[^\x00-\x1f\x7f]*\Z"  # `$` would let a line end through
_DIALLED = r"^[0-9*#+]*PIN[0-9*#+]*\Z"
HexSha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
HardwareClass = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z")]
ProductId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,23}\Z")]
Text = Annotated[str, _long(limits.TEXT, _PRINTED)]
_Start = Annotated[str, _long(limits.RECIPIENT_START, r"^[0-9]*\Z")]
_Prefixes = Annotated[str, _long(limits.PREFIXES, r"^[0-9]{1,8}( [0-9]{1,8})*\Z")]
Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}\Z")]

IMAGE_LIMIT_BYTES = limits.IMAGE_BYTES[1]
"""Size of a slot of `duka-r1`."""


class EntryError(Exception):
    """A release entry or catalogue breaks its format; the text names the field."""


class Hardware(msgspec.Struct, frozen=True, rename={"hardware_class": "class"}):
    """Which boards may run it."""

    hardware_class: HardwareClass
    revisions: Annotated[
        list[Annotated[int, _of(limits.HARDWARE_REVISION)]], _long(limits.HARDWARE_REVISIONS)
    ]


class JournalVersions(msgspec.Struct, frozen=True):
    """Journal record versions it can read, and the one it writes."""

    reads: Annotated[list[Annotated[int, _of(limits.JOURNAL_VERSION)]], _long(limits.JOURNAL_READS)]
    writes: Annotated[int, _of(limits.JOURNAL_VERSION)]


class Image(msgspec.Struct, frozen=True):
    """The expanded ROMFS image."""

    size_bytes: Annotated[int, _of(limits.IMAGE_BYTES)]
    sha256: HexSha256


class PayloadReference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A target that expands to the image; a delta or patch needs the image with `base_sha256` in
    the running slot.
    """

    kind: Literal["full", "delta", "patch"]
    path: str
    base_sha256: HexSha256 | None = None


class TrialPolicy(msgspec.Struct, frozen=True):
    """When a trial boot is given up."""

    crashes_allowed: Annotated[int, _of(limits.CRASHES_ALLOWED)] = 2
    unconfirmed_boots_allowed: Annotated[int, _of(limits.UNCONFIRMED_BOOTS_ALLOWED)] = 16
    selftest_deadline_s: Annotated[int, _of(limits.SELFTEST_DEADLINE_S)] = 300


class InstallGate(msgspec.Struct, frozen=True):
    """What must hold before the terminal switches."""

    battery_mv: Annotated[int, _of(limits.GATE_BATTERY_MV)] = 3600
    unsynced_records: Annotated[int, _of(limits.GATE_UNSYNCED_RECORDS)] = 50
    idle_s: Annotated[int, _of(limits.GATE_IDLE_S)] = 10


class Pace(msgspec.Struct, frozen=True, array_like=True):
    """The fastest that a release may ever be let out, as the channel's people signed it. It begins
    `after_h` hours after the commit with `first` millionths of the terminals, and grows to `factor`
    times as many every `every_h` hours, by no more than `rate` millionths an hour (0: no such
    bound), up to `most`.
    """

    after_h: Annotated[int, _of(limits.PACE_AFTER_H)]
    first: Annotated[int, _of(limits.PACE_MILLIONTHS)]
    factor: Annotated[int, _of(limits.PACE_FACTOR)]
    every_h: Annotated[int, _of(limits.PACE_EVERY_H)]
    rate: Annotated[int, _of(limits.PACE_RATE)]
    most: Annotated[int, _of(limits.PACE_MILLIONTHS)]

    def reach(self, built_s: int, now_s: int) -> int:
        """How many millionths of the terminals may have it at `now_s` (Unix s)."""
        hours = (now_s - built_s) // 3600 - self.after_h
        if hours < 0:
            return 0
        found = self.first
        for _ in range(hours // self.every_h):
            if found >= limits.PACE_MILLIONTHS[1] or self.factor == 1:
                break
            found *= self.factor
        if self.rate:
            found = min(found, self.first + self.rate * hours)
        return min(found, self.most)


class ReleaseEntry(msgspec.Struct, frozen=True):
    """`custom` of a release's `.full` target. `payloads` is filled in by
    `Releases.add_release`.
    """

    release: Annotated[int, _of(limits.RELEASE)]
    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+-]{0,31}\Z")]
    commit: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{7,64}\Z")]
    built: Annotated[int, _of(limits.BUILT)]
    security_version: Annotated[int, _of(limits.SECURITY_VERSION)]
    hardware: Hardware
    image: Image
    min_bootloader: Annotated[int, _of(limits.MIN_BOOTLOADER)] = 1
    stepping_stone: Annotated[int, msgspec.Meta(ge=0)] = 0
    journal: JournalVersions = JournalVersions([1], 1)
    payloads: Annotated[list[PayloadReference], msgspec.Meta(max_length=limits.PAYLOADS[1])] = []
    trial: TrialPolicy = TrialPolicy()
    gate: InstallGate = InstallGate()
    text: Annotated[dict[Language, Text], _long(limits.TEXT_LANGUAGES)] = {}
    pace: Pace | None = None
    lifted: Annotated[int, _of(limits.BRAKE_LIFTED)] = 0
    """Up to which version of the brake's file its halts of this release count no more."""
    quote_bytes: Annotated[int, _of(limits.QUOTE_BYTES)] | None = None
    """The longest full payload that a terminal takes for which there is a difference; any if
    None."""
    widens: Annotated[int, _of(limits.WIDENS)] = 0
    """Not 0: the worker lets it out by itself, inside its pace, while verdicts pass; a wave's
    control arm reaches so many times as far."""

    def check(self) -> None:
        """Raises EntryError if a field breaks its limits (constructors of msgspec do not look)."""
        ReleaseEntry.parse(self.custom())

    def custom(self) -> dict[str, Any]:
        """As JSON-like builtins, for TUF's `custom`."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        for name in ("pace", "lifted", "quote_bytes", "widens"):
            if not built[name]:
                del built[name]  # airtime for nothing
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
        if entry.release > limits.SIGNED_RELEASE[1]:
            raise EntryError(
                f"release entry: release {entry.release} is over {limits.SIGNED_RELEASE[1]}: "
                f"nothing could come after it; take a lower number"
            )
        if entry.widens and (entry.pace is None or entry.widens == 1):
            raise EntryError(
                "release entry: what widens by itself has a pace, and a control arm that reaches "
                "at least twice as far"
            )
        if entry.journal.writes not in entry.journal.reads:
            raise EntryError("release entry: it must read the journal version it writes")
        return entry


PIN_KIND: Literal["pin"] = "pin"
"""A voucher of the vault; of every other kind a supplier makes it."""


class OpenAmount(msgspec.Struct, frozen=True):
    """The merchant types the amount, in these bounds."""

    min_minor: Annotated[int, _of(limits.AMOUNT_MINOR)]
    max_minor: Annotated[int, _of(limits.AMOUNT_MINOR)]
    step_minor: Annotated[int, _of(limits.AMOUNT_MINOR)]
    commission_permille: Annotated[int, _of(limits.COMMISSION_PERMILLE)]


class Recipient(msgspec.Struct, frozen=True):
    """What a number must look like that a product goes to."""

    digits: tuple[
        Annotated[int, _of(limits.RECIPIENT_DIGITS)], Annotated[int, _of(limits.RECIPIENT_DIGITS)]
    ]
    starts: Annotated[list[_Start], _long(limits.RECIPIENT_STARTS)]

    def takes(self, recipient: str) -> bool:
        """Whether `recipient`, of digits, can be one."""
        fewest, most = self.digits
        return fewest <= len(recipient) <= most and (
            not self.starts or recipient.startswith(tuple(self.starts))
        )


class OwnOffline(msgspec.Struct, frozen=True, omit_defaults=True):
    """Bounds of selling one product without the network, beside those of all."""

    max_count: Annotated[int, _of(limits.OFFLINE_COUNT)] | None = None
    max_total_minor: Annotated[int, _of(limits.OFFLINE_TOTAL_MINOR)] | None = None
    max_age_s: Annotated[int, _of(limits.OFFLINE_AGE_S)] | None = None


class Product(msgspec.Struct, frozen=True, rename={"product_id": "id"}, omit_defaults=True):
    """One thing a merchant sells."""

    product_id: ProductId
    name: Annotated[str, _long(limits.PRODUCT_NAME, _PRINTED)]
    operator: Annotated[str, _long(limits.OPERATOR, _PRINTED)]
    amount_minor: Annotated[int, _of(limits.AMOUNT_MINOR)]
    commission_minor: Annotated[int, msgspec.Meta(ge=0, le=limits.AMOUNT_MINOR[1])]
    instructions: Annotated[str, _long(limits.INSTRUCTIONS, _PRINTED)]
    pin_groups: Annotated[list[Annotated[int, _of(limits.PIN_GROUP)]], _long(limits.PIN_GROUPS)]
    kind: Literal["pin", "topup", "meter", "bill"] = PIN_KIND
    open: OpenAmount | None = None
    recipient: Recipient | None = None
    dial: Annotated[str, _long(limits.DIAL, _DIALLED)] | None = None
    helpline: Annotated[str, _long(limits.HELPLINE, _PRINTED)] | None = None
    offline: OwnOffline | None = None

    def costs(self, amount_minor: int, commission_minor: int) -> bool:
        """Whether a sale of this amount, with this commission, is as the merchant was shown it."""
        if self.open is None:
            return (amount_minor, commission_minor) == (self.amount_minor, self.commission_minor)
        bounds = self.open
        return (
            bounds.min_minor <= amount_minor <= bounds.max_minor
            and amount_minor % bounds.step_minor == 0
            and commission_minor == amount_minor * bounds.commission_permille // 1000
        )

    def fault(self) -> str | None:
        """What two of its fields say against each other; None if nothing."""
        is_pin, recipient, bounds = self.kind == PIN_KIND, self.recipient, self.open
        faults = {
            "commission over the amount": self.commission_minor > self.amount_minor,
            "a voucher has no open amount and no recipient": is_pin and (bounds or recipient),
            "only a voucher has a string to dial": not is_pin and self.dial,
            "only a voucher is sold without network and has bounds of it": not is_pin
            and self.offline,
            "offline says none of its bounds; leave it out": self.offline == OwnOffline(),
            f"a product of kind {self.kind} needs a recipient": not is_pin and recipient is None,
            "the recipient has more digits at least than at most": recipient
            and recipient.digits[0] > recipient.digits[1],
            "min_minor over max_minor": bounds and bounds.min_minor > bounds.max_minor,
            "min_minor is no multiple of step_minor": bounds
            and bounds.min_minor % bounds.step_minor,
        }
        return next((fault for fault, is_so in faults.items() if is_so), None)


class OfflinePolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    """The bounds of selling without the network, and after how long without it the terminal wipes
    its stock (0: never).
    """

    max_amount_minor: Annotated[int, msgspec.Meta(ge=0, le=limits.AMOUNT_MINOR[1])]
    max_count: Annotated[int, _of(limits.OFFLINE_COUNT)]
    max_total_minor: Annotated[int, _of(limits.OFFLINE_TOTAL_MINOR)]
    max_age_s: Annotated[int, _of(limits.OFFLINE_AGE_S)]
    wipe_after_s: Annotated[int, _of(limits.OFFLINE_WIPE_S)] = 0


class Catalogue(msgspec.Struct, frozen=True, omit_defaults=True):
    """A signed price list: target `catalogue/<name>.json`."""

    version: Annotated[int, _of(limits.PRICE_LIST_VERSION)]
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
    minor_digits: Annotated[int, _of(limits.MINOR_DIGITS)]
    products: Annotated[list[Product], _long(limits.PRODUCTS)]
    offline: OfflinePolicy
    prefixes: dict[Annotated[str, _long(limits.OPERATOR, _PRINTED)], _Prefixes] | None = None
    """By operator, what its numbers begin with, as `"070 0711"`."""

    def encode(self) -> bytes:
        """Compact JSON, fields in the order of the format."""
        return msgspec.json.encode(self)

    def product(self, product_id: str) -> Product | None:
        """One product of it, or None."""
        return next((one for one in self.products if one.product_id == product_id), None)

    def check(self) -> None:
        """Raises EntryError if a field breaks its limits."""
        Catalogue.parse(self.encode())

    def check_prefixes(self) -> None:
        """Raises EntryError if there are too many, or two operators begin the same."""
        if self.prefixes is None:
            return
        fewest, most = limits.PREFIX_OPERATORS
        if not fewest <= len(self.prefixes) <= most:
            raise EntryError(
                f"catalogue: prefixes of {fewest} to {most} operators, or leave it out"
            )
        owners: dict[str, str] = {}
        for operator, starts in self.prefixes.items():
            for start in starts.split(" "):
                owner = owners.setdefault(start, operator)
                if owner != operator:
                    raise EntryError(
                        f"catalogue: numbers that begin with {start} are of {owner!r} and of "
                        f"{operator!r}; leave it out of one"
                    )

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
        if 0 < catalogue.offline.wipe_after_s < catalogue.offline.max_age_s:
            raise EntryError("catalogue: wipe_after_s is below max_age_s")
        seen: set[str] = set()
        for product in catalogue.products:
            if product.product_id in seen:
                raise EntryError(f"catalogue: product {product.product_id} is listed twice")
            seen.add(product.product_id)
            fault = product.fault()
            if fault:
                raise EntryError(f"catalogue: {product.product_id}: {fault}")
        catalogue.check_prefixes()
        size_bytes = len(catalogue.encode())
        if size_bytes > limits.PRICE_LIST_BYTES[1]:
            raise EntryError(
                f"catalogue: {size_bytes} bytes, and terminals take at most "
                f"{limits.PRICE_LIST_BYTES[1]}: fewer products or shorter instructions"
            )
        return catalogue
