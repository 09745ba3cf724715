"""The channels as they were when they last verified, kept beside the repository: what the server
goes on with while its repository is half copied, or cannot be read. For `sales` and `app`.

It holds the metadata in force and the price lists, no payloads: a folder that `Repository.open`
reads like the other.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from updater_server.channels import publishing
from updater_server.channels.files import write_atomically
from updater_server.channels.repository import Repository, RepositoryError


def keep(repository: Repository, folder: Path) -> None:
    """Let `folder` hold what is in force in `repository`. A cut leaves the state before, or this.

    Raises:
        OSError: no room, or not readable.
    """
    targets = [repository.target_file(path) for path in repository.catalogue_targets()]
    wanted = {file.relative_to(repository.directory) for file in targets}
    for file in targets:
        write_atomically(folder / file.relative_to(repository.directory), file.read_bytes())
    files = [(f"metadata/{file.name}", file.read_text()) for file in repository.metadata_files()]
    wanted |= {Path(name) for name, _ in files}
    policy = msgspec.json.encode(repository.policy).decode()
    publication = publishing.Publication(files, {}, [], 0, "keep", policy)
    publishing.begin(folder, publication)
    publishing.put_out(folder, publication)
    for room in ("metadata", "targets"):
        for file in (folder / room).rglob("*"):
            if file.is_file() and file.relative_to(folder) not in wanted:
                file.unlink()


def load(folder: Path) -> Repository | None:
    """What `keep` kept, or None if it kept nothing that verifies."""
    pending = publishing.pending(folder) if folder.is_dir() else None
    if pending is not None:
        publishing.put_out(folder, pending)
    try:
        return Repository.open(folder)
    except RepositoryError:
        return None


def older(repository: Repository, kept: Repository) -> list[str]:
    """The roles that `kept` has at a higher version, or at the same one with other content: the
    repository was put back to an earlier state.
    """
    here, before = repository.in_force(), kept.in_force()
    return [
        role
        for role, (version, digest) in before.items()
        if role in here
        and (here[role][0] < version or (here[role][0] == version and here[role][1] != digest))
    ]
