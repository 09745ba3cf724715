"""What a stolen server, an owned network or a stolen key can do to the metadata client: nothing
that is not conceded.

Each test plays a list of steps to the device's own code on one interpreter; the metadata is
python-tuf's.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import DelegatedRole, Metadata, MetaFile

from tests.support.micropython import BOTH
from tests.trust.device import on_device
from tests.trust.repository import BEFORE, NOW_S, Repository, renamed, signer

PLAY = """
from bootloader.shared import tuf
trusted = None
for step in data:
    name, arguments = step[0], step[1:]
    arguments = [bytes.fromhex(a[4:]) if isinstance(a, str) and a[:4] == "hex:" else a
                 for a in arguments]
    try:
        if name == "start":
            trusted = tuf.TrustedMetadata(*arguments)
            out.append("ok")
        elif name == "get":
            out.append(getattr(trusted, arguments[0]))
        elif name == "set":
            setattr(trusted, arguments[0], arguments[1])
            out.append("ok")
        elif name == "is_fresh":  # as whoever installs asks
            out.append(0 < trusted.now_s < trusted.fresh_until_s(*arguments))
        else:
            made = getattr(trusted, name)(*arguments)
            out.append("ok" if made is None else sorted(made) if name == "targets" else made)
    except tuf.TrustError as error:
        out.append(type(error).__name__ + ": " + str(error))
    except RuntimeError as error:
        out.append("RuntimeError: " + str(error))
