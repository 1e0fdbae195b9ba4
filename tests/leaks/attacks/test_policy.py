"""What the policy says: attacks 44 and 45. What no row names is refused, and half a policy is none."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from consent.decide import Ask, decide
from consent.policy_files import load_pack
from consent.rows import Effect, Pack, Relation
from hub.app import build
from hub.errors import HubError
from hub.message import ANY, Agency, Basis, Category, Consent, Item, Purpose, Sector, Verdict
from hub.parts import Parts
from hub.settings import Settings
from tests.leaks.attacking import accepted, agree, bare_brik, got, post_brik
from tests.leaks.lab import START, Lab

SHIPPED = Path(__file__).parents[3] / "consent" / "policy"

EVERYTHING = Consent(
    id="alt",
    version=1,
    permits=True,
    recorded_at=START,
    valid_from=START.date(),
    valid_to=None,
    senders=frozenset({ANY}),
    recipients=frozenset({ANY}),
    purposes=frozenset({ANY}),
    categories=frozenset({ANY}),
    signed=True,
    explained=True,
    form="skriftlig",
    text_version="1",
    recorder=Sector.PRISON_HEALTH,
)
"""Yes to everything, for everybody, for good."""


def _load(folder: Path) -> Pack:
    """The default pack of a folder of policy files."""
    return load_pack("strict", folder)


@pytest.mark.parametrize("category", list(Category))
def test_a_category_that_no_row_names_is_refused_whatever_was_signed(
    first: Parts, category: Category
) -> None:
    """Attack 44: as if it had been invented yesterday: no row has heard of it yet."""
    rows = tuple(replace(row, categories=row.categories - {category}) for row in first.pack.rows)
    for sender in (Sector.PRISON, Sector.PRISON_HEALTH, Sector.TSB, Sector.NAV_MUNICIPAL):
        for recipient in Sector:
            for purpose in Purpose:
                ask = Ask(
                    sender=Agency("310000019", "A", sender),
                    recipient=Agency("310000035", "B", recipient),
                    purpose=purpose,
                    basis=Basis.CONSENT,
                    agreement="a",
                    items=(Item("a", frozenset({category}), frozenset({category})),),
                    protected_address=False,
                    data_date=START.date(),
                    relations=frozenset(Relation),
                )
                decision = decide(ask, rows, [EVERYTHING], at=START, known_at=START)
                assert decision.paths(Verdict.PERMIT) == frozenset(), (sender, recipient, purpose)


def test_no_row_says_everything(first: Parts) -> None:
    """Attack 44: a row that names every category would let the next one through."""
    for row in (*first.pack.rows, *first.pack.drafts):
        if row.effect is not Effect.PROHIBIT:
            assert Category.UNKNOWN not in row.categories
            assert len(row.categories) < len(Category) - 1, row.ref


def test_a_field_that_is_added_tomorrow_goes_nowhere_by_itself(lab: Lab) -> None:
    """Attack 44: a value that the type does not declare, in a message that has every consent."""
    agree(lab, "nav", "housing", "school")
    fields = bare_brik()
    body = json.dumps({"type": "brik.kartlegging", **fields, "nytt_felt": "kanarifelt"}).encode()
    call = lab.post("prison", "application/json", body)
    assert call.status >= 400
    accepted(post_brik(lab, fields))
    lab.settle()
    assert len(got(lab, "nav")) == 1


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*.yaml"))


_TYPOS_OF_A_FILE = 5
"""Evenly spread; every other edit of every file is tried in tests/consent/test_policy_pack.py."""

_TOKEN = re.compile(r"[A-Za-z_][A-Za-z_]{3,}")


def _typos(text: str) -> Iterator[tuple[str, str]]:
    """The text with one letter of one word changed, for each different word that means something."""
    seen: set[str] = set()
    for number, line in enumerate(text.split("\n")):
        said = line.partition("#")[0]
        if re.match(r"\s*(-\s*)?(law|document|text|note|nb|en|why|approval|title)\b", said) or '"' in said:
            continue
        for found in _TOKEN.finditer(said):
            if found.group() in seen:
                continue
            seen.add(found.group())
            middle = found.start() + len(found.group()) // 2
            letter = "q" if said[middle] != "q" else "w"
            lines = text.split("\n")
            lines[number] = f"{line[:middle]}{letter}{line[middle + 1 :]}"
            yield f"{found.group()} in line {number + 1}", "\n".join(lines)


def _reach(pack: Pack) -> set[tuple[object, ...]]:
    """Everything the rows open, as far as a consent to everything would use it."""
    return {
        (row.effect, sender, recipient, purpose, category)
        for row in pack.rows
        if row.effect is not Effect.PROHIBIT
        for sender in row.senders
        for recipient in row.recipients
        for purpose in row.purposes
        for category in row.categories
    }


def test_no_typo_in_the_policy_opens_anything(first: Parts, tmp_path: Path) -> None:
    """Attack 45: one letter of every word that a row is made of. Refused; or, where the word is a name that
    means nothing to a decision, nothing is wider than before."""
    shutil.copytree(SHIPPED, tmp_path / "policy")
    before = _reach(_load(tmp_path / "policy"))
    refused = tried = 0
    for file in _files(tmp_path / "policy"):
        good = file.read_text(encoding="utf-8")
        typos = list(_typos(good))
        for what, bad in typos[:: max(1, len(typos) // _TYPOS_OF_A_FILE)]:
            tried += 1
            file.write_text(bad, encoding="utf-8")
            try:
                now = _reach(_load(tmp_path / "policy"))
            except HubError:
                refused += 1
                continue
            assert now <= before, (file.name, what)
        file.write_text(good, encoding="utf-8")
    assert tried >= 20
    assert refused > tried / 2


def test_a_hub_with_a_faulty_policy_does_not_start(
    first: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack 45: not with the rest of it, and not with the one before."""
    shutil.copytree(SHIPPED, tmp_path / "policy")
    monkeypatch.setattr("hub.app.load_pack", lambda _: _load(tmp_path / "policy"))
    for file in _files(tmp_path / "policy"):
        file.write_text(file.read_text().replace("effect: CONSENT", "effect: CONSNT", 1))
    directory = Path(str(first.store.engine.url.database)).parent / "directory.yaml"
    with pytest.raises(HubError) as refused:
        build(Settings(store=f"sqlite:///{tmp_path}/x.sqlite", keys=tmp_path / "keys", directory=directory))
    assert refused.value.code == "policy.invalid"
