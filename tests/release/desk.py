"""A release manager's desk: keys, a repository, and the command line typed in this process."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from tests.support.world import PASSPHRASE
from tools.__main__ import app
from tools.release import keys as key_tool
from tools.release import options, publishing
from updater_server import channels
from updater_server.channels import keys as key_files

CONTENT = bytes(range(256)) * 20


class Desk:
    """A release manager's desk: keys, a repository, a shell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = folder / "keys"
        self.repository = folder / "site"

    @classmethod
    def make(cls, folder: Path) -> Desk:
        """New keys and an empty repository."""
        desk = cls(folder)
        key_tool.create(desk.keys, desk.repository, PASSPHRASE)
        return desk

    def copied(self, folder: Path) -> Desk:
        """The same desk once more, in `folder`."""
        shutil.copytree(self.folder, folder)
        return Desk(folder)

    @property
    def opened(self) -> channels.Repository:
        return channels.Repository.open(self.repository)

    def stage(self, channel: str, number: int, *key_names: str) -> None:
        signers = [key_files.load(self.keys / f"{name}.pem", PASSPHRASE) for name in key_names]
        entry = channels.ReleaseEntry(
            release=number,
            version=f"1.{number}",
            commit="0123456789abcdef",
            built=1790000000,
            security_version=1,
            hardware=channels.Hardware("duka-r1", [1]),
            image=channels.Image(len(CONTENT), hashlib.sha256(CONTENT).hexdigest()),
        )
        self.opened.add_release(channel, entry, channels.build_payloads(CONTENT, {}), signers)

    def let_out(self, channel: str, number: int) -> None:
        """Stage that everybody on `channel` may have a release, as before it goes further."""
        signer = key_files.load(self.keys / "rollout-1.pem", PASSPHRASE)
        self.opened.set_rollout(channel, number, channels.EVERYBODY, [signer])

    def lay(self, role: str, content: bytes) -> None:
        """What somebody does who can write the folder: `content` waits for `role`."""
        (self.repository / "staged").mkdir(exist_ok=True)
        (self.repository / "staged" / f"{role}.json").write_bytes(content)

    def publish(self) -> None:
        desk = options.Desk(self.repository, self.keys, PASSPHRASE)
        publishing.publish(desk, options.Manner(yes=True))

    def type(self, *words: str, answers: str = "", fails: bool = False, keys: bool = True) -> str:
        line = [*words, "--repository", str(self.repository)]
        if keys:
            line += ["--keys", str(self.keys)]
        done = CliRunner(env={"DUKA_PASSPHRASE": PASSPHRASE}).invoke(app, line, input=answers)
        if fails:
            assert done.exit_code != 0
            return str(done.exception) + done.output
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output


def ask(desk: Desk, *words: str) -> Any:
    return json.loads(desk.type(*words, "--json"))
