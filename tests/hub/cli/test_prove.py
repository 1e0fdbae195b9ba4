"""`bro prove freetext` says what it found, and its exit code whether every probe came out as stated."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from consent.probes import PROBES
from hub.cli.main import main

HEAD = "sentence,expected_max_strength,note\n"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["prove", "freetext", *arguments])
    return code, capsys.readouterr().out


def test_our_own_probes_hold(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "--json")
    told = json.loads(out)

    assert (code, told["holds"], told["false_negatives"], told["false_positives"]) == (0, True, [], [])
    rows = list(csv.DictReader(PROBES.read_text(encoding="utf-8").splitlines()))
    assert told["probes"] == told["as_stated"] == len(rows) >= 150
    assert {"strength S", "strength M", "strength W", "any"} <= {score["class"] for score in told["scores"]}
    assert min(Counter(row["expected_max_strength"] for row in rows).values()) >= 5


def test_a_probe_that_differs_is_named_by_its_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    probes = tmp_path / "p.csv"
    probes.write_text(HEAD + "Trenger bolig,S,\nHar metadon,0,\nHar heroin,S,\nBolig,normalise,\n", "utf-8")

    code, out = run(capsys, "--probes", str(probes), "--json")
    told = json.loads(out)

    assert code == 1
    assert [(row["row"], row["expected"], row["found"]) for row in told["false_negatives"]] == [
        (2, "S", "0"),
        (5, "normalise", "0"),
    ]
    assert [(row["row"], row["expected"], row["found"]) for row in told["false_positives"]] == [(3, "0", "S")]
    strong = next(score for score in told["scores"] if score["class"] == "strength S")
    assert (strong["stated"], strong["found"], strong["both"]) == (2, 2, 1)
    assert (strong["precision"], strong["recall"]) == (0.5, 0.5)


def test_the_table_names_the_rows_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    probes = tmp_path / "p.csv"
    probes.write_text(HEAD + "Trenger bolig,S,\n", "utf-8")

    code, out = run(capsys, "--probes", str(probes))

    assert code == 1
    assert "0 of 1 sentences as stated" in out
    assert "row 2" in out


@pytest.mark.parametrize(
    "text", ["", HEAD, HEAD + "Hei,X,\n", "a,b\n1,2\n", "sentence,expected_max_strength\n\xff,S\n"]
)
def test_a_file_that_cannot_be_read_is_neither(tmp_path: Path, text: str) -> None:
    probes = tmp_path / "p.csv"
    probes.write_text(text, "latin-1")

    assert main(["prove", "freetext", "--probes", str(probes)]) == 2
    assert main(["prove", "freetext", "--probes", str(tmp_path / "none.csv")]) == 2
