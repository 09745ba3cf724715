"""What a release entry says beside what the image says of itself (docs/formats/release.md): its
terms, and the options that give them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from tools.errors import BuildError
from tools.release import image as images
from updater_server import channels

MILLION = 1_000_000
PACE_HELP = (
    "the fastest it may ever go out: first wave (millionths of the terminals), factor, hours "
    "between waves[, most millionths an hour, 0 for any[, millionths in all]]: 3000,3,24"
)
WIDENS_HELP = (
    "the worker lets it out and widens it by itself, inside its pace, while verdicts pass; "
    "so many times as far as each wave terminals restart to be compared with: 10"
)
_TRIAL, _GATE, _JOURNAL = channels.TrialPolicy(), channels.InstallGate(), (1,)


@dataclass(frozen=True)
class Terms:
    """The terms of one release."""

    revisions: list[int] = field(default_factory=lambda: [1])
    min_bootloader: int = 1
    stepping_stone: int = 0
    journal_reads: list[int] = field(default_factory=lambda: [*_JOURNAL])
    journal_writes: int = 1
    trial: channels.TrialPolicy = _TRIAL
    gate: channels.InstallGate = _GATE
    text: dict[str, str] = field(default_factory=dict)
    pace: tuple[int, ...] = ()
    quote_bytes: int | None = None
    widens: int = 0

    def entry(self, content: bytes) -> channels.ReleaseEntry:
        """The entry of an image.

        Raises:
            BuildError: not a release image, or built from uncommitted changes.
            EntryError: a term is out of bounds.
        """
        manifest = images.read_manifest(content)
        if manifest.commit.endswith("-dirty"):
            raise BuildError(
                "this image was built from uncommitted changes: commit them and build it again"
            )
        made = channels.ReleaseEntry(
            release=manifest.release,
            version=manifest.version,
            commit=manifest.commit,
            built=manifest.built,
            security_version=manifest.security_version,
            hardware=channels.Hardware(manifest.hardware_class, self.revisions),
            image=channels.Image(len(content), hashlib.sha256(content).hexdigest()),
            min_bootloader=self.min_bootloader,
            stepping_stone=self.stepping_stone,
            journal=channels.JournalVersions(self.journal_reads, self.journal_writes),
            trial=self.trial,
            gate=self.gate,
            text=self.text,
            pace=from_now(self.pace, manifest.built),
            quote_bytes=self.quote_bytes,
            widens=self.widens,
        )
        made.check()
        return made


def _option(help_text: str, *names: str) -> Any:
    return typer.Option(*names, help=help_text, rich_help_panel="What the entry of an image says")


@dataclass(frozen=True)
class TermOptions:
    """The terms as they are typed; a group of options."""

    revision: Annotated[list[int] | None, _option("hardware revision; repeat")] = None
    min_bootloader: Annotated[int, _option("oldest bootloader it runs on")] = 1
    stepping_stone: Annotated[int, _option("release that must run before")] = 0
    journal_reads: Annotated[list[int] | None, _option("journal version it reads; repeat")] = None
    journal_writes: Annotated[int, _option("journal version it writes")] = 1
    crashes_allowed: Annotated[
        int, _option("crashes on trial before it is given up", "--trial-crashes")
    ] = _TRIAL.crashes_allowed
    unconfirmed_boots_allowed: Annotated[
        int, _option("boots on trial before it is given up", "--trial-boots")
    ] = _TRIAL.unconfirmed_boots_allowed
    selftest_deadline_s: Annotated[
        int, _option("seconds for the self-test", "--trial-deadline-s")
    ] = _TRIAL.selftest_deadline_s
    gate_battery_mv: Annotated[int, _option("least battery for the switch, mV")] = _GATE.battery_mv
    gate_unsynced_records: Annotated[
        int, _option("most unsent records at the switch", "--gate-unsent")
    ] = _GATE.unsynced_records
    gate_idle_s: Annotated[int, _option("idle seconds before the switch")] = _GATE.idle_s
    text: Annotated[list[str] | None, _option("merchants are told: en=Faster receipts; repeat")] = (
        None
    )
    pace: Annotated[str | None, _option(PACE_HELP)] = None
    quote_bytes: Annotated[
        int | None,
        _option("longest full payload that is taken where a patch or delta failed; any if not set"),
    ] = None
    widens: Annotated[int, _option(WIDENS_HELP)] = 0
    deltas: Annotated[bool, _option("offer deltas from what is listed")] = True

    def terms(self) -> Terms:
        """What they say. Raises typer.BadParameter where a text has no language."""
        return Terms(
            self.revision or [1],
            self.min_bootloader,
            self.stepping_stone,
            self.journal_reads or [*_JOURNAL],
            self.journal_writes,
            channels.TrialPolicy(
                self.crashes_allowed, self.unconfirmed_boots_allowed, self.selftest_deadline_s
            ),
            channels.InstallGate(
                self.gate_battery_mv, self.gate_unsynced_records, self.gate_idle_s
            ),
            dict(_text(item) for item in self.text or ()),
            read_pace(self.pace),
            self.quote_bytes,
            self.widens,
        )


def read_pace(given: str | None) -> tuple[int, ...]:
    """First wave, factor, hours, rate and most of `--pace`; () if it was not given.

    Raises:
        typer.BadParameter: it is no pace.
    """
    if given is None:
        return ()
    parts = given.split(",")
    if not 3 <= len(parts) <= 5 or not all(p.isascii() and p.isdigit() for p in parts):
        raise typer.BadParameter(f"--pace is {PACE_HELP}")
    return (*map(int, parts), *(0, MILLION)[len(parts) - 3 :])


def from_now(pace: tuple[int, ...], built_s: int) -> channels.Pace | None:
    """That pace, from now on, in the entry of a release of that commit's time (Unix s)."""
    if not pace:
        return None
    # An hour is begun early: what is signed now may be let out at once, by terminals' clocks too.
    hours = int(datetime.now(UTC).timestamp() - built_s) // 3600 - 1
    return channels.Pace(max(hours, 0), *pace)


def _text(given: str) -> tuple[str, str]:
    language, found, text = given.partition("=")
    if not found:
        raise typer.BadParameter("--text is a language and the text: en=Faster receipts")
    return language, text
