"""Understands what somebody new is told who gets a line of the registry, an adapter.py or an example wrong:
the file, the line, and what to write instead; never a fault of the hub."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.cli.main import main
from hub.errors import HubError
from hub.kit.asked import unimportable

ROOT = Path(__file__).resolve().parents[3]
LAST = "    FIKS_KVITTERING,\n"


class Source:
    """The source as somebody new has it, with a format begun and its line in the registry."""

    def __init__(self, here: Path) -> None:
        self.here = here
        ignored = shutil.ignore_patterns("__pycache__")
        for name in ("adapters", "consent", "hub", "mappings"):
            shutil.copytree(ROOT / name, here / name, ignore=ignored)
        assert self.bro("adapter", "new", "nordpost", "--type", "opphold.loslatelsesdato")[0] == 0
        self.folder = here / "adapters" / "nordpost"
        self.registry = here / "adapters" / "registry.py"
        self._plain = self.registry.read_text()
        assert self._plain.count(LAST) == 1
        self._files = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}

    def line(self, line: str) -> None:
        self.registry.write_text(self._plain.replace(LAST, f"{LAST}    {line}\n"))

    def anew(self) -> None:
        shutil.rmtree(self.folder)
        for path, body in self._files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        self.line('*of("nordpost"),')

    def change(self, file: str, old: str, new: str) -> None:
        text = (self.folder / file).read_text()
        assert text.count(old) >= 1
        (self.folder / file).write_text(text.replace(old, new, 1))

    def bro(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "hub", *arguments],
            cwd=self.here,
            env={
                "PYTHONPATH": str(self.here),
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.here),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return Source(tmp_path_factory.mktemp("brobygger"))


@pytest.fixture
def source(whole: Source) -> Iterator[Source]:
    whole.anew()
    yield whole
    whole.anew()


LINES = {
    "a folder that is not there": ('*of("nordpsot"),', "a folder adapters/nordpsot with adapter.py", None),
    "no star": (
        'of("brik_xml"),',
        'every line of ADAPTERS to be adapters: `*of("folder"),`, with the star',
        None,
    ),
    "a bracket too many": ('*of("brik_xml")),', "a file that can be imported (", 1),
    "a word that is not there": ('*off("brik_xml"),', "a file that can be imported (", 0),
    "a name for a call": ("nordpost,", "a file that can be imported (", 0),
    "twice": ('*of("brik_xml"),', "a name that only one line gives", None),
}


@pytest.mark.parametrize(("line", "told", "below"), LINES.values(), ids=LINES.keys())
def test_a_wrong_line_of_the_registry_is_told_as_such(line: str, told: str, below: int | None) -> None:
    file = ROOT / "adapters" / "registry.py"
    text = file.read_text().replace(LAST, f"{LAST}    {line}\n")
    with pytest.raises((HubError, SyntaxError, NameError)) as raised:
        exec(compile(text, str(file), "exec"), {"__name__": "adapters.read_again"})

    error = raised.value if isinstance(raised.value, HubError) else unimportable(raised.value)

    assert error is not None
    assert error.code == "adapter.invalid"
    [finding] = error.findings
    assert finding.at.startswith("adapters/registry.py")
    assert finding.expected.startswith(told)
    assert below is None or finding.expected.endswith('has the form *of("folder"),')
    where = text.splitlines().index(f"    {line}") + 1
    assert finding.line == (None if below is None else where + below)


def test_a_fault_elsewhere_is_none_of_the_registry() -> None:
    with pytest.raises(NameError) as raised:
        exec(compile("nobody", str(ROOT / "hub" / "routes.py"), "exec"), {})

    assert unimportable(raised.value) is None
    assert unimportable(ValueError()) is None


@pytest.mark.parametrize("command", ["list", "docs"])
def test_the_command_line_says_so_too(source: Source, command: str) -> None:
    source.line('*off("nordpost"),')

    code, said = source.bro("adapter", command)

    assert code == 2
    assert said.startswith("adapter.invalid")
    assert "next: Correct what is listed" in said


FILES = {
    "no Python": (
        ("def parse(", "def parse(("),
        "adapters/nordpost/adapter.py {line}:1: expected Python that",
    ),
    "a missing function": (
        ("def render(", "def rendre("),
        "adapters/nordpost/adapter.py {made}:1: expected a file that can be imported; this line raises NameE",
    ),
    "no adapter of the name": (
        ("ADAPTER = ", "ADAPTR = "),
        "adapters/nordpost/adapter.py: expected ADAPTER = Adapter(...), or a tuple ADAPTERS of such",
    ),
}


@pytest.mark.parametrize(
    ("command", "change", "told"),
    [("conform" if number else "lint", *row) for number, row in enumerate(FILES.values())],
    ids=FILES.keys(),
)
def test_a_broken_adapter_is_told_by_its_line(
    source: Source, command: str, change: tuple[str, str], told: str
) -> None:
    lines = (source.folder / "adapter.py").read_text().splitlines()
    at = {
        word: next(n for n, text in enumerate(lines, 1) if text.startswith(word))
        for word in ("def parse", "    render,")
    }
    source.change("adapter.py", *change)

    code, said = source.bro("adapter", command, "nordpost")

    assert code == 2
    assert said.startswith("adapter.invalid")
    assert told.format(line=at["def parse"], made=at["    render,"]) in said


RAN = "\nfrom pathlib import Path as P; P('ran').write_text('')\n"


def test_what_is_not_pure_is_not_run_before_it_has_its_line(source: Source) -> None:
    source.line("# nothing yet")
    source.change("adapter.py", "\nTYPE = ", f"{RAN}\nTYPE = ")

    code, said = source.bro("adapter", "conform", "nordpost")

    assert code == 2
    assert "adapters/nordpost/adapter.py" in said
    assert "no write_text: bytes to record" in said
    assert not (source.here / "ran").exists()


def test_of_a_folder_of_the_wrong_shape_neither_function_is_run(source: Source) -> None:
    """Its line in the registry makes the hub import it; nothing more of it is run."""
    (source.folder / "README.md").unlink()
    for name in ("parse", "recognise"):
        start = (source.folder / "adapter.py").read_text().partition(f"def {name}(")[2].partition("\n")[0]
        body = f"def {name}({start}\n"
        source.change("adapter.py", body, f"{body}    raise SystemExit('it was run')\n")

    code, said = source.bro("adapter", "conform", "nordpost")

    assert code == 1
    assert "it was run" not in said
    assert "README.md: expected a file of that name [missing]" in said
    assert "the rest       not tried" in said
    assert "IT DOES NOT CONFORM." in said


def test_an_example_that_is_not_even_json_is_named_with_its_line(source: Source) -> None:
    (source.folder / "examples" / "more.json").write_text('{"format": "nordpost/1"\n "x": 1}\n')
    (source.folder / "examples" / "other.json").write_text('{"format": "sorpost/1"}\n')

    code, said = source.bro("adapter", "lint", "nordpost")

    assert code == 1
    assert said.count("examples/more.json body 2:2: expected well-formed JSON [well-formed]") == 1
    assert said.count("examples/other.json: expected what nordpost reads [recognised]") == 1
    assert "recognised     WRONG  2 faults" in said


def test_the_only_example_malformed_is_one_fault_and_the_rest_waits(source: Source) -> None:
    (source.folder / "examples" / "example.json").write_text("no JSON at all")

    code, said = source.bro("adapter", "conform", "nordpost")

    assert code == 1
    assert said.count("expected") == 1
    assert (
        "examples/example.json body: expected XML or a JSON object" in said or "what nordpost reads" in said
    )
    assert "the rest       not tried" in said


def test_a_wrong_value_in_an_example_is_told_once(source: Source) -> None:
    text = (source.folder / "examples" / "example.json").read_text()
    assert '"planlagt_dato": "2026-11-20"' in text
    source.change("examples/example.json", '"planlagt_dato": "2026-11-20"', '"planlagt_dato": "2026-13-45"')

    code, said = source.bro("adapter", "conform", "nordpost", "--made", "3", "--inputs", "30")

    assert code == 1
    assert said.count("loslatelse.planlagt_dato: expected a date") == 1
    assert "examples       WRONG  1 fault\n" in said


@pytest.mark.parametrize("deeper", [False, True])
def test_a_corpus_without_a_file_is_told_by_the_argument(
    tmp_path: Path, deeper: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    if deeper:
        (tmp_path / "a" / "b").mkdir(parents=True)

    assert main(["adapter", "corpus", str(tmp_path)]) == 2

    said = capsys.readouterr().err
    assert said.startswith("adapter.invalid")
    assert "DIR: expected a folder with at least one file [files]" in said
    assert "next: Name a folder that holds files." in said
