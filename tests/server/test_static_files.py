"""Channels over HTTP: ranges, conditions, few bytes, nothing outside the folder."""

from __future__ import annotations

import hashlib
import os
import zlib
from pathlib import Path

import pytest

from updater_server.faces.files import Answer, StaticFiles
from updater_server.faces.lanes import Lane

CONTENT = bytes(range(256)) * 4


@pytest.fixture
def files(tmp_path: Path) -> StaticFiles:
    """A folder with one target, a timestamp, and things that must stay hidden."""
    folder = tmp_path / "repository"
    (folder / "targets" / "stable" / "duka-r1").mkdir(parents=True)
    (folder / "metadata").mkdir()
    (folder / "staged").mkdir()
    (folder / "targets" / "stable" / "duka-r1" / "aa.7.full").write_bytes(CONTENT)
    (folder / "targets" / ".hidden").write_bytes(b"hidden")
    (folder / "metadata" / "timestamp.json").write_bytes(b"{}")
    (folder / "staged" / "stable.json").write_bytes(b"staged")
    (tmp_path / "server.key").write_bytes(b"secret")
    (folder / "targets" / "link").symlink_to(tmp_path / "server.key")
    (folder / "targets" / "up").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(folder / "targets" / "pipe")
    return StaticFiles(folder, Lane("files", 1, 0, 1))


PATH = "targets/stable/duka-r1/aa.7.full"


def get(files: StaticFiles, path: str = PATH, method: str = "GET", **headers: str) -> Answer:
    sent = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return files.answer(method, path, sent)


def header(answer: Answer, name: bytes) -> bytes:
    return dict(answer.headers)[name]


def test_a_target_comes_whole_with_a_strong_tag_and_may_be_kept_for_ever(
    files: StaticFiles,
) -> None:
    answer = get(files)
    assert (answer.status, answer.body) == (200, CONTENT)
    assert header(answer, b"etag") == b'"%s"' % hashlib.sha256(CONTENT).hexdigest()[:16].encode()
    assert b"immutable" in header(answer, b"cache-control")
    assert header(get(files, "metadata/timestamp.json"), b"cache-control") == b"max-age=60"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=1000-", 1000, 1023),
        ("bytes=-24", 1000, 1023),
        ("bytes=-5000", 0, 1023),
        ("bytes=1000-999999", 1000, 1023),
        ("bytes=1023-1023", 1023, 1023),
    ],
)
def test_a_range_is_served(files: StaticFiles, asked: str, first: int, last: int) -> None:
    answer = get(files, range=asked)
    assert answer.status == 206
    assert answer.body == CONTENT[first : last + 1]
    assert header(answer, b"content-range") == b"bytes %d-%d/1024" % (first, last)


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=1024-2000", "bytes=-0"])
def test_a_range_past_the_end_is_416_and_says_the_size(files: StaticFiles, asked: str) -> None:
    answer = get(files, range=asked)
    assert (answer.status, answer.body) == (416, b"")
    assert header(answer, b"content-range") == b"bytes */1024"


@pytest.mark.parametrize(
    "asked",
    ["bytes=5-4", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6", "bytes=" + "9" * 40],
)
def test_a_range_that_is_none_is_ignored(files: StaticFiles, asked: str) -> None:
    assert get(files, range=asked).status == 200


def test_a_download_is_resumed_only_if_the_file_is_still_the_same(files: StaticFiles) -> None:
    tag = header(get(files), b"etag").decode()
    assert get(files, range="bytes=10-", if_range=tag).status == 206
    assert get(files, range="bytes=10-", if_range='"other"').status == 200


def test_what_is_known_already_is_304(files: StaticFiles) -> None:
    tag = header(get(files), b"etag").decode()
    for known in (tag, f'"x", {tag}', "*"):
        answer = get(files, if_none_match=known)
        assert (answer.status, answer.body) == (304, b"")
    assert get(files, if_none_match='"other"').status == 200


def test_a_replaced_file_gets_another_tag_at_once(files: StaticFiles, tmp_path: Path) -> None:
    before = header(get(files, "metadata/timestamp.json"), b"etag")
    new = tmp_path / "new"
    new.write_bytes(b"[]")
    new.replace(tmp_path / "repository" / "metadata" / "timestamp.json")
    assert header(get(files, "metadata/timestamp.json"), b"etag") != before


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "metadata", "metadata/", "targets/stable", "staged/stable.json", "policy.json",
        "../server.key", "targets/../../server.key", "targets/../staged/stable.json",
        "targets//link",
        "targets/%2e%2e/x", "targets/..%2fserver.key", "targets/link", "targets/up/server.key",
        "targets/.hidden", "targets/pipe", "targets/\x00", "targets/a\\b", "/etc/passwd",
        "targets/" + "a" * 300, "targets/" + "a/" * 50, "metadata/timestamp.json/x",
        "targets/ä",
    ],
)  # fmt: skip
def test_nothing_but_the_published_files_can_be_reached(files: StaticFiles, path: str) -> None:
    assert get(files, path) == Answer(404)


