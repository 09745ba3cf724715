"""What a release will cost is known before it is published: by version in the field, beside the
full image and beside waiting.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.server.shop import PASSPHRASE, a_release, make_repository
from tools.release.commands import app
from updater_server import channels
from updater_server.channels import quote as quotes
from updater_server.channels.quote import Runs, quote

OLD, NEW = a_release(1), a_release(2)
CLASS = "duka-r1"


def fleet(*parts: tuple[int | None, str | None, int]) -> list[Runs]:
    return [Runs(CLASS, release, image, count) for release, image, count in parts]


def made() -> tuple[channels.ReleaseEntry, dict[str, int]]:
    paths = [
        channels.PayloadReference("full", "n/2.full"),
        channels.PayloadReference("delta", "n/2.delta", OLD.entry.image.sha256),
    ]
    fields = {name: getattr(NEW.entry, name) for name in NEW.entry.__struct_fields__}
    entry = channels.ReleaseEntry(**{**fields, "payloads": paths})
    return entry, {"n/2.full": 60_000, "n/2.delta": 700}


def test_each_version_pays_for_its_own_way() -> None:
    image = OLD.entry.image.sha256
    lines = quote(*made(), fleet((1, image, 900), (1, "ab" * 32, 3), (None, None, 7), (2, "c", 50)))
    assert [(one.release, one.kind, one.terminals) for one in lines] == [
        (1, "delta", 900),
        (None, "full", 7),
        (1, "full", 3),
    ], "who runs it costs nothing"
    delta, unknown, _ = lines
    assert delta.each_bytes - quotes.on_air(700) == quotes.LEARN_BYTES + quotes.TELL_BYTES + 160
    assert delta.bytes == 900 * delta.each_bytes
    assert delta.full_bytes == unknown.each_bytes > 60_000
    assert delta.kept_bytes == delta.each_bytes - 700, "the changes come with the next one"
    assert delta.each_s < 10 < unknown.each_s < 60


def test_another_class_pays_nothing() -> None:
    assert quote(*made(), [Runs("duka-r9", 1, None, 5)]) == []


def test_a_small_release_is_quoted_far_below_the_whole_image() -> None:
    """A fix of 25 lines, with learning, telling and all headers, name and connection."""
    (line,) = quote(*made(), fleet((1, OLD.entry.image.sha256, 1)))
    assert line.each_bytes == 3_496 < line.full_bytes / 15


def test_the_manager_is_told_before_anything_is_published(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repository", tmp_path / "keys")
    signers = channels.keys.load_all(tmp_path / "keys", PASSPHRASE)
    repository.add_release("alpha", NEW.entry, channels.build_payloads(NEW.image), signers)
    assert not repository.published.releases("alpha"), "it waits"
    runs = fleet((1, hashlib.sha256(OLD.image).hexdigest(), 1000))
    file = tmp_path / "fleet.json"
    file.write_text(json.dumps([one._asdict() for one in runs]))
    asked = ["quote", "2", "--channel", "alpha", "--repository", str(tmp_path / "repository")]
    said = CliRunner().invoke(app, [*asked, "--fleet", str(file)], catch_exceptions=False)
    assert said.exit_code == 0
    assert "release 1: 1,000 terminals, full" in said.output
    assert "USD" in said.output
    content = CliRunner().invoke(app, [*asked, "--fleet", str(file), "--json"])
    (line,) = json.loads(content.output)
    assert line["bytes"] == 1000 * line["each_bytes"]
    assert line["micros"] == -(-line["bytes"] * 20_000 // 1_000_000)


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[1]",
        '[{"release": 1}]',
        '[{"hardware_class": 3, "release": 1, "image": null, "terminals": 1}]',
        "x",
    ],
)
def test_what_is_no_fleet_is_refused(tmp_path: Path, content: str) -> None:
    make_repository(tmp_path / "repository", tmp_path / "keys")
    file = tmp_path / "fleet.json"
    file.write_text(content)
    with pytest.raises(channels.RepositoryError, match=r"fleet\.json"):
        CliRunner().invoke(
            app,
            [
                *("quote", "2", "--channel", "alpha", "--fleet", str(file)),
                *("--repository", str(tmp_path / "repository")),
            ],
            catch_exceptions=False,
        )
