"""A mail server that keeps what comes as files: `python -m tests.env.mail PORT FOLDER`."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class _Kept:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        number = len(list(self._folder.glob("*.eml"))) + 1
        content = envelope.content or b""
        data = content if isinstance(content, bytes) else content.encode()
        (self._folder / f"{number}.eml").write_bytes(data)
        return "250 OK"


def main(port: int, folder: Path) -> None:
    """Until it is ended."""
    Controller(_Kept(folder), hostname="127.0.0.1", port=port).start()
    threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
