"""What a technician does with a terminal that runs: read it out, unlock it, send its sales by
cable, retire it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tools import oracle
from tools.bench import ports
from tools.bench.console_link import Answer, ConsoleLink
from tools.bench.log import BenchLog, Job
from tools.bench.progress import Row
from tools.terminal_link import LinkError, RecoveryLink

_EXPORT_S = 30
_SYNC_S = 90
_RETIRE_S = 120


class Office:
    """The server, as a technician's token sees it. Everything raises httpx.HTTPError."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}

    def permit(self, terminal: str, action: str, challenge: str) -> str:
        """Leave to unlock, retire or configure a terminal, for this one challenge."""
        body = {"action": action, "challenge": challenge}
        return str(self._post(f"/v1/terminals/{terminal}/permit", body)["permit"])

    def bring_journal(self, terminal: str, records: list[str]) -> int:
        """Hand over exported records; through which number the server has them."""
        path = f"/v1/terminals/{terminal}/journal"
        return int(self._post(path, {"records": records})["acknowledged"])

    def bring_log(self, entries: list[dict[str, Any]]) -> None:
        """Hand over entries of the bench log."""
        self._post("/v1/bench", entries)

    def enrol(self, body: dict[str, Any]) -> None:
        """Enrol a terminal; it may be repeated."""
        self._post("/v1/terminals", body)

    def pass_on(self, message: bytes) -> tuple[int, bytes]:
        """A terminal's own sealed message, carried for it."""
        answer = httpx.post(f"{self._url}/m", content=message)
        return answer.status_code, answer.content

    def _post(self, path: str, body: Any) -> dict[str, Any]:
        answer = httpx.post(f"{self._url}{path}", headers=self._headers, json=body)
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content


def running(port: str, job: Job) -> ports.Found:
    """The terminal that runs on `port`.

    Raises:
        LinkError: there is none; the text says what is there instead.
    """
    found = ports.wait_for(port, ports.SELLING, ports.RECOVERY, ports.BLANK, timeout_s=10)
    if found.what == ports.RECOVERY:
        raise LinkError(f"{port}: the terminal is in recovery, nothing runs on it: recover it")
    if found.what == ports.BLANK:
        raise LinkError(f"{port}: this board is blank: provision it")
    job.uid, job.terminal = found.uid, found.terminal
    job.details["release"] = found.facts["release"]
    job.details["bootloader"] = found.facts["bootloader"]
    return found


def export_logs(port: str, folder: Path, job: Job, row: Row) -> str:
    """Write journal and diagnostics to a file of JSON lines in `folder`. PINs in it are sealed."""
    found = running(port, job)
    name = time.strftime(f"{found.terminal}-%Y%m%d-%H%M%S.jsonl", time.gmtime())
    file = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    progress = row.step("reading the journal")
    count = 0
    with ConsoleLink(port) as link, file.with_suffix(".part").open("w") as out:
        out.write(json.dumps({"status": found.facts}) + "\n")

        def keep(answer: Answer) -> None:
            nonlocal count
            out.write(json.dumps(answer) + "\n")
            count += "record" in answer
            progress(count, max(count, 1))

        end = link.command("export", _EXPORT_S, keep)
        if end["records"] != count:
            raise LinkError(f"{port}: records were lost on the cable: run this again")
        out.write(json.dumps(end) + "\n")
    file.with_suffix(".part").replace(file)
    job.details.update(file=str(file), tip=end["tip"], records=count)
    return f"{count} records in {file}"


def unlock(port: str, office: Office, job: Job, row: Row) -> str:
    """Let the merchant try a PIN again at once."""
    found = running(port, job)
    row.step("unlocking")
    _permitted(port, found.terminal, "unlock", office)
    return f"terminal {found.terminal} is unlocked"


