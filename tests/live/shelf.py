"""The signed files as a terminal reads them over HTTP: timestamp, snapshot and a channel's plan.
Written from docs/formats/release.md; it trusts the keys that the root and the targets in its hand
name, and nothing that is only there.
"""

from __future__ import annotations

import hashlib
import http.client
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Shelf:
    """Reads the plan in force of one channel. The files are asked for again only when the tag in a
    sealed reply is another.
    """

    def __init__(self, root: dict[str, Any], targets: dict[str, Any], channel: str) -> None:
        self._role = f"rollout-{channel}"
        self._channel = channel
        signed = targets["signed"]["delegations"]
        (rule,) = [role for role in signed["roles"] if role["name"] == self._role]
        self._of_plan = {keyid: signed["keys"][keyid] for keyid in rule["keyids"]}
        root_signed = root["signed"]
        self._of_top = {
            role: {k: root_signed["keys"][k] for k in root_signed["roles"][role]["keyids"]}
            for role in ("timestamp", "snapshot")
        }
        self._tag = b""
        self.plan: dict[str, Any] = {"releases": {}, "halted": []}
        self.fetched = 0

    def look(self, port: int, tag: bytes | None) -> None:
        """Read the files if `tag` (of a sealed reply) is not that of the timestamp that is here."""
        if tag is None or tag == self._tag:
            return
        content = self._get(port, "timestamp.json")
        timestamp = _signed(content, self._of_top["timestamp"])
        about = timestamp["meta"]["snapshot.json"]
        content_of_snapshot = self._get(port, f"{about['version']}.snapshot.json")
        _check_hash(content_of_snapshot, about)
        snapshot = _signed(content_of_snapshot, self._of_top["snapshot"])
        about = snapshot["meta"][f"{self._role}.json"]
        content_of_plan = self._get(port, f"{about['version']}.{self._role}.json")
        _check_hash(content_of_plan, about)
        plan = _signed(content_of_plan, self._of_plan)
        self.plan = plan["targets"][f"rollout/{self._channel}/plan.json"]["custom"]
        self._tag = hashlib.sha256(content).digest()[:8]

    def _get(self, port: int, name: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", f"/tuf/metadata/{name}")
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        assert answer.status == 200, (name, answer.status)
        self.fetched += 1
        return content

    def allows(self, release: int, terminal_id: bytes) -> bool:
        """Whether that terminal may take the release."""
        wave = self.plan["releases"].get(str(release))
        if wave is None or release in self.plan["halted"]:
            return False
        within = self.plan.get("within", {}).get(str(release), 0)
        return _drawn(wave[0], terminal_id) < (wave[1], within)

    def wave(self, release: int) -> list[Any]:
        """Which wave of a release it is: another threshold, steps or control is another."""
        name = str(release)
        threshold = self.plan["releases"].get(name, [None, None])[1]
        others = [self.plan.get(key, {}).get(name) for key in ("within", "control")]
        return [threshold, *others]

    def restarts(self, release: int, terminal_id: bytes) -> bool:
        """Whether that terminal is of the control arm: it restarts into what it runs."""
        wave = self.plan["releases"].get(str(release))
        reach = self.plan.get("control", {}).get(str(release))
        if wave is None or reach is None or release in self.plan["halted"]:
            return False
        return not self.allows(release, terminal_id) and _drawn(wave[0], terminal_id) < tuple(reach)


def _drawn(salt: str, terminal_id: bytes) -> tuple[int, int]:
    digest = hashlib.sha256(bytes.fromhex(salt) + terminal_id).digest()
    number = int.from_bytes(digest[:4], "big")
    return number % 10_000, number // 10_000


def _check_hash(content: bytes, about: dict[str, Any]) -> None:
    wanted = about.get("hashes", {}).get("sha256")
    assert wanted is None or hashlib.sha256(content).hexdigest() == wanted, "another file"


def _signed(content: bytes, keys: dict[str, Any]) -> dict[str, Any]:
    """What a file says, if one of the keys signed it."""
    file = json.loads(content)
    signed: dict[str, Any] = file["signed"]
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    for signature in file["signatures"]:
        key = keys.get(signature["keyid"])
        if key is not None:
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key["keyval"]["public"]))
            public.verify(bytes.fromhex(signature["sig"]), text)
            return signed
    raise AssertionError("signed by nobody who may")
