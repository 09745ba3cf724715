"""Building a release: the same commit gives the same bytes, and what is not a commit is marked."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tests.support.world import ReleaseManager, quiet_tools
from tools.errors import BuildError
from tools.release import image as images


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with one commit, not to be changed."""
    folder = tmp_path_factory.mktemp("source")
    manager = ReleaseManager(folder, folder / "repository")
    with quiet_tools():
        manager.check_out()
    return manager.checkout


def manager_with(source: Path, folder: Path) -> ReleaseManager:
    manager = ReleaseManager(folder, folder / "repository")
    shutil.copytree(source, manager.checkout)
    return manager


def test_one_commit_gives_the_same_bytes_in_any_folder(source: Path, tmp_path: Path) -> None:
    first = manager_with(source, tmp_path / "here")
    second = manager_with(source, tmp_path / "a much longer name" / "elsewhere")
    with quiet_tools():
        assert first.build(7, "1.0.7").read_bytes() == second.build(7, "1.0.7").read_bytes()
    assert first.boot_image == second.boot_image
    assert b"much longer name" not in second.build(7, "1.0.7").read_bytes()


def test_another_commit_gives_other_bytes(source: Path, tmp_path: Path) -> None:
    manager = manager_with(source, tmp_path)
    with quiet_tools():
        before = manager.build(7, "1.0.7").read_bytes()
        manager.change("firmware/ui/languages/en.py", "|Thank you", "|Thanks")
        assert manager.build(7, "1.0.7").read_bytes() != before


TYPED = (
    "TYPE_CHECKING = False\n"
    "if TYPE_CHECKING:\n"
    "    from collections.abc import Callable\n"
    "\n"
    'def twice(of: "Callable[[int], int]", value: int) -> int:\n'
    "    return of(of(value))\n"
)
UNTYPED = "\n\n\n\ndef twice(of, value):\n    return of(of(value))\n"


def test_types_cost_no_byte_of_an_image(source: Path, tmp_path: Path) -> None:
    sizes = []
    for folder, text in (("typed", TYPED), ("untyped", UNTYPED)):
        manager = manager_with(source, tmp_path / folder)
        (manager.checkout / "firmware" / "log.py").write_text(text)
        info = images.ReleaseInfo(7, "1.0.7", "0" * 40, 1790000000)
        sizes.append(images.build_release(manager.checkout, info))
    assert sizes[0] == sizes[1]


def test_a_file_of_words_for_readers_is_in_no_image() -> None:
    assert images.for_device('"""What lives here."""\n') is None
    assert (
        images.for_device('"""Types."""\nTYPE_CHECKING = False\nif TYPE_CHECKING:\n    X = 1\n')
        is None
    )
    assert images.for_device("X = 1\n") == "X = 1\n"


def test_uncommitted_changes_are_marked_in_the_image(source: Path, tmp_path: Path) -> None:
    manager = manager_with(source, tmp_path)
    clean, _ = images.commit_of(manager.checkout)
    file = manager.checkout / "firmware" / "log.py"
    file.write_text(file.read_text() + "\n# a last-minute thought\n")
    with quiet_tools():
        manifest = images.read_manifest(manager.build(7, "1.0.7").read_bytes())
    assert manifest.commit == clean + "-dirty"


def test_what_git_does_not_track_never_gets_into_an_image(source: Path, tmp_path: Path) -> None:
    manager = manager_with(source, tmp_path)
    (manager.checkout / ".gitignore").write_text("build/\n")
    manager._git("add", ".gitignore")
    manager._git("commit", "-qm", "Ignore what is built")
    with quiet_tools():
        clean = manager.build(7, "1.0.7").read_bytes()
        ignored = manager.checkout / "firmware/build/extra.py"
        ignored.parent.mkdir()
        ignored.write_text("print('in no commit')\n")
        assert manager.build(7, "1.0.7").read_bytes() == clean
        manager._git("update-index", "--skip-worktree", "firmware/ui/texts.py")
        texts = manager.checkout / "firmware/ui/texts.py"
        texts.write_text(texts.read_text() + "\nEXTRA = 1\n")
        assert manager.build(7, "1.0.7").read_bytes() == clean
        manager._git("update-index", "--no-skip-worktree", "firmware/ui/texts.py")
        dirty = manager.build(7, "1.0.7").read_bytes()
    assert images.read_manifest(dirty).commit.endswith("-dirty")
    assert b"in no commit" not in dirty


def test_an_image_that_no_terminal_has_room_for_is_not_built(source: Path, tmp_path: Path) -> None:
    manager = manager_with(source, tmp_path)
    noise = random.Random(1).randbytes(0x0A0000 - 200_000).hex()
    table = manager.checkout / "firmware/tables.py"
    table.write_text(
        "".join(f'A{n} = b"{noise[n : n + 999]}"\n' for n in range(0, len(noise), 999))
    )
    with quiet_tools(), pytest.raises(BuildError, match="bytes and a slot of duka-r1"):
        manager.build(7, "1.0.7")
    assert not manager.images.exists()


def test_a_folder_that_is_no_checkout_is_not_built_from(tmp_path: Path) -> None:
    (tmp_path / "firmware").mkdir()
    with pytest.raises(BuildError, match="not a git checkout"):
        images.commit_of(tmp_path)


def test_a_syntax_error_names_the_file(source: Path, tmp_path: Path) -> None:
    manager = manager_with(source, tmp_path)
    (manager.checkout / "firmware" / "flows" / "sell.py").write_text("def sell(:\n")
    info = images.ReleaseInfo(7, "1.0.7", "0" * 40, 1)
    with pytest.raises(BuildError, match=r"firmware/flows/sell\.py") as caught:
        images.build_release(manager.checkout, info)
    assert str(tmp_path) not in str(caught.value).splitlines()[0]


def test_a_board_that_nobody_described_is_refused(source: Path) -> None:
    with pytest.raises(BuildError, match="no board 'toaster'"):
        images.build_boot(source, "toaster")


def test_an_image_says_what_it_is_and_anything_else_is_no_image(
    source: Path, tmp_path: Path
) -> None:
    manager = manager_with(source, tmp_path)
    with quiet_tools():
        content = manager.build(7, "1.0.7").read_bytes()
    manifest = images.read_manifest(content)
    assert (manifest.release, manifest.version, manifest.hardware_class) == (7, "1.0.7", "duka-r1")
    for broken in (b"", b"not a release", content[: len(content) // 2], bytes(5000)):
        with pytest.raises(BuildError, match="not a release image"):
            images.read_manifest(broken)


def test_the_commits_between_two_releases_are_told_where_git_knows_both(
    source: Path, tmp_path: Path
) -> None:
    manager = manager_with(source, tmp_path)
    with quiet_tools():
        first = images._git(manager.checkout, "rev-parse", "HEAD").strip()
        (manager.checkout / "more").write_text("1")
        manager._git("add", "more")
        manager._git("commit", "-qm", "There is more\n\nAnd why.")
        second = images._git(manager.checkout, "rev-parse", "HEAD").strip()
    found = images.commits_between(manager.checkout, first, second)
    assert found == [(second, "There is more")]
    assert images.commits_between(manager.checkout, second, second) == []
    assert images.commits_between(manager.checkout, "0" * 40, second) == []
    assert images.commits_between(tmp_path / "nowhere", first, second) == []
