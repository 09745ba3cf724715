"""One release's page: what it is, what it weighs on the air, who signed the lists that have it, and
what was done with it. For `faces.board`.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from updater_server.channels import CHANNELS, RepositoryError, commits
from updater_server.channels.entry import ReleaseEntry
from updater_server.channels.history import LET_OUT, History
from updater_server.channels.published import Published
from updater_server.channels.quote import Runs, quote
from updater_server.words import minute

_STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")


def html(
    release: int, found: History, published: Published, now: int, runs: Sequence[Runs]
) -> str | None:
    """The whole page; every value escaped, no script. None: nothing ever listed it. `runs`: what
    the fleet runs.
    """
    entries = {cls: entry for (cls, number), entry in found.entries.items() if number == release}
    if not entries:
        return None
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Release {release}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>
<body><header><h1>Release {release}</h1><span>{minute(now)} UTC</span></header>
<main>{"".join(_entry(cls, entry, published) for cls, entry in sorted(entries.items()))}
{"".join(_commits(entry, published) for entry in list(entries.values())[:1])}
{"".join(_quote(entry, published, runs) for _, entry in sorted(entries.items()))}
{_signatures(release, published)}{_steps(release, found)}</main></body></html>
"""


def _entry(hardware: str, entry: ReleaseEntry, published: Published) -> str:
    rows = "".join(
        f"<tr><td>{payload.kind}</td><td><code>{(payload.base_sha256 or 'anything')[:16]}</code>"
        f"</td><td>{_weight(published, payload.path)}</td></tr>"
        for payload in entry.payloads
    )
    texts = "".join(f"<p>{escape(text)}</p>" for text in entry.text.values())
    return (
        f'<section class="wide"><h2>{escape(entry.version)} for {escape(hardware)}</h2>{texts}'
        f'<p class="muted">commit <code>{escape(entry.commit)}</code>, built '
        f"{minute(entry.built)}, security version {entry.security_version}, "
        f"image {entry.image.size_bytes:,} bytes, SHA-256 <code>{entry.image.sha256}</code> · "
        "<a href='/pipeline'>pipeline</a> · "
        "<a href='/board'>board</a></p><table><thead><tr><th>Payload</th><th>From the image</th>"
        f"<th>Bytes on the air, without headers</th></tr></thead><tbody>{rows}</tbody></table>"
        "</section>"
    )


def _commits(entry: ReleaseEntry, published: Published) -> str:
    came = commits.read(published.directory, entry.commit)
    if came is None:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(one.commit[:12])}</code></td><td>{escape(one.subject)}</td></tr>"
        for one in came.commits
    )
    more = came.count - len(came.commits)
    rest = f"<p class='muted'>and {more:,} more</p>" if more > 0 else ""
    return (
        f'<section class="wide"><h2>{came.count:,} commits since release '
        f"<a href='/board/releases/{came.after}'>{came.after}</a></h2>"
        f"<table><tbody>{rows}</tbody></table>{rest}<p class='muted'>as the machine knew them that "
        f"signed it first: <code>git diff {escape(came.since[:12])} {escape(entry.commit[:12])}"
        "</code></p></section>"
    )


def _weight(published: Published, path: str) -> str:
    try:
        return f"{published.target_file(path).stat().st_size:,}"
    except RepositoryError:
        return "no longer listed"


def _quote(entry: ReleaseEntry, published: Published, runs: Sequence[Runs]) -> str:
    """What it costs those that do not run it yet; nothing where its payloads are gone."""
    try:
        sizes = {one.path: published.target_file(one.path).stat().st_size for one in entry.payloads}
    except RepositoryError:
        return ""
    rows = "".join(
        f"<tr><td>{'unknown' if line.release is None else line.release}</td>"
        f'<td class="num">{line.terminals:,}</td><td>{line.kind}</td>'
        f'<td class="num">{line.each_bytes:,}</td><td class="num">{line.each_s}</td>'
        f'<td class="num">{line.bytes:,}</td>'
        f'<td class="num">{line.terminals * line.full_bytes:,}</td>'
        f'<td class="num">{line.terminals * line.kept_bytes:,}</td></tr>'
        for line in quote(entry, sizes, runs)
    )
    empty = '<tr><td colspan="8" class="muted">whoever may take it runs it</td></tr>'
    return (
        f'<section class="wide"><h2>What it costs on {escape(entry.hardware.hardware_class)}</h2>'
        "<table><thead><tr><th>Those that run</th><th>Terminals</th><th>By</th><th>Bytes each</th>"
        "<th>Seconds each</th><th>Bytes</th><th>By full images</th><th>Spared if it waits for the "
        f"next</th></tr></thead><tbody>{rows or empty}</tbody></table></section>"
    )


def _signatures(release: int, published: Published) -> str:
    rows = []
    for channel in CHANNELS:
        listed = [one for one in published.releases(channel) if one.release == release]
        metadata = published.metadata.get(channel)
        if not listed or metadata is None:
            continue
        keys = ", ".join(f"<code>{escape(key[:16])}</code>" for key in sorted(metadata.signatures))
        version = metadata.signed.version
        expires = minute(int(metadata.signed.expires.timestamp()))
        rows.append(
            f"<tr><td>{channel}</td><td>{version}</td><td>{keys}</td><td>{expires}</td></tr>"
        )
    nothing = '<tr><td colspan="4" class="muted">no channel lists it now</td></tr>'
    return (
        '<section class="wide"><h2>Signed lists that have it</h2><table><thead><tr><th>Channel</th>'
        "<th>Version</th><th>Keys that signed</th><th>Counts until</th></tr></thead><tbody>"
        f"{''.join(rows) or nothing}</tbody></table></section>"
    )


def _steps(release: int, found: History) -> str:
    rows = "".join(
        f"<tr><td>{minute(step.at)}</td><td>{step.what}"
        f"{f' to {step.threshold / 100:g} %' if step.what == LET_OUT else ''}</td>"
        f"<td>{step.channel}</td><td>{escape(step.who)}</td></tr>"
        for step in reversed(found.steps)
        if step.release == release
    )
    return (
        '<section class="wide"><h2>What was done with it</h2><table><thead><tr><th>When</th>'
        "<th>What</th><th>Channel</th><th>Who</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></section>"
    )
