"""The rows of the threat table (docs/threats.md) that concern what is served: who, with what, does
what. Each only changes the scene; the stage judges afterwards what was gained.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from typing import Any

from securesystemslib.signer import CryptoSigner, Signer
from tuf.api.metadata import Metadata, MetaFile, TargetFile, Targets

from tests.attacks.scene import SERVER, Gained, Row, Scene
from tests.attacks.thief import Thief
from updater_server.channels import carried
from updater_server.channels.errors import ChangedMeanwhile
from updater_server.channels.metadata_file import encode

ROWS: list[Row] = []


ANOTHER = ("another length than was signed", "another range than asked for")
"""What is said of a payload of one request, and of one that comes in pieces."""


def row(
    name: str, *says: str, takes: tuple[str, ...] = ("old",), days_old: int = 0
) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    """Enter a function into the table."""

    def enter(attack: Callable[[Scene], None]) -> Callable[[Scene], None]:
        ROWS.append(Row(name, attack, takes, says, days_old))
        return attack

    return enter


def evil_on(scene: Scene, channel: str = "stable", hardware: str = "duka-r1") -> str:
    """The path of the thief's own release."""
    return f"{channel}/{hardware}/{scene.evil}.full"


def offered_on(scene: Scene) -> str:
    """The path of the honest one."""
    return f"stable/duka-r1/{scene.offered}.full"


def on_the_way(scene: Scene, part: str, change: Callable[[bytes], bytes]) -> None:
    """Change every file whose path has `part` in it while it passes."""
    scene.intercept = lambda path, data: change(data) if part in path else data


# --- the network owned: no key at all ---


@row("network: a release list that nobody signed", "timestamp: 0 of 1 signatures")
def unsigned(scene: Scene) -> None:
    thief = Thief(scene)
    thief.list_evil("stable", evil_on(scene))
    thief.point("stable")


@row("network: the signed release list with one number changed", "stable: sha256 differs")
def edited(scene: Scene) -> None:
    on_the_way(
        scene,
        ".stable.json",
        lambda data: data.replace(b'"release":%d' % scene.offered, b'"release":%d' % scene.evil),
    )


@row("network: the signed release list with a lower security version", "stable: sha256 differs")
def security_edited(scene: Scene) -> None:
    old, new = b'"security_version":1', b'"security_version":0'
    on_the_way(scene, ".stable.json", lambda data: data.replace(old, new))


@row("network: another image instead of the signed one", "payload_hash")
def payload_swapped(scene: Scene) -> None:
    on_the_way(
        scene, "targets/stable", lambda data: scene.evil_image()[: len(data)].ljust(len(data), b"!")
    )


@row("network: one bit of the payload", "payload_hash")
def payload_bit(scene: Scene) -> None:
    on_the_way(scene, "targets/stable", lambda data: data[:-1] + bytes([data[-1] ^ 1]))


@row("network: a payload cut short", *ANOTHER)
def payload_short(scene: Scene) -> None:
    on_the_way(scene, "targets/stable", lambda data: data[:-1])


@row("network: a payload that goes on", *ANOTHER)
def payload_long(scene: Scene) -> None:
    on_the_way(scene, "targets/stable", lambda data: data + bytes(200_000))


@row("network: a timestamp without end", "at most 2048")
def endless_timestamp(scene: Scene) -> None:
    on_the_way(scene, "timestamp", lambda data: data + b" " * 100_000)


@row("network: a release list without end", "at most 12288")
def endless_list(scene: Scene) -> None:
    on_the_way(scene, ".stable.json", lambda data: data + b" " * 100_000)


@row("network: a captive portal's page for everything", "timestamp: no value")
def portal(scene: Scene) -> None:
    on_the_way(scene, "", lambda data: b"<html>Pay here for the internet</html>")


@row("network: nests of brackets for metadata", "timestamp: nested too deep")
def brackets(scene: Scene) -> None:
    on_the_way(scene, "timestamp", lambda data: b"[" * 2000)


