"""What a signature says, in words: made from the very bytes that are signed. For `channels` and the
tools.

Words for people come first. Behind them stands every difference to what is in force, field by
field, whatever the field is: so what is signed is what was in force and what is shown, and nothing
else. Where nothing is known to compare with, every field is shown.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from securesystemslib.formats import encode_canonical

from updater_server.channels.entry import EntryError, ReleaseEntry
from updater_server.channels.halts import Halts
from updater_server.channels.keys import fingerprint
from updater_server.channels.rollout import RolloutError, RolloutPlan
from updater_server.wire import limits

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_./*-]+")

Signed = Mapping[str, Any]
Path = tuple[tuple[str, str], ...]
"""The way to a value: ("name", key of a map) or ("item", place in a list and its name)."""


def visible(text: str) -> str:
    """`text` as one line that cannot pretend: control and direction marks, and letters that are not
    Latin ones (perhaps with an accent), appear as escapes.
    """
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if " " <= character <= "~":
        return "\\\\" if character == "\\" else character
    parts = list(unicodedata.normalize("NFD", character))
    base, marks = parts[0], parts[1:]
    is_accented = base.isascii() and base.isalpha() and marks
    if is_accented and all(unicodedata.combining(mark) for mark in marks):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{{{code:x}}}"


def sha256_of(signed: Signed) -> str:
    """SHA-256 of the bytes that a signature over `signed` is made of, in hex."""
    canonical = encode_canonical(dict(signed))
    assert canonical is not None
    return hashlib.sha256(canonical.encode()).hexdigest()


def in_words(
    role: str, signed: Signed, in_force: Signed | None, contents: Mapping[str, bytes]
) -> list[str]:
    """What a signature over `signed` says, a line each. `in_force`: what it would replace, if that
    is known. `contents`: files that targets name, by SHA-256, as far as they are at hand.
    """
    kind, version = visible(str(signed.get("_type"))), visible(json.dumps(signed.get("version")))
    lines = [
        f"{kind} metadata of {visible(role)}, version {version}, SHA-256 {sha256_of(signed)}",
        f"  counts until {visible(str(signed.get('expires')))}",
        *_targets_in_words(signed, in_force),
        *_roles_in_words(signed),
    ]
    for name, about in sorted(_map(signed, "meta").items()):
        if about != _map(in_force or {}, "meta").get(name):
            lines.append(f"  {visible(name)} is at version {_value(_map(about).get('version'))}")
    if in_force is None:
        lines.append("  all that it says:")
    else:
        was = _value(in_force.get("version"))
        lines.append(f"  what differs from version {was}, which is in force:")
    lines += [f"    {line}" for line in differences(in_force or {}, signed)]
    lines += _contents_in_words(signed, in_force, contents)
    return lines


def differences(before: Any, after: Any) -> list[str]:
    """Every difference of two JSON values, a line each: + added, - taken away, ~ changed."""
    old, new = dict(_leaves(before, ())), dict(_leaves(after, ()))
    lines = []
    for path in sorted(old.keys() | new.keys()):
        name = " > ".join(_segment(part) for part in path)
        if path not in old:
            lines.append(f"+ {name}: {new[path]}")
        elif path not in new:
            lines.append(f"- {name}: {old[path]}")
        elif old[path] != new[path]:
            lines.append(f"~ {name}: {old[path]} -> {new[path]}")
    return lines


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Every single value with the way to it; a list of plain values is one."""
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from _leaves(item, (*path, ("name", name)))
    elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        for number, item in enumerate(value):
            name = item.get("name") if isinstance(item, Mapping) else None
            about = f"{number:03} {name}" if isinstance(name, str) else f"{number:03}"
            yield from _leaves(item, (*path, ("item", about)))
    elif path or value:
        yield path, _value(value)


def _value(value: object) -> str:
    return visible(json.dumps(value, ensure_ascii=False)).replace("\\\\", "\\")


def _segment(part: tuple[str, str]) -> str:
    kind, name = part
    if kind == "item":
        return f"[{visible(name)}]"
    return name if _PLAIN_NAME.fullmatch(name) else _value(name)


def _map(value: Any, name: str | None = None) -> Mapping[str, Any]:
    """A map, or an empty one where there is none: words are made of anything."""
    if name is not None:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


# --- what is listed ---


def _targets_in_words(signed: Signed, in_force: Signed | None) -> Iterator[str]:
    listed, before = _map(signed, "targets"), _map(in_force or {}, "targets")
    for path, target in sorted(listed.items()):
        if target == before.get(path):
            yield f"  {visible(path)}: as it is in force"
            continue
        custom = _map(target).get("custom")
        try:
            if path.endswith(".full"):
                entry = ReleaseEntry.parse(custom)
                yield f"  {visible(path)}:"
                yield from entry_in_words(entry)
                continue
            if path.startswith("rollout/"):
                plan = RolloutPlan.parse(custom)
                yield f"  {visible(path)}:"
                yield from _plan_in_words(plan)
                continue
            if path.startswith("brake/"):
                halts = Halts.parse(custom, limits.BRAKE_VERSION[1])
                yield f"  {visible(path)}:"
                for release, at in halts.halted.items():
                    yield f"  release {visible(release)}: HALTED, by version {at}"
                for flag in halts.off:
                    yield f"  flag {visible(flag)}: OFF, whatever the plan says"
                continue
        except (EntryError, RolloutError) as error:
            yield f"  {visible(path)}: NOT A VALID ENTRY: {visible(str(error))}"
            continue
        length, sha256 = _map(target).get("length"), _map(target, "hashes").get("sha256")
        yield f"  {visible(path)}, {_value(length)} bytes, sha256 {visible(str(sha256))}"
    for path in sorted(before.keys() - listed.keys()):
        yield f"  {visible(path)} is listed no more"


