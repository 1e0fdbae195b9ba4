"""Who and whereto: attacks 20 to 22. A name on a message, or on a queue, tells as much as its content."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from hub.demo.world import CAST, World
from hub.message import HEALTH_SECTORS, SUBSTANCE_SECTORS, Category, Sector
from hub.parts import Parts
from hub.store import disclosures
from tests.leaks import messages as m
from tests.leaks.attacking import (
    accepted,
    agree,
    bare_brik,
    got,
    post_brik,
    post_summary,
    refused,
    some_id,
    summary,
)
from tests.leaks.lab import ORGS, Call, Lab
from tests.leaks.messages import JSON, XML
from tests.servers import RabbitMQ

_WORDS = {
    *(agency.org for agency in CAST),
    *(agency.name for agency in CAST),
    *(agency.key for agency in CAST if agency.key not in ("nav", "gp")),
    *(sector.value for sector in Sector if sector.value not in ("person", "outside")),
    *(category.value for category in Category if category.value not in ("unknown", "control", "work", "plan", "network", "identity")),
    *("lar", "rus", "brik", "epikrise", "henvisning", "samtykke", "helse", "fengsel", "withheld", "waiting"),
}  # one row per case # fmt: skip
TELLING = re.compile(
    rf"(?<![a-z])({'|'.join(sorted(map(re.escape, _WORDS), key=len, reverse=True))})(?![a-z])", re.I
)


def test_nothing_that_operators_of_the_broker_see_has_a_telling_name(rabbit: RabbitMQ) -> None:
    """Attack 20: every name, argument, binding, consumer, connection and channel while a mapping with
    substance use is on its way."""
    url = rabbit.fresh_vhost()
    vhost = url.rpartition("/")[2]
    with World(queue=url) as world:
        world.wait_for("the broker", world.running.alive.__bool__)
        prison = world.agencies["prison"]
        prison.post(XML, m.as_xml(world.parts, bare_brik()))
        world.settle()
        listed = [rabbit.ctl("export_definitions", "-")]
        for what in (
            ("list_queues", "-p", vhost, "name", "arguments", "messages", "policy"),
            ("list_exchanges", "-p", vhost, "name", "type", "arguments"),
            ("list_bindings", "-p", vhost),
            ("list_consumers", "-p", vhost),
            ("list_connections", "name", "user", "client_properties"),
            ("list_channels", "name", "user", "vhost"),
        ):
            listed.append(rabbit.ctl(*what))
    assert "bro.work" in listed[1]
    assert [found.group() for text in listed if (found := TELLING.search(text))] == []


def test_the_eye_for_telling_names_sees_them() -> None:
    for name in ("bro.tsb.in", "q-310000078", "work.substance_use", "Solbakken klinikk", "lar-queue"):
        assert TELLING.search(name), name
    for name in ("bro.work", "bro.later.0.5", "k3v9q2m7x1pd", "x-queue-type quorum", "rabbit@localhost"):
        assert not TELLING.search(name), name


def test_no_agreement_takes_content_from_a_clinic_to_anybody_outside_health_care(lab: Lab) -> None:
    """Attack 21: its name alone would tell. What is left are notices that a consent is withdrawn."""
    for agreement in lab.parts.agreements:
        if (
            set(agreement.source.sectors) & SUBSTANCE_SECTORS
            and agreement.target.sector not in HEALTH_SECTORS
        ):
            assert agreement.source.type == "samtykke.trukket", agreement.id


def test_a_consent_that_a_clinic_recorded_and_took_back_does_not_name_the_clinic(lab: Lab) -> None:
    """Attack 21: the housing office got something under it, and is told of the end by nobody in particular."""
    said = m.to_housing(message_id=some_id())
    accepted(lab.post("tsb", JSON, m.as_json(said)))
    accepted(post_brik(lab, bare_brik()))
    lab.settle()
    accepted(lab.post("tsb", JSON, m.as_json(m.withdrawn(said["samtykke"]["serie"], some_id()))))
    lab.settle()
    letters = got(lab, "housing")
    assert len(letters) == 2
    assert not [letter for letter in letters if ORGS["tsb"].encode() in letter]


@pytest.mark.parametrize("to", ["nav", "housing", "school", "prison", "gp"])
def test_a_clinic_that_writes_to_somebody_tells_nobody_that_the_person_is_known_there(
    lab: Lab, to: str
) -> None:
    """Attack 21: addressed straight at them, with everything the person may have signed for them."""
    agree(lab, *({to} & {"nav", "housing", "school"}))
    fields = summary()
    fields["melding"]["mottaker"] = ORGS[to]
    call = lab.post("tsb", "application/fhir+json", m.as_fhir(lab.parts, fields))
    assert call.status in (202, 403, 422)
    lab.settle()
    assert got(lab, to) == []


def test_a_sender_whose_name_reveals_it_needs_the_consent_that_its_content_would_need(
    first: Parts, fresh: Any
) -> None:
    """Attack 21: a summary about asthma, from a service that is known for something else."""
    for signed in (False, True):
        with Lab(first, *fresh()) as lab:
            lab.step("attack")
            _reveals(lab, "prison_health")
            if signed:
                agree(lab, "gp")
            accepted(post_summary(lab, summary()))
            lab.settle()
            assert len(got(lab, "gp")) == signed


def _reveals(lab: Lab, key: str) -> None:
    """The directory says that this agency's name tells of substance use."""
    directory = dict(lab.parts.directory)
    party = directory[ORGS[key]]
    agency = replace(party.agency, reveals=frozenset({Category.SUBSTANCE_USE}))
    directory[ORGS[key]] = replace(party, agency=agency)
    lab.parts.directory.clear()  # type: ignore[attr-defined]  # the doors hold the same dictionary
    lab.parts.directory.update(directory)  # type: ignore[attr-defined]  # a dict, seen as a Mapping


