"""One message's way through the hub. Read this file first.

    receive -> parse -> label -> route -> [per recipient:] decide -> translate -> render -> seal -> enqueue
                                                 ... -> decide again + fence -> hand over -> receipt

`receive` below is the first line, `hub/hand_over.py` the second. Each step takes what the one before
returned, so none can be left out or moved: nothing is translated that the decision has not permitted,
nothing is sent that was not decided on in the transaction before. All that is known of a message is
committed at once; before that commit nothing of it exists, after it nothing of it can be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from adapters.base import Adapter
from consent import waiting
from consent.decide import Ask, decide, permit
from consent.labels import label
from consent.on_file import calling_on, relations
from hub import desk, good_until, intake, reading, referral, routes
from hub.answered import said_back
from hub.answers import NOTHING, Counts
from hub.errors import Finding, HubError
from hub.intake import File
from hub.message import (
    Agency,
    Category,
    Decision,
    Item,
    Labelled,
    Permitted,
    Received,
    Record,
    Rendered,
    Step,
)
from hub.parts import Parts
from hub.reading import Read
from hub.shapes import Accepted, Original, Outgoing, Route
from hub.store.on_file import OnFile
from hub.store.people import Person
from hub.telling import in_place
from hub.trail import run, spare
from mappings.engine import translate, translate_record
from mappings.identifiers import NUMBERS, is_taken

MOST_TEXT = 500_000
"""Characters of text in one message: far above any honest one, and what the label step can read while
others wait. Files are bounded by their declaration and by the body."""


def receive(parts: Parts, sender: Agency, media_type: str, body: bytes) -> Accepted:
    """Take one message from an agency. When this returns, the hub answers for it.

    Raises HubError with a receive, parse, route or consent code; nothing was stored then. What was taken in
    before is not asked again whether it is good still: that is asked at hand-over.
    """
    received = Received(parts.new_id(), sender, media_type, body, parts.clock())
    read = run(Step.PARSE, parse, parts, received)
    try:
        return _take(parts, received, read)
    except HubError as refused:
        if not refused.findings:
            raise
        raise HubError(refused.code, _in_place(read, received, refused.findings)) from refused


def _in_place(read: Read, received: Received, found: Sequence[Finding]) -> Sequence[Finding]:
    """What was found by the record's paths, where the sender wrote it, if its format can tell."""
    return spare(Step.PARSE, in_place, read.adapter, received.body, found) or found


def _take(parts: Parts, received: Received, read: Read) -> Accepted:
    """What was read, kept and on its way. Raises what it finds by the paths of the record."""
    record = read.record
    if record.type in desk.TYPES:
        return run(Step.RECEIVE, desk.record, parts, received, record)
    labelled = run(Step.LABEL, label_record, parts, record, received.sender)
    with intake.opened(parts, received, labelled) as file:
        if file.settled:
            return file.accepted  # the same message again, or a newer version came before it
        run(Step.RECEIVE, good_until.check, record, received.at)
        file.note(read.let_through)
        parts = file.parts  # with the policy that decides in this transaction
        for route in planned(parts, file, received, record):
            outgoing = foresee(parts, route, labelled, file.person, file.on_file, received.at)
            run(Step.SEAL, file.keep, route, outgoing)
        send_on(parts, file, record, received.at)
        # Dying here: nothing is kept. What goes on to another office goes with the answer that says so, or
        # not at all; until when a message is good stands in the message itself.
    # Dying here: stored, not on the broker. The sweeper enqueues what is due.
    run(Step.ENQUEUE, file.enqueue)
    return file.accepted


def planned(parts: Parts, file: File, received: Received, record: Record) -> tuple[Route, ...]:
    """Who gets it, once it is held against what was answered before. Raises route codes."""
    run(Step.ROUTE, referral.check_move, parts, file, received, record)
    return run(Step.ROUTE, routes.find, parts, file, received, record)


