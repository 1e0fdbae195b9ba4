"""Understands that a consent text is found by its name and day, and that a faulty file is refused whole."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

from consent.texts import LANGUAGES, approved, in_language, load_texts
from hub.errors import HubError

GOOD = """- {id: "a", edition: "1", language: "nb", approved_from: 2026-01-01, approved_to: 2026-06-30, words: "ja"}
- {id: "a", edition: "2", language: "nb", approved_from: 2026-07-01, approved_to: null, words: "nei"}
"""


def written(tmp_path: Path, body: str) -> Path:
    path = tmp_path / "texts.yaml"
    path.write_text(body, encoding="utf-8")
    return path


def test_every_shipped_edition_is_in_every_language() -> None:
    refs = {text.ref for text in load_texts()}

    assert refs
    assert all(in_language(ref, language) for ref in refs for language in LANGUAGES)


@pytest.mark.parametrize(
    ("ref", "day", "counts"),
    [
        ("a-1", date(2026, 1, 1), True),
        ("a-1", date(2026, 6, 30), True),
        ("a-1", date(2026, 7, 1), False),
        ("a-2", date(2026, 6, 30), False),
        ("a-2", date(2036, 7, 1), True),
        ("a", date(2026, 7, 1), False),
        ("", date(2026, 7, 1), False),
    ],
)
def test_an_edition_counts_on_the_days_it_was_approved(
    tmp_path: Path, ref: str, day: date, counts: bool
) -> None:
    assert approved(ref, day, load_texts(written(tmp_path, GOOD))) is counts


def test_the_digest_is_that_of_the_words(tmp_path: Path) -> None:
    text = in_language("a-1", "nb", load_texts(written(tmp_path, GOOD)))

    assert text is not None
    assert text.digest == hashlib.sha256(b"ja").hexdigest()
    assert in_language("a-1", "en", load_texts(written(tmp_path, GOOD))) is None


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('words: "ja"', 'words: ""', "text"),
        ('language: "nb"', 'language: "no"', "code"),
        ("2026-06-30", "2025-06-30", "period"),
        ('edition: "2"', 'edition: "1"', "duplicate"),
        ('edition: "2"', "edition: 2", "text"),
        ("approved_to: null", "approvd_to: null", "unknown-key"),
    ],
)
def test_a_faulty_file_is_refused_whole(tmp_path: Path, old: str, new: str, rule: str) -> None:
    with pytest.raises(HubError) as refused:
        load_texts(written(tmp_path, GOOD.replace(old, new)))

    assert rule in {finding.rule for finding in refused.value.findings}
