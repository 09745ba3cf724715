"""Put a release on a terminal: beside the one that runs (flash), or where none runs (recover)."""

from __future__ import annotations

import hashlib

from tools.errors import LinkError
from tools.technician import ports
from tools.technician.log import Job
from tools.technician.progress import Row
from tools.technician.recovery_link import RecoveryLink
from tools.technician.signed_files import SignedFiles


def flash(port: str, signed: SignedFiles, job: Job, row: Row) -> str:
    """Put the release into the other slot and boot it on trial: should it fail, the terminal goes
    back by itself.

    Raises:
        LinkError: no terminal, not signed for it, or nothing good runs to go back to.
    """
    with _prepared(port, signed, job, row) as link:
        link.choose_image(_digest(signed), confirm=False)
        link.reset()
    return f"release {signed.entry.version} is on trial"


def recover(port: str, signed: SignedFiles, job: Job, row: Row) -> str:
    """Make a terminal work whose slots are both spoiled: upload, see it start. It is on trial until
    it reached its server, with nothing to go back to.

    Raises:
        LinkError: no terminal in recovery, not signed for it, or it does not start.
    """
    with _prepared(port, signed, job, row) as link:
        link.choose_image(_digest(signed), confirm=False)
        link.reset()
    row.step("starting")
    found = ports.wait_for(port, ports.SELLING)
    if not found.facts["service"]:
        raise LinkError(f"{port}: it starts, but is out of service: its screen says why")
    return f"release {found.facts['release']} runs"


def _digest(signed: SignedFiles) -> bytes:
    return hashlib.sha256(signed.image).digest()


def _prepared(port: str, signed: SignedFiles, job: Job, row: Row) -> RecoveryLink:
    """Recovery with the signed files and the image uploaded; the caller closes it by `with`."""
    found = ports.into_recovery(port)
    job.uid, job.terminal = found.uid, found.terminal
    job.details["release"] = signed.entry.release
    if found.facts["state"] == "foreign":
        raise LinkError(f"{port}: the flash holds another terminal's identity: it was copied")
    if not found.terminal:
        raise LinkError(f"{port}: this board has no identity yet: provision it")
    link = RecoveryLink(port)
    with link:
        # Files on board may be newer than ours; then theirs decide, and ours are refused.
        refused = ""
        for name, content in signed.metadata.items():
            try:
                link.upload_file(f"/data/trust/{name}.json", content, row.step(name))
            except LinkError as error:
                refused = refused or f"; {name}.json was refused: {error}"
        try:
            link.upload_image(signed.image, row.step(f"release {signed.entry.version}"))
        except LinkError as error:
            raise LinkError(f"{error}{refused}") from error
    return RecoveryLink(port)
