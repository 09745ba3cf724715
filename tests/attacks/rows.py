"""The rows of the threat table (docs/threats.md) that the update client meets: who, with what, does
what. Each returns nothing; `play` judges afterwards what was gained.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tuf.api.metadata import TargetFile, Targets

from tests.attacks.thief import EVIL, SERVER, Scene, Thief
from tests.update.world import NOW, catalogue, image

STABLE_EVIL = f"stable/duka-r1/{EVIL}.full"


class Row(NamedTuple):
    """`attack` changes the scene. `takes` are the releases that may run afterwards: 1 runs before,
    2 is honestly on offer.
    """

    name: str
    attack: Callable[[Scene], None]
    takes: tuple[int, ...] = (1,)


ROWS: list[Row] = []


def row(
    name: str, takes: tuple[int, ...] = (1,)
) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    """Enter a function into the table."""

    def enter(attack: Callable[[Scene], None]) -> Callable[[Scene], None]:
        ROWS.append(Row(name, attack, takes))
        return attack

    return enter


class Gained(AssertionError):
    """The attacker got something that the table does not concede."""


def play(chosen: Row, folder: Path, on_board: bool = False) -> None:
    """Let the attack happen, then let honest days return.

    Raises:
        Gained: something else runs than may, prices changed, or the terminal can no longer be
            updated.
    """
    scene = Scene(folder, on_board)
    scene.publish(2)
    kept = folder / "kept"
    shutil.copytree(folder / "site", kept)
    chosen.attack(scene)
    for _ in range(2):
        scene.run_client()
        if scene.switched_to() not in chosen.takes:
            raise Gained(f"release {scene.switched_to()} is switched to: {scene.logged[-6:]}")
    if (scene.data / "catalogue.json").read_bytes() != scene.honest_catalogue:
        raise Gained("the prices were changed")
    if scene.switched_to() != 1:
        return
    scene.honest_again(kept)
    scene.publish(3)
    scene.time_s = int(NOW.timestamp()) + 2 * 86400
    for _ in range(2):
        scene.run_client()
    if scene.switched_to() != 3:
        raise Gained(f"the terminal cannot be updated any more: {scene.logged[-6:]}")


def on_the_way(scene: Scene, part: str, change: Callable[[bytes], bytes]) -> None:
    scene.site.change = lambda path, data: change(data) if part in path else data


# --- the network owned: no key at all ---


@row("network: a release list that nobody signed")
def unsigned(scene: Scene) -> None:
    thief = Thief(scene)
    thief.list_evil("stable", STABLE_EVIL)
    thief.point("stable")


@row("network: the signed release list with one number changed")
def edited(scene: Scene) -> None:
    on_the_way(scene, ".stable.json", lambda data: data.replace(b'"release":2', b'"release":9'))


@row("network: the signed release list with a lower security version")
def security_edited(scene: Scene) -> None:
    old, new = b'"security_version":1', b'"security_version":0'
    on_the_way(scene, ".stable.json", lambda data: data.replace(old, new))


@row("network: another image instead of the signed one")
def payload_swapped(scene: Scene) -> None:
    on_the_way(scene, ".full", lambda data: image(EVIL)[: len(data)].ljust(len(data), b"!"))


@row("network: one bit of the payload")
def payload_bit(scene: Scene) -> None:
    on_the_way(scene, ".full", lambda data: data[:-1] + bytes([data[-1] ^ 1]))


@row("network: a payload cut short")
def payload_short(scene: Scene) -> None:
    on_the_way(scene, ".full", lambda data: data[:-100])


@row("network: a payload that goes on")
def payload_long(scene: Scene) -> None:
    on_the_way(scene, ".full", lambda data: data + bytes(200_000))


@row("network: a timestamp without end")
def endless_timestamp(scene: Scene) -> None:
    on_the_way(scene, "timestamp", lambda data: data + b" " * 100_000)


@row("network: a release list without end")
def endless_list(scene: Scene) -> None:
    on_the_way(scene, ".stable.json", lambda data: data + b" " * 100_000)


@row("network: a captive portal's page for everything")
def portal(scene: Scene) -> None:
    on_the_way(scene, "", lambda data: b"<html>Pay here for the internet</html>")


@row("network: nests of brackets for metadata")
def brackets(scene: Scene) -> None:
    on_the_way(scene, "timestamp", lambda data: b"[" * 2000)


@row("network: the old timestamp for ever", takes=(1,))
def frozen(scene: Scene) -> None:
    old = (scene.data / "trust/timestamp.json").read_bytes()
    on_the_way(scene, "timestamp", lambda data: old)


@row("network: everything old, replayed after it expired")
def replayed_expired(scene: Scene) -> None:
    scene.time_s += 45 * 86400


@row("network: yesterday's release list under today's name")
def mixed(scene: Scene) -> None:
    old = (scene.data / "trust/stable.json").read_bytes()
    on_the_way(scene, ".stable.json", lambda data: old)


@row("network: the price list with other prices", takes=(1, 2))
def prices_on_the_way(scene: Scene) -> None:
    scene.repository.set_catalogue("default", catalogue(2), scene.all_signers, NOW)
    scene.repository.publish(scene.all_signers, NOW)
    on_the_way(scene, "default.json", lambda data: data.replace(b":5000", b":4000"))


@row("network: a root of the attacker's own")
def own_root(scene: Scene) -> None:
    Thief(scene).new_root()


# --- a server stolen: snapshot, timestamp and rollout keys ---


@row("server stolen: lists a release without the channel's keys")
def server_lists(scene: Scene) -> None:
    thief = Thief(scene, *SERVER)
    thief.list_evil("stable", STABLE_EVIL)
    thief.point("stable")


@row("server stolen: the rollout role lists a release under the channel's path")
def rollout_lists(scene: Scene) -> None:
    thief = Thief(scene, *SERVER)
    hold_back(thief)
    thief.list_evil("rollout-stable", STABLE_EVIL)
    thief.point("rollout-stable")


@row("server stolen: the rollout role lists a release under its own path")
def rollout_lists_own(scene: Scene) -> None:
    thief = Thief(scene, *SERVER)
    hold_back(thief)
    thief.list_evil("rollout-stable", f"rollout/stable/{EVIL}.full")
    thief.point("rollout-stable")


@row("server stolen: holds a release back")
def held_back(scene: Scene) -> None:
    thief = Thief(scene, *SERVER)
    hold_back(thief)
    thief.point("rollout-stable")


def hold_back(thief: Thief) -> None:
    def plan(signed: Targets) -> None:
        target = TargetFile.from_data("rollout/stable/plan.json", b"{}", ["sha256"])
        target.unrecognized_fields = {"custom": {"releases": {}, "halted": [2]}}
        signed.targets[target.path] = target

    thief.forge("rollout-stable", plan)


@row("server stolen: lets a release go to everybody; it is the signed one", takes=(2,))
def let_go(scene: Scene) -> None:
    scene.repository.set_rollout("stable", 2, 0, scene.all_signers, NOW)
    scene.repository.publish(scene.all_signers, NOW)
    thief = Thief(scene, *SERVER)
    thief.forge("rollout-stable", lambda signed: signed.targets.clear())
    thief.point("rollout-stable")


@row("server stolen: the newest timestamp names an older snapshot")
def older_snapshot(scene: Scene) -> None:
    scene.facts["open_sale"] = True
    scene.run_client()
    scene.facts["open_sale"] = False
    scene.reboot()

    def names(timestamp: Any) -> None:
        timestamp.snapshot_meta.version = 1

    Thief(scene, *SERVER).forge("timestamp", names)
    scene.time_s += 45 * 86400  # and waits until what the terminal knows has run out


@row("server stolen: a snapshot without the channel")
def dropped_role(scene: Scene) -> None:
    thief = Thief(scene, *SERVER)
    thief.forge("snapshot", lambda signed: signed.meta.pop("stable.json"))
    thief.point_at_snapshot()


@row("server stolen: a snapshot that names an older release list")
def older_list(scene: Scene) -> None:
    scene.facts["open_sale"] = True
    scene.run_client()
    scene.facts["open_sale"] = False
    thief = Thief(scene, *SERVER)

    def names(signed: Any) -> None:
        signed.meta["stable.json"].version = 1

    thief.forge("snapshot", names)
    thief.point_at_snapshot()
    scene.time_s += 45 * 86400


@row("server stolen: version numbers driven to the sky, then new keys")
def fast_forward(scene: Scene) -> None:
    thief = Thief(scene, *SERVER)
    hold_back(thief)
    thief.point("rollout-stable", step=1_000_000)


@row("server stolen: other prices under the signed list's name", takes=(1, 2))
def server_prices(scene: Scene) -> None:
    thief = Thief(scene, *SERVER)
    thief.forge("catalogue", lambda signed: None)
    thief.point("catalogue")


# --- keys of people stolen ---


@row("one stable key and the server: below the threshold")
def one_stable(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "stable:1")
    thief.list_evil("stable", STABLE_EVIL)
    thief.point("stable")


@row("one stable key, signing twice under two names, and the server")
def one_stable_twice(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "stable:1")
    thief.list_evil("stable", STABLE_EVIL)
    file = thief.newest("stable")
    content = json.loads(file.read_bytes())
    stolen = thief.keys[-1].public_key.keyid
    sig = next(s["sig"] for s in content["signatures"] if s["keyid"] == stolen)
    content["signatures"] = [{"keyid": stolen, "sig": sig}, {"keyid": "00" * 8, "sig": sig}]
    file.write_text(json.dumps(content, separators=(",", ":"), sort_keys=True))
    thief.point("stable")


@row("all stable keys but not the server: nobody points at what they sign")
def stable_without_server(scene: Scene) -> None:
    thief = Thief(scene, "stable")
    thief.list_evil("stable", STABLE_EVIL)
    thief.point("stable")


@row("all stable keys and the server: a release with closed holes open again")
def stable_old_security(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "stable")
    thief.list_evil("stable", STABLE_EVIL, security_version=0)
    thief.forge("stable", lambda signed: signed.targets.pop("stable/duka-r1/2.full"))
    thief.point("stable")


@row("all stable keys and the server: an image for another class of hardware")
def stable_other_class(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "stable")
    thief.list_evil("stable", f"stable/duka-r2/{EVIL}.full")
    thief.forge("stable", lambda signed: signed.targets.pop("stable/duka-r1/2.full"))
    thief.point("stable")


@row("alpha's key and the server: a release under stable's path")
def alpha_lists_stable(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "alpha")
    hold_back(thief)
    thief.list_evil("alpha", STABLE_EVIL)
    thief.point("alpha", "rollout-stable")


@row("alpha's key and the server: a release of alpha, to a terminal of stable")
def alpha_lists_alpha(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "alpha")
    hold_back(thief)
    thief.list_evil("alpha", f"alpha/duka-r1/{EVIL}.full")
    thief.point("alpha", "rollout-stable")


@row("all keys of ci, alpha and beta, and the server: sign for stable")
def others_sign_stable(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "ci", "alpha", "beta", "catalogue")
    thief.list_evil("stable", STABLE_EVIL)
    thief.point("stable")


@row("the catalogue's keys and the server: a release under the price lists")
def catalogue_lists(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "catalogue")
    hold_back(thief)
    thief.list_evil("catalogue", STABLE_EVIL)
    thief.list_evil("catalogue", f"catalogue/{EVIL}.full")
    thief.point("catalogue", "rollout-stable")


@row("one targets key and the server: hands stable to a key of the attacker's")
def one_targets(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "targets:1")

    def hands_over(signed: Any) -> None:
        key = thief.keys[-1].public_key
        signed.delegations.roles["stable"].keyids = [key.keyid]
        signed.delegations.roles["stable"].threshold = 1
        signed.delegations.keys[key.keyid] = key

    thief.forge("targets", hands_over)
    thief.list_evil("stable", STABLE_EVIL)
    thief.point("targets", "stable")


@row("one root key and the server: a new root")
def one_root(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "root:1")
    thief.new_root()
    thief.list_evil("stable", STABLE_EVIL)
    thief.point("stable")


@row("all targets keys and the server, but no root key: a new root")
def targets_sign_root(scene: Scene) -> None:
    Thief(scene, *SERVER, "targets", "stable").new_root(keep_roles=("targets",))


# --- time ---


@row("rogue cell: a time before everything was signed keeps old metadata fresh", takes=(2,))
def time_back(scene: Scene) -> None:
    scene.time_s -= 300 * 86400


@row("rogue cell: a time after everything expired")
def time_forward(scene: Scene) -> None:
    scene.time_s += 3000 * 86400


@row("rogue cell: no time at all")
def no_time(scene: Scene) -> None:
    scene.time_s = 0
