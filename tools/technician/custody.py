"""What a technician does with a terminal that runs: read it out, unlock it, send its sales by
cable, retire it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from tools import oracle
from tools.errors import LinkError
from tools.technician import ports
from tools.technician.console_link import Answer, ConsoleLink
from tools.technician.log import Job, JobLog
from tools.technician.progress import Row
from tools.technician.recovery_link import RecoveryLink

_EXPORT_S = 30
_SYNC_S = 90
_RETIRE_S = 120
_PARTS_AT_ONCE = 4


class Office:
    """The server, as a technician's token sees it. Everything raises httpx.HTTPError."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}

    def permit(
        self,
        terminal: str,
        action: str,
        challenge: str,
        content: bytes | None = None,
        place: dict[str, str] | None = None,
    ) -> str:
        """Leave to unlock, retire or configure a terminal, for this one challenge. `content`: the
        hash of the file or settings; `place`: what they make of channel, catalogue and merchant.
        """
        body: dict[str, Any] = {"action": action, "challenge": challenge}
        if content is not None:
            body["content"] = content.hex()
        if place:
            body["place"] = place
        return str(self._post(f"/v1/terminals/{terminal}/permit", body)["permit"])

    def bring_journal(self, terminal: str, parts: list[dict[str, Any]]) -> int:
        """Hand over parts of an export; through which number the server has them."""
        path = f"/v1/terminals/{terminal}/journal"
        return int(self._post(path, {"parts": parts})["acknowledged"])

    def bring_log(self, entries: list[dict[str, Any]]) -> None:
        """Hand over entries of the technician's log."""
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


def settings_of(port: str) -> dict[str, Any] | None:
    """The settings in force of the terminal that sells on `port`, without what belongs to the PIN;
    None for one that is in recovery or out of service.

    Raises:
        LinkError: no terminal is on the port.
    """
    found = ports.wait_for(port, ports.SELLING, ports.RECOVERY, timeout_s=10)
    if found.what == ports.RECOVERY or not found.facts["service"]:
        return None
    with ConsoleLink(port) as link:
        settings: dict[str, Any] = link.command("settings")["settings"]
    return settings


def change_settings(port: str, patch: dict[str, Any], office: Office, job: Job, row: Row) -> str:
    """Change the settings that `patch` names on a terminal that sells; all others stay. The server
    must permit exactly these.

    Raises:
        Unfit: the terminal could not use them; nobody was asked and nothing was written.
    """
    found = running(port, job)
    row.step("settings")
    content = json.dumps(patch).encode()
    digest = hashlib.sha256(content).digest()

    def answer(said: Answer) -> str | None:
        if "challenge" not in said:
            return None
        permit = office.permit(found.terminal, "settings", said["challenge"], digest, _place(patch))
        return f"settings {permit} {content.hex()}"

    with ConsoleLink(port) as link:
        oracle.check_change(link.command("settings")["settings"], patch)
        link.command("configure", _EXPORT_S, answer)
    _wait_restart(port)
    return f"terminal {found.terminal} has its new settings"


def bring_settings(port: str, config: dict[str, Any], office: Office, job: Job, row: Row) -> str:
    """Give a terminal that cannot sell whole settings, through recovery; the server must permit
    exactly these.
    """
    content = oracle.check_settings(config)
    found = ports.into_recovery(port)
    job.uid, job.terminal = found.uid, found.terminal

    def permit(challenge: bytes, file: bytes) -> bytes:
        made = office.permit(found.terminal, "file", challenge.hex(), file, _place(config))
        return bytes.fromhex(made)

    with RecoveryLink(port) as link:
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


def _place(settings: dict[str, Any]) -> dict[str, str]:
    """What settings say about where a terminal belongs, for the office."""
    place: dict[str, str] = {}
    for name in ("channel", "catalogue"):
        if name in settings:
            place[name] = settings[name]
    if "name" in settings.get("merchant", {}):
        place["merchant"] = settings["merchant"]["name"]
    return place


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


def retire(port: str, office: Office, log: JobLog, job: Job, row: Row) -> str:
    """Wipe keys and stock. Sales the server lacks must have been sent or exported before.

    Raises:
        LinkError: unsynced or unfinished sales that no export in this log covers.
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


def sync_log(office: Office, log: JobLog, say: Callable[[str], None]) -> None:
    """Send what was done here, and the journals it exported, to the server."""
    for entry in log.unsynced():
        if entry["job"] == "logs" and entry["result"] == "ok":
            file = Path(entry["details"]["file"])
            if not file.exists():
                raise LinkError(f"the export {file} is gone: find it, or export again")
            for parts in _requests(_sealed_parts(file)):
                through = office.bring_journal(entry["terminal"], parts)
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


def _requests(parts: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Parts that go in one request: few, but none ends with lost records if more follow, as only
    what comes behind them shows that they were ever written.
    """
    group: list[dict[str, Any]] = []
    for part in parts:
        group.append(part)
        if len(group) >= _PARTS_AT_ONCE and part["records"][-1]:
            yield group
            group = []
    if group:
        yield group


def _sealed_parts(file: Path) -> list[dict[str, Any]]:
    """The parts of an export, as the server takes them."""
    parts: list[dict[str, Any]] = []
    records: list[str] = []
    for line in file.read_text().splitlines():
        answer = json.loads(line)
        if "raw" in answer:
            records.append(answer["raw"])
        elif "seal" in answer:
            parts.append({"first": answer["first"], "records": records, "seal": answer["seal"]})
            records = []
    if records:
        raise LinkError(f"{file} does not carry the terminal's seal: export again (`tech logs`)")
    return parts
