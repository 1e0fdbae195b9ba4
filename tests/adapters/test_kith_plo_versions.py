"""Understands that what goes with an application crosses between PLO 1.5 and 1.6, and that nothing is claimed
there which its sender did not say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adapters.base import without
from adapters.kith.message import deviations
from adapters.kith_plo.unstated import UNSTATED, WORDS
from adapters.safe_xml import read_xml
from hub.errors import HubError
from hub.message import Record
from tests.adapters.national import Absent, samples, schemas
from tests.adapters.test_kith_plo import BY_NAME, FOLDER, adapter_of

OLD, NEW = BY_NAME["kith-plo-soknad-1.5"], BY_NAME["kith-plo-soknad-1.6"]
BOTH = {"1.5": OLD, "1.6": NEW}
WHOLE = NEW.parse((FOLDER / "soknad.xml").read_bytes())


def left(*names: str) -> Record:
    """The example without these groups."""
    return Record(WHOLE.type, {name: value for name, value in WHOLE.fields.items() if name not in names})


RECORDS = {
    "all": WHOLE,
    "as 1.5 has it": left("innhold", "opphold"),
    "as 1.6 may have it": left("soknad"),
    "neither": left("innhold", "opphold", "soknad"),
}


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("name", RECORDS)
def test_either_version_writes_it_and_reads_back_what_it_has_an_element_for(
    name: str, version: str, absent_reference: Absent
) -> None:
    record, adapter = RECORDS[name], BOTH[version]

    body = adapter.render(record)

    assert adapter.parse(body) == without(record, adapter.loses)
    assert adapter.lenient is not None
    assert adapter.lenient(body, tuple(deviations())) == (without(record, adapter.loses), ())
    if (national := schemas(1, absent_reference)) is not None:
        assert national.findings(read_xml(body), body) == ()


def of_samples(absent: Absent) -> Iterator[tuple[str, Record]]:
    for file in samples("**/plo/**/*elseopplysninger*.xml", 33, absent):
        body = file.read_bytes()
        try:
            adapter = adapter_of(body)
            record = adapter.parse(body) if adapter else None
        except HubError:
            continue
        if record is not None and record.type == WHOLE.type:
            yield file.name, record


def test_every_national_sample_crosses(absent_reference: Absent) -> None:
    national = schemas(1, absent_reference)
    found = dict(of_samples(absent_reference))
    for name, record in found.items():
        for adapter in BOTH.values():
            body = adapter.render(record)
            assert adapter.parse(body) == adapter.as_said(without(record, adapter.loses)), name
            assert national is None or national.findings(read_xml(body), body) == (), name
    assert len(found) in (0, 7)


def told(record: Record, version: str) -> str:
    return BOTH[version].render(record).decode()


def test_what_a_version_demands_and_nobody_said_is_said_in_words() -> None:
    assert "<EgensoknadSendt>false</EgensoknadSendt><Merknad>" + WORDS in told(left("soknad"), "1.5")
    event = f"<BeskrivelseAvHendelse>{WORDS}</BeskrivelseAvHendelse><TidspunktForHendelse/>"
    assert event + "<Anslag>true</Anslag>" in told(left("opphold"), "1.6")


@pytest.mark.parametrize("version", BOTH)
def test_no_such_words_stand_where_it_was_said(version: str) -> None:
    assert WORDS not in told(WHOLE, version)


SAID: dict[str, Callable[[Record], dict[str, Any]]] = {
    "no application": lambda _: {"soknad": {"egensoknad_sendt": False}},
    "a remark of its own": lambda _: {"soknad": {"egensoknad_sendt": False, "merknad": "Vet ikke"}},
    "another event": lambda record: {"opphold": [*record.fields["opphold"], {"anslag": True}]},
    "an event of no time": lambda _: {"opphold": [{"beskrivelse": "Innlagt", "anslag": True}]},
}


@pytest.mark.parametrize("name", SAID)
def test_what_was_said_stays_whatever_it_looks_like(name: str) -> None:
    record = Record(WHOLE.type, {**WHOLE.fields, **SAID[name](WHOLE)})

    for adapter in BOTH.values():
        assert adapter.parse(adapter.render(record)) == without(record, adapter.loses)


def test_who_uses_the_same_words_said_nothing() -> None:
    for (_, version), unstated in UNSTATED.items():
        record = Record(WHOLE.type, {**WHOLE.fields, **unstated})
        there = BOTH[version].parse(BOTH[version].render(record))
        assert there == without(BOTH[version].as_said(record), BOTH[version].loses)
        assert not set(unstated) & set(there.fields)


def test_what_has_no_element_in_1_5_is_listed_and_1_6_has_one_for_all() -> None:
    assert NEW.loses == {}
    assert {path.partition(".")[0] for path in OLD.loses} == {"innhold", "opphold", "parorende", "sykepleie"}
