"""Behind the board: a release's page, a verdict's sheet; and the lights of the robots."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec
import pytest

from tests.board.test_board import Wall, lane, wall
from tests.server.shop import NOW
from updater_server import channels
from updater_server.channels import commits, flags, sheets
from updater_server.channels.sheets import InRegion, Line, Share, Sheet
from updater_server.lookout import picture
from updater_server.lookout.picture import Probe, Probes
from updater_server.lookout.worker import Lookout
from updater_server.store.engine import writing

__all__ = ["wall"]
LIAR = "00000000000000a1"
SHEET = Sheet(
    1, 2, 5, "hold", ("sale_failed: <b>",), NOW - 600, 5, 30, 300,
    (
        Line(
            "sale_failed", 9, 4.5, 40, 2.5, 3.1, 2.0, 0.9, 4.4, "up to 4.40 times as often",
            (Share(LIAR, 1, 7, 0.2, 2.2),), (InRegion(1, 30, 9, 4.5),),
        ),
        Line("crash", 0, 0.1, 0, -0.2, None, None, None, None, "", (), ()),
    ),
    {"late": 3},
)  # fmt: skip


def test_the_sheet_shows_every_guard_who_adds_most_and_where(wall: Wall) -> None:
    assert wall.get("/board/verdicts/beta/28", "viewer").status_code == 422
    sheets.put(wall.scene.shop.service.folder.repository, "beta", 28, SHEET, 5)
    html = wall.get("/board/verdicts/beta/28", "viewer").text
    assert "2.00 (0.90 to 4.40)" in html and "3.1" in html
    assert f'<a href="/board/terminals/{LIAR}">' in html
    assert "0 where 0.1 were due" in html, "nothing crashed"
    assert "3 windows set aside: late" in html
    assert "sale_failed: &lt;b&gt;" in html
    assert wall.get("/board/verdicts/beta/28", "bench").status_code == 403


def test_the_board_shows_the_worst_four_metrics_of_what_is_judged(wall: Wall) -> None:
    assert "Worst of what is judged" not in wall.get("/board", "viewer").text
    lines = tuple(
        msgspec.structs.replace(SHEET.lines[0], guard=f"guard_{score}", score=float(score))
        for score in (1, 5, 3, 2, 4)
    )
    folder = wall.scene.shop.service.folder.repository
    old = msgspec.structs.replace(SHEET, at_s=NOW - 90_000)
    for channel, release, sheet in (
        ("beta", 28, msgspec.structs.replace(SHEET, lines=lines)),
        ("beta", 27, SHEET),  # it is not what is on trial there
        ("stable", 27, old),
    ):
        sheets.put(folder, channel, release, sheet, 5)
    wall.halt("release", 28, "beta")  # what was made is forgotten
    html = wall.get("/board", "viewer").text
    assert re.findall(r"verdicts/beta/28\">(\w+)<", html) == [f"guard_{n}" for n in (5, 4, 3, 2)]
    assert html.count("2.00 (0.90 to 4.40)") == 8, "as a picture and in figures"
    assert "sale_failed" not in html and "verdicts/stable" not in html
    assert html.count('"metric bad"') == 2, "over what halts"


def test_of_each_channel_the_newest_sheets_stay(wall: Wall) -> None:
    folder = wall.scene.shop.service.folder.repository
    for release in (9, 10, 11):
        sheets.put(folder, "beta", release, SHEET, 2)
    assert list(sheets.read(folder)["beta"]) == ["10", "11"]


def test_a_releases_page_says_what_it_is_what_it_weighs_and_who_signed(wall: Wall) -> None:
    html = wall.get("/board/releases/28", "viewer").text
    (entry,) = [e for e in wall.scene.repository.published.releases("beta") if e.release == 28]
    assert entry.commit in html and entry.image.sha256 in html
    for payload in entry.payloads:
        size = wall.scene.repository.published.target_file(payload.path).stat().st_size
        assert f"<td>{size:,}</td>" in html
    for keyid in wall.scene.repository.published.metadata["beta"].signatures:
        assert keyid[:16] in html
    assert re.search(r"let out to [0-9.]+ %</td><td>beta", html)
    assert wall.get("/board/releases/777", "viewer").status_code == 422
    assert wall.get("/board/releases/28", "bench").status_code == 403


def test_a_releases_page_names_the_commits_that_came_with_it(wall: Wall) -> None:
    folder = wall.scene.shop.service.folder.repository
    (entry,) = [e for e in wall.scene.repository.published.releases("beta") if e.release == 28]
    assert "commits since" not in wall.get("/board/releases/28", "viewer").text
    told = [("c0ffee12" * 5, "A slip says <whose> it is"), *[("0" * 40, "More")] * commits.MOST]
    commits.put(folder, entry.commit, commits.made("5eed0000", 27, told))
    html = wall.get("/board/releases/28", "viewer").text
    assert "201 commits since release" in html and "and 1 more" in html
    assert "<td>A slip says &lt;whose&gt; it is</td>" in html and "c0ffee12c0ff" in html
    assert f"git diff 5eed0000 {entry.commit[:12]}" in html
    (folder / "commits" / f"{entry.commit}.json").write_text('{"since": "<b>"}')
    assert "commits since" not in wall.get("/board/releases/28", "viewer").text


def test_a_lane_says_what_the_release_weighs_so_far_and_in_all(wall: Wall) -> None:
    Lookout(wall.scene.shop.service).look()
    beta = lane(wall.get("/board/live", "viewer").text, "beta")
    found = re.search(r"([0-9.]+) KB each, ([0-9.]+) KB of ([0-9.]+) KB", beta)
    assert found, beta
    each, done, total = (float(part) for part in found.groups())
    published = wall.scene.repository.published
    (entry,) = [e for e in published.releases("beta") if e.release == 28]
    least = min(published.target_file(one.path).stat().st_size for one in entry.payloads)
    assert each == pytest.approx(least / 1000, rel=0.01)
    assert 0 < done < total


@pytest.mark.parametrize(
    ("days", "says"), [(1, ">flags are turned<"), (61, "NOT flags are turned: for 60 days: hourly")]
)
def test_flags_that_are_on_are_a_light_that_goes_out_when_they_are_forgotten(
    wall: Wall, monkeypatch: pytest.MonkeyPatch, days: int, says: str
) -> None:
    service = wall.scene.shop.service
    monkeypatch.setitem(flags.KNOWN, "hourly", NOW - days * 86_400)
    assert ("flags are turned" in wall.get("/board", "viewer").text) == (days > 60)
    if days > 60:
        assert says in wall.get("/board", "viewer").text
        return
    repository = channels.Repository.open(service.folder.repository)
    signers, now = wall.scene.signers, datetime.fromtimestamp(NOW, UTC)
    repository.set_flag("beta", "hourly", 500, (), "", signers, now)
    repository.publish(signers, now)
    wall.halt("release", 28, "beta")  # what was made is forgotten
    html = wall.get("/board", "viewer").text
    assert says in html and "hourly on for 5 % of terminals of beta" in html


@pytest.mark.parametrize(
    ("link", "at", "says"),
    [
        ("", NOW - 60, "robots buy"),
        ("buy", NOW - 60, "NOT robots buy: savanna: buy: refused: supplier_down"),
        ("", NOW - 4000, "NOT robots buy: none went round since"),
    ],
)
def test_the_robots_are_a_light(wall: Wall, link: str, at: int, says: str) -> None:
    assert "robots buy" not in wall.get("/board", "viewer").text
    why = "refused: supplier_down" if link else ""
    with writing(wall.scene.shop.service.engine) as connection:
        picture.keep(connection, Probes([Probe("savanna", link, why, 900, at)]), at)
    wall.halt("release", 28, "beta")  # what was made is forgotten
    assert says in wall.get("/board", "viewer").text
