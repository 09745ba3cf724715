"""The panel as a whole: terminals on benches, jobs besides, and the server that shows them.

For whoever has a world to show: open it at once, and put terminals on it as they are made.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from hw_sim import script
from hw_sim.lcd import Picture
from hw_sim.panel.bench import Bench, Parts
from hw_sim.panel.feed import Feed
from hw_sim.panel.watch import Watcher
from hw_sim.panel.web import Refused, Reply, Web

DONE: Reply = ("text/plain; charset=utf-8", b"done")


@dataclass(frozen=True)
class Job:
    """Something that people may ask for besides the hardware. `run` gets the terminal's number and
    returns a sentence about what it did; it raises for what did not work.
    """

    name: str
    group: str
    label: str
    about: str
    run: Callable[[int], str]


class Panel:
    """Answers from the start, with nothing on it. `read` says what stands on a display's picture.

    OSError when the port is another's.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        read: Callable[[Picture], str] = lambda picture: "",
    ) -> None:
        self.feed = Feed()
        self._read = read
        self._jobs: dict[str, Job] = {}
        self._benches: list[Bench] = []
        self._watchers: list[Watcher] = []
        self._busy = threading.Lock()
        self.web = Web(port, self.feed, self._get, self._post)
        self.web.start()

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return self.web.url

    @property
    def benches(self) -> Sequence[Bench]:
        """The terminals so far."""
        return self._benches

    def add(self, parts: Parts) -> Bench:
        """Put a terminal on the panel."""
        bench = Bench(len(self._benches), parts, self.feed, self._read)
        self._benches.append(bench)
        watcher = Watcher(bench)
        self._watchers.append(watcher)
        keys = list(parts.board.board.description.keypad_layout)
        legends = dict(parts.legends)
        self.feed.value("terminal", bench.at, name=parts.name, layout=keys, legends=legends)
        watcher.start()
        return bench

    def offer(self, jobs: Sequence[Job]) -> None:
        """Let people ask for these as well."""
        for number, job in enumerate(jobs, len(self._jobs)):
            self._jobs[job.name] = job
            about = {"name": job.name, "group": job.group, "label": job.label, "about": job.about}
            self.feed.value("offer", -1, number, **about)

    def do_job(self, name: str, at: int) -> None:
        """Begin a job for a terminal, as if somebody had asked for it. Refused as then."""
        self._start_job(self._bench(str(at)), name)

    def close(self) -> None:
        """Show it no more; no script goes on. The boards stay as they are."""
        for bench in self._benches:
            bench.stop()
        for watcher in self._watchers:
            watcher.close()
        self.web.close()

    # what browsers ask

    def _bench(self, number: str) -> Bench:
        if not number.isdigit() or int(number) >= len(self._benches):
            raise Refused(HTTPStatus.NOT_FOUND, "no such terminal")
        return self._benches[int(number)]

    def _get(self, path: str) -> Reply:
        match path.strip("/").split("/"):
            case ["t", number, "session.txt"]:
                text = self._bench(number).session
                return "text/plain; charset=utf-8", text.encode()
            case ["t", number, "receipt", name] if name.removesuffix(".png").isdigit():
                return _receipt(self._bench(number), int(name.removesuffix(".png")))
            case ["t", number, "display.png"]:
                picture = self._bench(number).parts.board.lcd_picture()
                return _png(lambda file: picture.save_png(file))
            case ["help"]:
                return "text/plain; charset=utf-8", script.HELP.encode()
        raise Refused(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _post(self, path: str, body: str) -> Reply:
        try:
            match path.strip("/").split("/"):
                case ["t", number, "key"]:
                    self._key(self._bench(number), body)
                case ["t", number, "do"]:
                    self._bench(number).do(body)
                case ["t", number, "play"]:
                    self._bench(number).play(body)
                case ["t", number, "stop"]:
                    self._bench(number).stop()
                case ["t", number, "forget"]:
                    self._bench(number).forget_session()
                case ["t", number, "job", name]:
                    self._start_job(self._bench(number), name)
                case _:
                    raise Refused(HTTPStatus.NOT_FOUND, "there is nothing here")
        except (ValueError, script.StepFailed, TimeoutError) as error:
            said = str(error).splitlines()[0].removeprefix("line 1: ")
            raise Refused(HTTPStatus.BAD_REQUEST, said) from error
        return DONE

    def _key(self, bench: Bench, body: str) -> None:
        told = json.loads(body)
        if not isinstance(told, dict) or not isinstance(told.get("key"), str):
            raise ValueError('say {"key": "5", "down": true}')
        (bench.key_down if told.get("down") else bench.key_up)(told["key"])

    def _start_job(self, bench: Bench, name: str) -> None:
        job = self._jobs.get(name)
        if job is None:
            raise Refused(HTTPStatus.NOT_FOUND, "no such job")
        if not self._busy.acquire(blocking=False):
            raise Refused(HTTPStatus.CONFLICT, "one thing at a time: something is being done")
        threading.Thread(target=self._run_job, args=(bench, job), name=name, daemon=True).start()

    def _run_job(self, bench: Bench, job: Job) -> None:
        def tell(state: str, text: str = "") -> None:
            self.feed.value("job", bench.at, name=job.name, label=job.label, state=state, text=text)

        try:
            tell("running")
            tell("done", job.run(bench.at))
        except Exception as error:  # a job is somebody else's code: whatever it is, it is told
            tell("failed", str(error).splitlines()[0] if str(error) else repr(error))
        finally:
            self._busy.release()


def _receipt(bench: Bench, number: int) -> Reply:
    receipts = bench.parts.board.call(bench.parts.printer.receipts)
    if number >= len(receipts):
        raise Refused(HTTPStatus.NOT_FOUND, "no such receipt")
    return _png(lambda file: receipts[number].png(file))


def _png(save: Callable[[Path], Any]) -> Reply:
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        save(Path(file.name))
        return "image/png", Path(file.name).read_bytes()
