"""Signing on a machine that has the key and no repository: what is carried there, and back.

For `channels` and the tools. What is carried there holds the very bytes to sign, so that the words
shown before signing are read from them and not from what somebody wrote beside them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from securesystemslib.formats import encode_canonical
from securesystemslib.signer import Signer

from updater_server.channels.entry import ReleaseEntry
from updater_server.channels.rollout import RolloutPlan


class OfflineError(Exception):
    """What was carried is not a request to sign, or not a signature; the text says what to do."""


def export(role: str, signed_bytes: bytes) -> bytes:
    """The file to carry to the key."""
    return json.dumps({"role": role, "signed": json.loads(signed_bytes)}, indent=1).encode()


def read_request(data: bytes) -> tuple[str, dict[str, Any]]:
    """(role, what is to be signed).

    Raises:
        OfflineError: not such a file.
    """
    try:
        content = json.loads(data)
        role, signed = content["role"], content["signed"]
    except (ValueError, KeyError, TypeError) as error:
        raise OfflineError("not a request to sign: export it again") from error
    if not isinstance(role, str) or not isinstance(signed, dict) or "_type" not in signed:
        raise OfflineError("not a request to sign: export it again")
    return role, signed


def sign(data: bytes, signer: Signer) -> bytes:
    """The file to carry back: a signature over what `data` holds. Raises OfflineError."""
    role, signed = read_request(data)
    canonical = encode_canonical(signed)
    if canonical is None:
        raise OfflineError("not a request to sign: export it again")
    signature = signer.sign(canonical.encode())
    content = {"role": role, "keyid": signature.keyid, "sig": signature.signature}
    return json.dumps(content, indent=1).encode()


def read_signature(data: bytes) -> tuple[str, str, str]:
    """(role, key id, signature).

    Raises:
        OfflineError: not such a file.
    """
    try:
        content = json.loads(data)
        role, keyid, signature = content["role"], content["keyid"], content["sig"]
    except (ValueError, KeyError, TypeError) as error:
        raise OfflineError("not a signature file") from error
    if not all(isinstance(value, str) for value in (role, keyid, signature)):
        raise OfflineError("not a signature file")
    return role, keyid, signature


def entry_in_words(entry: ReleaseEntry) -> Iterator[str]:
    """What a release entry tells a terminal, a line each."""
    hardware, journal, trial, gate = entry.hardware, entry.journal, entry.trial, entry.gate
    revisions, reads = (", ".join(map(str, n)) for n in (hardware.revisions, journal.reads))
    yield (
        f"  release {entry.release} ({entry.version}) of {hardware.hardware_class}, "
        f"commit {entry.commit[:12]}, image sha256 {entry.image.sha256}"
    )
    yield (
        f"    {entry.image.size_bytes:,} bytes; security version {entry.security_version}; "
        f"hardware revisions {revisions}; bootloader {entry.min_bootloader} or newer; "
        f"after release {entry.stepping_stone or 'any'}"
    )
    yield f"    journal: reads {reads}, writes {journal.writes}"
    yield (
        f"    trial: given up after {trial.crashes_allowed} crashes, "
        f"{trial.unconfirmed_boots_allowed} boots or {trial.selftest_deadline_s} s"
    )
    yield (
        f"    switch: battery {gate.battery_mv} mV, at most {gate.unsynced_records} unsent "
        f"records, idle for {gate.idle_s} s"
    )
    for language, text in sorted(entry.text.items()):
        yield f"    merchants read ({language}): {text}"


def _plan_in_words(custom: object) -> Iterator[str]:
    plan = RolloutPlan.parse(custom)
    for release, wave in plan.releases.items():
        yield f"  release {release}: {wave.threshold / 100:g} % of terminals"
    for number in plan.halted:
        yield f"  release {number}: HALTED"


def in_words(role: str, signed: dict[str, Any]) -> Iterator[str]:
    """What a signature over `signed` says, a line each."""
    yield f"{signed['_type']} metadata of {role}, version {signed['version']}"
    yield f"  counts until {signed['expires']}"
    for path, target in sorted(signed.get("targets", {}).items()):
        if path.endswith(".full"):
            yield from entry_in_words(ReleaseEntry.parse(target["custom"]))
        elif path.startswith("rollout/"):
            yield from _plan_in_words(target["custom"])
        else:
            yield f"  {path}, {target['length']} bytes, sha256 {target['hashes']['sha256']}"
    for delegation in signed.get("delegations", {}).get("roles", []):
        yield (
            f"  {delegation['name']} is signed by {delegation['threshold']} of "
            f"{', '.join(delegation['keyids'])}"
        )
    for role, rule in sorted(signed.get("roles", {}).items()):
        yield f"  {role} is signed by {rule['threshold']} of {', '.join(rule['keyids'])}"
    for name, about in sorted(signed.get("meta", {}).items()):
        yield f"  {name} is at version {about['version']}"
