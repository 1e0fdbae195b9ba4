"""Understands that every KITH message reads a UUID in another form, and a patient's number with a blank in
the middle, where its sender may: as the same, with the same checks.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import adapters
from adapters.base import Adapter
from adapters.kith.datatypes import in_one, plain_uuid
from adapters.kith.message import deviations
from adapters.kith.receipts import receipt_codes
from adapters.kith.rules import message_uuid, sent_as
from adapters.registry import adapters_for
from hub.errors import HubError
from mappings.types import load_types

REGISTRY = adapters_for(load_types())
FOLDERS = ("kith_dialog", "kith_epikrise", "kith_henvisning", "kith_plo", "nav_dialog")
HOME = Path(adapters.__file__).parent
FILES = sorted(path for folder in FOLDERS for path in (HOME / folder / "examples").iterdir())
_MSG_ID = re.compile(rb"(<(?:\w+:)?MsgId>)([^<]*)(</)")
ANY_ID = ("kith-epikrise-1.1", "kith-henvisning-1.0", "kith-henvisning-1.1")
"""There the id of a message may be any text."""


def read(body: bytes) -> tuple[Adapter, list[str]]:
    """The adapter, and the rules by which it refuses the body."""
    adapter = REGISTRY.recognise("application/xml", body)
    try:
        adapter.parse(body)
    except HubError as refused:
        return adapter, [*receipt_codes(refused), *(finding.rule for finding in refused.findings)]
    return adapter, []


def leniently(body: bytes) -> tuple[object, list[str]]:
    adapter = REGISTRY.recognise("application/xml", body)
    assert adapter.lenient is not None
    record, told = adapter.lenient(body, tuple(deviations()))
    return record, [finding.rule for finding in told]


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parents[1].name}/{file.stem}")
def test_a_number_with_a_blank(file: Path) -> None:
    body = file.read_bytes()
    record = read(body)[0].parse(body)
    number = record.get("person.id")
    split = body.replace(f">{number}<".encode(), f">{number[:6]} {number[6:]}<".encode()) if number else body
    wrong = split.replace(f"{number[6:]}<".encode(), b"00000<") if number else body

    expected = ["E31", "person-number-blank"] if number else []
    assert read(split)[1] == expected
    assert leniently(split) == (record, expected[1:])
    if number:
        with pytest.raises(HubError) as refused:
            leniently(wrong)
        assert [finding.rule for finding in refused.value.findings] == ["person-number"]


@pytest.mark.parametrize("form", [b"{%s}", b"urn:uuid:%s"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parents[1].name}/{file.stem}")
def test_an_id_in_another_form(file: Path, form: bytes) -> None:
    body = file.read_bytes()
    plain = message_uuid(str(read(body)[0].parse(body).get("melding.id"))).encode()
    body = _MSG_ID.sub(lambda found: found[1] + plain + found[3], body, count=1)
    other = _MSG_ID.sub(lambda found: found[1] + form % found[2] + found[3], body, count=1)
    adapter, rules = read(other)

    if adapter.name in ANY_ID:
        assert rules == []
        there = adapter.parse(adapter.render(adapter.parse(other)))
        assert there.get("melding.id") == plain.decode()
        return
    assert rules == ["E10", "msgid-form"]
    assert leniently(other) == (adapter.parse(body), ["msgid-form"])


UUID = "6f5a6d0e-2a0c-4a9e-9a38-0a8c5f0b7c11"
FORMS: dict[str, str | None] = {
    UUID: UUID,
    f"{{{UUID}}}": UUID,
    f"urn:uuid:{UUID}": UUID,
    f"URN:UUID:{UUID.upper()}": UUID.upper(),
    f"{{{UUID}": None,
    f"{UUID}}}": None,
    f"{{urn:uuid:{UUID}}}": None,
    f"urn:uuid:{{{UUID}}}": None,
    f"urn:{UUID}": None,
    f"({UUID})": None,
    f"{UUID} ": None,
    UUID.replace("-", ""): None,
    "": None,
}


@pytest.mark.parametrize("said", FORMS)
def test_which_forms_of_a_uuid_are_known(said: str) -> None:
    assert plain_uuid(said) == FORMS[said]


def test_a_reference_finds_our_message_in_every_form_of_its_uuid() -> None:
    ours = "abcdefghijklmnopqrstuvwxya"
    sent = message_uuid(ours)

    assert {sent_as(said) for said in (ours, sent, f"{{{sent}}}", f"urn:uuid:{sent}")} == {sent_as(sent)}
    assert message_uuid(f"{{{sent}}}") == message_uuid(f"urn:uuid:{sent}") == sent


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("158590 10099", "15859010099"),
        ("15859010099", "15859010099"),
        ("1585 9010099", "1585 9010099"),
        ("158590  10099", "158590  10099"),
        ("158590\t10099", "158590\t10099"),
        ("158590 1009", "158590 1009"),
        ("158590-10099", "158590-10099"),
        (" 158590 10099", " 158590 10099"),
    ],
)
def test_one_blank_after_the_sixth_digit_is_taken_away_and_nothing_else(said: str, expected: str) -> None:
    assert in_one(said) == expected
