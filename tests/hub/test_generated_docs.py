"""Understands that the generated pages say what the code says."""

from __future__ import annotations

from pathlib import Path

from hub.errors import PROBLEMS
from hub.generated_docs import PAGES, differing, errors_md, settings_md


def test_the_pages_in_docs_are_the_ones_the_code_writes() -> None:
    assert differing() == ()


def test_a_changed_or_missing_page_is_noticed(tmp_path: Path) -> None:
    for name, page in PAGES.items():
        (tmp_path / name).write_text(page(), encoding="utf-8")
    assert differing(tmp_path) == ()

    (tmp_path / "errors.md").write_text(errors_md() + " ", encoding="utf-8")
    (tmp_path / "settings.md").unlink()

    assert differing(tmp_path) == ("errors.md", "settings.md")


def test_every_code_stands_once_with_its_words_in_both_languages() -> None:
    page = errors_md()

    for code, problem in PROBLEMS.items():
        row = [line for line in page.splitlines() if line.startswith(f"| `{code}` ")]
        assert len(row) == 1
        assert problem.title in row[0]
        assert problem.nb in row[0]


def test_secrets_are_marked_as_readable_from_a_file() -> None:
    assert "| `BRO_STORE` † |" in settings_md()
    assert "| `BRO_ISSUER` |" in settings_md()
