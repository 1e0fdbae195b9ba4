"""Understands how BRIK is read from the answers of a QuestionnaireResponse."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

from adapters.base import Findings
from adapters.brik_xml.adapter import FORMAT, TYPE
from adapters.fhir import Json, Reader, open_resource, present
from adapters.fhir_parts import read_addressing, read_message_id, read_moment, read_subject
from adapters.fhir_xml import Models
from adapters.xsd import Node
from hub.message import Record

FORM = "urn:brobygger:questionnaire:brik.kartlegging"
MODELS: Models = {"QuestionnaireResponse": QuestionnaireResponse}
HEADER = frozenset({"melding", "person"})
"""What stands in elements of the resource and not in its answers."""

VALUES: Mapping[str, str] = {
    "boolean": "valueBoolean",
    "integer": "valueInteger",
    "date": "valueDate",
    "string": "valueString",
}
"""The answer that a field has, by the type that the schema gives it."""

_READ: Mapping[str, Callable[[Reader], object]] = {
    "valueBoolean": lambda answer: answer.boolean("valueBoolean"),
    "valueInteger": lambda answer: answer.integer("valueInteger"),
    "valueDate": lambda answer: answer.text("valueDate"),
    "valueString": lambda answer: answer.text("valueString"),
}


def is_form(canonical: str) -> bool:
    """Whether it is the form, in whatever edition: the answers are read by their names."""
    return canonical.partition("|")[0] == FORM


def fields() -> dict[str, Node]:
    """The fields that are answers, by name."""
    return {node.name: node for node in FORMAT.root.children.values() if node.name not in HEADER}


def read(document: Json) -> Record:
    """Read one mapping, or raise with every fault by path."""
    findings, structure = Findings(), Findings()
    response = Reader(document, "", findings)
    response.constant("resourceType", "QuestionnaireResponse")
    response.check(QuestionnaireResponse, structure)
    open_resource(response)
    response.ignore("author", "source")
    response.constant("status", "completed")
    form = response.text("questionnaire", required=True)
    if form is not None and not is_form(form):
        response.fault("questionnaire", "value", FORM)
    melding = present(
        id=read_message_id(response.child("identifier", required=True)),
        sendt=read_moment(response, "authored"),
        **read_addressing(response),
    )
    person = read_subject(response.child("subject", required=True))
    answered = _items(response.children("item", at_least=1), fields(), "")
    response.finish()
    findings.extend(structure)
    findings.finish()
    return Record(TYPE, present(melding=melding, person=person, **answered))


def _items(items: list[Reader], known: Mapping[str, Node], above: str) -> Json:
    found: Json = {}
    for item in items:
        item.ignore("text", "id")
        link = item.text("linkId", required=True)
        node = known.get(link.removeprefix(above)) if link is not None and link.startswith(above) else None
        if node is None:
            item.fault("linkId", "code", "one of " + ", ".join(above + name for name in known))
            item.ignore_all()
        elif node.name in found:
            item.fault("linkId", "unique", "each answer once")
            item.ignore_all()
        elif node.children:
            inside = {child.name: child for child in node.children.values()}
            found[node.name] = _items(item.children("item", at_least=1), inside, f"{link}.")
        else:
            found[node.name] = _answers(item, node)
    return present(**found)


def _answers(item: Reader, node: Node) -> object:
    kind = VALUES[node.base]
    values: list[object] = []
    for answer in item.children("answer", at_least=1, at_most=node.most):
        if not answer.has(kind):
            answer.fault(kind, "missing", node.expected)
        values.append(_READ[kind](answer))
    return values if node.most > 1 else values[0] if values else None
