"""The board says what is so, to whom it may, and stops a release for one who may."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.board.scene import Scene, token
from tests.board.served import served
from tests.server.shop import NOW
from updater_server import channels
from updater_server.channels import verdicts
from updater_server.channels.history import History
from updater_server.channels.lists import halts_of
from updater_server.channels.verdicts import Standing
from updater_server.fleet import alarms
from updater_server.lookout.worker import Lookout
from updater_server.store.engine import reading

ROLES = ("viewer", "office", "bench", "release")


class Wall:
    """Somebody before the board, by real HTTP."""

    def __init__(self, scene: Scene, port: int) -> None:
        self.scene = scene
        self.url = f"http://127.0.0.1:{port}"
        self.tokens = {role: token(scene.shop, role, f"{role}-one") for role in ROLES}

    def get(self, path: str, role: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, auth=("any", self.tokens[role]), headers=headers)

    def halt(self, role: str, release: int, channel: str, **headers: str) -> httpx.Response:
        body = json.dumps({"channel": channel, "release": release})
        kind = {"content-type": "application/json"} | headers
        auth = ("any", self.tokens[role])
        return httpx.post(f"{self.url}/board/halt", content=body, headers=kind, auth=auth)

    def halted(self, channel: str) -> list[int]:
        published = channels.open_published(self.scene.shop.service.folder.repository)
        return list(published.rollout(channel).halted)


@pytest.fixture
def wall(scene: Scene) -> Iterator[Wall]:
    with served(scene.shop.service) as port:
        yield Wall(scene, port)


def lane(html: str, channel: str) -> str:
    """One channel's words, without tags."""
    found = re.search(rf'<section class="lane[^>]*data-channel="{channel}">(.*?)</section>', html)
    assert found, html[:2000]
    return " ".join(re.sub(r"<title>.*?</title>|<[^>]+>", " ", found[1]).split())


def test_each_channel_says_release_wave_and_what_became_of_it(wall: Wall) -> None:
    Lookout(wall.scene.shop.service).look()
    html = wall.get("/board/live", "viewer").text
    order = re.findall(r'class="channel">(\w+)<', html)
    assert order == ["ci", "alpha", "beta", "stable"]
    beta = lane(html, "beta")
    plan = wall.scene.plan("beta")
    rows = wall.scene.shop.sql(
        "SELECT t.id, t.last_seen_at, c.release, c.failure_release FROM terminal t"
        " JOIN check_in c ON c.terminal_id = t.id WHERE t.channel = 'beta'"
    )
    may = [row for row in rows if plan.allows(28, bytes(row[0]))]
    installed = sum(row[2] >= 28 for row in may)
    back = sum(row[3] == 28 for row in may)
    silent = sum(row[2] < 28 and row[3] != 28 and row[1] < NOW - 86_400 for row in may)
    assert re.search(r"\b28 [0-9a-f]{10}\b", beta)
    assert "wave 2 of 3" in beta
    assert f"{installed} installed" in beta and f"{len(may)} terminals" in beta
    assert (f"{back} came back" in beta) == bool(back)
    assert (f"{silent} silent" in beta) == bool(silent)
    assert "no verdict yet" in beta
    assert lane(html, "ci").startswith("ci 29") and lane(html, "stable").startswith("stable 27")
    assert "24 halted on beta" in html, "the mark of the halt"
    assert 'class="mark halt"' in html


@pytest.mark.parametrize(
    ("closed_by", "shown"),
    [
        ("", "hold sales failed 2.1 times as often &lt;b&gt; no. 5, 10 min ago; next at"),
        ("asha", "hold closed by asha no. 5"),
    ],
)
def test_a_verdict_is_shown_with_its_reason_and_when_it_was_reached(
    wall: Wall, closed_by: str, shown: str
) -> None:
    Lookout(wall.scene.shop.service).look()
    why = ("sales failed 2.1 times as often <b>", "few came back")
    standing = Standing(2, 5, "hold", why, NOW - 600, closed_by)
    none = Standing(1, 0, "hold", (), NOW)
    standings = {"beta": {"28": standing}, "stable": {"27": none}}
    verdicts.write(wall.scene.shop.service.folder.repository, standings)
    html = wall.get("/board/live", "viewer").text
    assert shown in lane(html, "beta")
    assert "few came back" not in html, "the worst one only"
    assert "no verdict yet" in lane(html, "stable"), "none was reached yet"


@pytest.mark.parametrize(
    ("role", "board", "halts"),
    [("viewer", 200, 403), ("office", 200, 403), ("bench", 403, 403), ("release", 200, 200)],
)
def test_each_role_sees_and_does_what_is_its_own(
    wall: Wall, role: str, board: int, halts: int
) -> None:
    assert wall.get("/board", role).status_code == board
    assert wall.get("/board/live", role).status_code == board
    assert wall.halt(role, 28, "beta").status_code == halts
    assert wall.halted("beta") == ([28] if halts == 200 else [])


