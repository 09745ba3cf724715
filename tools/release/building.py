"""`release build`: the release, boot and self-test images of one commit. And the release image
alone, for whoever lists it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated

import typer

from tools.errors import BuildError
from tools.release import image as images
from tools.release.options import JsonOption
from tools.release.steps import say
from updater_server.channels.layouts import does_not_fit
from updater_server.channels.payloads import compress


def build(
    release: Annotated[int, typer.Option(min=1, help="release number; must rise")],
    version: Annotated[str, typer.Option(help="version for people, such as 1.1.0")],
    out: Annotated[Path, typer.Option(help="folder for the images")] = Path("build"),
    source: Annotated[Path, typer.Option(help="checkout to build from")] = images.ROOT,
    board: Annotated[str, typer.Option(help="board of the boot image")] = "sim",
    security_version: Annotated[int, typer.Option(min=1, help="never falls")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="build, and keep nothing")] = False,
    as_json: JsonOption = False,
) -> None:
    """Build the release, boot and self-test images; the same commit gives the same bytes."""
    commit, built = images.commit_of(source)
    info = images.ReleaseInfo(release, version, commit, built, security_version)
    with images.files_of(source, commit) as files:
        content = release_image(files, info)
        outputs = {
            f"{info.hardware_class}-{release}.romfs": content,
            f"boot-{board}.romfs": images.build_boot(files, board),
            f"selftest-{board}.romfs": images.build_selftest(files, board),
        }
    told = []
    for name, content in outputs.items():
        if not dry_run:
            out.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        told.append({"file": str(out / name), "size_bytes": len(content), "sha256": digest})
        if not as_json:
            say(f"{out / name}  {len(content):,} bytes  sha256 {digest}")
    if as_json:
        typer.echo(json.dumps({"commit": commit, "done": not dry_run, "images": told}))
    elif commit.endswith("-dirty"):
        say("The checkout has uncommitted changes: this image cannot be published.")


def release_image(files: Path, info: images.ReleaseInfo) -> bytes:
    """The release image of the files of a commit (`images.files_of`).

    Raises:
        BuildError: a module does not compile, or no terminal has room for the image.
    """
    content = images.build_release(files, info)
    full_bytes = len(compress(content))
    too_large = does_not_fit(info.hardware_class, len(content), {"the full payload": full_bytes})
    if too_large:
        raise BuildError(f"{too_large}: no terminal could take it")
    return content
