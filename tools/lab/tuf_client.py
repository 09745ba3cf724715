"""The terminal's TUF client as a command that speaks the protocol of the public tuf-conformance
suite: `init`, `refresh`, `download`. Behind it the terminal's own code runs on real MicroPython;
this side only reads the command line and passes the clock in (and so obeys `faketime`).

    python -m tools.lab.tuf_client --metadata-dir DIR init TRUSTED_ROOT
    python -m tools.lab.tuf_client --metadata-dir DIR --metadata-url URL refresh
    python -m tools.lab.tuf_client --metadata-dir DIR --metadata-url URL --target-name PATH \\
        --target-base-url URL --target-dir DIR download
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools.release.image import interpreter

ROOT = Path(__file__).resolve().parents[2]

HEAP_BYTES = 2 * 1024 * 1024
"""Strangers' metadata is longer than ours, so there is room for it; `inv bench trust` holds ours
to the board's heap."""

DEVICE = """
import asyncio, json, os, sys
from bootloader.shared import tuf
from firmware.kept.store import Store
from firmware.net.http_client import HttpClient
from firmware.update.errors import Missing
from firmware.update.metadata import Metadata

asked = json.loads(sys.stdin.readline())

class Sockets:
    connected = False
    async def open(self, host, port):
        self.reader, self.writer = await asyncio.open_connection(host, port)
        self.connected = True
    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()
    async def receive(self, max_bytes, timeout_ms):
        return await self.reader.read(max_bytes)
    async def close(self):
        if self.connected:
            self.connected = False
            self.writer.close()

def split(url):
    rest = url[len("http://"):]
    name, slash, path = rest.partition("/")
    host, colon, port = name.partition(":")
    return host, int(port or 80), "/" + path.rstrip("/") + "/"

host, port, metadata_path = split(asked["metadata_url"])
http = HttpClient(Sockets(), host, port)

async def get(path, limit_bytes):
    response = await http.request("GET", path, limit_bytes=limit_bytes)
    if response.status in (403, 404):
        raise Missing(path)
    if response.status != 200:
        raise OSError(path + ": status %d" % response.status)
    return response.body

def is_target(path, entry, data):
    try:
        tuf.check_target(path, entry, data)
    except tuf.TrustError as error:
        print(error)
        return False
    return True

async def download(metadata, path):
    while True:
        found, role, what = metadata.trusted.find(path)
        if found != "load":
            break
        await metadata.take_role(role, what)
    if found == "absent":
        raise Missing(path)
    files = Store(asked["target_dir"])
    data = files.read(tuf.quoted(path), what["length"])
    if data is not None and is_target(path, what, data):
        return
    host, port, folder = split(asked["target_base_url"])
    parts = metadata.trusted.target_name(path, what).split("/")
    name = "/".join([tuf.quoted(part) for part in parts])
    data = await get(folder + name, what["length"])
    if not is_target(path, what, data):
        raise tuf.Mismatch(path, "not what was signed")
    files.write(tuf.quoted(path), data)

async def main():
    fetch = lambda name, limit_bytes: get(metadata_path + name, limit_bytes)
    metadata = Metadata(Store(asked["metadata_dir"]), fetch, print, False)
    await metadata.refresh(asked["now_s"])
    for path in asked["target_names"]:
        await download(metadata, path)

try:
    asyncio.run(main())
except (tuf.TrustError, Missing, OSError) as error:
    print("refused:", repr(error))
    sys.exit(1)
"""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tuf_client", description=__doc__)
    parser.add_argument("--metadata-dir", required=True, type=Path)
    parser.add_argument("--metadata-url", default="")
    parser.add_argument("--target-name", action="append", default=[])
    parser.add_argument("--target-base-url", default="")
    parser.add_argument("--target-dir", default="")
    parser.add_argument("--days-in-future", type=int, default=0, help="move the clock")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("init").add_argument("trusted_root", type=Path)
    commands.add_parser("refresh")
    commands.add_parser("download")
    return parser.parse_args()


def main() -> int:
    """Run one command; the exit code is the suite's: 0 done, 1 refused."""
    arguments = _arguments()
    if arguments.command == "init":
        shutil.copyfile(arguments.trusted_root, arguments.metadata_dir / "root.json")
        return 0
    asked = {
        "metadata_dir": str(arguments.metadata_dir.resolve()),
        "metadata_url": arguments.metadata_url,
        "target_names": arguments.target_name if arguments.command == "download" else [],
        "target_base_url": arguments.target_base_url,
        "target_dir": arguments.target_dir and str(Path(arguments.target_dir).resolve()),
        "now_s": int(time.time()) + arguments.days_in_future * 86400,
    }
    script = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n" + DEVICE
    done = subprocess.run(
        [interpreter(), "-X", f"heapsize={HEAP_BYTES}", "-c", script],
        input=json.dumps(asked).encode() + b"\n",
        check=False,
    )
    # A crash of the client is not a refusal, but the protocol knows only two answers.
    return 1 if done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
