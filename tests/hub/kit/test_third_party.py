"""Understands that an adapter of another package is used only if exactly its bytes conformed."""

from __future__ import annotations

import importlib.util
import json
import marshal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters import third_party
from adapters.registry import ADAPTERS, adapters_for
from hub.app import build
from hub.cli.main import main
from hub.errors import HubError
from mappings.types import load_types
from tests.hub.cli.installation import install
from tests.hub.kit.packages import installed, make

NAME = "nordpost"


@pytest.fixture
def stamps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "etc" / "adapters.json"
    monkeypatch.setenv("BRO_ADAPTERS", str(file))
    return file


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Path]:
    """The folder with the code of an installed package that conforms."""
    (tmp_path / "site").mkdir()
    with installed(make(tmp_path / "made", NAME), tmp_path / "site") as folder:
        yield folder


def conform(*more: str) -> int:
    return main(["adapter", "conform", NAME, "--made", "10", "--inputs", "60", *more])


def refused(stamps: Path) -> list[tuple[str, str]]:
    with pytest.raises(HubError) as told:
        third_party.enabled(third_party.read_stamps(stamps))
    assert told.value.code == "settings.invalid"
    return [(finding.at, finding.rule) for finding in told.value.findings]


def test_what_is_installed_is_off_and_not_even_run(
    package: Path, stamps: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (package / "__init__.py").write_text("raise SystemExit('this ran')")

    assert main(["adapter", "list", "--json"]) == 0

    rows = {row["adapter"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows[NAME]["in_use"] is False
    assert rows[NAME]["from"] == NAME
    assert third_party.enabled({}) == ()
    assert NAME not in sys.modules


def test_when_it_conformed_it_is_enabled_and_the_hub_reads_with_it(
    package: Path, stamps: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert conform("--enable") == 0

    types = load_types()
    registry = adapters_for(types, third_party.enabled(third_party.read_stamps(stamps)))
    body = (package / "examples" / "example.json").read_bytes()
    assert registry.recognise("application/json", body).name == NAME
    assert registry.by_name(NAME).parse(body).type == "opphold.loslatelsesdato"

    capsys.readouterr()
    assert main(["adapter", "list", "--json"]) == 0
    row = {row["adapter"]: row for row in json.loads(capsys.readouterr().out)}[NAME]
    assert (row["type"], row["media_types"], row["in_use"]) == (
        "opphold.loslatelsesdato",
        ["application/json"],
        True,
    )


def test_the_list_tells_which_has_changed_since(
    package: Path, stamps: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def row() -> str:
        capsys.readouterr()
        assert main(["adapter", "list"]) == 0
        [line] = [one for one in capsys.readouterr().out.splitlines() if one.split()[:1] == [NAME]]
        return line.strip()

    assert row().endswith(" no")
    assert conform("--enable") == 0
    assert row().endswith(" yes")
    with (package / "README.md").open("a") as changed:
        changed.write("\n")
    assert row().endswith(" changed since")


def test_without_enable_nothing_is_written(
    package: Path, stamps: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert conform() == 0
    assert "mistakes, not malice" in capsys.readouterr().out
    assert not stamps.exists()


READ = "return FORMAT.read(body)"
FAULTS = {
    "it loses a field": ("adapter.py", READ, "return Record(TYPE, {**FORMAT.read(body).fields, 'e': 'x'})"),
    "it breaks": ("adapter.py", READ, "return FORMAT.read(body.decode().encode())"),
    "it takes what is others'": ("adapter.py", 'sniff.at("format") == "nordpost/1"', "True"),
    "it is not pure": ("adapter.py", "from pathlib import Path", "from pathlib import Path\nimport socket"),
    "it opens files": ("adapter.py", READ, "open('/dev/null')\n    return FORMAT.read(body)"),
    "a field has no key": ("fields.json", '"planlagt_dato": "loslatelse.planlagt_dato",', ""),
    "the example is none": ("examples/example.json", '"nordpost/1"', '"nordpost/2"'),
    "the README says nothing": ("README.md", "| Recognised by |", "| Seen by |"),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("file", "old", "new"), FAULTS.values(), ids=FAULTS.keys())
def test_what_does_not_conform_is_not_enabled(
    package: Path, stamps: Path, file: str, old: str, new: str
) -> None:
    path = package / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))

    assert conform("--enable") != 0

    assert not stamps.exists()


def test_impure_code_is_refused_before_any_of_it_runs(package: Path, stamps: Path) -> None:
    (package / "__init__.py").write_text("import os\nraise SystemExit('this ran')")

    assert conform("--enable") == 2

    assert NAME not in sys.modules


@pytest.mark.parametrize("file", ["adapter.py", "fields.json", "README.md", "more.py", "examples/more.json"])
def test_a_package_that_changed_since_stops_the_hub_from_starting(
    package: Path, stamps: Path, file: str, tmp_path: Path
) -> None:
    assert conform("--enable") == 0
    with (package / file).open("a") as changed:
        changed.write("\n")

    assert refused(stamps) == [(f"adapters.{NAME}", "conformed")]
    (tmp_path / "hub").mkdir()
    made = install(tmp_path / "hub")
    settings = made.settings
    made.parts.store.close()
    with pytest.raises(HubError) as told:
        build(replace(settings, adapters=stamps))
    assert told.value.code == "settings.invalid"


@pytest.mark.parametrize("file", ["README.md", "adapter.py"])
def test_a_package_that_changed_conforms_anew_and_is_enabled_again(
    package: Path, stamps: Path, file: str
) -> None:
    assert conform("--enable") == 0
    before = third_party.read_stamps(stamps)
    with (package / file).open("a") as changed:
        changed.write("\n")
    assert refused(stamps) == [(f"adapters.{NAME}", "conformed")]
    assert main(["adapter", "show", NAME]) == 2  # everything else goes on refusing

    assert conform("--enable") == 0

    assert third_party.read_stamps(stamps).keys() == before.keys()
    assert third_party.read_stamps(stamps) != before
    assert [adapter.name for adapter in third_party.enabled(third_party.read_stamps(stamps))] == [NAME]


def test_a_package_that_changed_for_the_worse_stays_off(package: Path, stamps: Path) -> None:
    assert conform("--enable") == 0
    before = third_party.read_stamps(stamps)
    (package / "README.md").write_text("nothing")

    assert conform("--enable") == 1

    assert third_party.read_stamps(stamps) == before
    assert refused(stamps) == [(f"adapters.{NAME}", "conformed")]


def test_two_packages_that_changed_are_no_dead_end(package: Path, stamps: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with installed(make(tmp_path / "other-made", "sorpost"), tmp_path / "other") as other:
        assert conform("--enable") == 0
        enable = ["adapter", "conform", "sorpost", "--made", "2", "--inputs", "10", "--enable"]
        assert main(enable) == 0
        for folder in (package, other):
            (folder / "README.md").write_text((folder / "README.md").read_text() + "\n")

        assert conform("--enable") == 0
        assert refused(stamps) == [("adapters.sorpost", "conformed")]
        assert main(enable) == 0

        assert len(third_party.enabled(third_party.read_stamps(stamps))) == 2


def test_lint_tells_of_a_package_that_changed(
    package: Path, stamps: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert conform("--enable") == 0
    capsys.readouterr()
    main(["lint", "--json"])
    assert not [f for f in json.loads(capsys.readouterr().out)["faults"] if f["part"] == "adapters"]

    (package / "more.py").write_text("")

    main(["lint", "--json"])
    [fault] = [f for f in json.loads(capsys.readouterr().out)["faults"] if f["part"] == "adapters"]
    assert fault["at"] == f"adapters.{NAME}"


def test_a_package_that_is_gone_is_told(tmp_path: Path, stamps: Path) -> None:
    (tmp_path / "site").mkdir()
    with installed(make(tmp_path / "made", NAME), tmp_path / "site"):
        assert conform("--enable") == 0

    assert refused(stamps) == [(f"adapters.{NAME}", "installed")]


def test_a_stamp_for_another_contract_does_not_fit(
    package: Path, stamps: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert conform("--enable") == 0

    monkeypatch.setattr(third_party, "CONTRACT", "another")

    assert refused(stamps) == [(f"adapters.{NAME}", "conformed")]


def test_a_link_in_the_package_is_refused(package: Path, stamps: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text("")
    (package / "more.py").symlink_to(tmp_path / "elsewhere.py")

    assert conform("--enable") == 2
    assert not stamps.exists()


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', "{"])
def test_a_file_of_stamps_that_is_none_is_a_fault_of_the_settings(stamps: Path, text: str) -> None:
    stamps.parent.mkdir()
    stamps.write_text(text)

    with pytest.raises(HubError) as told:
        third_party.read_stamps(stamps)

    assert told.value.code == "settings.invalid"


def test_a_package_cannot_take_the_name_of_one_of_ours() -> None:
    with pytest.raises(HubError) as told:
        adapters_for(load_types(), ADAPTERS[:1])

    assert told.value.code == "settings.invalid"


def test_ours_are_not_enabled_by_a_stamp(stamps: Path) -> None:
    assert main(["adapter", "conform", "brik-xml", "--made", "1", "--inputs", "1", "--enable"]) == 2
    assert not stamps.exists()


def kept_by_python(file: Path, more: str) -> None:
    """What Python keeps beside a source file, and never compares with it again: the code with more in it."""
    source = file.read_bytes()
    compiled = compile(source.decode() + more, str(file), "exec")
    head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(source)
    kept = Path(importlib.util.cache_from_source(str(file)))
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(head + marshal.dumps(compiled))


@pytest.mark.parametrize("when", ["before it conforms", "after"])
def test_what_python_keeps_beside_the_files_is_not_run(
    package: Path, stamps: Path, tmp_path: Path, when: str
) -> None:
    mark = tmp_path / "ran"
    more = f"\nfrom pathlib import Path\nPath({str(mark)!r}).touch()\n"
    if when == "before it conforms":
        kept_by_python(package / "adapter.py", more)
    assert conform("--enable") == 0
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]
    kept_by_python(package / "adapter.py", more)

    [adapter] = third_party.enabled(third_party.read_stamps(stamps))

    assert adapter.name == NAME
    assert not mark.exists()


def test_no_folder_of_a_package_is_out_of_sight(package: Path, stamps: Path) -> None:
    (package / "tests").mkdir()
    (package / "tests" / "__init__.py").write_text("")
    (package / "tests" / "out.py").write_text("import socket\n")

    assert conform("--enable") == 2
    assert not stamps.exists()


def test_a_package_that_cannot_be_imported_is_refused_by_name(package: Path, stamps: Path) -> None:
    file = package / "adapter.py"
    file.write_text(file.read_text() + "\n1 / 0\n")
    third_party.write_stamp(stamps, next(found for found in third_party.offered() if found.name == NAME))

    assert refused(stamps) == [(f"adapters.{NAME}", "import")]


@pytest.mark.parametrize("suffix", [".pyc", ".so"])
def test_a_module_that_is_no_source_is_not_run(package: Path, stamps: Path, suffix: str) -> None:
    file = package / "adapter.py"
    source = file.read_bytes()
    head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(source)
    file.with_suffix(suffix).write_bytes(head + marshal.dumps(compile(source, str(file), "exec")))
    file.unlink()
    third_party.write_stamp(stamps, next(found for found in third_party.offered() if found.name == NAME))

    assert refused(stamps) == [(f"adapters.{NAME}", "import")]
