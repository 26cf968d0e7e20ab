"""Known findings have a reason, are shown, and must still occur."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.pacts.known import Known, KnownError, read, sort

ENTRY = Known(match="fuzz: POST /a .*", reason="not mended yet")


def test_a_known_finding_is_shown_with_its_reason_and_a_new_one_is_new() -> None:
    found = sort(["fuzz: POST /a 400", "fuzz: POST /b 400"], [ENTRY])
    assert found.known == [("fuzz: POST /a 400", "not mended yet")]
    assert found.new == ["fuzz: POST /b 400"]
    assert found.stale == []


def test_an_entry_that_no_longer_occurs_is_stale_unless_it_need_not() -> None:
    assert sort([], [ENTRY]).stale == [ENTRY]
    assert sort([], [Known(match="x", reason="y", always=False)]).stale == []


@pytest.mark.parametrize(
    "text",
    [
        '[[known]]\nmatch = "a"\nreason = " "',
        '[[known]]\nmatch = "a"',
        '[[known]]\nmatch = "("\nreason = "b"',
        '[[known]]\nmatch = "a"\nreason = "b"\nsince = "c"',
        "[[known",
    ],
)
def test_an_entry_without_a_reason_or_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "known.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(KnownError):
        read(path)


def test_the_file_of_the_project_can_be_read() -> None:
    assert all(entry.reason for entry in read())
