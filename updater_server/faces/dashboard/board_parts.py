"""The parts of the board as HTML, every value escaped. For `board`. Pure."""

from __future__ import annotations

from html import escape
from typing import Any

from updater_server.channels import history, verdicts
from updater_server.channels.history import Step
from updater_server.channels.pipeline import WINDOW_DAYS, Stage
from updater_server.faces.dashboard.board_figures import Lane, Shown
from updater_server.fleet.canaries import CAME, SMS, STANDBYS, TELEMETRY, Canary, of_supplier
from updater_server.lookout.picture import Fleet
from updater_server.words import ago, minute

STALE_S = 120
"""What the worker saw longer ago is said to be old."""
ROBOTS_STALE_S = 900
"""Robots and canaries go round every five minutes, unless their file says otherwise."""
_NEVER_FAR = (TELEMETRY, SMS, of_supplier(""))
"""Queues whose canaries have one end only."""
_HOURS_A_POINT = 4
_WIDTH, _HEIGHT = 720, 100
_WORDS = {
    "installed": "installed",
    "trial": "on trial",
    "under_way": "downloading",
    "waiting": "waiting",
    "came_back": "came back",
    "not_back": "restarted, not back",
    "silent": "silent",
}
"""What a state of `picture.STATES` is called."""
_QUIET = '<li class="muted">all quiet</li>'
_BAD = ("came_back", "not_back")


def span(seconds: int | None) -> str:
    """A length of time in two figures or three."""
    if seconds is None:
        return "–"
    seconds = max(0, seconds)
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit:
            return (
                f"{seconds / unit:.1f} {name}"
                if seconds < 10 * unit
                else f"{seconds // unit} {name}"
            )
    return f"{seconds} s"


def lane(found: Lane, shown: Shown) -> str:
    """One channel's row."""
    passage = found.passage
    head = f'<span class="channel">{found.channel}</span>'
    if passage is None:
        return f'<section class="lane none">{head}<p class="muted">nothing listed</p></section>'
    stage = passage.stages[found.channel]
    is_halted = stage.is_halted
    counts = found.counts
    wave = ""
    if counts is not None and counts.wave:
        wave = f"wave {counts.wave} of {counts.waves} · "
    assigned = f" · {sum(counts.states.values()):,} terminals" if counts and counts.wave else ""
    more = f' <span class="bad">{escape(found.state)}</span>' if found.state else ""
    lead = passage.lead_s().get(found.channel)
    return (
        f'<section class="lane{" halted" if is_halted else ""}" data-channel="{found.channel}">'
        f'<div class="what">{head}<a class="release" href="/board/releases/{passage.release}">'
        f"{passage.release}</a>"
        f"<code>{escape(passage.entry.commit[:10])}</code> "
        f'<span class="muted">{escape(passage.entry.version)}</span>{more}'
        f'<div class="muted">{_since(stage, shown.now)}, after {span(lead)}</div>'
        f"</div>"
        f'<div class="far"><div class="muted">{wave}{escape(found.reach)}{assigned}'
        f"{_airtime(found)}</div>"
        f"{_bar(found)}</div>"
        f"{_verdict(found, stage, shown.now)}"
        f"{_button(found, stage)}</section>"
    )


def _since(stage: Stage, now: int) -> str:
    if stage.out_at is None:
        return f"listed {ago(stage.listed_at, now)}, for nobody yet"
    return f"out since {minute(stage.out_at)}"


def _airtime(found: Lane) -> str:
    """What the release weighs for each, so far, and for all who may have it; without headers."""
    counts = found.counts
    if not found.weight_bytes or counts is None:
        return ""
    each, may = found.weight_bytes, sum(counts.states.values())
    done = each * (counts.states.get("installed", 0) + counts.states.get("trial", 0))
    return f" · {_weight(each)} each, {_weight(done)} of {_weight(each * may)}"


