"""The channels as they were when they last verified, kept beside the repository: what the server
goes on with while its repository is half copied, or cannot be read. For `sales` and `faces`.

It holds the metadata in force and the price lists, no payloads: a folder that `open_published`
reads like the other.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from updater_server.atomic import write_atomically
from updater_server.channels import publication as publications
from updater_server.channels.errors import RepositoryError
from updater_server.channels.folder import Folder
from updater_server.channels.lists import price_list_path
from updater_server.channels.publication import Publication
from updater_server.channels.published import Published


def keep(published: Published, folder: Path) -> None:
    """Let `folder` hold what is in force. A cut leaves the state before, or this.

    Raises:
        OSError: no room, or not readable.
    """
    names = published.catalogue_names()
    targets = [published.target_file(price_list_path(name)) for name in names]
    wanted = {file.relative_to(published.directory) for file in targets}
    for file in targets:
        write_atomically(folder / file.relative_to(published.directory), file.read_bytes())
    files = [(f"metadata/{file.name}", file.read_text()) for file in _metadata_files(published)]
    wanted |= {Path(name) for name, _ in files}
    policy = msgspec.json.encode(published.policy).decode()
    publication = Publication(files, {}, [], 0, "keep", policy)
    publications.begin(folder, publication)
    publications.put_out(folder, publication)
    for room in ("metadata", "targets"):
        for file in (folder / room).rglob("*"):
            if file.is_file() and file.relative_to(folder) not in wanted:
                file.unlink()


def load(folder: Path) -> Published | None:
    """What `keep` kept, or None if it kept nothing that verifies."""
    cut = publications.pending(folder) if folder.is_dir() else None
    if cut is not None:
        publications.put_out(folder, cut)
    try:
        return Published.read(Folder(folder))
    except RepositoryError:
        return None


def older(published: Published, kept: Published) -> list[str]:
    """The roles that `kept` has at a higher version, or at the same one with other content: the
    repository was put back to an earlier state.
    """
    here, before = published.in_force(), kept.in_force()
    return [
        role
        for role, (version, digest) in before.items()
        if role in here
        and (here[role][0] < version or (here[role][0] == version and here[role][1] != digest))
    ]


def _metadata_files(published: Published) -> list[Path]:
    """The files in force, in an order in which they can be put out: every root first, the
    timestamp last.
    """
    everything = [("root", root) for root in published.chain("root")]
    everything += [(role, found) for role, found in published.metadata.items() if role != "root"]
    return [published.folder.metadata(role, found.signed.version) for role, found in everything]