"""

Play = Callable[..., list[Any]]


@pytest.fixture(params=BOTH)
def play(request: pytest.FixtureRequest) -> Play:
    """play(step, …) -> what each step answered; a step is a tuple of name and arguments."""

    def run(*steps: tuple[Any, ...]) -> list[Any]:
        plain = [[f"hex:{a.hex()}" if isinstance(a, bytes) else a for a in step] for step in steps]
        answers = on_device(request.param, PLAY, plain)
        assert isinstance(answers, list)
        return answers

    return run


@pytest.fixture
def repo() -> Repository:
    return Repository()


def start(repo: Repository, now_s: int = NOW_S) -> tuple[Any, ...]:
    return "start", repo.published["root"], now_s


def refresh(repo: Repository, *roles: str) -> list[tuple[Any, ...]]:
    """The steps that take everything from the timestamp down."""
    steps: list[tuple[Any, ...]] = [
        (f"update_{role}", repo.published[role]) for role in ("timestamp", "snapshot", "targets")
    ]
    return steps + [("update_delegated", role, "targets", repo.published[role]) for role in roles]


def bent(data: bytes, change: Callable[[Any], None]) -> bytes:
    """The same file with its JSON changed; signatures stay as they were."""
    document = json.loads(data)
    change(document)
    return json.dumps(document).encode()


# --- what is right is taken ---


def test_a_whole_refresh_is_taken_and_names_what_it_fetches(play: Play, repo: Repository) -> None:
    repo.add_target("stable", "stable/duka-r1/7.full", b"image", {"release": 7})
    repo.publish("stable")
    repo.publish("targets")
    repo.publish_index()
    digest = hashlib.sha256(b"image").hexdigest()
    entry = repo.signed("stable").targets["stable/duka-r1/7.full"].to_dict()
    answers = play(
        start(repo),
        ("file_name", "root"),
        ("file_name", "timestamp"),
        ("update_timestamp", repo.published["timestamp"]),
        ("file_name", "snapshot"),
        ("limit_bytes", "snapshot"),
        ("update_snapshot", repo.published["snapshot"]),
        ("file_name", "targets"),
        ("update_targets", repo.published["targets"]),
        ("file_name", "stable"),
        ("find", "stable/duka-r1/7.full"),
        ("update_delegated", "stable", "targets", repo.published["stable"]),
        ("targets", "stable"),
        ("find", "stable/duka-r1/7.full"),
        ("find", "stable/duka-r1/8.full"),
        ("target_name", "stable/duka-r1/7.full", entry),
        ("is_fresh", "stable"),
    )
    assert answers == [
        "ok",
        "2.root.json",
        "timestamp.json",
        True,
        "2.snapshot.json",
        len(repo.published["snapshot"]),
        "ok",
        "2.targets.json",
        "ok",
        "2.stable.json",
        ["load", "stable", "targets"],
        "ok",
        ["stable/duka-r1/7.full"],
        ["found", "stable", entry],
        ["absent", None, None],
        f"stable/duka-r1/{digest}.7.full",
        True,
    ]


def test_a_repository_without_hashes_or_consistent_names_works_too(play: Play) -> None:
    repo = Repository(with_hashes=False, consistent_snapshot=False)
    answers = play(
        start(repo),
        *refresh(repo, "stable"),
        ("file_name", "targets"),
        ("limit_bytes", "stable"),
        ("target_name", "a/b", {}),
    )
    assert answers == ["ok", True, "ok", "ok", "ok", "targets.json", 12288, "a/b"]


def test_the_same_timestamp_again_is_nothing_new(play: Play, repo: Repository) -> None:
    again = ("update_timestamp", repo.published["timestamp"])
    assert play(start(repo), again, again) == ["ok", True, False]


def test_other_fields_are_passed_over_but_signed_over(play: Play, repo: Repository) -> None:
    repo.signed("timestamp").unrecognized_fields["note"] = {"ü": ['"\\', None, True, -5]}
    repo.publish_index()
    good = repo.published["timestamp"]
    spoiled = bent(good, lambda d: d["signed"]["note"].clear())
    answers = play(start(repo), ("update_timestamp", spoiled), ("update_timestamp", good))
    assert answers[1].startswith("NotSigned") and answers[2] is True


# --- root chain ---


def test_the_root_chain_is_followed_when_both_thresholds_sign(play: Play, repo: Repository) -> None:
    first = start(repo)
    old = repo.signers["root"]
    repo.set_keys("root", ["root-3", "root-4", "root-5"], 2)
    repo.root.version += 1
    both = repo.sign("root", [old[0], *repo.signers["root"]])
    old_only = repo.sign("root", old[:2])
    new_only = repo.sign("root", repo.signers["root"][1:])
    one_of_old = repo.sign("root", [old[0], *repo.signers["root"][1:]])
    answers = play(
        first,
        ("update_root", old_only),
        ("update_root", new_only),
        ("update_root", one_of_old),
        ("get", "root_version"),
        ("update_root", both),
        ("get", "root_version"),
        ("get", "rotated"),
        ("update_timestamp", repo.published["timestamp"]),
    )
    assert [a.split(":")[0] for a in answers[1:4]] == ["NotSigned"] * 3
    assert answers[4:] == [1, "ok", 2, False, True]


def test_a_root_that_skips_a_version_or_goes_back_is_refused(play: Play, repo: Repository) -> None:
    one = repo.published["root"]
    two = repo.publish("root")
    three = repo.publish("root")
    answers = play(
        ("start", one, NOW_S),
        ("update_root", three),
        ("update_root", one),
        ("update_root", two),
        ("update_root", two),
        ("update_root", three),
        ("get", "root_version"),
    )
    assert [str(a).split(":")[0] for a in answers] == [
        "ok",
        "Rollback",
        "Rollback",
        "ok",
        "Rollback",
        "ok",
        "3",
    ]


def test_an_expired_root_is_still_the_way_to_its_successor(play: Play, repo: Repository) -> None:
    repo.root.expires = BEFORE
    repo.published["root"] = repo.sign("root")
    first = start(repo)
    stuck = play(first, *refresh(repo)[:1])
    assert stuck == ["ok", "Expired: root: expired"]
    repo.root.expires = repo.signed("timestamp").expires
    repo.publish("root")
    mended = play(first, ("update_root", repo.published["root"]), *refresh(repo))
    assert mended == ["ok", "ok", True, "ok", "ok"]


def test_the_first_root_must_sign_for_itself(play: Play, repo: Repository) -> None:
    one_signature = repo.sign("root", repo.signers["root"][:1])
    spoiled = bent(repo.published["root"], lambda d: d["signed"].update(version=9))
    answers = play(("start", one_signature, NOW_S), ("start", spoiled, NOW_S))
    assert [a.split(":")[0] for a in answers] == ["NotSigned", "NotSigned"]


# --- signatures and keys ---


def test_unsigned_metadata_is_refused(play: Play, repo: Repository) -> None:
    unsigned = repo.sign("timestamp", [])
    empty = bent(unsigned, lambda d: d["signatures"].append({"keyid": "x", "sig": ""}))
    answers = play(start(repo), ("update_timestamp", unsigned), ("update_timestamp", empty))
    assert answers[1:] == ["NotSigned: timestamp: 0 of 1 signatures"] * 2


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets", "stable"])
def test_metadata_signed_with_a_key_of_another_role_is_refused(
    play: Play, repo: Repository, role: str
) -> None:
    others = [repo.signers[name][0] for name in repo.signers if name != role]
    repo.signers[role] = others[:3]
    repo.publish(role)
    if role not in ("timestamp", "snapshot"):
        repo.publish_index()
    elif role == "snapshot":
        repo.signed("timestamp").snapshot_meta = repo._meta("snapshot")
        repo.publish("timestamp")
    answers = play(start(repo), *refresh(repo, "stable"))
    refused = [a for a in answers if str(a).startswith("NotSigned: " + role)]
    assert len(refused) == 1
    assert answers[-1] != "ok"


def test_one_key_cannot_fill_a_threshold_by_signing_twice(play: Play, repo: Repository) -> None:
    one = repo.signers["stable"][0]
    repo.signers["stable"] = [one]
    repo.publish("stable")
    # The same signature twice: a file no honest signer writes.
    twice = bent(repo.published["stable"], lambda d: d["signatures"].append(d["signatures"][0]))
    repo.published["stable"] = twice
    repo.signed("snapshot").meta["stable.json"] = repo._meta("stable")
    repo.publish_index()
    answers = play(start(repo), *refresh(repo, "stable"))
    assert answers[-1] == "Malformed: stable: two signatures of one keyid"


def test_one_key_cannot_fill_a_threshold_under_two_names(play: Play, repo: Repository) -> None:
    one = repo.signers["stable"][0]
    targets = repo.signed("targets")
    short = one.public_key.keyid[:16]  # made of the key as well: a hash may be cut short
    targets.delegations.keys[short] = renamed(one.public_key, short)
    targets.delegations.roles["stable"].keyids.append(short)
    repo.publish("targets")
    alias = CryptoSigner(one._private_key, renamed(one.public_key, short))
    repo.signers["stable"] = [one, alias]
    repo.publish("stable")
    repo.publish_index()
    answers = play(start(repo), *refresh(repo, "stable"))
    assert answers[-1] == "NotSigned: stable: 1 of 2 signatures"
    repo.signers["stable"] = [one, signer("stable-2")]
    repo.publish("stable")
    repo.publish_index()
    assert play(start(repo), *refresh(repo, "stable"))[-1] == "ok"


def test_below_the_threshold_is_refused_and_at_it_taken(play: Play, repo: Repository) -> None:
    for count, expected in ((1, "NotSigned: stable: 1 of 2 signatures"), (2, "ok"), (3, "ok")):
        repo.signers["stable"] = [signer(f"stable-{n}") for n in range(3, 3 - count, -1)]
        repo.publish("stable")
        repo.publish_index()
        assert play(start(repo), *refresh(repo, "stable"))[-1] == expected


def test_a_spoiled_signature_beside_enough_good_ones_does_no_harm(
    play: Play, repo: Repository
) -> None:
    def spoil(document: Any) -> None:
        document["signatures"][0]["sig"] = "00" * 64

    repo.publish("stable")
    repo.published["stable"] = bent(repo.published["stable"], spoil)
    repo.signed("snapshot").meta["stable.json"] = repo._meta("stable")
    repo.publish_index()
    assert play(start(repo), *refresh(repo, "stable"))[-1] == "ok"


def id_of(key: Any) -> str:
    canonical = encode_canonical(key.to_dict())
    assert canonical is not None
    return hashlib.sha256(canonical.encode()).hexdigest()


def bad_ids(key: Any, other: Any) -> dict[str, str]:
    """Ids under which no terminal may know `key`."""
    good = id_of(key)
    return {
        "another key's": id_of(other),
        "another key's, cut short": id_of(other)[:16],
        "too short": good[:15],
        "empty": "",
        "in capitals": good.upper(),
        "more than the hash": good + "0",
        "with something behind": good[:16] + "x",
        "free text": "stable-1",
    }


@pytest.mark.parametrize("role", ["targets", "root"])
def test_a_key_under_an_id_that_is_not_made_of_it_is_refused(
    play: Play, repo: Repository, role: str
) -> None:
    holder = repo.root if role == "root" else repo.signed("targets").delegations
    of_role = "timestamp" if role == "root" else "stable"
    honest = holder.roles[of_role].keyids[0]
    thief = signer("thief").public_key
    for keyid in ("", id_of(thief)[:16], *bad_ids(thief, holder.keys[honest]).values()):
        changed = copy.copy(repo)
        changed.metadata, changed.published = copy.deepcopy(repo.metadata), {**repo.published}
        holder = changed.root if role == "root" else changed.signed("targets").delegations
        if keyid not in holder.keys:
            holder.keys[keyid] = renamed(thief, keyid)
            holder.roles[of_role].keyids.append(keyid)
        else:
            holder.keys[keyid].keyval = dict(thief.keyval)
        if role == "root":
            answers = play(("start", changed.sign("root"), NOW_S))
        else:
            changed.publish("targets")
            changed.publish_index()
            answers = play(start(changed), *refresh(changed))
        if keyid == id_of(thief)[:16]:
            assert answers[-1] == "ok"
        else:
            assert answers[-1].startswith(f"Malformed: {role}: keyid"), (keyid, answers)


def test_a_key_of_an_unknown_kind_counts_for_nothing(play: Play, repo: Repository) -> None:
    for keyid in [*repo.root.roles["timestamp"].keyids]:
        key = renamed(repo.root.keys[keyid], "")
        key.scheme = "rsa-or-something"
        key.keyid = id_of(key)
        repo.root.revoke_key(keyid, "timestamp")
        repo.root.add_key(key, "timestamp")
    repo.published["root"] = repo.sign("root")
    answers = play(start(repo), *refresh(repo)[:1])
    assert answers == ["ok", "NotSigned: timestamp: 0 of 1 signatures"]


# --- rollback ---


def test_an_older_timestamp_is_refused(play: Play, repo: Repository) -> None:
    old = repo.published["timestamp"]
    repo.publish_index()
    answers = play(start(repo), *refresh(repo)[:1], ("update_timestamp", old))
    assert answers[-1] == "Rollback: timestamp: version 1 after 2"


def test_a_newer_timestamp_cannot_list_an_older_snapshot(play: Play, repo: Repository) -> None:
    repo.publish_index()
    good = repo.published["timestamp"]
    repo.signed("timestamp").snapshot_meta = MetaFile(1)
    bad = repo.publish("timestamp")
    answers = play(start(repo), ("update_timestamp", good), ("update_timestamp", bad))
    assert answers[-1] == "Rollback: timestamp: lists an older snapshot than before"


@pytest.mark.parametrize("role", ["targets", "stable"])
def test_a_newer_snapshot_cannot_list_older_targets(
    play: Play, repo: Repository, role: str
) -> None:
    old = repo.signed("snapshot").meta[role + ".json"]
    repo.publish(role)
    repo.publish_index()
    stored = repo.published["snapshot"]
    repo.signed("snapshot").meta[role + ".json"] = old
    repo.publish_index()
    answers = play(
        start(repo),
        *refresh(repo)[:1],
        ("update_snapshot", stored, True),
        ("update_snapshot", repo.published["snapshot"]),
    )
    assert answers[2].startswith("Mismatch: snapshot: version")  # taken in for its versions
    assert answers[3] == f"Rollback: snapshot: lists an older {role}.json than before"


def test_a_newer_snapshot_cannot_drop_a_role(play: Play, repo: Repository) -> None:
    stored = repo.published["snapshot"]
    del repo.signed("snapshot").meta["stable.json"]
    repo.publish_index()
    answers = play(
        start(repo),
        *refresh(repo)[:1],
        ("update_snapshot", stored, True),
        ("update_snapshot", repo.published["snapshot"]),
    )
    assert answers[3] == "Rollback: snapshot: stable.json is no longer listed"


def test_an_older_stored_snapshot_opens_nothing_below_it(play: Play, repo: Repository) -> None:
    stored = repo.published["snapshot"]
    repo.publish("targets")
    repo.publish_index()
    answers = play(
        start(repo),
        *refresh(repo)[:1],
        ("update_snapshot", stored, True),
        ("update_targets", repo.published["targets"]),
    )
    assert [a.split(":")[0] for a in answers[2:]] == ["Mismatch", "Mismatch"]


def test_without_hashes_the_versions_alone_keep_old_and_new_apart(play: Play) -> None:
    repo = Repository(with_hashes=False)
    old = dict(repo.published)
    repo.publish("targets")
    repo.publish_index()
    answers = play(
        start(repo),
        *refresh(repo)[:1],
        ("update_snapshot", old["snapshot"]),
        ("get", "snapshot_version"),
        ("update_snapshot", old["snapshot"], True),
        ("update_targets", old["targets"]),
        ("find", "a"),
    )
    not_listed = "Mismatch: snapshot: version differs from what is listed"
    assert answers[2:] == [not_listed, 0, not_listed, not_listed, ["load", "targets", "root"]]


def test_everything_old_replayed_is_refused(play: Play, repo: Repository) -> None:
    old = dict(repo.published)
    for role in ("stable", "targets"):
        repo.publish(role)
    repo.publish_index()
    answers = play(
        start(repo),
        ("update_timestamp", repo.published["timestamp"]),
        ("update_snapshot", old["snapshot"]),
        ("update_snapshot", repo.published["snapshot"]),
        ("update_targets", old["targets"]),
        ("update_targets", repo.published["targets"]),
        ("update_delegated", "stable", "targets", old["stable"]),
        ("update_delegated", "stable", "targets", repo.published["stable"]),
    )
    assert [str(a).split(":")[0] for a in answers] == [
        "ok",
        "True",
        "Mismatch",
        "ok",
        "Mismatch",
        "ok",
        "Mismatch",
        "ok",
    ]


# --- fast-forward recovery ---


@pytest.mark.parametrize("role", ["timestamp", "snapshot"])
def test_after_a_fast_forward_new_keys_bring_the_terminal_back(
    play: Play, repo: Repository, role: str
) -> None:
    first = start(repo)
    good_version = repo.signed(role).version
    repo.signed(role).version = 2_000_000_000
    repo.publish_index()
    attacked = dict(repo.published)
    repo.signed("snapshot").version = repo.signed("timestamp").version = good_version
    repo.set_keys("timestamp", ["timestamp-new"], 1)
    repo.set_keys("snapshot", ["snapshot-new"], 1)
    repo.publish("root")
    repo.publish_index()
    answers = play(
        first,
        ("update_root", repo.published["root"]),
        ("get", "rotated"),
        ("update_timestamp", attacked["timestamp"]),
        *refresh(repo),
    )
    assert answers[1:3] == ["ok", True]
    assert answers[3].startswith("NotSigned")
    assert answers[4:] == [True, "ok", "ok"]


def test_a_changed_threshold_counts_as_rotated_and_a_changed_root_key_does_not(
    play: Play, repo: Repository
) -> None:
    first = start(repo)
    two = repo.publish("root")
    repo.set_keys("timestamp", ["timestamp", "timestamp-b"], 2)
    three = repo.publish("root")
    answers = play(
        first, ("update_root", two), ("get", "rotated"), ("update_root", three), ("get", "rotated")
    )
    assert answers == ["ok", "ok", False, "ok", True]


# --- freeze ---


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets", "stable"])
def test_frozen_metadata_is_read_but_installs_nothing(
    play: Play, repo: Repository, role: str
) -> None:
    repo.signed(role).expires = BEFORE
    for name in ("stable", "targets"):
        repo.publish(name)
    repo.publish_index()
    steps = refresh(repo, "stable")
    answers = play(start(repo), *steps, ("targets", "stable"), ("is_fresh", "stable"))
    expired = f"Expired: {role}: expired"
    assert answers.count(expired) == 1 and answers[-1] is False
    assert answers[-2] == []  # reading went on
    assert [a for a in answers[:-2] if a not in ("ok", True, expired)] == []


def test_what_was_fresh_when_read_is_judged_again_before_installing(
    play: Play, repo: Repository
) -> None:
    answers = play(
        start(repo),
        *refresh(repo, "stable"),
        ("is_fresh", "stable"),
        ("set", "now_s", NOW_S + 91 * 86400),
        ("is_fresh", "stable"),
        ("set", "now_s", NOW_S),
        ("is_fresh", "stable"),
    )
    assert answers[-5:] == [True, "ok", False, "ok", True]


def test_a_terminal_without_a_clock_reads_but_does_not_install(
    play: Play, repo: Repository
) -> None:
    repo.signed("timestamp").expires = BEFORE
    repo.publish_index()
    answers = play(start(repo, 0), *refresh(repo, "stable"), ("is_fresh", "stable"))
    assert answers[:-1] == ["ok", True, "ok", "ok", "ok"]
    assert answers[-1] is False


def test_one_role_past_its_date_does_not_stop_another(play: Play, repo: Repository) -> None:
    repo.signed("catalogue").expires = BEFORE
    repo.publish("catalogue")
    repo.publish_index()
    answers = play(start(repo), *refresh(repo, "stable", "catalogue"), ("is_fresh", "stable"))
    assert answers[-2:] == ["Expired: catalogue: expired", True]


# --- mix and match, arbitrary software, endless data ---


def test_metadata_of_different_moments_cannot_be_mixed(play: Play) -> None:
    repo = Repository(with_hashes=False)  # versions alone must do
    old = dict(repo.published)
    repo.publish("stable")
    repo.publish_index()
    answers = play(
        start(repo),
        *refresh(repo),
        ("update_delegated", "stable", "targets", old["stable"]),
    )
    assert answers[-1] == "Mismatch: stable: version differs from what is listed"


@pytest.mark.parametrize("role", ["snapshot", "targets", "stable"])
def test_signed_bytes_that_are_not_the_listed_ones_are_refused(
    play: Play, repo: Repository, role: str
) -> None:
    # The same version, signed anew with another date: only the hash tells.
    repo.signed(role).unrecognized_fields["x"] = "y"
    repo.published[role] = repo.sign(role)
    answers = play(start(repo), *refresh(repo, "stable"))
    assert f"Mismatch: {role}: length differs from what is listed" in answers


def test_a_hash_that_differs_in_one_bit_is_refused(play: Play, repo: Repository) -> None:
    meta = repo.signed("snapshot").meta["stable.json"]
    digest = bytearray.fromhex(meta.hashes["sha256"])
    digest[0] ^= 1
    meta.hashes["sha256"] = digest.hex()
    repo.publish_index()
    answers = play(start(repo), *refresh(repo, "stable"))
    assert answers[-1] == "Mismatch: stable: sha256 differs from what is listed"


def test_every_listed_hash_must_fit_and_an_unknown_one_is_not_enough(play: Play) -> None:
    for hashes, expected in (
        ({"sha512": "right"}, "ok"),
        ({"sha256": "right", "sha512": "wrong"}, "Mismatch"),
        ({"sha256": "right", "md5": "wrong"}, "ok"),
        ({"md5": "right"}, "Mismatch"),
    ):
        repo = Repository()
        data = repo.published["stable"]
        repo.signed("snapshot").meta["stable.json"].hashes = {
            name: hashlib.new(name, data if kind == "right" else b"").hexdigest()
            for name, kind in hashes.items()
        }
        repo.publish_index()
        assert play(start(repo), *refresh(repo, "stable"))[-1].startswith(expected)


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets", "stable"])
def test_endless_data_ends_at_the_roles_limit(play: Play, repo: Repository, role: str) -> None:
    long = repo.published[role] + b" " * 20000
    unlisted = Repository(with_hashes=False)
    step = {
        "root": ("update_root", long),
        "stable": ("update_delegated", "stable", "targets", long),
    }.get(role, (f"update_{role}", long))
    steps = refresh(unlisted, "stable")
    before = {"root": 0, "timestamp": 0, "snapshot": 1, "targets": 2, "stable": 3}[role]
    answers = play(start(unlisted), *steps[:before], step)
    assert answers[-1].startswith(f"Malformed: {role}: longer than ")


def test_arbitrary_software_is_not_listed(play: Play, repo: Repository) -> None:
    repo.add_target("stable", "stable/duka-r1/7.full", b"image")
    repo.publish("stable")
    repo.publish_index()
    answers = play(start(repo), *refresh(repo, "stable"), ("find", "stable/duka-r1/666.full"))
    assert answers[-1] == ["absent", None, None]
    for interpreter in BOTH:
        body = """
