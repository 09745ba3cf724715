"""What people are shown is what they sign: whatever lies in the folder, whatever is swapped while
the question stands, whatever a request carries under honest names.
"""

from __future__ import annotations

import copy
import hashlib
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from tuf.api.metadata import TargetFile
from typer.testing import CliRunner

from tests.release.desk import Desk, ask
from tests.support.world import PASSPHRASE, PRICES
from tools.__main__ import app
from updater_server import channels
from updater_server.channels import carried, shown
from updater_server.channels import keys as key_files
from updater_server.channels.metadata_file import encode

EVIL = b"an evil image" * 400
EVIL_SHA256 = hashlib.sha256(EVIL).hexdigest()
NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    desk = Desk.make(folder)
    desk.stage("stable", 7, "stable-1", "stable-2")
    desk.stage("beta", 7, "beta-1")
    desk.opened.set_catalogue(
        "default", PRICES, [key_files.load(desk.keys / "catalogue-1.pem", PASSPHRASE)]
    )
    desk.publish()
    return folder


@pytest.fixture
def desk(made: Path, tmp_path: Path) -> Desk:
    return Desk(made).copied(tmp_path / "d")


def put(desk: Desk, role: str, change: Callable[[Any], None] | None = None) -> None:
    """What somebody does who can write the folder and holds no key: stage the next version of a
    role with an evil release, or with any `change`.
    """
    repository = desk.opened
    metadata = repository.versions.next(role, NOW)
    if change is None:
        payload = channels.build_payloads(EVIL)[0]
        path = f"{role}/duka-r1/9.full"
        entry = channels.ReleaseEntry(
            release=9, version="1.9.0", commit="0" * 40, built=1, security_version=1,
            hardware=channels.Hardware("duka-r1", [1]),
            image=channels.Image(len(EVIL), EVIL_SHA256),
            payloads=[channels.PayloadReference("full", path)],
        )  # fmt: skip
        target = TargetFile.from_data(path, payload.data, ["sha256"])
        target.unrecognized_fields = {"custom": entry.custom()}
        metadata.signed.targets[path] = target
        content = repository.published.folder.target(target)
        content.parent.mkdir(parents=True, exist_ok=True)
        content.write_bytes(payload.data)
    else:
        change(metadata.signed)
    desk.lay(role, encode(metadata))


@pytest.mark.parametrize(
    "words",
    [
        ("release", "sign", "beta"),
        ("release", "sign", "beta", "--image"),
        ("release", "sign", "beta", "--anew"),
    ],
    ids=" ".join,
)
def test_what_somebody_laid_into_the_folder_is_shown_before_it_is_signed(
    desk: Desk, words: tuple[str, ...], tmp_path: Path
) -> None:
    put(desk, "beta")
    if "--anew" in words:
        said = desk.type(*words, "--yes", fails=True)
        assert "something else waits for beta" in said
        return
    if "--image" in words:
        desk.stage("beta", 10)  # the same way as `release sign --image`, unsigned
    said = desk.type("release", "sign", "beta", answers="n\n", fails=True)
    assert "release 9 (1.9.0)" in said and EVIL_SHA256 in said
    said = desk.type("release", "sign", "beta", "--dry-run")
    assert EVIL_SHA256 in said