def configure(port: str, config: dict[str, Any], office: Office, job: Job, row: Row) -> str:
    """Give a terminal other settings; the server must permit exactly these."""
    found = ports.into_recovery(port)
    job.uid, job.terminal = found.uid, found.terminal
    if not found.terminal:
        raise LinkError(f"{port}: this board has no identity yet: provision it")

    def permit(challenge: bytes) -> bytes:
        return bytes.fromhex(office.permit(found.terminal, "file", challenge.hex()))

    with RecoveryLink(port) as link:
        content = oracle.check_settings(config)
        link.upload_permitted("/data/config.json", content, permit, row.step("settings"))
        link.reset()
    row.step("starting")
    started = ports.wait_for(port, ports.SELLING)
    if not started.facts.get("service"):
        raise LinkError(f"{port}: the terminal is out of service: read its log")
    refused = started.facts.get("refused", {}).get("config.json")
    if refused:
        raise LinkError(f"{port}: it does not take these settings and keeps the old: {refused}")
    return f"terminal {found.terminal} has its new settings"


def sync_by_cable(port: str, office: Office, job: Job, row: Row) -> str:
    """Send the terminal's journal to the server through this computer."""
    found = running(port, job)
    row.step("sending sales")

    def carry(answer: Answer) -> str | None:
        if "post" not in answer:
            return None
        status, reply = office.pass_on(bytes.fromhex(answer["post"]))
        return f"reply {status} {reply.hex() or '-'}"

    with ConsoleLink(port) as link:
        done = link.command("sync", _SYNC_S, carry)
    job.details["sent"] = done["sent"]
    _wait_restart(port)
    return f"terminal {found.terminal}: {done['sent']} records sent, {done['unsynced']} left"


def retire(port: str, office: Office, log: BenchLog, job: Job, row: Row) -> str:
    """Wipe keys and stock. Sales the server lacks must have been sent or exported before.

    Raises:
        LinkError: unsynced or unfinished sales that no export of this bench covers.
    """
    found = running(port, job)
    row.step("wiping")
    exported = log.last_export(found.terminal) or {}
    tip = str(exported.get("tip") or "")
    _permitted(port, found.terminal, "retire", office, tip, _RETIRE_S)
    ports.wait_for(port, ports.RECOVERY)
    return f"terminal {found.terminal} is wiped; the board is blank again"


def _permitted(
    port: str, terminal: str, action: str, office: Office, more: str = "", timeout_s: float = 10
) -> None:
    with ConsoleLink(port) as link:
        if action == "retire":
            # Before the server is asked, which stops the terminal's online sales.
            link.command(f"may_retire {more}".rstrip())
        challenge = str(link.command("challenge")["challenge"])
        permit = office.permit(terminal, action, challenge)
        link.command(f"{action} {permit} {more}".rstrip(), timeout_s)


def _wait_restart(port: str) -> None:
    time.sleep(0.5)
    ports.wait_for(port, ports.SELLING)


def sync_log(office: Office, log: BenchLog, say: Callable[[str], None]) -> None:
    """Send what this bench did, and the journals it exported, to the server."""
    for entry in log.unsynced():
        if entry["job"] == "logs" and entry["result"] == "ok":
            file = Path(entry["details"]["file"])
            if not file.exists():
                raise LinkError(f"the export {file} is gone: find it, or export again")
            records = [json.loads(line) for line in file.read_text().splitlines()]
            raws = [record["raw"] for record in records if "raw" in record]
            for at in range(0, len(raws), 100):
                through = office.bring_journal(entry["terminal"], raws[at : at + 100])
                say(f"terminal {entry['terminal']}: the server has everything up to {through}")
        office.bring_log(
            [
                {
                    "id": entry["id"],
                    "at": entry["at"],
                    "terminal": entry["terminal"],
                    "job": entry["job"],
                    "result": entry["result"],
                    "details": {**entry["details"], "who": entry["who"], "uid": entry["uid"]},
                }
            ]
        )
        log.mark_synced([entry["id"]])
