"""`bro consent`: vectors compared, and the decision asked about a person or a message."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from consent.rows import Obligation
from hub.errors import PROBLEMS
from hub.message import Category, Sector
from tests.consent.test_vectors import ASKED, written
from tests.hub.cli.conftest import Said
from tests.hub.cli.installation import CANARY, PERSON, PRISON, Installation, mapping_form

Bro = Callable[..., Said]
THEN = ("--at", "2031-03-02T12:00:00+01:00")  # when the installation of these tests is
ABOUT = ("--recipient", "nav_municipal", "--purpose", "return_to_society")
BOTH = frozenset({"tsb", "risk", "person", "plan"})
"""Codes that are words, or parts of words, of bokmål, too."""


@pytest.fixture
def number(tmp_path: Path) -> str:
    path = tmp_path / "person.txt"
    path.write_text(f"{PERSON}\n")
    return str(path)


def test_vectors_that_hold_end_with_0_and_others_with_1(bro: Bro, tmp_path: Path) -> None:
    path = str(written(tmp_path, [ASKED]))
    assert bro("consent", "check-vectors", path).code == 0
    assert "1 of 1 as expected" in bro("consent", "check-vectors", path, "--pack", "strict").out

    wrong = {**ASKED, "expected": {"decision": "deny", "reason": "CONSENT"}}
    odd = {**ASKED, "id": "Y", "request": {"mood": "good"}}
    said = bro("consent", "check-vectors", str(written(tmp_path, [wrong, odd])), "--json")

    assert said.code == 1
    told = json.loads(said.out)
    assert told["counts"] == {"differs": 1, "not understood": 1}
    assert [row["holds"] for row in told["vectors"]] == [False, False]
    assert told["vectors"][1]["not_understood"] == ["request.mood"]


def test_a_file_that_holds_no_vectors_ends_with_2(bro: Bro, tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text('{"vectors": 7}')

    for name in ("odd.json", "missing.json"):
        said = bro("consent", "check-vectors", str(tmp_path / name))
        assert (said.code, said.out) == (2, "")


def test_what_would_go_to_whom_is_told_with_row_and_consent(
    bro: Bro, installed: Installation, number: str
) -> None:
    installed.consent()

    said = bro("consent", "explain", "--person-file", number, *ABOUT, *THEN, "--sender", "prison", "--json")

    assert said.code == 0
    (answer,) = json.loads(said.out)
    told = {path: one for one in answer["answers"] for path in one["paths"]}
    assert (told["work"]["goes"], told["work"]["code"]) == (True, "decide.consent")
    assert told["work"]["rows"]
    assert told["work"]["consents"]
    assert not told["substance_use"]["goes"]
    assert PERSON not in said.out


def test_the_number_may_come_from_stdin_and_the_language_be_chosen(
    bro: Bro, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PERSON.encode())))

    said = bro("consent", "explain", "--person-file", "-", *ABOUT, "--language", "en")

    assert said.code == 0
    assert "Does not go: " in said.out


def test_senders_with_the_same_answers_share_a_block_and_no_code_is_shown_in_bokmal(
    bro: Bro, number: str
) -> None:
    asked = ("consent", "explain", "--person-file", number, "--recipient", "gp", "--purpose", "treatment")

    plain, formal, told = bro(*asked).out, bro(*asked, "--formal").out, bro(*asked, "--json").out

    headings = [line for line in plain.splitlines() if line.endswith(" -> fastlege")]
    senders = [name for line in headings for name in line.removesuffix(" -> fastlege").split(", ")]
    assert len(senders) == len(set(senders)) == len(json.loads(told)) > 2 * len(headings)
    assert "fengsel" in next(line for line in headings if "domstol" in line)
    for code in {*Category, *Sector, *Obligation}:
        said = re.search(rf"\b{code}\b", plain)
        assert said is None or code in BOTH, code
    assert "substance_use" in formal
    assert "prison_health -> gp" in formal


def test_senders_for_whom_no_row_opens_anything_come_last(bro: Bro, number: str) -> None:
    asked = ("consent", "explain", "--person-file", number, "--recipient", "gp", "--purpose", "treatment")

    blocks = re.split(r"\n(?=\S)", bro(*asked, "--language", "en").out.strip())

    never = {f"    Does not go: {PROBLEMS['decide.no-row'].title}"}
    closed = [set(re.findall(r"^    .*", block, re.MULTILINE)) <= never for block in blocks]
    assert closed.index(True) > 0
    for block in blocks[closed.index(True) :]:
        assert "Goes: " not in block
        assert "no consent" not in block


def test_a_withdrawal_is_tried_without_being_made(bro: Bro, installed: Installation, number: str) -> None:
    installed.consent()
    asked = (
        "consent",
        "explain",
        "--person-file",
        number,
        *ABOUT,
        *THEN,
        "--sender",
        PRISON,
        "--category",
        "work",
    )

    without = bro(*asked, "--if-withdrawn", "skjema-1", "--formal")
    now = bro(*asked, "--formal")

    assert "deny decide.withdrawn" in without.out
    assert "permit decide.consent" in now.out


def test_a_whole_message_is_tried(bro: Bro, installed: Installation, tmp_path: Path) -> None:
    installed.consent()
    (tmp_path / "brik.json").write_text(json.dumps(mapping_form(1)))

    said = bro("consent", "explain", "--message", str(tmp_path / "brik.json"), "--sender", PRISON, "--json")

    told = {a["recipient"]: a for a in json.loads(said.out)}
    kept = {p: one for one in told["NAV Elvestad"]["answers"] for p in one["paths"]}
    assert kept["arbeid.behov"]["code"] == "decide.no-consent"  # recorded years from now
    assert CANARY not in said.out
    assert installed.to_nav() == []


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--person-file", "nowhere.txt", *ABOUT),
        ("--person-file", "nowhere.txt"),
        ("--message", "nowhere.json"),
        ("--message", "nowhere.json", "--sender", PRISON),
    ],
)
def test_what_cannot_be_asked_ends_with_2(bro: Bro, arguments: tuple[str, ...]) -> None:
    assert bro("consent", "explain", *arguments).code == 2


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("explain", "--person-file", "nowhere.txt", *ABOUT), "--person-file"),
        (("explain", "--message", "nowhere.json", "--sender", PRISON), "--message"),
        (("list", "--person-file", "nowhere.txt"), "--person-file"),
    ],
)
def test_a_file_that_is_not_there_is_told_by_its_option(
    bro: Bro, installed: Installation, arguments: tuple[str, ...], option: str
) -> None:
    said = bro("consent", *arguments)

    assert said.code == 2
    assert option in said.err
    assert "address" not in said.err


@pytest.mark.parametrize(
    "held",
    ["", "1", "12345 678901", "1" * 12, "1" * 5_000, "\u0661" * 11, "\ud83d", "15859010098", "34567890123"],
)
def test_what_is_no_number_is_told_by_its_option(bro: Bro, tmp_path: Path, held: str) -> None:
    file = tmp_path / "person.txt"
    file.write_bytes(held.encode("utf-8", "surrogatepass"))

    for command in (("explain", *ABOUT), ("list",)):
        said = bro("consent", *command, "--person-file", str(file))
        assert said.code == 2
        assert (
            "--person-file: expected an identity number with valid check digits and nothing else" in said.err
        )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--recipient", "circus", "--purpose", "treatment"),
        ("--recipient", "gp", "--purpose", "fun"),
        (*ABOUT, "--category", "moods"),
        (*ABOUT, "--category", "unknown"),
        (*ABOUT, "--at", "2026-07-01T00:00:00"),
        (*ABOUT, "--known-at", "yesterday"),
        (*ABOUT, "--sender", "prison", "--if-withdrawn", "no such"),
    ],
)
def test_words_that_nobody_knows_end_with_2(bro: Bro, number: str, arguments: tuple[str, ...]) -> None:
    assert bro("consent", "explain", "--person-file", number, *arguments).code == 2


@pytest.mark.parametrize(
    ("arguments", "place", "step"),
    [
        (("--recipient", "gp", "--purpose", "treatment", "--sender", "circus"), "--sender", "--help"),
        (("--recipient", "circus", "--purpose", "treatment"), "--recipient", "--help"),
        (("--recipient", "gp", "--purpose", "fun"), "--purpose", "--help"),
        ((*ABOUT, "--sender", "prison", "--if-withdrawn", "no such"), "no such consent", "bro consent list"),
    ],
)
def test_a_wrong_word_is_told_by_its_option_with_what_to_do(
    bro: Bro, number: str, arguments: tuple[str, ...], place: str, step: str
) -> None:
    said = bro("consent", "explain", "--person-file", number, *arguments)

    assert place in said.err
    assert step in said.err.splitlines()[-1]
    assert "circus" not in said.err


def test_who_and_what_is_not_there_is_told_with_what_to_do(bro: Bro, tmp_path: Path) -> None:
    samples = str(Path(__file__).resolve().parents[3] / "adapters/brik_xml/examples")
    told = {
        ("consent", "receipt", "NOPE"): "bro consent list",
        ("consent", "user", "kari", "--name", "K", "--agency", "NOPE", "--role", "reader"): "BRO_DIRECTORY",
        ("adapter", "corpus", samples, "--schemas", str(tmp_path)): "XSD files",
        ("map", "preview", f"{samples}/kartlegging.xml", "--to", "dialog-nav"): "bro map agreements",
    }
    for arguments, step in told.items():
        said = bro(*arguments)
        assert said.code == 2, arguments
        assert step in said.err.splitlines()[-1], arguments
    assert "takes brik.kartlegging" in said.err
    assert "dialog-nav takes dialogmelding" in said.err
