"""Staging which releases a channel lists."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec
from securesystemslib.signer import Signer
from tuf.api.metadata import Targets

from updater_server.channels.entry import Image, PayloadReference, ReleaseEntry
from updater_server.channels.errors import PromotionRefused, ReleaseRefused
from updater_server.channels.layouts import does_not_fit
from updater_server.channels.lists import check_channel, entries_in, entries_of_class, halts_of
from updater_server.channels.payloads import Payload, PayloadError, expand
from updater_server.channels.policy import CHANNELS
from updater_server.channels.published import Published
from updater_server.channels.rollouts import Rollouts
from updater_server.channels.staging import Staging


class Releases:
    """Changes the lists of the channels. What `rollouts` halts goes no further."""

    def __init__(self, published: Published, staging: Staging, rollouts: Rollouts) -> None:
        self._published = published
        self._staging = staging
        self._rollouts = rollouts

    def add_release(
        self,
        channel: str,
        entry: ReleaseEntry,
        payloads: Sequence[Payload],
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
        asks: str = "",
    ) -> ReleaseEntry:
        """Stage a release on `channel`: store its payloads, list it, sign it with those of
        `signers` that may. `asks`: the channel to which its commit asks to go, for the log.

        `entry.payloads` is filled in here; returns the entry as listed. Publish afterwards.

        Raises:
            ReleaseRefused: no such channel, number not above its latest, security version below it,
                payload does not expand to `entry.image`, the release is halted here or before, or
                the same number already names other bytes on another channel.
            EntryError: a field of `entry` is wrong.
        """
        check_channel(channel, ReleaseRefused)
        if asks:
            check_channel(asks, ReleaseRefused)
        hardware_class = entry.hardware.hardware_class
        files = _files(channel, entry, payloads)
        references = [
            PayloadReference(payload.kind, path, payload.base_sha256)
            for path, payload in files.items()
        ]
        entry = msgspec.structs.replace(entry, payloads=references, lifted=0)
        entry.check()
        sizes = {path: len(payload.data) for path, payload in files.items()}
        too_large = does_not_fit(hardware_class, entry.image.size_bytes, sizes)
        if too_large:
            raise ReleaseRefused(f"{too_large}: no terminal could take it")
        self._check_same_bytes_elsewhere(entry)
        with self._staging.editing(channel, f"add release to {channel}", signers, now) as edit:
            self.check_not_halted(channel, entry.release)
            _check_follows(entry, channel, edit.metadata.signed)
            for path, payload in files.items():
                custom = entry.custom() if payload.kind == "full" else None
                edit.add_target(path, payload.data, custom)
            self._drop_old_releases(edit.metadata.signed, hardware_class)
            edit.details = {"release": entry.release, "image": entry.image.sha256}
            if asks:
                edit.details["asks"] = asks
        return entry

    def unlist(
        self,
        channel: str,
        release: int,
        hardware_class: str,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
    ) -> ReleaseEntry:
        """Stage `channel` without a release: no terminal takes it any more, and lower numbers may
        follow. Publish afterwards. Terminals that run it keep it.

        Raises:
            ReleaseRefused: the channel lists no such release, or another needs it as its stepping
                stone.
        """
        check_channel(channel, ReleaseRefused)
        with self._staging.editing(channel, f"unlist from {channel}", signers, now) as edit:
            of_class = entries_of_class(edit.metadata.signed, hardware_class)
            found = [entry for entry in of_class if entry.release == release]
            if not found:
                raise ReleaseRefused(f"{channel} lists no release {release} for {hardware_class}")
            needing = [entry.release for entry in of_class if entry.stepping_stone == release]
            if needing:
                raise ReleaseRefused(
                    f"release {needing[0]} needs {release} as its stepping stone: unlist it first"
                )
            _unlist(edit.metadata.signed, found[0])
            edit.details = {"release": release, "image": found[0].image.sha256}
        return found[0]

    def lift(
        self,
        channel: str,
        release: int,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
    ) -> None:
        """Stage the list of `channel` with `release` let go on by its people, whatever the brake
        has said of it so far. Publish afterwards.

        Raises:
            ReleaseRefused: the channel lists no such release, or the brake does not halt it.
        """
        check_channel(channel, ReleaseRefused)
        with self._staging.editing(channel, f"lift on {channel}", signers, now) as edit:
            halted = halts_of(channel, self._published.metadata).halted.get(str(release), 0)
            found = [e for e in entries_in(edit.metadata.signed) if e.release == release]
            if not found or all(entry.lifted >= halted for entry in found):
                raise ReleaseRefused(f"the brake of {channel} does not halt release {release}")
            for entry in found:
                path = f"{channel}/{entry.hardware.hardware_class}/{release}.full"
                lifted = msgspec.structs.replace(entry, lifted=halted)
                edit.targets[path].unrecognized_fields["custom"] = lifted.custom()
            edit.details = {"release": release, "lifted": halted}

    def check_not_halted(self, channel: str, release: int) -> None:
        """Raises ReleaseRefused if a plan, in force or waiting, halts `release` on `channel` or
        before it.
        """
        where = self._rollouts.halted_before(channel, release)
        if where:
            raise PromotionRefused(
                "halted",
                f"release {release} is halted on {where}: it goes no further. `release resume "
                f"{release} --channel {where}`, or build it anew under a higher number",
            )

    def check_for_nobody(self, channel: str, release: int) -> None:
        """Raises PromotionRefused if `channel` does not list the release, and a plan of it, in
        force or waiting, names it all the same: listing it would let it out at once.
        """
        if self._rollouts.lists(channel, release) or not self._rollouts.is_let_out(
            channel, release
        ):
            return
        raise PromotionRefused(
            "let out already",
            f"the plan of {channel} names release {release} from an earlier time: it would go out "
            f"without a first wave. `release rollout set {release} 0 --channel {channel}`, and "
            f"publish",
        )

    def _check_same_bytes_elsewhere(self, entry: ReleaseEntry) -> None:
        for channel in CHANNELS:
            for other in self._published.releases(channel):
                if (
                    other.release == entry.release
                    and other.hardware.hardware_class == entry.hardware.hardware_class
                    and other.image.sha256 != entry.image.sha256
                ):
                    raise ReleaseRefused(
                        f"release {entry.release} names other bytes on {channel}; take a new number"
                    )

    def _drop_old_releases(self, signed: Targets, hardware_class: str) -> None:
        """Unlist what no terminal needs any more; the files stay on disk for terminals in
        mid-download.
        """
        entries = entries_of_class(signed, hardware_class)
        count = self._published.policy.releases_listed
        stones = {entry.stepping_stone for entry in entries[:count]}
        for entry in entries[count:]:
            if entry.release in stones:
                stones.add(entry.stepping_stone)
            else:
                _unlist(signed, entry)


def expand_full(payload: Payload, image: Image) -> bytes:
    """The image that a full payload makes, which must be the listed one.

    Raises:
        ReleaseRefused: it is another, or none.
    """
    try:
        content = expand(payload)
    except PayloadError as error:
        raise ReleaseRefused(str(error)) from error
    if len(content) != image.size_bytes:
        raise ReleaseRefused(
            f"the image has {len(content)} bytes, the entry says {image.size_bytes}"
        )
    if hashlib.sha256(content).hexdigest() != image.sha256:
        raise ReleaseRefused("the image's SHA-256 is not the entry's")
    return content


def _files(channel: str, entry: ReleaseEntry, payloads: Sequence[Payload]) -> dict[str, Payload]:
    """The payloads by the target path under which each is listed, the full one checked."""
    base_path = f"{channel}/{entry.hardware.hardware_class}/{entry.release}"
    files: dict[str, Payload] = {}
    for payload in payloads:
        if payload.kind == "full":
            expand_full(payload, entry.image)
            files[f"{base_path}.full"] = payload
        else:
            files[f"{base_path}-from-{payload.base_release}.{payload.kind}"] = payload
    if f"{base_path}.full" not in files:
        raise ReleaseRefused("a release needs a full payload")
    return files


def _check_follows(entry: ReleaseEntry, channel: str, signed: Targets) -> None:
    """Raises ReleaseRefused if `entry` cannot come after what a channel's metadata list."""
    earlier = entries_of_class(signed, entry.hardware.hardware_class)
    if not earlier:
        return
    latest = earlier[0]
    if entry.release <= latest.release:
        raise ReleaseRefused(
            f"{channel} already has release {latest.release}; the next must be higher"
        )
    if entry.security_version < latest.security_version:
        raise ReleaseRefused(
            f"security version {entry.security_version} is below that of release "
            f"{latest.release} ({latest.security_version}): no terminal would take it"
        )


def _unlist(signed: Targets, entry: ReleaseEntry) -> None:
    for reference in entry.payloads:
        signed.targets.pop(reference.path, None)
