"""Understands that the generated pages say what the code says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.cli.main import main
from hub.errors import PROBLEMS
from hub.generated_docs import _NOTE, DOCS, PAGES, differing, errors_md, pages, settings_md, write
from mappings.agreements import load_agreements
from mappings.types import load_types


def test_the_pages_in_docs_are_the_ones_the_code_writes() -> None:
    assert differing() == ()


def test_the_command_tells_a_page_that_differs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adapter", "docs", "--check"]) == 0
    monkeypatch.setitem(PAGES, "errors.md", lambda: "other")

    assert main(["adapter", "docs", "--check"]) == 1
    assert "differs: docs/errors.md" in capsys.readouterr().out


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_the_pages_are_the_same_in_every_process(seed: str) -> None:
    """The order of a set is another one in each."""
    ask = "from hub.generated_docs import differing; print(*differing())"
    said = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=DOCS.parent,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == []


def test_a_changed_or_missing_page_is_noticed(tmp_path: Path) -> None:
    write(tmp_path)
    assert differing(tmp_path) == ()

    (tmp_path / "errors.md").write_text(errors_md() + " ", encoding="utf-8")
    (tmp_path / "settings.md").unlink()
    (tmp_path / "reference" / "type-gone.md").write_text(f"{_NOTE} of a type that is gone")

    assert differing(tmp_path) == ("errors.md", "settings.md", "reference/type-gone.md")
    (tmp_path / "reference" / "my-notes.md").write_bytes(b"of somebody, in latin-1: \xe5")
    (tmp_path / "reference" / "drafts").mkdir()
    write(tmp_path)
    assert differing(tmp_path) == ()
    assert (tmp_path / "reference" / "my-notes.md").exists()


def test_every_field_of_every_type_stands_with_labels_and_words_in_both_languages() -> None:
    for spec in load_types().values():
        rows = (DOCS / "reference" / f"type-{spec.name}.md").read_text(encoding="utf-8").splitlines()
        for field in spec.scalars:
            [row] = [row for row in rows if row.startswith(f"| `{field.path}` ")]
            assert field.says.nb in row
            assert field.says.en in row
            assert all(label.value in row for label in field.labels)


def test_every_agreement_says_of_every_field_where_it_goes_or_why_it_stays() -> None:
    types = load_types()
    for agreement in load_agreements(types):
        page = (DOCS / "reference" / f"agreement-{agreement.id}.md").read_text(encoding="utf-8")
        for path, carry in agreement.fields.items():
            assert f"| `{path}` |" in page
            assert carry.source is None or f"`{carry.source}`" in page
        for path, reason in agreement.dropped.items():
            assert f"| `{path}` | {reason} |" in page


def test_the_index_leads_to_every_page() -> None:
    index = (DOCS / "reference" / "README.md").read_text(encoding="utf-8")
    names = [name.rpartition("/")[2] for name in pages() if name.startswith("reference/")]

    assert [name for name in names if name != "README.md" and f"({name})" not in index] == []
    assert len(names) > 30


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
