"""Whose folder it is: the same work's, nobody's, or another's."""

from __future__ import annotations

import pytest

from manifests.errors import GristmillError
from storage.destination import BEGUN, begin_destination, check_apart, check_destination

PURPOSE = {"command": "export", "settings": {"a": 1}, "inputs": {"shards": "ab"}}


def test_an_empty_folder_is_taken_once(tmp_path) -> None:
    folder = str(tmp_path / "new")
    assert not check_destination(folder, purpose=PURPOSE)
    begin_destination(folder, purpose=PURPOSE)
    (tmp_path / "new" / "half").write_text("of a file")
    assert check_destination(folder, purpose=PURPOSE)
    begin_destination(folder, purpose=PURPOSE)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [BEGUN, "half"]


def test_another_purpose_is_named(tmp_path) -> None:
    begin_destination(str(tmp_path), purpose=PURPOSE)
    for other, named in (
        ({**PURPOSE, "command": "import"}, "command"),
        ({**PURPOSE, "inputs": {}, "settings": {}}, "inputs, settings"),
        ({"command": "export"}, "inputs, settings"),
    ):
        with pytest.raises(GristmillError, match=f"other {named}\n"):
            check_destination(str(tmp_path), purpose=other)


def test_what_is_not_empty_or_not_understood_is_refused(tmp_path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a").write_text("")
    with pytest.raises(GristmillError, match="it holds below"):
        begin_destination(str(tmp_path), purpose=PURPOSE)
    (tmp_path / "below" / "a").unlink()
    with pytest.raises(GristmillError, match="Not a directory"):
        check_destination("/dev/null", purpose=PURPOSE)
    for data in (b"", b"[]", b"\xff"):
        (tmp_path / BEGUN).write_bytes(data)
        with pytest.raises(GristmillError, match="cannot be understood"):
            begin_destination(str(tmp_path), purpose=PURPOSE)


def test_a_folder_in_a_place_that_is_read_is_refused(tmp_path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    places = [str(tmp_path / "in"), "s3://bucket/in/"]
    for out in (tmp_path / "in", tmp_path / "in" / "a" / "b", tmp_path / "link" / "a", "s3://bucket/in/a"):
        with pytest.raises(GristmillError, match="which is read"):
            check_apart(str(out), places)
    for out in (tmp_path, tmp_path / "in2", "s3://bucket/in2", "s3://bucket"):
        check_apart(str(out), places)