def test_metadata_with_its_version_in_the_name_goes_out_without_a_tag(
    files: StaticFiles, tmp_path: Path
) -> None:
    (tmp_path / "repository/metadata/7.stable.json").write_bytes(b"{}")
    answer = get(files, "metadata/7.stable.json", accept_encoding="deflate")
    assert (answer.status, zlib.decompress(answer.body)) == (200, b"{}")
    assert b"etag" not in dict(answer.headers), "27 bytes of airtime for nothing"


def test_only_reading_is_allowed(files: StaticFiles) -> None:
    assert get(files, method="HEAD").status == 200
    for method in ("POST", "PUT", "DELETE"):
        assert get(files, method=method).status == 405


def test_metadata_goes_out_deflated_to_whoever_takes_that(files: StaticFiles) -> None:
    path = "metadata/timestamp.json"
    plain = get(files, path)
    coded = get(files, path, accept_encoding="gzip;q=1, deflate")
    assert zlib.decompress(coded.body) == plain.body
    assert header(coded, b"content-encoding") == b"deflate"
    assert header(plain, b"vary") == header(coded, b"vary") == b"accept-encoding"
    assert header(plain, b"etag") != header(coded, b"etag"), "another representation"
    tag = header(coded, b"etag").decode()
    again = get(files, path, accept_encoding="deflate", if_none_match=tag)
    assert (again.status, again.body) == (304, b"")
    assert get(files, path, if_none_match=tag).status == 200
    for refused in ("gzip", "deflate;q=0", "identity", "deflated"):
        assert get(files, path, accept_encoding=refused) == plain
    assert get(files, accept_encoding="deflate").body == CONTENT, "targets are packed already"


@pytest.mark.parametrize("coding", ["", "deflate"])
@pytest.mark.parametrize(
    "wanted",
    [
        "{tag}",
        "W/{tag}",
        '"x", {tag}',
        'W/"x",W/{tag} , "y"',
        '"a,b", {tag}',
        "*",
        " * ",
        '"",{tag}',
    ],
)
def test_a_known_tag_is_known_weak_or_in_a_list(
    files: StaticFiles, coding: str, wanted: str
) -> None:
    path = "metadata/timestamp.json"
    plain, coded = (
        header(get(files, path, accept_encoding=name), b"etag").decode() for name in ("", "deflate")
    )
    text = wanted.format(tag=coded if coding else plain)
    for method in ("GET", "HEAD"):
        answer = get(files, path, method, accept_encoding=coding, if_none_match=text)
        assert (answer.status, answer.body) == (304, b"")
        assert header(answer, b"etag").decode() == (coded if coding else plain)


@pytest.mark.parametrize(
    "wanted", ['"x"', "W/", "w/{tag}", "{bare}", 'x{tag}, "y"', '"x{bare}"', "", '"x" {tag}']
)
def test_another_tag_or_nonsense_is_not_known(files: StaticFiles, wanted: str) -> None:
    tag = header(get(files), b"etag").decode()
    text = wanted.format(tag=tag, bare=tag.strip('"'))
    assert get(files, if_none_match=text).status == 200


def test_a_range_that_depends_on_a_weak_tag_is_not_taken(files: StaticFiles) -> None:
    tag = header(get(files), b"etag").decode()
    assert get(files, range="bytes=0-9", if_range=tag).status == 206
    assert get(files, range="bytes=0-9", if_range="W/" + tag).status == 200
    assert get(files, range="bytes=0-9", if_range='"other"').status == 200
    assert get(files, "metadata/timestamp.json", range="bytes=0-0", if_range="x").status == 200
