"""The neutral decision vectors: the shared ones, more of ours, and what the reader refuses to pass over."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from consent.policy_files import load_pack
from consent.rows import Pack
from consent.texts import load_texts
from consent.vector_files import load_words, read_vectors
from consent.vectors import Result, check
from hub.errors import PROBLEMS, HubError

SHARED = Path(__file__).parents[3] / "shared" / "consent" / "fixtures" / "decision_vectors.json"
MORE = Path(__file__).parent / "vectors_more.json"
CONSENT = {
    "id": "C1", "version": 1, "status": "active", "decision": "permit", "person": "P1",
    "recorded": "2026-03-01T10:00:00+01:00", "valid_from": "2026-03-01", "valid_to": "2027-03-01",
    "sender": "*", "recipient": "*", "purpose": "*", "category": "*", "data_period": None, "signed": True,
    "exceptions": [],
}  # one row per case # fmt: skip
REQUEST = {
    "person": "P1", "sender": "prison_probation", "recipient": "municipality_housing",
    "purpose": "housing", "category": "substance_use", "data_date": "2026-05-01",
    "now": "2026-06-01T12:00:00+02:00",
}  # one row per case # fmt: skip
PACKS = ["statutory", "strict"]


@cache
def pack(name: str) -> Pack:
    return load_pack(name)


def run(path: Path, name: str) -> tuple[Result, ...]:
    return check(read_vectors(path), pack(name), load_texts(), load_words(), strict=name == "strict")


def written(folder: Path, vectors: list[dict[str, Any]], **top: Any) -> Path:
    """A vector file in which each vector says only what it changes."""
    path = folder / "vectors.json"
    whole = [
        {
            **vector,
            "request": {**REQUEST, **vector["request"]},
            "consents": [{**CONSENT, **c} if isinstance(c, dict) else c for c in vector["consents"]],
        }
        for vector in vectors
    ]
    path.write_text(json.dumps({"tz": "Europe/Oslo", "pack": "statutory", "vectors": whole, **top}))
    return path


@pytest.mark.parametrize("name", PACKS)
def test_the_shared_vectors_hold(name: str, absent_reference: Callable[[str, int], None]) -> None:
    if not SHARED.is_file():
        absent_reference(SHARED.name, 42)
        return

    results = run(SHARED, name)

    assert {r.vector.id: (r.got, r.differs) for r in results if not r.holds} == {}
    assert len(results) == 42


@pytest.mark.parametrize("name", PACKS)
def test_our_own_vectors_hold(tmp_path: Path, name: str) -> None:
    vectors = json.loads(MORE.read_text())["vectors"]

    results = run(written(tmp_path, vectors), name)

    assert {r.vector.id: (r.got, r.differs) for r in results if not r.holds} == {}
    assert len(results) == len(vectors)


ASKED = {"id": "X", "consents": [{}], "request": {}, "expected": {"decision": "permit", "reason": "CONSENT"}}


@pytest.mark.parametrize(
    "change",
    [
        {"request": {"mood": "good"}},
        {"request": {"items": [{"colour": "red"}]}},
        {"request": {"items": []}},
        {"request": {"override": {"by": "HPR:1", "moon": "full"}}},
        {"request": {"person_links": [{"from": "P1"}]}},
        {"request": {"now": "yesterday"}},
        {"request": {"now": None}},
        {"request": {"data_date": "2026-02-30"}},
    ],
)
def test_what_is_not_understood_is_answered_no_and_counted(tmp_path: Path, change: dict[str, Any]) -> None:
    (result,) = run(written(tmp_path, [{**ASKED, **change}]), "statutory")

    assert not result.holds
    assert result.got.faults
    assert result.got.decision == "deny"


@pytest.mark.parametrize(
    ("expected", "differs"),
    [
        ({"decision": "deny", "reason": "CONSENT"}, "decision"),
        ({"decision": "permit", "reason": "OBJECTION"}, "reason"),
        ({"decision": "permit", "reason": "CONSENT", "consent": "C9/1"}, "consent"),
        ({"decision": "permit", "reason": "CONSENT", "alarm": True}, "alarm"),
        ({"decision": "permit", "reason": "CONSENT", "released": ["housing_need"]}, "released"),
        ({"decision": "permit", "reason": "CONSENT", "route": "manual_review"}, "route"),
        ({"decision": "maybe", "reason": "CONSENT"}, "expected.decision is not understood"),
        ({"decision": "permit", "reason": "CONSENT", "smell": 1}, "expected.smell is not understood"),
    ],
)
def test_every_difference_is_seen(tmp_path: Path, expected: dict[str, Any], differs: str) -> None:
    (result,) = run(written(tmp_path, [{**ASKED, "expected": expected}]), "statutory")

    assert differs in result.differs


def test_a_strange_word_for_a_reason_stands_for_one_code_only(tmp_path: Path) -> None:
    odd = {**ASKED, "expected": {"decision": "deny", "reason": "ODD"}}
    expired, refused = {"valid_to": "2026-05-01"}, {"grantor": "guardian"}
    vectors = [{**odd, "id": str(i), "consents": [c]} for i, c in enumerate((refused, refused, expired))]

    one, two, three = run(written(tmp_path, vectors), "statutory")

    assert (one.holds, two.holds, three.holds) == (True, True, False)
    assert (one.learned, two.learned) == (True, False)


def broken(change: Callable[[dict[str, Any]], Any]) -> bytes:
    root = {"vectors": [{**ASKED, "request": REQUEST, "consents": [CONSENT]}]}
    change(root)
    return json.dumps(root).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        broken(lambda root: None).replace(b'{"vectors"', b'{"vectors": [], "vectors"'),
        b"\xff",
        broken(lambda root: root.update(vectors=[])),
        broken(lambda root: root.update(tz="UTC")),
        broken(lambda root: root.update(pack="strict")),
        broken(lambda root: root.update(extra=1)),
        broken(lambda root: root["vectors"].append(root["vectors"][0])),
        broken(lambda root: root["vectors"].append(7)),
        broken(lambda root: root["vectors"][0].update(extra=1)),
        broken(lambda root: root["vectors"][0].pop("consents")),
        broken(lambda root: root["vectors"][0].update(consents={})),
        broken(lambda root: root["vectors"][0].update(request=[])),
    ],
)
def test_a_file_that_is_no_vector_file_is_refused(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "vectors.json"
    path.write_bytes(body)

    with pytest.raises(HubError, match=r"vectors\.invalid") as refused:
        read_vectors(path)

    assert refused.value.findings


def test_the_reasons_lead_one_to_one_to_codes() -> None:
    reasons = load_words().reasons

    assert len(set(reasons.values())) == len(reasons)
    assert {code for code in reasons.values() if code not in PROBLEMS} == {"per-item", "reduced"}