def send_on(parts: Parts, file: File, record: Record, at: datetime) -> None:
    """What an answer says is not theirs goes to the office it names, as a message of whoever asked, if the
    decision permits that office."""
    onward = run(Step.ROUTE, referral.onward, parts, file, record)
    if isinstance(onward, intake.Astray):
        file.astray.append(onward)
        return
    if onward is None:
        return
    labelled = run(Step.LABEL, label_record, parts, onward.record, onward.route.sender)
    outgoing = foresee(parts, onward.route, labelled, onward.person, onward.on_file, at)
    run(Step.SEAL, file.keep, onward.route, outgoing, onward.stored, onward.person)


def foresee(
    parts: Parts, route: Route, labelled: Labelled, person: Person, given: OnFile, at: datetime
) -> Outgoing:
    """What one recipient would get as things stand at intake. A fault of ours with its format stands in the
    audit, and is met again at hand-over or at the fetch, where it is counted and then parked for operations:
    whether it shows depends on what the person allows, so its sender gets no code for it, neither here nor in
    its status or a preview (status.is_ours), and the other recipients get theirs."""
    decision, permitted = run(Step.DECIDE, decide_for, parts, route, labelled, person, given, at)
    try:
        return _made(parts, route, labelled, decision, permitted)
    except HubError as fault:
        return Outgoing(decision, None, None, fault.code)


def prepare(
    parts: Parts,
    route: Route,
    labelled: Labelled,
    person: Person,
    given: OnFile,
    at: datetime,
    said: Counts = NOTHING,
    waited: timedelta | None = None,
) -> Outgoing:
    """Decide for one recipient, and if something may go, make it in the recipient's own format.

    Called before every hand-over: the last decision is the one that counts. `said` is what persons at the
    desk said about its held leaves, `waited` how long it has waited for somebody to say more, if it has.
    Raises translate.unmapped, render.incomplete or hub.internal: a fault of ours.
    """
    decision, permitted = run(
        Step.DECIDE, decide_for, parts, route, labelled, person, given, at, said, waited
    )
    return _made(parts, route, labelled, decision, permitted)


def _made(
    parts: Parts, route: Route, labelled: Labelled, decision: Decision, permitted: Permitted | None
) -> Outgoing:
    if permitted is None:
        return Outgoing(decision, None, None)
    try:
        translated = run(Step.TRANSLATE, translate, permitted, route.agreement, parts.types, route.header)
    except HubError as exc:
        if exc.code != "decide.essential-missing":
            raise
        return Outgoing(decision, None, None, exc.code)
    if run(Step.RENDER, _is_silent, parts, route.recipient, translated):
        return Outgoing(decision, None, None, "decide.essential-missing")  # as where too little may go
    try:
        rendered = run(Step.RENDER, render, parts, route.recipient, translated, route.original)
    except HubError as exc:
        if exc.code != "render.incomplete" or not _whole_is_said(parts, route, labelled):
            raise
        return Outgoing(decision, None, None, "decide.essential-missing")  # the format demands what was taken
    return Outgoing(decision, permitted, rendered)


def _is_silent(parts: Parts, recipient: Agency, translated: Record) -> bool:
    return adapter_for(parts, recipient, translated).silent(translated)


def _whole_is_said(parts: Parts, route: Route, labelled: Labelled) -> bool:
    """Whether the recipient's format says the whole record, which nobody is going to get: then what it missed
    is what the decision took, and no fault of ours."""
    try:
        record, agreement = labelled.record, route.agreement
        whole = run(Step.TRANSLATE, translate_record, record, agreement, parts.types, route.header)
        run(Step.RENDER, render, parts, route.recipient, whole, route.original)
    except HubError:
        return False
    return True


def parse(parts: Parts, received: Received) -> Read:
    """Bytes to the values of one declared type, or every finding at once."""
    read = reading.read(parts, received)
    record = read.record
    declared = parts.types[record.type]
    texts = (leaf.value for leaf in declared.leaves(record) if leaf.file is None)
    if sum(len(value) for value in texts if isinstance(value, str)) > MOST_TEXT:
        raise HubError("receive.too-large")
    if received.sender.sector not in declared.senders:
        raise HubError("route.type-not-yours")
    findings = declared.check(record.fields)
    number = record.get("person.id")
    if not findings and number is not None and not is_taken(str(number), parts.numbers):
        findings = (Finding("person.id", "numbers", NUMBERS[parts.numbers]),)
    if findings:
        raise HubError("parse.invalid", _in_place(read, received, findings))
    return read


