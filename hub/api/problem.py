"""Understands the answer to everything that goes wrong: one shape, by code, without a value.

RFC 9457 `application/problem+json`, filled from the table in `hub/errors.py`. What a caller may not
learn (a refusal, a withdrawal, what happens behind the door) has the same answer as something that
never was, or as any fault of the hub. It knows no routes.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from hub.errors import PROBLEMS, Actor, Finding, HubError, Problem

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:brobygger:problem:"

_SHOWN_STEPS = frozenset({"receive", "parse", "route", "consent"})
_RETRY_AFTER_SECONDS = "5"
_MAX_FINDINGS = 200


def public(problem: Problem) -> Problem:
    """What a caller is told instead of what happened, where the truth is not theirs."""
    step = problem.code.partition(".")[0]
    if step in _SHOWN_STEPS and problem.status >= 400:
        return problem
    if step in ("decide", "seal") or problem.code == "hand-over.expired":
        return PROBLEMS["receive.not-found"]
    if step == "enqueue":
        return PROBLEMS["receive.busy"]
    return PROBLEMS["hub.internal"]


def document(code: str, findings: Sequence[Finding] = (), *, instance: str | None = None) -> dict[str, Any]:
    """The problem document of a code: for an HTTP body and for an AMQP reply alike."""
    problem = public(PROBLEMS[code])
    shown = findings if problem.code == code else ()
    return {
        "type": TYPE_PREFIX + problem.code,
        "title": problem.title,
        "title_nb": problem.nb,
        "status": problem.status,
        "code": problem.code,
        "actor": problem.actor.value,
        "waiting_helps": problem.waiting_helps,
        "findings": [finding.plain() for finding in shown[:_MAX_FINDINGS]],
        "instance": instance or new_instance(),
    }


def new_instance() -> str:
    """An opaque id of one request: what an agency quotes when it calls, and operations search for."""
    return "urn:brobygger:request:" + secrets.token_hex(16)


def answer(error: HubError, *, scope: str | None = None, status: int | None = None) -> Response:
    """The HTTP answer to an error. `scope` is what the call would have needed; `status` is for the
    few HTTP statuses that share a code (405)."""
    body = document(error.code, error.findings)
    if status is not None:
        body["status"] = status
    headers = {"Cache-Control": "no-store"}
    match body["code"]:
        case "receive.unauthenticated":
            headers["WWW-Authenticate"] = 'Bearer realm="brobygger", error="invalid_token"'
        case "receive.scope-missing":
            needed = f', scope="{scope}"' if scope else ""
            headers["WWW-Authenticate"] = f'Bearer realm="brobygger", error="insufficient_scope"{needed}'
        case "receive.busy":
            headers["Retry-After"] = _RETRY_AFTER_SECONDS
        case _:
            pass
    content = json.dumps(body, ensure_ascii=False).encode()
    return Response(content, status_code=body["status"], headers=headers, media_type=MEDIA_TYPE)


class FindingDocument(BaseModel):
    """One fault: where it is, which rule it breaks, what was expected. Never what was sent."""

    model_config = ConfigDict(extra="forbid")

    at: str = Field(description="Path of the field or element", examples=["bolig.behov"])
    rule: str = Field(description="The rule that is broken", examples=["code"])
    expected: str = Field(description="What would have been right", examples=["one of: ingen, noe, stort"])
    expected_nb: str | None = Field(None, description="The same in bokmål")
    line: int | None = Field(None, description="Line in a text format, from 1")
    column: int | None = Field(None, description="Column in a text format, from 1")


class ProblemDocument(BaseModel):
    """RFC 9457 with who must act and whether waiting helps. It never repeats what was sent."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="URN of the code", examples=["urn:brobygger:problem:parse.invalid"])
    title: str = Field(description="One sentence, English")
    title_nb: str = Field(description="One sentence, Norwegian bokmål")
    status: int = Field(description="The HTTP status")
    code: str = Field(description="Stable code, see docs/errors.md", examples=["parse.invalid"])
    actor: Actor = Field(description="Who must act")
    waiting_helps: bool = Field(description="Whether the same call may work later")
    findings: list[FindingDocument] = Field(description="Every fault found, at once")
    instance: str = Field(description="Opaque id of this answer, to quote to the hub's operations")


_SCHEMA: Mapping[str, str] = {"$ref": "#/components/schemas/ProblemDocument"}


class Example(Protocol):
    """What a caller gets for a code."""

    def __call__(self, code: str, *, instance: str) -> dict[str, Any]: ...


def documented(
    *codes: str,
    media_type: str = MEDIA_TYPE,
    schema: Mapping[str, Any] = _SCHEMA,
    example: Example = document,
) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses of a route for the codes it can answer with, each with an example."""
    responses: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        problem = PROBLEMS[code]
        response = responses.setdefault(
            problem.status, {"description": "", "content": {media_type: {"schema": schema, "examples": {}}}}
        )
        response["description"] = " / ".join(
            filter(None, (response["description"], f"`{code}`: {problem.title}"))
        )
        told = example(code, instance="urn:brobygger:request:" + "0" * 32)
        response["content"][media_type]["examples"][code] = {"value": told}
    return responses
