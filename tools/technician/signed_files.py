"""What a channel offers, verified by python-tuf: from the server, or from a folder of signed files.

For provisioning, flashing and recovery. The terminal judges every byte again for itself.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import tuf.ngclient
from tuf.api.exceptions import DownloadError, RepositoryError
from tuf.api.metadata import Metadata, Targets

from tools.errors import LinkError
from updater_server import channels

TRUST_ORDER = ("root", "timestamp", "snapshot", "targets")
_IMAGE, _CATALOGUE = "image.romfs", "catalogue.json"


@dataclass(frozen=True)
class SignedFiles:
    """Metadata by role (the channel last), the newest release's entry and image, the price list."""

    metadata: dict[str, bytes]
    entry: channels.ReleaseEntry
    image: bytes
    catalogue: bytes

    @property
    def channel(self) -> str:
        """The channel they were taken from."""
        return next(name for name in self.metadata if name not in TRUST_ORDER)

    def save(self, folder: Path) -> None:
        """Write them to `folder`, for a technician without a network."""
        (folder / "metadata").mkdir(parents=True, exist_ok=True)
        for name, content in self.metadata.items():
            (folder / "metadata" / f"{name}.json").write_bytes(content)
        (folder / _IMAGE).write_bytes(self.image)
        (folder / _CATALOGUE).write_bytes(self.catalogue)


def fetch_signed_files(url: str, root: bytes, channel: str) -> SignedFiles:
    """Fetch a channel's newest release and the price list, verified by python-tuf from `root`.

    Raises:
        LinkError: the channel has no release yet, or what the server has does not verify.
    """
    with tempfile.TemporaryDirectory() as folder:
        metadata_dir, target_dir = Path(folder, "metadata"), Path(folder, "targets")
        metadata_dir.mkdir()
        target_dir.mkdir()
        try:
            updater = tuf.ngclient.Updater(
                str(metadata_dir),
                f"{url}/tuf/metadata/",
                str(target_dir),
                f"{url}/tuf/targets/",
                bootstrap=root,
            )
        except RepositoryError as error:
            raise LinkError(
                f"the root file is not one of the release managers': {error}"
            ) from error

        def fetch(path: str) -> bytes:
            info = updater.get_targetinfo(path)
            if info is None:
                raise LinkError(f"the server's channels do not list {path}")
            return Path(updater.download_target(info, str(target_dir / "target"))).read_bytes()

        try:
            updater.refresh()
            updater.get_targetinfo(f"{channel}/any/0.full")
            newest = _newest((metadata_dir / f"{channel}.json").read_bytes(), channel)
            full = next(payload.path for payload in newest.payloads if payload.kind == "full")
            image = channels.expand(channels.Payload("full", fetch(full)))
            catalogue = fetch("catalogue/default.json")
        except (RepositoryError, DownloadError) as error:
            raise LinkError(f"what {url} serves does not verify: {error}") from error
        metadata = {
            name: (metadata_dir / f"{name}.json").read_bytes() for name in (*TRUST_ORDER, channel)
        }
    return SignedFiles(metadata, newest, image, catalogue)


def load_signed_files(folder: Path) -> SignedFiles:
    """Read what `save` wrote. Signatures are the terminal's to check; that the image is the one the
    channel lists is checked here, so that nobody waits for an upload in vain.

    Raises:
        LinkError: a file is missing, or the image is not the listed one.
    """
    try:
        names = sorted(path.stem for path in (folder / "metadata").glob("*.json"))
        others = [name for name in names if name not in TRUST_ORDER]
        if len(others) != 1:
            raise LinkError(f"{folder} holds no channel's signed files: fetch them again")
        order = (*TRUST_ORDER, others[0])
        metadata = {name: (folder / "metadata" / f"{name}.json").read_bytes() for name in order}
        image = (folder / _IMAGE).read_bytes()
        catalogue = (folder / _CATALOGUE).read_bytes()
    except OSError as error:
        raise LinkError(f"{folder} holds no whole set of signed files: {error}") from error
    entry = _newest(metadata[others[0]], others[0])
    if hashlib.sha256(image).hexdigest() != entry.image.sha256:
        raise LinkError(f"{folder / _IMAGE} is not the image that its channel lists")
    return SignedFiles(metadata, entry, image, catalogue)


def _newest(role: bytes, channel: str) -> channels.ReleaseEntry:
    signed = Metadata[Targets].from_bytes(role).signed
    entries = [
        channels.ReleaseEntry.parse(target.custom)
        for path, target in signed.targets.items()
        if path.endswith(".full")
    ]
    if not entries:
        raise LinkError(f"channel {channel} has no release yet")
    return max(entries, key=lambda entry: entry.release)