@pytest.fixture(autouse=True)
def _directory_as_it_was(first: Parts) -> Iterator[None]:
    before = dict(first.directory)
    yield
    first.directory.clear()  # type: ignore[attr-defined]  # see above
    first.directory.update(before)  # type: ignore[attr-defined]  # a dict, seen as a Mapping


def _shape(call: Call) -> tuple[Any, ...]:
    """What an answer looks like once opaque ids are one and the same."""

    def same(text: str) -> str:
        return re.sub(r"[a-z2-7]{26}|[0-9a-f]{32}|(henvisning|brik|epikrise)-\d+", "id", text)

    return call.status, tuple((name, same(value)) for name, value in call.headers), same(call.body.decode())


def test_the_answer_to_a_message_is_the_same_whatever_may_go(first: Parts, fresh: Any) -> None:
    """Attack 22: from the sender's side, for each kind of message, with and without every consent."""
    seen = []
    for signed in (False, True):
        with Lab(first, *fresh()) as lab:
            lab.step("attack")
            if signed:
                agree(lab, "nav", "housing", "school", "health", "tsb", "gp")
            referral = m.referral("henvisning-2")
            referral["melding"]["id"] = some_id("henvisning")
            calls = [
                post_brik(lab, bare_brik()),
                post_summary(lab, summary()),
                lab.post("prison_health", JSON, m.as_json(referral)),
            ]
            lab.settle()
            prison = lab.call("prison", "GET", f"/v1/messages/{calls[0].said['id']}")
            seen.append(([_shape(call) for call in calls], prison.status, len(prison.said["recipients"])))
    assert seen[0] == seen[1]


def test_a_recipient_that_may_have_nothing_hears_what_a_stranger_hears(lab: Lab) -> None:
    """Attack 22: guessing the ids of what was meant for others, or for it and refused."""
    message = accepted(post_brik(lab, bare_brik()))
    lab.settle()
    with lab.parts.store.reading() as view:
        ids = [item.id for item in disclosures.of_message(view, message)]
    assert len(ids) > 3
    for who in ("nav", "school", "gp", "prison"):
        answers = [lab.call(who, "GET", f"/v1/inbox/{name}") for name in (*ids, "a" * 26)]
        assert len({_shape(call) for call in answers}) == 1
    assert refused(answers[0]) == "receive.not-found"


def test_no_address_tells_an_outsider_which_agencies_there_are() -> None:
    """Attack 22: the description of the API names no agency, and a strange token learns nothing."""
    with World() as world:
        described = httpx.get(f"{world.hub_url}/openapi.json").text
    assert not any(agency.org in described or agency.name in described for agency in CAST)