@row("network: the old timestamp for ever")
def frozen(scene: Scene) -> None:
    old = scene.before["timestamp"]
    on_the_way(scene, "timestamp", lambda data: old)


@row("network: an old offer, replayed after it expired", "the signatures expired", days_old=45)
def replayed_expired(scene: Scene) -> None:
    pass  # passing on what was signed then is all


@row("network: yesterday's release list under today's name", "stable: sha256 differs")
def mixed(scene: Scene) -> None:
    old = scene.before["stable"]
    on_the_way(scene, ".stable.json", lambda data: old)


@row("network: the price list with other prices", "is not what was signed", takes=("old", "new"))
def prices_on_the_way(scene: Scene) -> None:
    scene.new_prices()
    scene.keep()
    on_the_way(scene, "default.json", lambda data: data.replace(b":5000", b":4000"))


def once(scene: Scene, part: str, reply: Callable[[bytes], bytes]) -> None:
    """Answer one request for what has `part` in its path; everything else passes honestly."""
    hits: list[str] = []

    def answer(path: str, data: bytes) -> bytes | None:
        if part not in path or hits or not data:
            return None
        hits.append(path)
        return reply(data)

    scene.answer = answer


@row(
    "network: one 404 for the price list, and never again",
    "is not what was signed",
    takes=("old", "new"),
)
def one_404(scene: Scene) -> None:
    scene.new_prices()
    scene.keep()
    once(scene, "default.json", lambda data: b"HTTP/1.1 404 N\r\nContent-Length: 0\r\n\r\n")


@row("network: one old timestamp under the new one's tag, before a halt", "is halted")
def old_under_new_tag(scene: Scene) -> None:
    scene.learn()
    old = scene.newest("timestamp").read_bytes()
    scene.repository.halt("stable", scene.offered, scene.all_signers, scene.now)
    scene.repository.publish(scene.all_signers, scene.now)
    scene.keep()
    tag = hashlib.sha256(scene.newest("timestamp").read_bytes()).hexdigest()[:16]

    def spoiled(data: bytes) -> bytes:
        head = f'HTTP/1.1 200 O\r\nETag: "{tag}z"\r\nContent-Length: {len(old)}\r\n\r\n'
        return head.encode() + old

    once(scene, "timestamp.json", spoiled)
    scene.ask()


@row("network: nothing new, said for ever", "status 304")
def never_new(scene: Scene) -> None:
    scene.learn()
    nothing = b"HTTP/1.1 304 N\r\n\r\n"
    scene.answer = lambda path, data: nothing if "timestamp.json" in path else None


@row("network: a timestamp in chunks without end", "around the chunks")
def endless_chunks(scene: Scene) -> None:
    head = b"HTTP/1.1 200 O\r\nTransfer-Encoding: chunked\r\n\r\n"
    bomb = head + b"1;" + b"x" * 100 + b"\r\n{\r\n"
    bomb += (b"1;" + b"x" * 100 + b"\r\n \r\n") * 1000
    scene.answer = lambda path, data: bomb if "timestamp.json" in path else None


@row("network: a root of the attacker's own", "root: 0 of 2 signatures")
def own_root(scene: Scene) -> None:
    Thief(scene).new_root()


# --- a server stolen: snapshot, timestamp and rollout keys ---


@row("server stolen: lists a release without the channel's keys", "stable: 0 of 2 signatures")
def server_lists(scene: Scene) -> None:
    thief = Thief(scene, *SERVER)
    thief.list_evil("stable", evil_on(scene))
    thief.point("stable")


@row("server stolen: a release in the rollout role, on the channel's path", "is halted")
def rollout_lists(scene: Scene) -> None:
    thief = Thief(scene, *SERVER)
    hold_back(thief)
    thief.list_evil("rollout-stable", evil_on(scene))
    thief.point("rollout-stable")