def test_a_stranger_is_asked_for_a_password_and_told_nothing(wall: Wall) -> None:
    answer = httpx.get(f"{wall.url}/board")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert "28" not in answer.text
    assert httpx.post(f"{wall.url}/board/halt", content=b"{}").status_code in (401, 403)


def test_a_tokens_of_the_board_opens_nothing_else(wall: Wall) -> None:
    for role in ("viewer", "release"):
        assert wall.get("/", role).status_code == 403
        assert wall.get("/metrics", role).status_code == 403
        bearer = {"authorization": f"Bearer {wall.tokens[role]}"}
        for path in ("/v1/terminals", "/v1/bench"):
            assert httpx.post(wall.url + path, content=b"{}", headers=bearer).status_code == 403


def test_a_halt_is_in_force_at_once_and_in_the_log_with_the_persons_name(wall: Wall) -> None:
    answer = wall.halt("release", 28, "beta")
    assert answer.json()["text"].startswith("release 28 on beta: halted")
    assert "halted" in lane(wall.get("/board/live", "viewer").text, "beta")
    assert "by release-one just now" in lane(wall.get("/board/live", "viewer").text, "beta")
    service = wall.scene.shop.service
    lines = channels.Repository.open(service.folder.repository).audit()
    told = [line for line in lines if line.what == "brake on beta"][-1]
    assert (told.details["by"], told.details["release"]) == ("release-one", 28)
    assert wall.scene.shop.sql("SELECT operator, action, subject, details FROM operator_log") == [
        ("release-one", "halt", "release 28", "on beta")
    ]
    again = wall.halt("release", 28, "beta")
    assert (again.status_code, "already" in again.text) == (200, True)
    assert wall.scene.shop.sql("SELECT COUNT(*) FROM operator_log") == [(1,)]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 403),
        ({"content-type": "application/x-www-form-urlencoded"}, 403),
        ({"origin": "https://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_another_sites_page_cannot_halt_by_a_browsers_memory(
    wall: Wall, headers: dict[str, str], status: int
) -> None:
    assert wall.halt("release", 28, "beta", **headers).status_code == status
    assert wall.halted("beta") == []


def test_a_halt_without_a_key_says_so_loudly_and_stops_promotion_all_the_same(
    wall: Wall,
) -> None:
    service = wall.scene.shop.service
    for file in service.folder.online_keys.glob("rollout-1*"):
        file.unlink()
    answer = wall.halt("release", 28, "beta")
    assert answer.status_code == 503
    assert "NOT IN FORCE" in answer.json()["text"] and "release publish" in answer.json()["text"]
    assert wall.halted("beta") == []
    repository = channels.Repository.open(service.folder.repository)
    with pytest.raises(channels.PromotionRefused, match="halted on beta"):
        repository.promote("beta", "stable", 28, "duka-r1")
    with reading(service.engine) as connection:
        assert [item["code"] for item in alarms.open_alarms(connection)] == ["halt_waits"]
    repository.sign("rollout-beta", wall.scene.signers)
    repository.publish(wall.scene.signers)
    Lookout(service).look()
    with reading(service.engine) as connection:
        assert alarms.open_alarms(connection) == []
    assert wall.halted("beta") == [28]


def test_a_list_that_waits_for_people_is_an_alarm_until_they_have_signed(wall: Wall) -> None:
    service, signers = wall.scene.shop.service, wall.scene.signers
    repository = channels.Repository.open(service.folder.repository)
    lookout = Lookout(service)

    def told() -> list[tuple[str, str]]:
        lookout.look()
        with reading(service.engine) as connection:
            return [(each["code"], each["text"]) for each in alarms.open_alarms(connection)]

    assert told() == []
    repository.promote("alpha", "beta", 29, "duka-r1")
    (waiting,) = repository.staged()
    ((code, text),) = told()
    assert (code, text.partition(":")[0]) == (
        "signature_waits",
        "release 29 for beta waits for its signatures",
    )
    assert text.endswith(waiting.sha256)
    assert told() == [(code, text)]
    repository.withdraw("beta")
    assert told() == []
    repository.unlist("stable", 25, "duka-r1")
    assert "a list for stable waits" in told()[0][1]
    repository.sign("stable", signers)
    assert told() == [], "it has its signatures"


def test_a_halt_without_the_key_of_the_plans_is_in_force_by_the_brake(
    wall: Wall, signed: Path
) -> None:
    service, keys = wall.scene.shop.service, signed / "keys"
    for file in service.folder.online_keys.glob("rollout-1*"):
        file.unlink()
    for file in keys.glob("brake-1*"):
        shutil.copy(file, service.folder.online_keys / file.name)
    assert wall.halt("release", 28, "beta").status_code == 200
    assert wall.halted("beta") == [28]
    assert "halted" in lane(wall.get("/board/live", "viewer").text, "beta")
    repository = channels.Repository.open(service.folder.repository)
    assert repository.published.plan("beta").halted == []
    assert repository.coming_plan("beta").halted == [28], "it waits, for terminals of before"
    with pytest.raises(channels.PromotionRefused, match="halted on beta"):
        repository.promote("beta", "stable", 28, "duka-r1")
    found = History(service.folder.repository)
    found.follow()
    last = [step for step in found.steps if step.what == "halted"][-1]
    assert (last.channel, last.release, last.who) == ("beta", 28, "release-one")
    assert wall.halt("release", 28, "beta").json()["text"].endswith("it was halted already")


def test_a_halt_without_the_key_of_the_plans_uses_one_that_was_signed_before(wall: Wall) -> None:
    service = wall.scene.shop.service
    repository = channels.Repository.open(service.folder.repository)
    now = datetime.fromtimestamp(service.now(), UTC)
    repository.ready_brake("beta", 28, wall.scene.signers, now)
    for file in service.folder.online_keys.glob("rollout-1*"):
        file.unlink()
    assert wall.halt("release", 28, "beta").status_code == 200
    assert wall.halted("beta") == [28]


def test_a_halt_signs_nothing_that_somebody_staged_beside_it(wall: Wall) -> None:
    service = wall.scene.shop.service
    repository = channels.Repository.open(service.folder.repository)
    before = repository.published.plan("beta").releases
    repository.set_rollout("beta", 28, 10_000, (), datetime.fromtimestamp(service.now(), UTC))
    assert wall.halt("release", 28, "beta").status_code == 200
    plan = channels.open_published(service.folder.repository).plan("beta")
    assert (plan.halted, plan.releases) == ([28], before)


def test_with_a_brake_neither_a_list_nor_a_plan_that_nobody_can_read_holds_a_halt_up(
    wall: Wall, signed: Path
) -> None:
    service = wall.scene.shop.service
    for file in (signed / "keys").glob("brake-1*"):
        shutil.copy(file, service.folder.online_keys / file.name)
    assert wall.halt("release", 28, "beta").status_code == 200
    metadata = service.folder.repository / "metadata"
    for role in ("beta", "rollout-beta"):
        newest = max(metadata.glob(f"*.{role}.json"), key=lambda path: int(path.name.split(".")[0]))
        newest.write_bytes(b"{}")
    assert wall.halt("release", 29, "beta").status_code == 200
    published = channels.open_published(service.folder.repository, strict=False)
    halts = halts_of("beta", published.metadata)
    assert set(halts.halted) == {"28", "29"}, "what was halted before stays so"


def test_what_nobody_listed_cannot_be_halted(wall: Wall) -> None:
    assert wall.halt("release", 99, "beta").status_code == 422
    assert wall.halt("release", 28, "gamma").status_code == 422
    for body in (b"", b"[]", b'{"channel": "beta"}', b'{"channel":"beta","release":"28"}'):
        kind = {"content-type": "application/json"}
        auth = ("any", wall.tokens["release"])
        answer = httpx.post(f"{wall.url}/board/halt", content=body, headers=kind, auth=auth)
        assert answer.status_code == 422, body


def test_an_unchanged_board_is_not_sent_again(wall: Wall) -> None:
    first = wall.get("/board/live", "viewer")
    again = wall.get("/board/live", "viewer", **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    wall.halt("release", 28, "beta")
    after = wall.get("/board/live", "viewer", **{"if-none-match": first.headers["etag"]})
    assert after.status_code == 200


def test_a_terminals_page_tells_each_change_and_what_is_wrong_with_it(wall: Wall) -> None:
    changes = (
        "SELECT terminal_id, COUNT(*) AS n FROM running_history GROUP BY terminal_id"
        " ORDER BY n DESC, terminal_id LIMIT 1"
    )
    terminal_id, told = wall.scene.shop.sql(changes)[0]
    name = bytes(terminal_id).hex()
    html = wall.get(f"/board/terminals/{name}", "viewer").text
    assert html.count("slot a") == told > 3
    assert "never published" in html, "release 19 came from nowhere"
    assert wall.get(f"/board/terminals/{name}", "bench").status_code == 403
    assert wall.get("/board/terminals/ffffffffffffffff", "viewer").status_code == 422
    assert wall.get("/board/terminals/<script>", "viewer").status_code == 422


def test_prometheus_is_told_what_the_board_shows(wall: Wall) -> None:
    Lookout(wall.scene.shop.service).look()
    text = wall.get("/metrics", "office").text
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    beta = lane(wall.get("/board/live", "viewer").text, "beta")
    installed = found["duka_channel_terminals", "beta", "28", "installed"]
    assert f"{installed:.0f} installed" in beta
    assert found["duka_books_wrong",] == 0
    assert found["duka_fleet_counted_seconds",] == NOW


def test_a_worker_that_does_not_look_and_a_spoiled_log_are_seen(wall: Wall) -> None:
    assert "NOT worker looks" in wall.get("/board/live", "viewer").text
    Lookout(wall.scene.shop.service).look()
    wall.scene.shop.clock[0] += 60
    log = wall.scene.shop.service.folder.repository / "audit.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"release":24', b'"release":23', 1))
    wall.halt("release", 28, "beta")  # it is not kept from that: only the history is
    html = wall.get("/board/live", "viewer").text
    assert "NOT channels sound" in html
    assert wall.halted("beta") == [28]