def _weight(size_bytes: int) -> str:
    """Bytes in three figures."""
    for unit, name in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")):
        if size_bytes >= unit:
            return f"{size_bytes / unit:.3g} {name}"
    return f"{size_bytes} bytes"


def _verdict(found: Lane, stage: Stage, now: int) -> str:
    """In one word how the release does, why, and when that can change next."""
    standing = found.verdict
    if stage.is_halted:
        word, kind = "halted", "bad"
        why = f"by {escape(stage.halted_by)} {ago(stage.halted_at, now)}"
    elif standing is None or not standing.number:
        word, kind, why = "no verdict yet", "muted", ""
    else:
        word = standing.ruling
        kind = {"pass": "good", "hold": "warn", "halt": "bad"}[word]
        said = standing.closed_by and f"closed by {standing.closed_by}"
        said = escape(said or "; ".join(standing.reasons[:1]))
        why = f'<div class="why" title="{said}">{said}</div>'
        why += f"no. {standing.number}, {ago(standing.at_s, now)}; {_next(standing.at_s, now)}"
    assert found.passage is not None
    named = f'<b class="{kind}">{word}</b>'
    if standing is not None and standing.number:
        named = f'<a href="/board/verdicts/{found.channel}/{found.passage.release}">{named}</a>'
    return f'<div class="verdict">{named}<div class="muted">{why}</div></div>'


def _next(at_s: int, now: int) -> str:
    """When the verdict can change next."""
    due_s = at_s + verdicts.EVERY_S + verdicts.GRACE_S
    if now > due_s + verdicts.EVERY_S:
        return "none since"
    return f"next at {minute(due_s)[-5:]} UTC"


def _button(found: Lane, stage: Stage) -> str:
    passage = found.passage
    assert passage is not None
    if stage.is_halted:
        return '<div class="act"></div>'
    return (
        f'<div class="act"><button class="halt" data-channel="{found.channel}" '
        f'data-release="{passage.release}" aria-label="Halt release {passage.release} on '
        f'{found.channel}">HALT</button></div>'
    )


def _bar(found: Lane) -> str:
    """What has become of it among those who may have it: a bar, and in words."""
    counts = found.counts
    if counts is None:
        return '<div class="muted">not counted yet</div>'
    assigned = sum(counts.states.values())
    if not assigned:
        return f'<div class="muted">for none of {counts.terminals:,} terminals</div>'
    parts, words = [], []
    at = 0.0
    for name, title in _WORDS.items():
        count = counts.states.get(name, 0)
        if not count:
            continue
        width = 100 * count / assigned
        parts.append(
            f'<rect class="{name}" x="{at:.2f}" width="{width:.2f}" height="6">'
            f"<title>{title}: {count:,}</title></rect>"
        )
        at += width
        bad = " bad" if name in _BAD else ""
        words.append(f'<span class="state{bad}"><i class="{name}"></i>{count:,} {title}</span>')
    return (
        '<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" role="img">'
        f'{"".join(parts)}</svg><div class="states">{"".join(words)}</div>'
    )


def alarms(shown: Shown) -> str:
    """The open ones, the worst first."""
    total = sum(kind.alarms for kind in shown.kinds)
    rows = "".join(
        f'<li><span class="tag bad">{escape(item["code"])}</span> {_whose(item)}'
        f"{escape(item['text'])}"
        f' <span class="muted">{ago(item["first_at"], shown.now)}'
        f"{_taken_on(item['owner'] or item['acknowledged_by'])}</span></li>"
        for item in shown.alarms
    )
    more = total - len(shown.alarms)
    rows += f'<li class="muted">and {more:,} more</li>' if more > 0 else ""
    return (
        f'<section class="alarms{" alert" if total else ""}"><h2>Open alarms <b>{total:,}</b></h2>'
        f"<ul>{rows or _QUIET}</ul></section>"
    )


def _whose(item: dict[str, Any]) -> str:
    """The terminal that an alarm is about, or the first of those that it is about."""
    if not item["terminal_id"]:
        return ""
    name = bytes(item["terminal_id"]).hex()
    return f'<a href="/board/terminals/{name}">{name[:8]}</a> '


