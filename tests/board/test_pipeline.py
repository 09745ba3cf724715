"""The pipeline is worked out from what was signed and logged, and says where each release is."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from tests.board.scene import DAY_S, HOUR_S, Scene, begin, token
from tests.board.served import served
from tests.server.shop import NOW
from updater_server.__main__ import cli
from updater_server.channels import RepositoryDamaged, pipeline, pipeline_table
from updater_server.channels.history import History
from updater_server.channels.pipeline import Passage
from updater_server.faces.dashboard import pipeline_page


def followed(scene: Scene) -> History:
    found = History(scene.repository.directory)
    found.follow()
    return found


def passages(scene: Scene) -> dict[int, Passage]:
    return {passage.release: passage for passage in pipeline.passages(followed(scene))}


def states(scene: Scene) -> dict[int, str]:
    found = followed(scene)
    return {p.release: pipeline_table.state_of(found, p) for p in pipeline.passages(found)}


def test_each_release_is_one_passage_from_its_build_to_where_it_is(scene: Scene) -> None:
    assert states(scene) == {
        29: "whole on alpha", 28: "in a wave on beta", 27: "on stable",
        26: "went no further, then came 29 on alpha", 25: "followed by 27 on stable",
        24: "halted on beta", 23: "went no further, then came 29 on alpha",
        22: "followed by 27 on stable", 21: "followed by 27 on stable",
        20: "followed by 27 on stable",
    }  # fmt: skip
    stable = passages(scene)[27]
    assert list(stable.stages) == ["ci", "alpha", "beta", "stable"]
    built = stable.entry.built
    assert stable.lead_s() == {
        "ci": 900, "alpha": 3 * HOUR_S, "beta": 6 * HOUR_S, "stable": 21 * HOUR_S,
        "everybody": stable.stages["stable"].everybody_at - built,  # type: ignore[operator]
    }  # fmt: skip
    halted = passages(scene)[24].stages["beta"]
    assert halted.halted_at is not None and halted.out_at is not None
    assert (halted.halted_by, halted.halted_at - halted.out_at) == ("asha", 5 * HOUR_S)


def test_what_is_counted_is_what_happened_in_the_window(scene: Scene) -> None:
    found = pipeline.passages(followed(scene))
    counted = pipeline.counted(found, NOW)
    assert (counted.releases, counted.let_out, counted.halted) == (10, 10, 1)
    assert counted.halted_share == 0.1
    assert counted.time_to_halt_s == 5 * HOUR_S
    assert counted.lead_s["stable"] == 21 * HOUR_S
    later = pipeline.counted(found, NOW + 60 * DAY_S)
    assert (later.releases, later.halted_share, later.time_to_halt_s) == (0, None, None)


def test_a_wave_a_halt_and_its_end_are_seen_as_they_come_and_only_once_published(
    tmp_path: Path, signed: Path
) -> None:
    scene = begin(tmp_path / "data", signed)
    found = History(scene.repository.directory)
    scene.put_on(5, "ci", NOW)
    found.follow()
    told = len(found.steps)
    scene.repository.set_rollout("ci", 5, 300, scene.signers)
    found.follow()
    assert len(found.steps) == told, "it waits to be published"
    scene.publish(NOW + 10)
    found.follow()
    assert (found.steps[-1].what, found.steps[-1].threshold) == ("let out", 300)
    scene.halt(5, "ci", NOW + 20, by="joy")
    found.follow()
    (passage,) = pipeline.passages(found)
    assert pipeline_table.state_of(found, passage) == "halted on ci"
    scene.repository.resume("ci", 5, scene.signers)
    scene.publish(NOW + 30)
    found.follow()
    (passage,) = pipeline.passages(found)
    assert passage.stopped is None
    assert passage.stages["ci"].halted_by == "joy"
    whole = History(scene.repository.directory)
    whole.follow()
    assert whole.steps == found.steps, "read at once or bit by bit"
    scene.shop.service.engine.dispose()


def test_a_halted_release_that_leaves_the_list_was_not_let_go_on(
    tmp_path: Path, signed: Path
) -> None:
    scene = begin(tmp_path / "data", signed)
    scene.put_on(5, "ci", NOW)
    scene.let_out(5, "ci", NOW + 1)
    scene.halt(5, "ci", NOW + 2)
    scene.repository.unlist("ci", 5, "duka-r1", scene.signers)
    scene.publish(NOW + 3)
    scene.put_on(6, "ci", NOW + 4)
    scene.let_out(6, "ci", NOW + 5)
    assert states(scene)[5] == "halted on ci"
    scene.shop.service.engine.dispose()


def test_a_list_that_is_not_the_one_that_was_logged_is_left_out_and_said(scene: Scene) -> None:
    history = followed(scene)
    assert history.doubts == []
    old = scene.repository.directory / "metadata" / "4.rollout-beta.json"
    old.write_bytes(old.read_bytes().replace(b"10000", b"9999", 1))
    doubts = followed(scene).doubts
    assert len(doubts) == 1 and "is not the list that the log tells of" in doubts[0]


def test_a_list_that_is_still_being_copied_is_read_when_it_is_there(scene: Scene) -> None:
    found = followed(scene)
    whole = [*found.steps]
    file = scene.repository.directory / "metadata" / "4.rollout-beta.json"
    content = file.read_bytes()
    file.unlink()
    late = History(scene.repository.directory)
    late.follow()
    assert late.doubts and late.steps != whole
    file.write_bytes(content)
    late.follow()
    assert (late.doubts, late.steps) == ([], whole)


def test_channels_without_their_log_show_what_is_in_force_and_say_what_is_missing(
    scene: Scene,
) -> None:
    (scene.repository.directory / "audit.jsonl").unlink()
    found = followed(scene)
    assert "audit.jsonl" in found.doubts[0]
    states = {p.release: set(p.stages) for p in pipeline.passages(found)}
    assert states[28] >= {"alpha", "beta"}
    assert {step.who for step in found.steps} == {"unknown"}
    assert found.plan("beta") == scene.plan("beta")


def test_an_empty_folder_has_no_history(tmp_path: Path) -> None:
    found = History(tmp_path / "nothing")
    found.follow()
    assert (found.steps, found.doubts) == ([], [])


def test_a_changed_log_is_refused(scene: Scene) -> None:
    log = scene.repository.directory / "audit.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"by":"asha"', b'"by":"joy"', 1))
    with pytest.raises(RepositoryDamaged, match="audit log"):
        followed(scene)


def test_page_csv_json_and_command_say_the_same(scene: Scene) -> None:
    auth = ("any", token(scene.shop, "viewer"))
    with served(scene.shop.service) as port:
        url = f"http://127.0.0.1:{port}/pipeline"
        page = httpx.get(url, auth=auth).text
        rows = list(csv.DictReader(io.StringIO(httpx.get(f"{url}?as=csv", auth=auth).text)))
        values = httpx.get(f"{url}?as=json", auth=auth).json()
        assert httpx.get(f"{url}?as=pdf", auth=auth).status_code == 422
        assert httpx.get(url).status_code == 401
    assert [int(row["release"]) for row in rows] == [item["release"] for item in values["releases"]]
    assert [row["state"] for row in rows] == [item["state"] for item in values["releases"]]
    for row in rows:
        assert row["state"] in page and row["commit"][:10] in page
    assert rows[5]["beta_halted_by"] == "asha" and "halted" in page
    assert values["counted"]["halted"] == 1
    said = CliRunner(env={"COLUMNS": "200"}).invoke(
        cli, ["fleet", "pipeline", "--as", "json", "--data", str(scene.shop.folder)]
    )
    assert json.loads(said.output)["releases"] == values["releases"]


def test_no_name_becomes_a_formula_or_a_tag(tmp_path: Path, signed: Path) -> None:
    scene = begin(tmp_path / "data", signed)
    scene.put_on(5, "ci", NOW)
    scene.let_out(5, "ci", NOW + 1)
    scene.halt(5, "ci", NOW + 2, by="=cmd|'<b>'")
    found = followed(scene)
    (row,) = csv.DictReader(io.StringIO(pipeline_table.as_csv(found)))
    assert row["ci_halted_by"].startswith("'=")
    assert "<b>'" not in pipeline_page.html(found, NOW)
    scene.shop.service.engine.dispose()