@row("server stolen: a release in the rollout role, on its own path", "is halted")
def rollout_lists_own(scene: Scene) -> None:
    thief = Thief(scene, *SERVER)
    hold_back(thief)
    thief.list_evil("rollout-stable", f"rollout/stable/{scene.evil}.full")
    thief.point("rollout-stable")


@row("server stolen: holds a release back", "is halted")
def held_back(scene: Scene) -> None:
    thief = Thief(scene, *SERVER)
    hold_back(thief)
    thief.point("rollout-stable")


def hold_back(thief: Thief) -> None:
    listed = Metadata[Targets].from_bytes(thief.newest("stable").read_bytes()).signed.targets
    halted = sorted(int(p.split("/")[2][:-5]) for p in listed if p.endswith(".full"))
    replan(thief, {str(thief.scene.evil): ["00" * 8, 10_000]}, halted)


def replan(thief: Thief, releases: dict[str, Any], halted: list[int], **more: Any) -> None:
    def plan(signed: Targets) -> None:
        target = TargetFile.from_data("rollout/stable/plan.json", b"{}", ["sha256"])
        target.unrecognized_fields = {"custom": {"releases": releases, "halted": halted, **more}}
        signed.targets[target.path] = target

    thief.forge("rollout-stable", plan)


def let_go_of(thief: Thief, release: int) -> None:
    replan(thief, {str(release): ["00" * 8, 10_000]}, [])


@row("server stolen: lets a release go to everybody; it is the signed one", takes=("new",))
def let_go(scene: Scene) -> None:
    scene.repository.set_rollout("stable", scene.offered, 0, scene.all_signers, scene.now)
    scene.repository.publish(scene.all_signers, scene.now)
    thief = Thief(scene, *SERVER)
    let_go_of(thief, scene.offered)
    thief.point("rollout-stable")


@row("server stolen: the newest timestamp names an older snapshot", "lists an older snapshot")
def older_snapshot(scene: Scene) -> None:
    scene.learn()

    def names(timestamp: Any) -> None:
        timestamp.snapshot_meta = MetaFile(1)

    Thief(scene, *SERVER).forge("timestamp", names)
    scene.wait_until_expired()


@row("server stolen: a snapshot without the channel", "is no longer listed")
def dropped_role(scene: Scene) -> None:
    thief = Thief(scene, *SERVER)
    thief.forge("snapshot", lambda signed: signed.meta.pop("stable.json"))
    thief.point_at_snapshot()


@row("server stolen: a snapshot that names an older release list", "lists an older stable.json")
def older_list(scene: Scene) -> None:
    scene.learn()
    thief = Thief(scene, *SERVER)

    def names(signed: Any) -> None:
        signed.meta["stable.json"] = MetaFile(1)

    thief.forge("snapshot", names)
    thief.point_at_snapshot()
    scene.wait_until_expired()


@row("server stolen: version numbers driven to the sky, then new keys", "is halted")
def fast_forward(scene: Scene) -> None:
    thief = Thief(scene, *SERVER)
    hold_back(thief)
    thief.point("rollout-stable", step=1_000_000)


@row(
    "server stolen: other prices under the signed list's name",
    "catalogue: 0 of 1 signatures",
    takes=("old", "new"),
)
def server_prices(scene: Scene) -> None:
    thief = Thief(scene, *SERVER)
    thief.forge("catalogue", lambda signed: None)
    thief.point("catalogue")


# --- keys of people stolen ---


@row("one stable key and the server: below the threshold", "stable: 1 of 2 signatures")
def one_stable(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "stable:1")
    thief.list_evil("stable", evil_on(scene))
    thief.point("stable")


@row("one stable key, signing twice under two names, and the server", "stable: 1 of 2 signatures")
def one_stable_twice(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "stable:1")
    thief.list_evil("stable", evil_on(scene))
    file = thief.newest("stable")
    content = json.loads(file.read_bytes())
    stolen = thief.keys[-1].public_key.keyid
    sig = next(s["sig"] for s in content["signatures"] if s["keyid"] == stolen)
    content["signatures"] = [{"keyid": stolen, "sig": sig}, {"keyid": "00" * 8, "sig": sig}]
    file.write_text(json.dumps(content, separators=(",", ":"), sort_keys=True))
    thief.point("stable")