from bootloader.shared import tuf
for text in data[1]:
    made = bytes.fromhex(text)
    try:
        tuf.check_target("7.full", data[0], made)
        out.append("ok")
    except tuf.Mismatch as error:
        out.append(str(error))
"""
        entry = repo.signed("stable").targets["stable/duka-r1/7.full"].to_dict()
        made = [b"image", b"imagE", b"image and more"]
        got = on_device(interpreter, body, [entry, [m.hex() for m in made]])
        assert got == [
            "ok",
            "7.full: sha256 differs from what is listed",
            "7.full: length differs from what is listed",
        ]


# --- delegations ---


def test_a_role_lists_nothing_outside_its_paths(play: Play, repo: Repository) -> None:
    """A stolen catalogue key signs firmware: nobody finds it."""
    repo.add_target("catalogue", "stable/duka-r1/9.full", b"owned")
    repo.add_target("catalogue", "catalogue/sub/x.json", b"too deep")
    repo.add_target("catalogue", "catalogue/default.json", b"prices")
    repo.publish("catalogue")
    repo.publish_index()
    answers = play(
        start(repo),
        *refresh(repo, "stable", "catalogue"),
        ("targets", "catalogue"),
        ("find", "stable/duka-r1/9.full"),
        ("find", "catalogue/sub/x.json"),
    )
    assert answers[-3:] == [["catalogue/default.json"], *[["absent", None, None]] * 2]


def test_a_role_that_nobody_delegates_to_or_lists_is_refused(play: Play, repo: Repository) -> None:
    stranger = repo.published["stable"]
    unlisted = Repository()
    unlisted.delegate("beta", ["beta"], 1, ["beta/*/*"])
    unlisted.publish("targets")
    unlisted.publish_index()
    unlisted.publish("beta", first=True)
    answers = play(
        start(unlisted),
        *refresh(unlisted),
        ("update_delegated", "gamma", "targets", stranger),
        ("update_delegated", "beta", "targets", unlisted.published["beta"]),
        ("update_delegated", "beta", "gamma", unlisted.published["beta"]),
        ("file_name", "beta"),
    )
    assert [a.split(":")[0] for a in answers[-4:]] == [
        "NotSigned",
        "Mismatch",
        "RuntimeError",
        "Mismatch",
    ]


def chain(terminating: bool) -> Repository:
    """targets -> first (a/*, terminating or not) -> inner (a/x*); targets -> second (a/*)."""
    repo = Repository()
    repo.delegate("first", ["first"], 1, ["a/*"], terminating=terminating)
    repo.delegate("second", ["second"], 1, ["a/*"])
    repo.delegate("inner", ["inner"], 1, ["a/x*", "b/*"], parent="first")
    repo.add_target("first", "a/1", b"first")
    repo.add_target("inner", "a/x2", b"inner")
    repo.add_target("inner", "b/3", b"inner, but first may not delegate this")
    repo.add_target("second", "a/1", b"second")
    repo.add_target("second", "a/4", b"second")
    for role in ("inner", "first", "second"):
        repo.publish(role, first=True)
    repo.publish("targets")
    repo.publish_index()
    return repo


@pytest.mark.parametrize("terminating", [False, True])
def test_delegations_are_searched_in_order_and_a_terminating_one_ends_it(
    play: Play, terminating: bool
) -> None:
    repo = chain(terminating)
    answers = play(
        start(repo),
        *refresh(repo),
        ("find", "a/4"),
        ("update_delegated", "first", "targets", repo.published["first"]),
        ("find", "a/1"),
        ("find", "a/x2"),
        ("update_delegated", "inner", "first", repo.published["inner"]),
        ("find", "a/x2"),
        ("find", "a/4"),
        ("update_delegated", "second", "targets", repo.published["second"]),
        ("find", "a/4"),
        ("find", "a/1"),
        ("targets", "inner"),
        ("find", "b/3"),
        ("is_fresh", "inner"),
    )[4:]
    assert answers[0] == ["load", "first", "targets"]
    assert answers[2][:2] == ["found", "first"]
    assert answers[3] == ["load", "inner", "first"]
    assert answers[5][:2] == ["found", "inner"]
    absent = ["absent", None, None]
    assert answers[6] == (absent if terminating else ["load", "second", "targets"])
    assert answers[8][:2] == (absent[:2] if terminating else ["found", "second"])
    assert answers[9][:2] == ["found", "first"]
    assert answers[10:] == [["a/x2"], absent, True]


def test_a_search_does_not_go_round_in_circles(play: Play) -> None:
    repo = Repository()
    repo.delegate("one", ["one"], 1, ["a/*"])
    repo.delegate("two", ["two"], 1, ["a/*"], parent="one")
    repo.delegate("one", ["one"], 1, ["a/*"], parent="two")
    for role in ("one", "two"):
        repo.publish(role, first=True)
    repo.publish("targets")
    repo.publish_index()
    answers = play(
        start(repo),
        *refresh(repo, "one"),
        ("update_delegated", "two", "one", repo.published["two"]),
        ("find", "a/1"),
        ("update_delegated", "one", "two", repo.published["one"]),
        ("targets", "one"),
        ("is_fresh", "one"),
    )
    assert answers[-4:-1] == [["absent", None, None], "ok", []]
    assert answers[-1].endswith("delegations go round in a circle")


def test_delegation_by_hash_prefix_goes_by_the_hash_of_the_path(play: Play) -> None:
    repo = Repository()
    path = "bins/one"
    prefix = hashlib.sha256(path.encode()).hexdigest()[:3]
    repo.delegate("bin", ["bin"], 1, None, hash_prefixes=[prefix])
    repo.add_target("bin", path, b"1")
    repo.add_target("bin", "bins/other", b"2")
    repo.publish("bin", first=True)
    repo.publish("targets")
    repo.publish_index()
    answers = play(
        start(repo), *refresh(repo, "bin"), ("targets", "bin"), ("find", path), ("find", "x")
    )
    assert answers[-3] == [path]
    assert answers[-2][:2] == ["found", "bin"]
    assert answers[-1][0] == "absent"


@pytest.mark.parametrize("interpreter", BOTH)
def test_path_patterns_match_as_the_other_implementation_matches(interpreter: str) -> None:
    patterns = ["*", "a/*", "a/?", "*/*", "a/[b-d]*", "a/[!b]", "a/*.x*y", "[", "a/[]]", "**", ""]
    patterns += ["a/*b*c", "a/[a-", "a/\\*", "a/[!]x]", "stable/duka-r?/*"]
    paths = ["a", "a/b", "a/c", "a/bc", "a/b/c", "a/]", "[", "", "a/1.xzy", "a/xbxxcxc", "a/[a-"]
    paths += ["a/\\x", "a/x", "stable/duka-r1/7.full", "stable/duka-r12/7.full", "A/b"]
    cases = [(pattern, path) for pattern in patterns for path in paths]
    body = """
from bootloader.shared.tuf_paths import path_matches
out = [path_matches(pattern, path) for pattern, path in data]
"""
    expected = [
        DelegatedRole("x", [], 1, False, paths=[pattern]).is_delegated_path(path)
        for pattern, path in cases
    ]
    got = dict(zip(cases, on_device(interpreter, body, cases), strict=True))
    assert got == dict(zip(cases, expected, strict=True))
    assert any(expected) and not all(expected)


# --- what is not metadata ---

MALFORMED: dict[str, Callable[[Any], None]] = {
    "no signed part": lambda d: d.pop("signed"),
    "no signatures": lambda d: d.pop("signatures"),
    "another role's file": lambda d: d["signed"].update(_type="snapshot"),
    "another specification": lambda d: d["signed"].update(spec_version="2.0.0"),
    "version 0": lambda d: d["signed"].update(version=0),
    "version true": lambda d: d["signed"].update(version=True),
    "version as text": lambda d: d["signed"].update(version="1"),
    "no date": lambda d: d["signed"].pop("expires"),
    "a date without zone": lambda d: d["signed"].update(expires="2030-01-01T00:00:00"),
    "the thirtieth of February": lambda d: d["signed"].update(expires="2030-02-30T00:00:00Z"),
    "no snapshot listed": lambda d: d["signed"]["meta"].clear(),
    "negative length": lambda d: d["signed"]["meta"]["snapshot.json"].update(length=-1),
    "hash not hex": lambda d: d["signed"]["meta"]["snapshot.json"].update(hashes={"sha256": "zz"}),
    "no hash": lambda d: d["signed"]["meta"]["snapshot.json"].update(hashes={}),
    "signature without keyid": lambda d: d["signatures"][0].pop("keyid"),
    "signatures as a map": lambda d: d.update(signatures={}),
}


@pytest.mark.parametrize("interpreter", BOTH)
def test_what_is_not_metadata_of_the_role_is_refused_with_a_reason(interpreter: str) -> None:
    repo = Repository()
    good = repo.published["timestamp"]
    files = [bent(good, change) for change in MALFORMED.values()]
    files += [b"", b"null", b"[]", b"\xff", b"<html>", good[:-1], good + b"x", b'{"signed":{}}']
    files += [good.replace(b'"version":1', b'"version":1,"version":2', 1)]
    files += [good.replace(b'"version":1', b'"version":1.0', 1)]
    steps = [["start", "hex:" + repo.published["root"].hex(), NOW_S]]
    steps += [["update_timestamp", "hex:" + data.hex()] for data in files]
    answers = on_device(interpreter, PLAY, steps)
    for data, answer in zip(files, answers[1:], strict=True):
        assert str(answer).startswith("Malformed: timestamp: "), (data, answer)


@pytest.mark.parametrize("interpreter", BOTH)
def test_a_bad_targets_file_is_refused_even_when_signed(interpreter: str) -> None:
    changes: dict[str, Callable[[Any], None]] = {
        "delegation to root": lambda s: s["delegations"]["roles"][0].update(name="root"),
        "two delegations to one role": lambda s: s["delegations"]["roles"].append(
            s["delegations"]["roles"][0]
        ),
        "threshold 0": lambda s: s["delegations"]["roles"][0].update(threshold=0),
        "a keyid twice": lambda s: s["delegations"]["roles"][0]["keyids"].append(
            s["delegations"]["roles"][0]["keyids"][0]
        ),
        "paths and prefixes": lambda s: s["delegations"]["roles"][0].update(
            path_hash_prefixes=["ab"]
        ),
        "no paths": lambda s: s["delegations"]["roles"][0].pop("paths"),
        "a path that is a number": lambda s: s["delegations"]["roles"][0].update(paths=[1]),
        "a target without a hash": lambda s: s["targets"].update({"x": {"length": 1}}),
        "a target without a length": lambda s: s["targets"].update({"x": {"hashes": {"a": "00"}}}),
        "targets as a list": lambda s: s.update(targets=[]),
    }
    repo = Repository()
    for name, change in changes.items():
        document = json.loads(repo.published["targets"])
        change(document["signed"])
        one = repo.signers["targets"][0]
        payload = encode_canonical(document["signed"])
        assert payload is not None
        document["signatures"] = [one.sign(payload.encode()).to_dict()]
        data = json.dumps(document).encode()
        repo.signed("snapshot").meta["targets.json"] = MetaFile(1)
        repo.publish_index()
        steps = [["start", "hex:" + repo.published["root"].hex(), NOW_S]]
        for role in ("timestamp", "snapshot"):
            steps.append([f"update_{role}", "hex:" + repo.published[role].hex()])
        steps.append(["update_targets", "hex:" + data.hex()])
        answer = on_device(interpreter, PLAY, steps)[-1]
        assert answer.startswith("Malformed: targets: "), (name, answer)


@pytest.mark.parametrize("interpreter", BOTH)
def test_dates_are_read_as_the_host_reads_them(interpreter: str) -> None:
    moments = [0, 68169599, 951782400, 951868799, 1709164800, NOW_S, 2147483648, 4102444800]
    texts = [f"{datetime.fromtimestamp(m, tz=UTC):%Y-%m-%dT%H:%M:%SZ}" for m in moments]
    bad = ["2030-13-01T00:00:00Z", "2030-00-01T00:00:00Z", "2030-01-32T00:00:00Z", "x" * 20]
    bad += ["2030-01-01T24:00:00Z", "2030-01-01T00:60:00Z", "2029-02-29T00:00:00Z", ""]
    bad += ["2030-01-01 00:00:00Z", "2030-01-01T00:00:00+", "-030-01-01T00:00:00Z"]
    body = """
from bootloader.shared.tuf_files import parse_time
for text in data:
    try:
        out.append(parse_time(text))
    except ValueError:
        out.append(None)
"""
    assert on_device(interpreter, body, texts + bad) == moments + [None] * len(bad)


def test_the_order_of_updates_is_kept(play: Play, repo: Repository) -> None:
    steps = refresh(repo)
    first = start(repo)
    assert play(first, steps[1])[1].startswith("RuntimeError")
    assert play(first, steps[0], steps[2])[2].startswith("RuntimeError")
    answers = play(first, *steps, ("update_root", repo.published["root"]), steps[0], steps[1])
    assert [a.split(":")[0] for a in answers[4:]] == ["RuntimeError"] * 3


def test_role_names_cannot_leave_the_folder(play: Play) -> None:
    repo = Repository()
    repo.delegate("../root", ["evil"], 1, ["x/*"])
    repo.publish("../root", first=True)
    repo.publish("targets")
    repo.publish_index()
    answers = play(start(repo), *refresh(repo), ("file_name", "../root"))
    assert answers[-1] == "1...%2Froot.json"


def test_python_tuf_itself_accepts_what_these_tests_call_good(repo: Repository) -> None:
    """The oracle: the files that the other tests bend satisfy the reference implementation."""
    root: Metadata[Any] = Metadata.from_bytes(repo.published["root"])
    for role in ("root", "timestamp", "snapshot", "targets"):
        data: Metadata[Any] = Metadata.from_bytes(repo.published[role])
        root.signed.verify_delegate(role, data.signed_bytes, data.signatures)


def restored(repo: Repository, back: dict[str, Any]) -> None:
    """The server's folder comes back from a copy: what was published since is lost."""
    for role, (version, published) in back.items():
        repo.signed(role).version = version
        repo.published[role] = published
        if role not in ("root", "timestamp", "snapshot"):
            repo.signed("snapshot").meta[role + ".json"] = repo._meta(role)


def copied(repo: Repository) -> dict[str, Any]:
    return {role: (repo.signed(role).version, data) for role, data in repo.published.items()}


def stored(known: dict[str, bytes]) -> list[tuple[Any, ...]]:
    """The steps with which a terminal takes in what it has on board."""
    return [("update_timestamp", known["timestamp"])]


def test_a_timestamp_of_the_known_version_with_other_content_is_passed_over_and_noticed(
    play: Play, repo: Repository
) -> None:
    back = copied(repo)
    repo.add_target("stable", "stable/duka-r1/2.full", b"2")
    repo.publish("stable")
    repo.publish_index()
    known = dict(repo.published)
    restored(repo, back)
    repo.add_target("stable", "stable/duka-r1/2.full", b"another 2")
    repo.publish("stable")
    repo.publish_index()
    assert repo.published["timestamp"] != known["timestamp"]
    answers = play(
        start(repo),
        *stored(known),
        ("get", "forked"),
        ("update_timestamp", known["timestamp"]),
        ("get", "forked"),
        ("update_timestamp", repo.published["timestamp"]),
        ("get", "forked"),
    )
    assert answers == ["ok", True, False, False, False, False, True]


def test_a_snapshot_of_the_known_version_with_other_content_is_refused(
    play: Play, repo: Repository
) -> None:
    back = copied(repo)
    repo.add_target("stable", "stable/duka-r1/2.full", b"2")
    repo.publish("stable")
    repo.publish_index()
    known = dict(repo.published)
    restored(repo, back)
    repo.add_target("stable", "stable/duka-r1/2.full", b"another 2")
    repo.publish("stable")
    repo.publish_index()
    repo.publish("timestamp")  # renewed once: newer than what the terminal knows
    answers = play(
        start(repo),
        *stored(known),
        ("update_timestamp", repo.published["timestamp"]),
        ("update_snapshot", known["snapshot"], True),
    )
    assert answers[2] is True
    assert answers[3].startswith("Forked: snapshot: version 2 again, with other content")


@pytest.mark.parametrize("role", ["stable", "catalogue", "targets"])
def test_a_list_of_the_known_version_with_other_content_is_refused_and_a_jump_leads_out(
    play: Play, repo: Repository, role: str
) -> None:
    back = copied(repo)
    repo.signed(role).unrecognized_fields["x-lost"] = 1
    repo.publish(role)
    repo.publish_index()
    known = dict(repo.published)
    restored(repo, back)
    repo.signed(role).unrecognized_fields["x-lost"] = 2
    repo.publish(role)
    repo.publish_index()
    repo.publish_index()  # timestamp and snapshot are past what the terminal knows
    board = [*stored(known), ("update_timestamp", repo.published["timestamp"])]
    board.append(("update_snapshot", known["snapshot"], True))
    answers = play(start(repo), *board, ("update_snapshot", repo.published["snapshot"]))
    assert answers[-1].startswith(f"Forked: snapshot: {role}.json: version 2 again")
    repo.signed(role).version = 1000
    repo.publish(role)
    repo.publish_index()
    board[1] = ("update_timestamp", repo.published["timestamp"])
    answers = play(start(repo), *board, ("update_snapshot", repo.published["snapshot"]))
    assert answers[-1] == "ok"