def _taken_on(who: str | None) -> str:
    return f", {escape(who)} is on it" if who else ""


def lights(shown: Shown) -> str:
    """Money, the channels, and whether somebody looks at all."""
    money = sum(kind.alarms for kind in shown.kinds if kind.grade == 0)
    flown = shown.canaries
    lit = [
        _light("books agree", *_books(shown)),
        _light("no alarm about money", not money, f"{money:,} open" if money else ""),
        _light("channels sound", not shown.trouble, shown.trouble),
        *([_light("robots buy", *_robots(shown))] if shown.probes else []),
        *([_light("flags are turned", *_flags(shown))] if shown.flags or shown.forgotten else []),
        *([_light("queues flow", *_queues(shown))] if flown else []),
        *[
            _light("standbys copy", *_copied(one))
            for one in shown.canaries
            if one.queue == STANDBYS
        ],
        _light("worker looks", _is_fresh(shown), f"counted {ago(shown.fleet_at, shown.now)}"),
    ]
    return f'<section class="lights">{"".join(lit)}</section>'


def _books(shown: Shown) -> tuple[bool, str]:
    if shown.books is None:
        return False, "not looked at yet"
    if shown.books.problems:
        return False, shown.books.problems[0]
    return True, f"looked at {ago(shown.books_at, shown.now)}"


def _robots(shown: Shown) -> tuple[bool, str]:
    """Whether every robot's last round was whole, and lately."""
    assert shown.probes is not None
    broken = [one for one in shown.probes.robots if one.link]
    if broken:
        first = broken[0]
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        return False, f"{first.name}: {first.link}: {first.why}{more}"
    if shown.now - shown.probes_at > ROBOTS_STALE_S:
        return False, f"none went round since {ago(shown.probes_at, shown.now)}"
    names = ", ".join(f"{one.name} {one.took_ms / 1000:.1f} s" for one in shown.probes.robots)
    return True, f"{names}, {ago(shown.probes_at, shown.now)}"


def _flags(shown: Shown) -> tuple[bool, str]:
    """Whether no flag was forgotten; those that are on."""
    if shown.forgotten:
        return False, f"for 60 days: {', '.join(shown.forgotten)}"
    return True, "; ".join(shown.flags)


def _queues(shown: Shown) -> tuple[bool, str]:
    """Whether every queue's canary came through; a line for each, the slowest first."""
    now = shown.now
    flown = [one for one in shown.canaries if one.queue != STANDBYS]
    slowest = sorted(flown, key=lambda one: (-one.age_s(now), one.queue))
    lines = "\n".join(_queue(one, now) for one in slowest)
    if any(kind.code == "canary_late" for kind in shown.kinds):
        return False, lines
    newest = max((one.changed_at for one in slowest), default=0)
    if now - newest > ROBOTS_STALE_S:
        return False, f"no canary since {ago(newest, now)}"
    return True, lines


def _copied(one: Canary) -> tuple[bool, str]:
    if one.state == CAME:
        return True, "as many as there should be"
    return False, f"fewer than there should be since {minute(one.at)}"


def _queue(one: Canary, now: int) -> str:
    far = "" if one.far or one.queue.startswith(_NEVER_FAR) else ", as far as it is ours"
    if one.state == CAME:
        return f"{one.queue}: {span(one.lag_s)}, {ago(one.changed_at, now)}{far}"
    why = f", {one.error}" if one.error else ""
    return f"{one.queue}: behind since {minute(one.at)}{why}"


def _is_fresh(shown: Shown) -> bool:
    return shown.fleet is not None and shown.now - shown.fleet_at <= STALE_S


def _light(name: str, good: bool, note: str) -> str:
    word = "on" if good else "off"
    text = "" if good else f": {escape(note[:90])}"
    return (
        f'<div class="light {word}" title="{escape(note)}"><i></i>'
        f"{'' if good else 'NOT '}{escape(name)}{text}</div>"
    )