@row(
    "all stable keys but not the server: nobody points at what they sign",
    "timestamp: 0 of 1 signatures",
)
def stable_without_server(scene: Scene) -> None:
    thief = Thief(scene, "stable")
    thief.list_evil("stable", evil_on(scene))
    thief.point("stable")


@row("all stable keys and the server: closed holes open again", "known holes")
def stable_old_security(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "stable")
    thief.list_evil("stable", evil_on(scene), security_version=0)
    thief.forge("stable", lambda signed: signed.targets.pop(offered_on(scene)))
    thief.point("stable")


@row("all stable keys and the server: another class of hardware")
def stable_other_class(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "stable")
    thief.list_evil("stable", evil_on(scene, hardware="duka-r2"))
    thief.forge("stable", lambda signed: signed.targets.pop(offered_on(scene)))
    thief.point("stable")


@row("alpha's key and the server: a release under stable's path", "is halted")
def alpha_lists_stable(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "alpha")
    hold_back(thief)
    thief.list_evil("alpha", evil_on(scene))
    thief.point("alpha", "rollout-stable")


@row("alpha's key and the server: alpha's release, to one of stable", "is halted")
def alpha_lists_alpha(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "alpha")
    hold_back(thief)
    thief.list_evil("alpha", evil_on(scene, "alpha"))
    thief.point("alpha", "rollout-stable")


@row("all keys of ci, alpha and beta, and the server: sign for stable", "stable: 0 of 2 signatures")
def others_sign_stable(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "ci", "alpha", "beta", "catalogue")
    thief.list_evil("stable", evil_on(scene))
    thief.point("stable")


@row("the catalogue's keys and the server: a release under the price lists", "is halted")
def catalogue_lists(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "catalogue")
    hold_back(thief)
    thief.list_evil("catalogue", evil_on(scene))
    thief.list_evil("catalogue", f"catalogue/{scene.evil}.full")
    thief.point("catalogue", "rollout-stable")


@row(
    "one targets key and the server: hands stable to a key of its own",
    "targets: 1 of 2 signatures",
)
def one_targets(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "targets:1")

    def hands_over(signed: Any) -> None:
        key = thief.keys[-1].public_key
        signed.delegations.roles["stable"].keyids = [key.keyid]
        signed.delegations.roles["stable"].threshold = 1
        signed.delegations.keys[key.keyid] = key

    thief.forge("targets", hands_over)
    thief.list_evil("stable", evil_on(scene))
    thief.point("targets", "stable")


@row(
    "requests swapped: other keys under stable's ids, signed by targets",
    "is not made of its key",
)
def keys_under_honest_ids(scene: Scene) -> None:
    """The holders of targets were tricked into a signature; terminals know better all the same."""
    thief = Thief(scene, *SERVER, "targets")
    own: list[Signer] = []

    def swaps(signed: Targets) -> None:
        assert signed.delegations and signed.delegations.roles
        for keyid in signed.delegations.roles["stable"].keyids:
            key = CryptoSigner.generate_ed25519()
            key.public_key.keyid = keyid
            signed.delegations.keys[keyid] = key.public_key
            own.append(key)

    thief.forge("targets", swaps)
    signed = json.loads(thief.newest("targets").read_bytes())["signed"]
    try:
        carried.read_request(json.dumps({"role": "targets", "signed": signed}).encode())
    except carried.OfflineError:
        pass
    else:
        raise Gained("people are shown keys under ids that are not theirs")
    thief.keys = own
    thief.list_evil("stable", evil_on(scene))
    thief = Thief(scene, *SERVER)
    thief.point("targets", "stable")


