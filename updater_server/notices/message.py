"""What is told of a kind of alarm, and how it reads: as a mail, in an SMS, as Alertmanager's JSON.
Pure. For `plan` and `send`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

EXAMPLES = 20
"""Alarms named in one message; how many more there are is said."""
SMS_LETTERS = 160
CANARY = "canary"
_GRADES = ("money may be wrong", "something stands still", "look at it", "there are weeks")
_NEVER = "0001-01-01T00:00:00Z"


@dataclass(frozen=True)
class Example:
    """One open alarm; times are Unix seconds."""

    id: int
    whose: str
    text: str
    count: int
    first_at: int


@dataclass(frozen=True)
class Group:
    """The alarms of one code that are open, or were until now."""

    code: str
    grade: int
    alarms: int
    raised: int
    first_at: int
    last_at: int
    newest_id: int
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Message:
    """`kind`: firing, more (alarms since), still (nobody has taken it on for a day), resolved, or
    canary, which tells of no alarm.
    """

    kind: str
    groups: tuple[Group, ...]
    at: int

    def to_json(self) -> str:
        """As it is kept until it is sent."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @staticmethod
    def from_json(text: str) -> Message:
        """What `to_json` made."""
        table = json.loads(text)
        groups = tuple(
            Group(**{**group, "examples": tuple(Example(**one) for one in group["examples"])})
            for group in table["groups"]
        )
        return Message(table["kind"], groups, table["at"])

    @property
    def subject(self) -> str:
        """One line."""
        if self.kind == CANARY:
            return "[duka] canary"
        if len(self.groups) > 1:
            return f"[duka] {len(self.groups)} kinds of alarms"
        group = self.groups[0]
        if self.kind == "resolved":
            return f"[duka] over: {group.code}"
        word = {"more": "more: ", "still": "still open: "}.get(self.kind, "")
        times = f" ×{group.alarms}" if group.alarms > 1 else ""
        return f"[duka] {word}{group.code}{times} ({_GRADES[group.grade]})"

    def text(self) -> str:
        """The body of a mail."""
        if self.kind == CANARY:
            return f"Nothing is wrong. Put into the queue {_minute(self.at)} UTC.\n"
        parts = []
        for group in self.groups:
            if self.kind == "resolved":
                parts.append(f"{group.code}: no alarm of this kind is open any more.")
                continue
            lines = [
                f"{group.code}: {group.alarms} open, raised {group.raised} times, "
                f"first {_minute(group.first_at)}, last {_minute(group.last_at)} UTC "
                f"({_GRADES[group.grade]})"
            ]
            lines += [
                f"  {one.id}  {one.whose}  {one.text}"
                + (f" (×{one.count})" if one.count > 1 else "")
                for one in group.examples
            ]
            more = group.alarms - len(group.examples)
            lines += [f"  and {more} more"] if more > 0 else []
            parts.append("\n".join(lines))
        if self.kind != "resolved":
            parts.append("Take one on: alarm acknowledge NUMBER. Done with: alarm close NUMBER.")
        return "\n\n".join(parts) + "\n"

    def sms(self) -> str:
        """At most one SMS of the GSM alphabet: what is not in it becomes "?"."""
        if self.kind == CANARY:
            return "DUKA canary"
        if len(self.groups) > 1:
            text = "DUKA alarms: " + ", ".join(f"{g.code} x{g.alarms}" for g in self.groups)
        else:
            group = self.groups[0]
            text = f"DUKA {group.code} is over"
            if self.kind != "resolved":
                first = group.examples[0] if group.examples else None
                whose = f" {first.whose}: {first.text}" if first else ""
                text = f"DUKA {group.code} x{group.alarms}{whose}"
        plain = "".join(c if " " <= c <= "~" and c not in "[\\]^`{|}~" else "?" for c in text)
        return plain if len(plain) <= SMS_LETTERS else plain[: SMS_LETTERS - 3] + "..."

    def alertmanager(self, receiver: str, server: str) -> dict[str, Any]:
        """The body of a webhook, version 4 of Alertmanager's own
        (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config).
        """
        status = "resolved" if self.kind in ("resolved", CANARY) else "firing"
        codes = [group.code for group in self.groups]
        alerts = [
            _alert(group, one, status, self.at) for group in self.groups for one in group.examples
        ]
        total = sum(group.alarms for group in self.groups)
        common = {"alertname": codes[0]} if len(codes) == 1 else {}
        return {
            "version": "4",
            "groupKey": "{}:{" + ",".join(f'alertname="{code}"' for code in codes) + "}",
            "truncatedAlerts": max(0, total - len(alerts)),
            "status": status,
            "receiver": receiver,
            "groupLabels": common,
            "commonLabels": common,
            "commonAnnotations": {},
            "externalURL": server,
            "alerts": alerts,
        }


def _alert(group: Group, one: Example, status: str, at: int) -> dict[str, Any]:
    severity = ("critical", "critical", "warning", "info")[group.grade]
    return {
        "status": status,
        "labels": {"alertname": group.code, "severity": severity, "terminal": one.whose},
        "annotations": {"summary": one.text},
        "startsAt": _rfc3339(one.first_at),
        "endsAt": _rfc3339(at) if status == "resolved" else _NEVER,
        "generatorURL": "",
        "fingerprint": f"{one.id:016x}",
    }


def _rfc3339(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _minute(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
