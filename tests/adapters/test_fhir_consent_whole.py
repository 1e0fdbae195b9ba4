"""Understands that a consent is read and written to the last word, and what each code is worth."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from adapters.fhir_consent.adapter import ADAPTERS
from hub.errors import HubError
from hub.message import Category, Purpose, Record, Sector
from tests.adapters import consents
from tests.adapters.consents import (
    ACT_CODE,
    ACT_REASON,
    ACTION,
    BASIS,
    OURS,
    code,
    concept,
    parse,
    party,
    told,
)

ADAPTER = ADAPTERS[0]
Change = Callable[[Any], object]


def test_r4_is_read_and_written_to_the_last_word() -> None:
    assert parse(consents.R4) == consents.RECORD
    assert json.loads(ADAPTER.render(Record("samtykke.gitt", consents.RECORD))) == consents.R4


def test_r5_says_the_same_in_its_own_way() -> None:
    exception = {
        **consents.SCOPES, "fra": "2026-01-01", "til": "2026-06-30", "data_fra": "2025-01-01",
        "data_til": "2025-12-31",
        "unntak": [{k: v for k, v in consents.RECORD["unntak"][0].items() if k != "unntak"}],
    }  # one row per case # fmt: skip
    expected = {k: v for k, v in consents.RECORD.items() if k not in consents.SCOPES}
    expected |= {"samtykke": {**consents.RECORD["samtykke"], "beslutning": "nekt"}, "unntak": [exception]}
    for name in ("data_fra", "data_til"):
        del expected["samtykke"][name]
    expected["melding"] = {**expected["melding"], "sendt": "2026-01-01T00:00:00+01:00"}

    assert parse(consents.r5()) == expected


@pytest.mark.parametrize("make", [consents.r4, consents.r5])
def test_what_says_nothing_of_the_rule_changes_nothing(make: Callable[[], Any]) -> None:
    assert parse(consents.dress(make())) == parse(make())


def _first(what: str, value: object) -> Change:
    return lambda c: c["provision"].update({what: [value]})


def _extended(name: str, kind: str, value: object) -> Change:
    url = f"{OURS}consent:{name}"

    def change(c: Any) -> None:
        c["extension"] = [e for e in c["extension"] if e["url"] != url] + [
            {"url": url, f"value{kind}": value}
        ]

    return change


def _of(field: str, *path: str) -> Callable[[Any], object]:
    def get(record: Any) -> object:
        here = record[field]
        for step in path:
            here = here[step]
        return here

    return get


KATEGORIER, FORMAL, MOTTAKERE = _of("kategorier"), _of("formal"), _of("mottakere")
_PARTS = {
    "substance_use": ("ETHUD", "OPIOIDUD"), "mental_health": ("PSY", "PSYTHPN"),
    "somatic_health": ("HIV", "STD", "SICKLE", "PREGNANT"),
}  # one row per case # fmt: skip
_PURPOSE_PARTS = {
    "treatment": ("ETREAT", "BTG", "CLINTRCH"), "care_coordination": ("CAREMGT",), "benefits": ("ELIGDTRM",),
}  # one row per case # fmt: skip
SAID: list[tuple[Change, Callable[[Any], object], object]] = [
    *(
        (_first("securityLabel", code(f"{OURS}category", one)), KATEGORIER, [one.value])
        for one in Category
        if one not in (Category.UNKNOWN, Category.PROTECTED_ADDRESS)
    ),
    *((_first("purpose", code(f"{OURS}purpose", one)), FORMAL, [one.value]) for one in Purpose),
    *((_first("actor", party("IRCP", one)), MOTTAKERE, [one.value]) for one in Sector),
    (_first("actor", party("IRCP", "*")), MOTTAKERE, ["*"]),
    (_first("actor", party("PRCP", "tsb")), MOTTAKERE, ["tsb"]),
    (_first("securityLabel", code(ACT_CODE, "ETH")), KATEGORIER, ["substance_use"]),
    (_first("securityLabel", code(ACT_CODE, "SUD")), KATEGORIER, ["substance_use"]),
    (_first("securityLabel", code(ACT_CODE, "MH")), KATEGORIER, ["mental_health"]),
    (_first("purpose", code(ACT_REASON, "TREAT")), FORMAL, ["treatment"]),
    (_first("purpose", code(ACT_REASON, "COC")), FORMAL, ["care_coordination"]),
    (lambda c: c["provision"]["purpose"].append(code(ACT_REASON, "TREAT")), FORMAL, ["treatment"]),
    (lambda c: c["provision"]["actor"].append(party("IRCP", "tsb")), MOTTAKERE, ["tsb", "310000043"]),
    (lambda c: c.update(category=[concept(consents.LOINC, "64292-6")]), _of("samtykke", "slag"), "deling"),
    (lambda c: c.update(category=[concept(ACT_CODE, "IDSCL")]), _of("samtykke", "slag"), "deling"),
    (
        lambda c: c.update(scope=concept(f"{OURS}consent-scope", "program")), _of("samtykke", "slag"), "program",
    ),
    (lambda c: c.update(performer=[{"type": "RelatedPerson"}]), _of("samtykke", "gitt_av"), "verge"),
    (lambda c: c.update(performer=[{"reference": "RelatedPerson/1"}]), _of("samtykke", "gitt_av"), "verge"),
    (
        lambda c: c.update(performer=[{"reference": "https://x.example/RelatedPerson/1/_history/2"}]),
        _of("samtykke", "gitt_av"), "verge",
    ),
    (
        lambda c: c.update(performer=[{"type": "RelatedPerson", "identifier": {"value": "5"}}]),
        _of("samtykke", "gitt_av"), "verge",
    ),
    *(
        (_extended("form", "Code", word), _of("samtykke", "form"), word)
        for word in ("skriftlig", "elektronisk", "muntlig")
    ),
    *(
        (_extended("sted", "Code", word), _of("samtykke", "sted"), word)
        for word in ("helsetjeneste", "fengsel", "program", "etatskontor", "digitalt", "annet")
    ),
    *(
        (_extended("tolk", "Code", word), _of("samtykke", "tolk"), word)
        for word in ("ingen", "kvalifisert", "annen")
    ),
    (lambda c: c.update(policyRule=concept(ACT_CODE, "OPTIN")), _of("samtykke", "beslutning"), "tillat"),
    (lambda c: c["patient"]["identifier"].update(system=consents.DNR), _of("person", "id"), consents.PERSON),
    (lambda c: c.update(dateTime="2026-07-01"), _of("melding", "sendt"), "2026-07-01T00:00:00+02:00"),
    (lambda c: c.update(dateTime="2026-07-01T10:00:00Z"), _of("melding", "sendt"), "2026-07-01T10:00:00Z"),
    (lambda c: c["identifier"].pop(), _of("melding", "id"), "s-1.3"),
    (lambda c: (c.pop("identifier"), c.update(id="c-1")), _of("samtykke", "serie"), "c-1"),
    (lambda c: c.update(identifier=[{"value": "s-9"}], id="c-1"), _of("samtykke", "serie"), "s-9"),
    (lambda c: c["meta"].update(versionId="999999"), _of("samtykke", "versjon"), 999999),
    (
        lambda c: c["provision"]["actor"][1]["reference"].update(reference="urn:uuid:1"), MOTTAKERE,
        ["tsb", "310000043"],
    ),
    *(
        (lambda c, word=word: c["provision"].update(action=[concept(ACTION, word)]), FORMAL, ["treatment"])
        for word in ("access", "disclose")
    ),
    *(
        (
            lambda c, word=word: c["provision"].update(
                action=[concept(ACTION, "access"), concept(ACTION, word)]
            ),
            FORMAL, ["treatment"],
        )
        for word in ("collect", "use")
    ),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("change", "get", "expected"), SAID)
def test_what_each_code_of_a_permission_means(
    change: Change, get: Callable[[Any], object], expected: object
) -> None:
    document = consents.r4()
    change(document)

    assert get(parse(document)) == expected


REFUSES: list[tuple[Change, Callable[[Any], object], object]] = [
    *(
        (_first("securityLabel", code(ACT_CODE, part)), KATEGORIER, [whole])
        for whole, parts in _PARTS.items()
        for part in parts
    ),
    *(
        (_first("purpose", code(ACT_REASON, part)), FORMAL, [whole])
        for whole, parts in _PURPOSE_PARTS.items()
        for part in parts
    ),
    *(
        (lambda c, word=word: c["provision"].update(action=[concept(ACTION, word)]), FORMAL, ["treatment"])
        for word in ("access", "disclose", "collect", "use")
    ),
    (
        lambda c: c["provision"].update(action=[concept(ACTION, "access"), concept("urn:x", "access")]),
        FORMAL, ["treatment"],
    ),
    (lambda c: c.pop("performer"), lambda record: record["samtykke"].get("gitt_av"), None),
    (lambda c: c.pop("meta"), _of("samtykke", "versjon"), 1),
    (lambda c: c["provision"]["actor"][0]["role"].update(text="lege"), MOTTAKERE, ["tsb", "310000043"]),
    (lambda c: c["category"][0].update(text="lege"), _of("samtykke", "slag"), "deling"),
    (lambda c: c["scope"].update(text="lege"), _of("samtykke", "slag"), "deling"),
    (
        lambda c: c.update(policyRule={**concept(BASIS, "PBRL5-3"), "text": "sperring"}),
        _of("samtykke", "beslutning"), "nekt",
    ),
    (lambda c: c.update(policyRule=concept(ACT_CODE, "OPTOUT")), _of("samtykke", "beslutning"), "nekt"),
    (
        lambda c: c["provision"]["actor"][0]["reference"].update(reference="Organization/1"),
        _of("mottakere"), ["tsb", "310000043"],
    ),
    (
        lambda c: (c["provision"].pop("type"), c.update(policyRule=concept(BASIS, "PBRL5-3"))),
        _of("samtykke", "beslutning"), "nekt",
    ),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("change", "get", "expected"), REFUSES)
def test_a_refusal_may_be_read_wider_than_it_is(
    change: Change, get: Callable[[Any], object], expected: object
) -> None:
    document = consents.refusal()
    change(document)

    assert get(parse(document)) == expected


def _narrow(document: Any) -> list[tuple[str, Change]]:
    """Where a word narrows what is said, by its place in an R4 consent."""
    return [
        (f"provision.{name}[0].code", _first(name, code(system, word)))
        for name, system, words in (
            ("securityLabel", ACT_CODE, [p for parts in _PARTS.values() for p in parts]),
            ("purpose", ACT_REASON, [p for parts in _PURPOSE_PARTS.values() for p in parts]),
        )
        for word in words
    ] + [
        ("provision.actor[0].role.text", lambda c: c["provision"]["actor"][0]["role"].update(text="lege")),
        ("category[0].text", lambda c: c["category"][0].update(text="lege")),
        ("scope.text", lambda c: c["scope"].update(text="lege")),
        (
            "provision.action[0].text",
            lambda c: c["provision"].update(action=[{**concept(ACTION, "access"), "text": "lege"}]),
        ),
        ("provision.action", lambda c: c["provision"].update(action=[concept(ACTION, "collect")])),
    ]


@pytest.mark.parametrize(("at", "change"), _narrow(None))
@pytest.mark.parametrize("decision", ["permit", "deny", "permit and no more"])
def test_what_is_narrower_than_our_words_permits_nothing(decision: str, at: str, change: Change) -> None:
    """A permission cannot be told by it, and a refusal not where its exceptions take it over."""
    document = consents.refusal() if decision == "deny" else consents.r4()
    document["provision"]["provision"] = [
        {"type": "permit" if decision == "deny" else "deny", "dataPeriod": {"start": "2026-01-01"}}
    ]
    if decision == "permit and no more":
        del document["provision"]["provision"]
    assert told(document) == set()
    change(document)

    assert {place for _, place, _ in told(document)} == {at}


@pytest.mark.parametrize("name", ["period", "dataPeriod", "actor", "purpose", "securityLabel"])
def test_an_exception_may_be_about_one_thing(name: str) -> None:
    document = consents.r4()
    document["provision"]["provision"] = [{"type": "deny", name: consents.EXCEPTION[name]}]

    assert len(parse(document)["unntak"]) == 1


def test_a_policy_in_words_that_permits_is_not_known() -> None:
    document = consents.r4()
    document["policyRule"] = {**concept(ACT_CODE, "OPTIN"), "text": "bare til legen min"}

    assert told(document) == {("consent.not-evaluable", "policyRule.text", "narrower")}


# What is written


UNWRITABLE: list[tuple[str, Change]] = [
    ("record", lambda r: r.update(notat="x")),
    *((f"samtykke.{n}", lambda r, n=n: r["samtykke"].pop(n)) for n in ("slag", "beslutning", "serie")),
    ("samtykke.slag", lambda r: r["samtykke"].update(slag=["deling"])),
    ("samtykke.gitt_av", lambda r: r["samtykke"].update(gitt_av="lege")),
    ("melding.id", lambda r: r["melding"].pop("id")),
    ("melding.sendt", lambda r: r["melding"].update(sendt="i går")),
    ("person.id", lambda r: r["person"].pop("id")),
]
UNREADABLE: dict[str, Change] = {
    "a group that is no list": lambda r: r.update(unntak="x"),
    "recipients that are no list": lambda r: r.update(mottakere="x"),
    "no word of a signature": lambda r: r["samtykke"].pop("signert"),
    "no word of an explanation": lambda r: r["samtykke"].pop("forklart"),
    "a signature that is a text": lambda r: r["samtykke"].update(signert="ja"),
    "a time without seconds": lambda r: r["melding"].update(sendt="2026-01-01T10:00+01:00"),
    "a version that is no number": lambda r: r["samtykke"].update(versjon="x"),
    "a field nobody knows": lambda r: r["samtykke"].update(notat="x"),
    "an exception with a field nobody knows": lambda r: r["unntak"][0].update(notat="x"),
    "a party that is neither": lambda r: r.update(mottakere=["12"]),
}


@pytest.mark.parametrize(("at", "change"), UNWRITABLE)
def test_what_cannot_be_written_is_not_written(at: str, change: Change) -> None:
    record = copy.deepcopy(consents.RECORD)
    change(record)

    with pytest.raises(HubError) as refused:
        ADAPTER.render(Record("samtykke.gitt", record))

    assert (refused.value.code, [f.at for f in refused.value.findings]) == ("render.incomplete", [at])


@pytest.mark.parametrize("change", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_would_not_be_read_as_the_same_consent_is_not_written(change: Change) -> None:
    record = copy.deepcopy(consents.RECORD)
    change(record)

    for adapter in ADAPTERS:
        with pytest.raises(HubError, match=r"render\.incomplete"):
            adapter.render(Record("samtykke.gitt", record))


def test_the_least_that_can_be_written() -> None:
    least = {
        "melding": {"id": "m", "sendt": "2026-01-01T10:00:00+01:00"}, "person": {"id": "54839030186"},
        "samtykke": {
            "serie": "s", "versjon": 1, "beslutning": "nekt", "signert": False, "forklart": False,
            "slag": "deling",
        },
    }  # one row per case # fmt: skip
    record = Record("samtykke.gitt", least)
    written = json.loads(ADAPTER.render(record))

    assert written["patient"] == {"identifier": {"system": consents.DNR, "value": "54839030186"}}
    assert written["provision"] == {"type": "deny"}
    assert written["dateTime"] == "2026-01-01T10:00:00+01:00"
    assert [e["valueBoolean"] for e in written["extension"]] == [False, False]
    assert not {"performer", "sourceAttachment"} & set(written)
    assert [adapter.parse(adapter.render(record)) for adapter in ADAPTERS] == [record, record]
    with pytest.raises(HubError, match=r"render\.incomplete"):
        ADAPTER.render(Record("epikrise", least))


@pytest.mark.parametrize(
    ("put", "code", "rules"),
    [
        ('<status value="draft"/>', "consent.not-evaluable", ["status"]),
        ('<status value="active"/>only', "parse.invalid", ["text"]),
        ('<status value="draft"/>only', "parse.invalid", ["text", "status"]),
    ],
)
def test_a_consent_that_is_no_sound_xml_is_that_first(put: str, code: str, rules: list[str]) -> None:
    body = ADAPTERS[1].render(Record("samtykke.gitt", consents.RECORD)).decode()
    with pytest.raises(HubError) as refused:
        ADAPTERS[1].parse(body.replace('<status value="active"/>', put).encode())

    assert refused.value.code == code
    assert [finding.rule for finding in refused.value.findings] == rules
    assert all(finding.line and finding.column for finding in refused.value.findings)