@row("requests swapped while the question stands", "stable: 0 of 2 signatures")
def swapped_while_asked(scene: Scene) -> None:
    """People agreed to what they were shown; what lies in the folder by then is another thing."""
    repository, people = scene.repository, scene.signers["stable"]
    thief = Thief(scene, *SERVER)
    staged = scene.served / "staged/stable.json"
    with repository.drafting() as drafts:
        repository.date_anew("stable", (), scene.now)
    repository.stage(drafts, ())
    shown = repository.to_sign("stable").sha256
    repository.withdraw("stable")
    with repository.drafting() as drafts:
        repository.date_anew("stable", (), scene.now)
    thief.list_evil("stable", evil_on(scene))
    shutil.copy(thief.newest("stable"), staged)
    for sign in (
        lambda: repository.stage(drafts, people),
        lambda: repository.sign("stable", people, shown),
    ):
        try:
            sign()
        except ChangedMeanwhile:
            continue
        raise Gained("people signed what they were not shown")
    shutil.copy(staged, thief.newest("stable"))
    thief.point("stable")


@row("one root key and the server: a new root", "root: 1 of 2 signatures")
def one_root(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "root:1")
    thief.new_root()
    thief.list_evil("stable", evil_on(scene))
    thief.point("stable")


@row("all targets keys and the server, but no root key: a new root", "root: 0 of 2 signatures")
def targets_sign_root(scene: Scene) -> None:
    Thief(scene, *SERVER, "targets", "stable").new_root(keep_roles=("targets",))


# --- keys that were stolen once, and replaced since ---


@row("all stable keys, but replaced since, and the server", "stable: 0 of 2 signatures")
def replaced_stable(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "stable")
    replace(scene, "stable")
    thief.list_evil("stable", evil_on(scene))
    thief.point("stable")


@row("the rollout key, replaced since, and the server", "rollout-stable: 0 of 1 signatures")
def replaced_rollout(scene: Scene) -> None:
    thief = Thief(scene, *SERVER)
    replace(scene, "rollout")
    hold_back(thief)
    thief.point("rollout-stable")


def readied(scene: Scene) -> Metadata[Targets]:
    """The halt that people signed before, as it lies on the server."""
    scene.repository.ready_brake("stable", scene.offered, scene.all_signers, scene.now)
    path = scene.repository.published.folder.brake("rollout-stable", scene.offered)
    return Metadata[Targets].from_bytes(path.read_bytes())


def serve(thief: Thief, halt: Metadata[Targets]) -> None:
    """Put it where terminals look, named by snapshot and timestamp."""
    thief.folder.joinpath(f"{halt.signed.version}.rollout-stable.json").write_bytes(encode(halt))
    thief.point("rollout-stable")


@row("server without the plans' key: uses a halt that was signed before", "is halted")
def brake_used(scene: Scene) -> None:
    serve(Thief(scene, "snapshot", "timestamp"), readied(scene))


@row("server without the plans' key: that halt, made to let its own go", "0 of 1 signatures")
def brake_bent(scene: Scene) -> None:
    halt = readied(scene)
    (target,) = halt.signed.targets.values()
    plan = {"releases": {str(scene.evil): ["00" * 8, 10_000]}, "halted": []}
    target.unrecognized_fields = {"custom": plan}
    serve(Thief(scene, "snapshot", "timestamp"), halt)


BRAKE = ("snapshot", "timestamp", "brake")
"""What a server has that has no key of the plans."""


FLAG: dict[str, Any] = {"flags": {"hourly": ["00" * 8, 10_000, []]}}
"""What ships off, on for everybody."""


def halt_by_brake(thief: Thief, halted: Any, **more: Any) -> None:
    """The brake's next file, where terminals look."""
    path = "brake/stable/halts.json"

    def says(signed: Targets) -> None:
        target = TargetFile.from_data(path, b"{}", ["sha256"])
        target.unrecognized_fields = {"custom": {"halted": halted, **more}}
        signed.targets = {path: target}

    thief.forge("brake-stable", says)
    thief.point("brake-stable")


