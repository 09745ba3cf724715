"""Fixtures of the release manager's tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.release import image as images


@pytest.fixture(scope="module")
def an_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release image of some earlier commit, number 7, security version 2."""
    manifest = {
        "release": 7, "version": "1.7.0", "commit": "0123456789abcdef", "built": 1790000000,
        "security_version": 2, "hardware_class": "duka-r1",
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("image")
    (folder / "stage").mkdir()
    (folder / "stage/manifest.json").write_text(json.dumps(manifest))
    (folder / "7.romfs").write_bytes(images.romfs_of(folder / "stage"))
    return folder / "7.romfs"