def swapped(desk: Desk, monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    """Let the folder change while a question stands, which is then answered with yes."""

    def confirm(text: str, abort: bool) -> bool:
        put(desk, role)
        return True

    monkeypatch.setattr(typer, "confirm", confirm)


@pytest.mark.parametrize(
    ("words", "role"),
    [
        (("release", "sign", "beta"), "beta"),
        (("release", "publish"), "beta"),
        (("release", "promote", "beta", "stable", "8"), "stable"),
        (("release", "sign", "catalogue", "--anew"), "catalogue"),
        (("release", "halt", "7", "--channel", "stable"), "rollout-stable"),
        (("release", "rollout", "set", "7", "5", "--channel", "stable"), "rollout-stable"),
        (("keys", "rotate", "catalogue"), "catalogue"),
    ],
    ids=lambda given: given if isinstance(given, str) else " ".join(given),
)
def test_what_is_swapped_while_the_question_stands_is_not_signed(
    desk: Desk, words: tuple[str, ...], role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.stage("beta", 8, "beta-1")
    if "promote" in words:
        desk.let_out("beta", 8)
        desk.publish()
    swapped(desk, monkeypatch, role)
    said = desk.type(*words, fails=True)
    assert "not what was shown" in said, said
    monkeypatch.undo()
    file = desk.repository / "staged" / f"{role}.json"
    assert json.loads(file.read_bytes())["signatures"] == []
    assert 9 not in [entry.release for entry in desk.opened.published.releases("beta")]


def test_the_carried_back_signature_must_be_of_what_was_shown(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.stage("beta", 8)
    request, answer = tmp_path / "request.json", tmp_path / "answer.json"
    desk.type("release", "sign", "beta", "--export", str(request), keys=False)
    shell = CliRunner(env={"DUKA_PASSPHRASE": PASSPHRASE})
    key = ["--key", str(desk.keys / "beta-1.pem"), "--out", str(answer)]

    def confirm(text: str, abort: bool) -> bool:
        content = json.loads(request.read_bytes())
        content["signed"]["version"] += 1
        request.write_text(json.dumps(content))
        return True

    monkeypatch.setattr(typer, "confirm", confirm)
    assert shell.invoke(app, ["keys", "sign", str(request), *key]).exit_code == 0
    monkeypatch.undo()
    desk.type("release", "sign", "beta", "--import", str(answer), "--yes", keys=False)
    assert desk.opened.staged()[0].missing == 0, "what was read is what was signed"


def test_programs_name_the_hash_that_they_mean(desk: Desk) -> None:
    desk.stage("beta", 8)
    sha256 = desk.opened.staged()[0].sha256
    told = ask(desk, "release", "sign", "beta", "--dry-run")
    assert told["sha256"] == {"beta": sha256} and sha256 in told["words"]
    other = "0" * 64
    said = desk.type("release", "sign", "beta", "--expect", other, "--json", fails=True)
    assert "--expect does not name" in said and sha256 in said
    assert desk.opened.staged()[0].signed_by == []
    desk.type("release", "sign", "beta", "--expect", sha256, "--json")
    said = desk.type("release", "publish", "--expect", other, "--json", fails=True)
    assert "--expect does not name" in said
    desk.type("release", "publish", "--expect", sha256, "--json")
    assert 8 in [entry.release for entry in desk.opened.published.releases("beta")]


# --- the words themselves ---


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Ways to every value, maps and lists among them."""
    if path:
        yield path
    if isinstance(value, dict):
        for name in value:
            yield from leaves(value[name], (*path, name))
    elif isinstance(value, list):
        for number in range(len(value)):
            yield from leaves(value[number], (*path, number))


def changed(signed: Any, path: tuple[Any, ...], way: str) -> Any:
    """A copy of `signed` with one thing changed."""
    signed = copy.deepcopy(signed)
    holder = signed
    for step in path[:-1]:
        holder = holder[step]
    last, value = path[-1], holder[path[-1]]
    if way == "take away":
        del holder[last]
    elif way == "add" and isinstance(value, dict):
        value["unknown"] = 1
    elif way == "add" and isinstance(value, list):
        value.append("unknown")
    elif way == "retype":
        holder[last] = str(value) if isinstance(value, int) else [value]
    elif isinstance(value, bool):
        holder[last] = not value
    elif isinstance(value, int):
        holder[last] = value + 1
    elif isinstance(value, str):
        holder[last] = value[:-1] + ("0" if value[-1:] != "0" else "1")
    elif isinstance(value, list):
        holder[last] = [*value[::-1], value]
    else:
        return None
    return signed


def of(repository: channels.Repository, role: str) -> Any:
    return repository.published.metadata[role].signed.to_dict()


def unshown(words: Callable[[str, Any, Any], list[str]], repository: channels.Repository) -> int:
    """How many changes of one thing each leave the words as they are."""
    count = 0
    for role in ("root", "targets", "stable", "catalogue", "rollout-stable", "snapshot"):
        before = of(repository, role)
        base = words(role, before, before)
        for path in leaves(before):
            for way in ("change", "take away", "add", "retype"):
                after = changed(before, path, way)
                if after is None or after == before or path == ("_type",):
                    continue
                said = words(role, after, before)
                # The hash over all of it tells nobody what changed.
                count += [line for line in said if "SHA-256" not in line] == [
                    line for line in base if "SHA-256" not in line
                ]
    return count


def full_words(role: str, after: Any, before: Any) -> list[str]:
    return shown.in_words(role, after, before, {})


def summary_alone(role: str, after: Any, before: Any) -> list[str]:
    said = full_words(role, after, before)
    return [line for line in said if not line.startswith("    ")]


def only_what_was_added(role: str, after: Any, before: Any) -> list[str]:
    return [line for line in full_words(role, after, before) if "    - " not in line]


def test_nothing_that_is_signed_is_unshown(desk: Desk) -> None:
    assert unshown(full_words, desk.opened) == 0
    assert unshown(lambda role, after, _: full_words(role, after, None), desk.opened) == 0
    for wrong in (summary_alone, only_what_was_added):
        assert unshown(wrong, desk.opened) > 10, wrong


HOSTILE = [
    "x\ny", "x\r\x1b[2Ky", "[red]x[/red]\x1b[31m", "x\u202ey", "x\u2066y\u2069", "st\u0430ble",
    "x\u200by", "x\x7fy", "x\x9by", ":warning:\x07", "e\u0301\u0301", "\ufb01x", "x\u2028y",
    "\U000e0041x", "x\u00a0y", "x\u3000y",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_no_shown_text_steers_the_terminal_or_reads_as_another(desk: Desk, text: str) -> None:
    signed = of(desk.opened, "stable")
    path, target = next(iter(signed["targets"].items()))
    target["custom"]["text"] = {"en": text}
    target["custom"]["version"] = text
    signed["targets"][path + text] = copy.deepcopy(target)
    signed["unknown" + text] = text
    for line in shown.in_words("stable", signed, None, {}):
        assert line.isprintable(), ascii(line)
        assert text not in line
        assert all(" " <= c <= "~" or c.isalpha() for c in line), ascii(line)
    assert shown.visible("Risiti bora, réçus à Zürich") == "Risiti bora, réçus à Zürich"
    assert shown.visible(text) != shown.visible(shown.visible(text)) or "\\" not in text


def test_different_texts_never_read_the_same() -> None:
    alphabet = ["a", "\\", "x", "0", "\n", "\u0430", "n", "u", "{", "4", "3", "}", "\x00", '"']
    rng = random.Random(20261126)
    seen: dict[str, str] = {}
    for _ in range(20_000):
        text = "".join(rng.choices(alphabet, k=rng.randint(0, 9)))
        assert seen.setdefault(shown.visible(text), text) == text
        (line,) = shown.differences({}, {"a": text})
        assert seen.setdefault(line, text) == text


# --- prices, which metadata name by their hash alone ---


def test_prices_are_shown_field_by_field_here_and_where_they_are_signed(
    desk: Desk, tmp_path: Path
) -> None:
    first = msgspec.structs.replace(PRICES.products[0], instructions="Dial *999*PIN#")
    prices = msgspec.structs.replace(PRICES, version=2, products=[first, *PRICES.products[1:]])
    file, request = tmp_path / "prices.json", tmp_path / "request.json"
    file.write_bytes(prices.encode())
    said = desk.type("release", "sign", "catalogue", "--prices", str(file), "--yes", keys=False)
    change = '~ products > [000 Savanna 50] > instructions: "Dial *130*PIN#" -> "Dial *999*PIN#"'
    assert change in said
    desk.type("release", "sign", "catalogue", "--export", str(request), keys=False)
    shell = CliRunner(env={"DUKA_PASSPHRASE": PASSPHRASE})
    root = str(desk.repository / "metadata/1.root.json")
    line = ["keys", "sign", str(request), "--key", str(desk.keys / "catalogue-1.pem"), "--dry-run"]
    line += ["--out", str(tmp_path / "s.json")]
    assert change in shell.invoke(app, [*line, "--root", root]).output
    assert '"Dial *999*PIN#"' in shell.invoke(app, line).output
    content = json.loads(request.read_bytes())
    content["contents"] = {
        sha: text.replace("999", "130") for sha, text in content["contents"].items()
    }
    request.write_text(json.dumps(content))
    said = shell.invoke(app, line).output
    assert "*999*" not in said and "its content is not at hand" in said


# --- keys under honest ids ---


def request_of(desk: Desk, change: Callable[[Any], None]) -> dict[str, Any]:
    asked = desk.opened
    metadata = asked.versions.next("targets", NOW)
    in_force = asked.published.chain("targets")
    content = json.loads(carried.request("targets", metadata.signed_bytes, in_force).encode())
    change(content["signed"])
    return dict(content)


def swap_keys(signed: Any, keep_ids: bool = True) -> None:
    roles = {rule["name"]: rule for rule in signed["delegations"]["roles"]}
    for keyid in roles["stable"]["keyids"]:
        signed["delegations"]["keys"][keyid]["keyval"]["public"] = "ab" * 32


def second_id(signed: Any) -> None:
    keys = signed["delegations"]["keys"]
    rule = next(rule for rule in signed["delegations"]["roles"] if rule["name"] == "stable")
    keyid = rule["keyids"][0]
    longer = key_files.fingerprint(keys[keyid])[:20]
    keys[longer] = keys[keyid]
    rule["keyids"].append(longer)


def loud_id(signed: Any) -> None:
    keys = signed["delegations"]["keys"]
    rule = next(rule for rule in signed["delegations"]["roles"] if rule["name"] == "stable")
    key = copy.deepcopy(keys[rule["keyids"][0]])
    key["keyval"]["public"] = key["keyval"]["public"].upper()
    keyid = key_files.fingerprint(key)[:16]
    keys[keyid] = key
    rule["keyids"].append(keyid)


@pytest.mark.parametrize("change", [swap_keys, second_id, loud_id])
def test_keys_under_honest_ids_are_refused_wherever_they_turn_up(
    desk: Desk, tmp_path: Path, change: Callable[[Any], None]
) -> None:
    request = tmp_path / "request.json"
    request.write_text(json.dumps(request_of(desk, change)))
    shell = CliRunner(env={"DUKA_PASSPHRASE": PASSPHRASE})
    line = ["keys", "sign", str(request), "--key", str(desk.keys / "targets-1.pem"), "--yes"]
    done = shell.invoke(app, [*line, "--out", str(tmp_path / "s.json")])
    assert isinstance(done.exception, carried.OfflineError), done.output
    assert not (tmp_path / "s.json").exists()
    signed = json.loads(request.read_bytes())["signed"]
    document = {"signatures": [], "signed": signed}
    desk.lay("targets", json.dumps(document).encode())
    said = desk.type("release", "sign", "targets", "--yes", fails=True)
    assert "release withdraw targets" in said
    assert "damaged" in desk.type("release", "show", keys=False)
    desk.type("release", "halt", "7", "--channel", "stable", "--yes")
    desk.type("release", "publish", "--yes")
    assert desk.opened.published.rollout("stable").halted == [7]
    desk.type("release", "withdraw", "targets", "--yes", keys=False)
    assert desk.opened.unreadable() == {}


@pytest.mark.parametrize(
    "label", ["alpha", "catalogue", "targets", "root", "nightly", "sta\u0431le"]
)
def test_a_list_of_one_role_is_not_signed_under_the_name_of_another(
    desk: Desk, tmp_path: Path, label: str
) -> None:
    """The signed bytes do not hold the role's name, so a holder could be asked about alpha, and
    sign for stable.
    """
    desk.stage("stable", 8)
    request = tmp_path / "request.json"
    desk.type("release", "sign", "stable", "--export", str(request), keys=False)
    request.write_text(json.dumps(json.loads(request.read_bytes()) | {"role": label}))
    shell = CliRunner(env={"DUKA_PASSPHRASE": PASSPHRASE})
    line = ["keys", "sign", str(request), "--key", str(desk.keys / "stable-1.pem"), "--yes"]
    done = shell.invoke(app, [*line, "--out", str(tmp_path / "s.json")])
    assert isinstance(done.exception, carried.OfflineError), done.output
    assert not (tmp_path / "s.json").exists()


def test_new_keys_are_not_signed_under_the_name_of_a_list(desk: Desk, tmp_path: Path) -> None:
    request = tmp_path / "request.json"
    content = request_of(desk, lambda signed: None)
    carried.read_request(json.dumps(content).encode())
    request.write_text(json.dumps(content | {"role": "stable"}))
    with pytest.raises(carried.OfflineError, match="another role's"):
        carried.read_request(request.read_bytes())


def test_a_pub_file_under_another_keys_id_is_refused(desk: Desk, tmp_path: Path) -> None:
    thief = key_files.generate(tmp_path / "thief.pem", PASSPHRASE)
    document = json.loads((desk.keys / "ci-1.pub").read_bytes())
    document["keyval"]["public"] = thief.keyval["public"]
    (tmp_path / "ci-1.pub").write_text(json.dumps(document))
    said = desk.type(
        "keys", "rotate", "ci", "--public", str(tmp_path / "ci-1.pub"), "--yes", fails=True
    )
    assert "another one than its id says" in said
    assert desk.opened.staged() == []


def test_a_request_is_held_against_the_holders_own_root(desk: Desk, tmp_path: Path) -> None:
    desk.stage("stable", 8)
    request = tmp_path / "request.json"
    root = desk.repository / "metadata/1.root.json"
    desk.type("keys", "rotate", "timestamp", "--yes")
    desk.publish()
    desk.type("release", "sign", "stable", "--export", str(request), keys=False)
    shell = CliRunner(env={"DUKA_PASSPHRASE": PASSPHRASE})
    line = ["keys", "sign", str(request), "--key", str(desk.keys / "stable-1.pem"), "--dry-run"]
    line += ["--out", str(tmp_path / "s.json"), "--root", str(root)]
    said = shell.invoke(app, line).output
    assert "what differs from version 2, which is in force" in said
    assert "stable/duka-r1/7.full: as it is in force" in said
    assert "by root version 2" in said
    good = json.loads(request.read_bytes())

    def refused(change: Callable[[Any], Any]) -> bool:
        content = copy.deepcopy(good)
        change(content)
        request.write_text(json.dumps(content))
        return isinstance(shell.invoke(app, line).exception, carried.OfflineError)

    evil = copy.deepcopy(good["signed"]["targets"])
    assert refused(lambda c: c["chain"][-1]["signed"].update(targets=evil))
    assert refused(lambda c: c["chain"].pop())
    assert refused(lambda c: c["signed"].update(version=9))
    assert refused(lambda c: c.update(role="beta"))
    assert refused(lambda c: c["signed"].update(_type="root"))
    assert not refused(lambda c: None)


def test_a_log_written_anew_is_noticed_by_what_people_signed(desk: Desk) -> None:
    log = desk.repository / "audit.jsonl"
    desk.stage("beta", 8, "beta-1")
    desk.publish()
    assert "whole" in desk.type("release", "audit", keys=False)
    lines = log.read_bytes().splitlines()
    previous, written = "0" * 64, []
    for raw in lines:
        content = json.loads(raw) | {"who": "asha@office", "previous": previous}
        data = json.dumps(content, separators=(",", ":")).encode()
        previous = hashlib.sha256(data).hexdigest()
        written.append(data)
    log.write_bytes(b"\n".join(written) + b"\n")
    said = desk.type("release", "audit", keys=False, fails=True)
    assert "written anew" in said
    assert "written anew" in desk.type("release", "verify", keys=False, fails=True)