@row("brake's key and the server: halts what is let out", "is halted")
def brake_halts(scene: Scene) -> None:
    halt_by_brake(Thief(scene, *BRAKE), {str(scene.offered): 2})


@row("brake's key and the server: names a release of its own", "is for 0 of 10000")
def brake_names(scene: Scene) -> None:
    scene.repository.set_rollout("stable", scene.offered, 0, scene.all_signers, scene.now)
    scene.repository.publish(scene.all_signers, scene.now)
    thief = Thief(scene, *BRAKE)
    thief.list_evil("brake-stable", f"brake/stable/{scene.evil}.full")
    thief.list_evil("brake-stable", evil_on(scene))
    thief.point("brake-stable")


@row("brake's key and the server: takes back what the brake said", "is halted")
def brake_takes_back(scene: Scene) -> None:
    role = scene.repository.hold("stable", scene.offered, scene.all_signers, scene.now)
    scene.repository.publish(scene.all_signers, scene.now, [role])
    scene.learn()
    halt_by_brake(Thief(scene, *BRAKE), {})


@row("key of the plans and the server: lets go what the brake halts", "is halted")
def plan_against_brake(scene: Scene) -> None:
    role = scene.repository.hold("stable", scene.offered, scene.all_signers, scene.now)
    scene.repository.publish(scene.all_signers, scene.now, [role])
    thief = Thief(scene, *SERVER)
    let_go_of(thief, scene.offered)
    thief.point("rollout-stable")


@row("key of the plans and the server: a flag that the brake turned off", "is for nobody yet")
def flag_against_brake(scene: Scene) -> None:
    role = scene.repository.brake_flag(
        "stable", "hourly", True, signers=scene.all_signers, now=scene.now
    )
    scene.repository.publish(scene.all_signers, scene.now, [role])
    _flag_of_its_own(scene)


@row("brake's key and the server: turns a flag on", takes=("new",))
def flag_by_brake(scene: Scene) -> None:
    halt_by_brake(Thief(scene, *BRAKE), {}, **FLAG)


@row("key of the plans and the server: faster than the signed pace", "is for 0 millionths")
def faster_than_the_pace(scene: Scene) -> None:
    honest = Thief(scene, *SERVER, "stable")

    def signed(listed: Targets) -> None:
        custom = listed.targets[offered_on(scene)].unrecognized_fields["custom"]
        custom["pace"] = [1_000_000, 1, 3, 24, 0, 1_000_000]

    honest.forge("stable", signed)
    honest.point("stable")
    thief = Thief(scene, *SERVER)
    let_go_of(thief, scene.offered)
    thief.point("rollout-stable")


def replace(scene: Scene, role: str) -> None:
    """What the release managers do about stolen keys."""
    fresh: list[Signer] = [CryptoSigner.generate_ed25519() for _ in scene.signers[role]]
    public = [signer.public_key for signer in fresh]
    scene.repository.rotate({role: public}, [*fresh, *scene.all_signers], scene.now)
    scene.signers[role] = fresh
    scene.repository.publish(scene.all_signers, scene.now)
    scene.keep()


def _everything(scene: Scene) -> None:
    thief = Thief(scene, *SERVER, "stable")
    thief.list_evil("stable", evil_on(scene))
    let_go_of(thief, scene.evil)
    thief.point("stable", "rollout-stable")


def _flag_of_its_own(scene: Scene) -> None:
    thief = Thief(scene, *SERVER)
    replan(thief, {}, [], **FLAG)
    thief.point("rollout-stable")


CONCEDED = [
    Row("all stable keys and the server", _everything, ("old",), (), 0),
    Row("key of the plans and the server: turns a flag on", _flag_of_its_own, ("old",), (), 0),
]
"""Here the attacker does gain what the table says: it shows that the judges are awake."""
