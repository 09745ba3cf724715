"""A real Chromium for tests and pictures of the panel, driven by its DevTools protocol.

One process with one page, headless, with a profile of its own and no way to any other computer.
"""

from __future__ import annotations

import base64
import io
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import websocket
from PIL import Image

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_STARTS_S: Final = 60
_ANSWERS_S: Final = 60
_KEYS: Final = {
    "Enter": (13, "\r"),
    "Escape": (27, ""),
    "Backspace": (8, ""),
    "Tab": (9, ""),
    "ArrowUp": (38, ""),
    "ArrowDown": (40, ""),
    "ArrowRight": (39, ""),
    "Delete": (46, ""),
    " ": (32, " "),
}


def installed() -> str | None:
    """The program, or None when this computer has none: `inv setup.browser` installs it."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


class Chromium:
    """A browser with one page of `width` x `height` CSS pixels; `phone` makes it a touch screen."""

    def __init__(
        self, width: int = 1380, height: int = 900, scale: float = 1, *, phone: bool = False
    ) -> None:
        program = installed()
        assert program, "no Chromium here: inv setup.browser"
        self._folder = Path(tempfile.mkdtemp(prefix="duka-chromium-"))
        self._process = subprocess.Popen(
            [
                program, "--headless=new", "--disable-gpu", "--disable-dev-shm-usage",
                "--no-first-run", "--hide-scrollbars", "--mute-audio",
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
                f"--user-data-dir={self._folder}", "--remote-debugging-port=0", "about:blank",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self._ids = itertools.count(1)
        self.said: list[str] = []
        """What the page wrote on its console, and errors that nobody caught."""
        self._socket = websocket.create_connection(
            self._page_url(), timeout=_ANSWERS_S, suppress_origin=True
        )
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")
        self.resize(width, height, scale, phone=phone)

    def resize(self, width: int, height: int, scale: float = 1, *, phone: bool = False) -> None:
        """Another screen."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=scale, mobile=phone,
        )  # fmt: skip
        self.send("Emulation.setTouchEmulationEnabled", enabled=phone)

    def _page_url(self) -> str:
        deadline_s = time.monotonic() + _STARTS_S
        told = self._folder / "DevToolsActivePort"
        while time.monotonic() < deadline_s:
            try:
                port = told.read_text().split()[0]
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as reply:
                    pages = [each for each in json.load(reply) if each["type"] == "page"]
                return str(pages[0]["webSocketDebuggerUrl"])
            except (OSError, IndexError, ValueError):
                time.sleep(0.1)
        raise TimeoutError("Chromium does not start")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its result."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                assert "error" not in message, f"{method}: {message['error']}"
                return dict(message["result"])
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        told = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            about = told["exceptionDetails"]
            self.said.append(str(about.get("exception", {}).get("description", about["text"])))
        elif message.get("method") == "Log.entryAdded":
            self.said.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")

    def open(self, url: str) -> None:
        """Go there; returns when the page is loaded."""
        self.send("Page.navigate", url=url)
        self.wait(lambda: self.js("document.readyState") == "complete", "the page")

    def js(self, expression: str) -> Any:
        """What an expression gives in the page."""
        found = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, check: Callable[[], object], what: str, timeout_s: float = 60) -> None:
        """Return as soon as it holds. AssertionError, with what the page said, after that time."""
        deadline_s = time.monotonic() + timeout_s
        while not check():
            assert time.monotonic() < deadline_s, f"{what} did not come; {self.said}"
            time.sleep(0.05)

    def text(self, selector: str) -> str:
        """The text of the first that fits, empty when there is none."""
        return str(self.js(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''"))

    def click(self, selector: str) -> None:
        """Press the pointer on its middle, and let go."""
        x, y = self._middle(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def _middle(self, selector: str) -> tuple[float, float]:
        found = self.js(
            f"(() => {{ const at = document.querySelector({json.dumps(selector)});"
            "if (!at) return null; at.scrollIntoView({block: 'nearest'});"
            "const box = at.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        assert found, f"nothing on the page is {selector}"
        return found[0], found[1]

    def key(self, name: str) -> None:
        """Press and release a key of the computer's keyboard."""
        code, text = _KEYS[name] if name in _KEYS else (ord(name.upper()), name)
        about = {"key": name, "code": name, "windowsVirtualKeyCode": code}
        for kind in ("keyDown", "keyUp"):
            typed = {"text": text} if kind == "keyDown" and text else {}
            self.send("Input.dispatchKeyEvent", type=kind, **about, **typed)

    def type(self, names: str) -> None:
        """One key after the other."""
        for name in names:
            self.key(name)

    def picture(self) -> bytes:
        """What is to be seen, as a PNG."""
        found = self.send("Page.captureScreenshot", format="png")
        return base64.b64decode(found["data"])

    def save(
        self, path: Path, colours: int, dither: Image.Dither = Image.Dither.NONE, width_px: int = 0
    ) -> None:
        """What is to be seen, small enough for a page of the documentation, and say so. `width_px`:
        scaled to that, if it has another; 0: as it is.
        """
        picture = Image.open(io.BytesIO(self.picture())).convert("RGB")
        if width_px and picture.width != width_px:
            height_px = round(picture.height * width_px / picture.width)
            picture = picture.resize((width_px, height_px), Image.Resampling.LANCZOS)
        few = picture.quantize(colours, Image.Quantize.MEDIANCUT, dither=dither)
        few.save(path, optimize=True)
        print(f"{path}: {path.stat().st_size:,} bytes")

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