def entry_in_words(entry: ReleaseEntry) -> Iterator[str]:
    """What a release entry tells a terminal, a line each."""
    hardware, journal, trial, gate = entry.hardware, entry.journal, entry.trial, entry.gate
    revisions, reads = (", ".join(map(str, n)) for n in (hardware.revisions, journal.reads))
    yield (
        f"  release {entry.release} ({visible(entry.version)}) of "
        f"{visible(hardware.hardware_class)}, commit {visible(entry.commit)}, "
        f"image sha256 {entry.image.sha256}"
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
    if entry.pace:
        pace = entry.pace
        rate = f", by no more than {pace.rate / 10_000:g} % an hour" if pace.rate else ""
        yield (
            f"    pace: {pace.first / 10_000:g} % of terminals from {pace.after_h} h after the "
            f"commit, {pace.factor} times as many every {pace.every_h} h{rate}, up to "
            f"{pace.most / 10_000:g} %"
        )
    if entry.quote_bytes:
        yield (
            f"    quote: whose patch or delta fails takes the full image only up to "
            f"{entry.quote_bytes:,} bytes"
        )
    if entry.widens:
        yield (
            f"    GOES OUT BY ITSELF, inside that pace, while verdicts pass; beside each wave "
            f"those up to {entry.widens} times as far restart"
        )
    if entry.lifted:
        yield f"    GOES ON, whatever the brake said up to its version {entry.lifted}"
    for language, text in sorted(entry.text.items()):
        yield f"    merchants read ({language}): {visible(text)}"


def _plan_in_words(plan: RolloutPlan) -> Iterator[str]:
    for release, wave in plan.releases.items():
        finer = f" and {plan.within[release]} steps" if plan.within.get(release) else ""
        yield f"  release {visible(release)}: {wave.threshold / 100:g} % of terminals{finer}"
    for release, reach in plan.control.items():
        finer = f" and {reach.within} steps" if reach.within else ""
        until = f"{reach.threshold / 100:g} %{finer}"
        yield f"  release {visible(release)}: those from there to {until} restart only"
    for number in plan.halted:
        yield f"  release {number}: HALTED"
    for name, flag in plan.flags.items():
        yield f"  flag {visible(name)}: {flag.in_words()}"
        yield from (f"    {visible(one)}" for one in flag.terminals)


# --- who signs ---


def _roles_in_words(signed: Signed) -> Iterator[str]:
    """Of each role whose keys `signed` names: threshold, and the keys themselves."""
    delegations = _map(signed, "delegations")
    for keys, rules in (
        (_map(signed, "keys"), _map(signed, "roles").items()),
        (_map(delegations, "keys"), _named(delegations.get("roles"))),
    ):
        for name, rule in rules:
            ids = _map(rule).get("keyids")
            ids = ids if isinstance(ids, list) else []
            paths = _map(rule).get("paths")
            where = f" for {_value(paths)}" if paths is not None else ""
            yield (
                f"  {visible(str(name))} is signed by {_value(_map(rule).get('threshold'))} of "
                f"{len(ids)} keys{where}:"
            )
            for keyid in ids:
                key = keys.get(keyid) if isinstance(keyid, str) else None
                print_ = fingerprint(key) if isinstance(key, Mapping) else "NO SUCH KEY"
                yield f"    key {visible(str(keyid))}, fingerprint {print_}"


def _named(rules: object) -> list[tuple[object, Any]]:
    return [(_map(rule).get("name"), rule) for rule in rules] if isinstance(rules, list) else []


# --- files behind a hash ---


def _contents_in_words(
    signed: Signed, in_force: Signed | None, contents: Mapping[str, bytes]
) -> Iterator[str]:
    """JSON files that `signed` names by nothing but their hash, such as price lists."""
    listed, before = _map(signed, "targets"), _map(in_force or {}, "targets")
    for path, target in sorted(listed.items()):
        was = before.get(path)
        if not path.endswith(".json") or path.startswith("rollout/") or target == was:
            continue
        data = _content(target, contents)
        if data is None:
            yield f"  {visible(path)}: its content is not at hand: what it says is not shown"
            continue
        old = _content(was, contents) if was is not None else None
        yield f"  {visible(path)} says" + (":" if old is None else ", other than what is in force:")
        for line in differences({} if old is None else old, data):
            yield f"    {line}"


def _content(target: object, contents: Mapping[str, bytes]) -> Any:
    """What the JSON file that a target names says; None if it is not at hand or is not that."""
    sha256 = _map(target, "hashes").get("sha256")
    data = contents.get(sha256) if isinstance(sha256, str) else None
    if data is None or hashlib.sha256(data).hexdigest() != sha256:
        return None
    try:
        return json.loads(data, object_pairs_hook=_map_of)
    except ValueError:
        return None


def _map_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("one name twice")
    return dict(pairs)