def label_record(parts: Parts, record: Record, sender: Agency) -> Labelled:
    """Every leaf with all that it tells about the person: as declared, raised by its content."""
    return label(record, parts.types[record.type].leaves(record), parts.codes, sender)


def decide_for(
    parts: Parts,
    route: Route,
    labelled: Labelled,
    person: Person,
    given: OnFile,
    at: datetime,
    said: Counts = NOTHING,
    waited: timedelta | None = None,
) -> tuple[Decision, Permitted | None]:
    """Ask the decision about every leaf the agreement carries, and about what the envelope tells:
    who sends it, and that such a message exists."""
    agreement, data_date = route.agreement, _data_date(parts, labelled.record)
    rows = parts.pack.between(route.sender.sector, route.recipient.sector, agreement.purpose)
    shown = route.shown_sender.labels if route.shown_sender else frozenset[Category]()
    envelope = (
        Item("envelope.sender", shown, shown),
        Item("envelope.agreement", agreement.reveals, agreement.reveals),
    )
    carried = (item for item in labelled.items if item.field in agreement.carries)
    ask = Ask(
        sender=route.sender,
        recipient=route.recipient,
        purpose=agreement.purpose,
        basis=agreement.basis,
        agreement=agreement.id,
        items=(*(item for item in envelope if item.categories), *carried),
        protected_address=person.protected_address,
        data_date=data_date,
        readings=said.readings,
        override=said.override,
        requests=calling_on(
            given.requests,
            rows,
            route.sender,
            route.recipient,
            agreement.purpose,
            data_date,
            at=at,
            known_at=at,
        ),
        relations=relations(given.gps, route.recipient, at=at, known_at=at),
        deceased=person.deceased,
        unidentified=person.unidentified,
    )
    decision = said.narrowed(decide(ask, rows, given.consents, at=at, known_at=at, texts=parts.texts))
    decision = waiting.narrowed(decision, rows, waited)
    return decision, permit(decision, labelled, ask)


def _data_date(parts: Parts, record: Record) -> date | None:
    """From when the information is, if its type says where that stands. Unknown narrows what a
    consent for a period permits, and widens what a refusal for a period refuses."""
    path = parts.types[record.type].dated
    said = record.get(path) if path else None
    return date.fromisoformat(said) if isinstance(said, str) else None


def adapter_for(parts: Parts, recipient: Agency, translated: Record) -> Adapter:
    """The adapter that the directory names for a recipient and type, or the one for plain JSON."""
    name = recipient.formats.get(translated.type)
    return parts.registry.by_name(name) if name else parts.registry.default_for(translated.type)


def render(parts: Parts, recipient: Agency, translated: Record, original: Original | None = None) -> Rendered:
    """The recipient's own bytes, by the adapter the directory names for it, or plain JSON. `original` is what
    a receipt answers."""
    adapter = adapter_for(parts, recipient, translated)
    if adapter.addressed:
        translated = _addressed(parts, translated, recipient)
        if original is not None and original.sender == recipient.org:
            translated = said_back(translated, original)
    body = adapter.render(translated)
    if refused := reading.nationally(parts, adapter, body):
        raise HubError("render.incomplete", refused)
    return Rendered(recipient, adapter.name, adapter.media_types[0], body)


def _addressed(parts: Parts, record: Record, recipient: Agency) -> Record:
    """The record with who gets it, for a format that is not valid without. A name that the sender gave the
    recipient stays; the numbers are the directory's."""
    fields = dict(record.fields)
    fields["melding"] = {**fields["melding"], "mottaker": recipient.org}
    if "mottaker.enhet" in parts.types[record.type].by_path:
        fields["mottaker"] = {"enhet": recipient.name, **fields.get("mottaker", {})}
        if recipient.her and "mottaker.her" in parts.types[record.type].by_path:
            fields["mottaker"]["her"] = recipient.her[0]
    return Record(record.type, fields)
