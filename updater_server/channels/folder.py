"""Where each file of the channels is: paths below one folder, and nothing that writes.

<dir>/metadata/  N.root.json, N.<role>.json, N.snapshot.json, timestamp.json  (served)
<dir>/targets/   <channel>/<class>/<sha256>.<release>.full, …                (served)
<dir>/staged/    <role>.json: changed, perhaps not signed by enough people yet
<dir>/brakes/    <role>.<release>.json: a halt that was signed before it is needed
<dir>/commits/    <commit>.json: what came with a release (channels/commits.py)
<dir>/policy.json     thresholds and lifetimes (channels/policy.py)
<dir>/audit.jsonl     who did what (channels/audit.py)
<dir>/publishing.json a publication under way (channels/publication.py)
<dir>/.lock           held by whoever changes the folder (channels/writing.py)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuf.api.metadata import TargetFile


@dataclass(frozen=True)
class Folder:
    """One repository folder."""

    path: Path

    @property
    def policy(self) -> Path:
        """Thresholds, numbers of keys and lifetimes of all roles."""
        return self.path / "policy.json"

    @property
    def log(self) -> Path:
        """Who did what."""
        return self.path / "audit.jsonl"

    @property
    def lock(self) -> Path:
        """Held by the one process that changes the folder."""
        return self.path / ".lock"

    @property
    def is_repository(self) -> bool:
        """Whether something was ever published here."""
        return self.metadata("timestamp", 0).exists()

    def metadata(self, role: str, version: int) -> Path:
        """A published version of a role; the timestamp has one file for all."""
        name = "timestamp.json" if role == "timestamp" else f"{version}.{role}.json"
        return self.path / "metadata" / name

    def versions_on_disk(self, role: str) -> list[int]:
        """Numbers of the files of a role, in force or not."""
        files = (self.path / "metadata").glob(f"*.{role}.json")
        names = [path.name.split(".")[0] for path in files]
        return [int(name) for name in names if name.isascii() and name.isdigit()]

    def staged(self, role: str) -> Path:
        """What waits for a role."""
        return self.path / "staged" / f"{role}.json"

    def brake(self, role: str, release: int) -> Path:
        """A halt of `release` that was signed before it is needed."""
        return self.path / "brakes" / f"{role}.{release}.json"

    def target(self, target: TargetFile) -> Path:
        """The content of a listed target."""
        folder, _, name = target.path.rpartition("/")
        return self.path / "targets" / folder / f"{target.hashes['sha256']}.{name}"
