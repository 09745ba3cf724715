"""From channel to channel: the image stays the same bytes, the deltas are made for what runs where
the release goes, and what is halted does not go on.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime

import msgspec
from securesystemslib.signer import Signer

from updater_server.channels import verdicts
from updater_server.channels.dates import time_of
from updater_server.channels.entry import ReleaseEntry
from updater_server.channels.errors import PromotionRefused, ReleaseRefused, RepositoryDamaged
from updater_server.channels.payloads import Payload, build_payloads, expand
from updater_server.channels.policy import CHANNELS
from updater_server.channels.published import Published
from updater_server.channels.releases import Releases, expand_full
from updater_server.channels.rollout import EVERYBODY


class Promotion:
    """Lists a release that is published on one channel on the next."""

    def __init__(self, published: Published, releases: Releases) -> None:
        self._published = published
        self._releases = releases

    def promotable(
        self,
        from_channel: str,
        to_channel: str,
        release: int,
        hardware_class: str,
        now: datetime | None = None,
    ) -> ReleaseEntry:
        """The published entry that `promote` would list on another channel.

        Raises:
            PromotionRefused: a guard, by its name. "not next": a release passes the channels one
                by one. "halted": on `from_channel` or before. "open verdict": the last one there
                is no pass. "probes red": a robot finds something broken. "wave not complete":
                `from_channel` does not let everybody have it yet. "let out already": the next
                channel's plan names it from an earlier time, so that it would go out without a
                first wave.
            ReleaseRefused: `from_channel` does not list the release, or has run out.
        """
        if (from_channel, to_channel) not in itertools.pairwise(CHANNELS):
            raise PromotionRefused(
                "not next",
                f"a release goes from channel to channel in this order: {', '.join(CHANNELS)}; "
                f"{to_channel} is not the next after {from_channel}",
            )
        self._releases.check_not_halted(from_channel, release)
        if self._published.list_of(from_channel).signed.is_expired(time_of(now)):
            raise ReleaseRefused(
                f"what {from_channel} lists is no longer in force: `release sign {from_channel} "
                f"--anew`, and publish"
            )
        for entry in self._published.releases(from_channel):
            if (entry.release, entry.hardware.hardware_class) == (release, hardware_class):
                self._check_verdict(from_channel, release)
                self._check_probes()
                self._check_waves_have_passed(from_channel, release)
                self._releases.check_for_nobody(to_channel, release)
                return entry
        raise ReleaseRefused(f"{from_channel} has no release {release} for {hardware_class}")

    def _check_verdict(self, channel: str, release: int) -> None:
        found = verdicts.read(self._published.directory).get(channel, {}).get(str(release))
        if found is not None and found.is_open:
            why = "; ".join(found.reasons) or "nothing was looked at yet"
            raise PromotionRefused(
                "open verdict",
                f"wave {found.wave} of release {release} on {channel} is on {found.ruling}: {why}. "
                f"A person ends that with `updater_server verdict close {channel} {release}`",
            )

    def _check_probes(self) -> None:
        red = verdicts.red_probes(self._published.directory)
        if red:
            raise PromotionRefused(
                "probes red",
                f"{red[0]}. When that is mended the alarm closes; `alarm close` says that it is no "
                "matter",
            )

    def _check_waves_have_passed(self, channel: str, release: int) -> None:
        plan = self._published.rollout(channel)
        wave = plan.releases.get(str(release))
        if wave is None or wave.threshold < EVERYBODY:
            raise PromotionRefused(
                "wave not complete",
                f"release {release} on {channel} is {plan.in_words(release)}: `release rollout set "
                f"{release} {EVERYBODY} --channel {channel}` when its waves have passed",
            )

    def promote(
        self,
        from_channel: str,
        to_channel: str,
        release: int,
        hardware_class: str,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
    ) -> ReleaseEntry:
        """Stage a published release of one channel on the next: the same bytes, never a rebuild.

        Raises:
            ReleaseRefused: as `promotable` and `Releases.add_release`.
        """
        entry = self.promotable(from_channel, to_channel, release, hardware_class, now)
        # The next channel signs its own.
        entry = msgspec.structs.replace(entry, pace=None, widens=0)
        payloads = self.payloads(entry, to_channel)
        return self._releases.add_release(to_channel, entry, payloads, signers, now)

    def payloads(self, entry: ReleaseEntry, to_channel: str) -> list[Payload]:
        """The full payload of a listed release, the same bytes, and deltas from what `to_channel`
        lists, where they are smaller.
        """
        bases = self.images(to_channel, entry.hardware.hardware_class, entry.release)
        whole = self._full(entry)
        made = build_payloads(expand(whole), bases)
        is_smaller = (p for p in made if p.kind != "full" and len(p.data) < len(whole.data))
        return [whole, *is_smaller]

    def images(self, channel: str, hardware_class: str, below: int) -> dict[int, bytes]:
        """The images that `channel` lists for a class under a release number: what may run there.

        Raises:
            RepositoryDamaged: a payload is missing, or does not make the listed image.
        """
        found = {}
        for entry in self._published.releases(channel):
            if entry.hardware.hardware_class == hardware_class and entry.release < below:
                try:
                    found[entry.release] = expand_full(self._full(entry), entry.image)
                except ReleaseRefused as error:
                    raise RepositoryDamaged(f"{channel}, {entry.release}: {error}") from error
        return found

    def _full(self, entry: ReleaseEntry) -> Payload:
        """A listed entry's full payload."""
        path = next(payload.path for payload in entry.payloads if payload.kind == "full")
        return Payload("full", self._published.target_bytes(path))