def figures(shown: Shown) -> str:
    """What the pipeline comes to."""
    found = shown.counted
    share = "–" if found.halted_share is None else f"{100 * found.halted_share:.0f} %"
    cells = [
        ("releases a day", f"{found.a_day:.1f}"),
        ("halted", share),
        ("time to halt", span(found.time_to_halt_s)),
        ("build to everybody", span(found.lead_s.get("everybody"))),
    ]
    made = "".join(f"<div><b>{value}</b><small>{name}</small></div>" for name, value in cells)
    return f'<section class="figures" title="{WINDOW_DAYS} days">{made}</section>'


def acts(shown: Shown) -> str:
    """Who did what last."""
    rows = "".join(
        f'<li><b class="{"bad" if act.what == history.HALTED else ""}">{_act(act)}</b> '
        f'<span class="muted">{escape(act.who)}, {ago(act.at, shown.now)}</span></li>'
        for act in shown.acts
    )
    return f'<section class="acts"><h2>Last acts</h2><ul>{rows}</ul></section>'


def _act(step: Step) -> str:
    far = f" to {step.threshold / 100:g} %" if step.what == history.LET_OUT else ""
    return f"{step.release} {step.what}{far} on {step.channel}"


def adoption(shown: Shown) -> str:
    """What the fleet ran over time, halts and promotions marked."""
    fleet = shown.fleet
    if fleet is None or not fleet.hours:
        text = '<p class="muted">not counted yet</p>'
        return f'<section class="adoption"><h2>Adoption</h2>{text}</section>'
    areas, key = _areas(fleet)
    first, last = fleet.hours[0] - 3600, max(fleet.hours[-1], fleet.hours[0])
    marks = "".join(_mark(step, first, last) for step in shown.marks)
    title = f"Adoption, {len(fleet.hours) // 24} days <span>{key}</span>"
    return (
        f'<section class="adoption"><h2>{title}</h2>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT + 12}" preserveAspectRatio="none" role="img">'
        f"<title>Terminals by release over time</title>{areas}{marks}</svg></section>"
    )


def _areas(fleet: Fleet) -> tuple[str, str]:
    picked = range(len(fleet.hours) - 1, -1, -_HOURS_A_POINT)
    points = sorted(picked)
    series = [[counts[at] for at in points] for counts in fleet.adoption.values()]
    top = max((sum(column) for column in zip(*series, strict=True)), default=0) or 1
    step = _WIDTH / max(1, len(points) - 1)
    below = [0] * len(points)
    areas, key = [], []
    for number, (name, counts) in enumerate(zip(fleet.adoption, series, strict=True)):
        above = [a + b for a, b in zip(below, counts, strict=True)]
        edge = [f"{step * n:.0f},{_y(value, top)}" for n, value in enumerate(above)]
        back = [f"{step * n:.0f},{_y(value, top)}" for n, value in enumerate(below)]
        areas.append(f'<polygon class="r{number}" points="{" ".join([*edge, *reversed(back)])}"/>')
        if counts[-1]:
            key.append(f'<i class="r{number}"></i>{escape(name)} <b>{counts[-1]:,}</b> ')
        below = above
    return "".join(areas), "".join(key)


def _y(value: int, top: int) -> str:
    return f"{12 + _HEIGHT - _HEIGHT * value / top:.1f}"


def _mark(step: Step, first: int, last: int) -> str:
    x = _WIDTH * (step.at - first) / max(1, last - first)
    kind = "halt" if step.what == history.HALTED else "promotion"
    title = f"{_act(step)}, {step.who}, {minute(step.at)}"
    return (
        f'<g class="mark {kind}"><title>{escape(title)}</title>'
        f'<line x1="{x:.0f}" y1="6" x2="{x:.0f}" y2="{_HEIGHT + 12}"/>'
        f'<rect x="{x - 3:.0f}" y="0" width="6" height="6"/></g>'
    )
