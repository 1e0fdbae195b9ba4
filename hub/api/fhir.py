"""Understands the FHIR door: the same hub, asked and answered in FHIR R4.

Resources are posted, one interaction each, and answered with an OperationOutcome; what can be asked is in
`metadata`. It turns calls of FHIR into calls of the facade, and knows no profile and no message type.
"""

# No `from __future__ import annotations` here: FastAPI reads the routes' annotations, and those name
# the caller check of the enclosing function.

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Protocol

from fastapi import Depends, FastAPI, Request, Response

from adapters.fhir import concept
from adapters.fhir_wire import kind_of
from hub.api import openapi
from hub.api.facade import Accepted
from hub.api.limits import media_type
from hub.api.problem import answer, document, documented
from hub.api.tokens import Scope
from hub.errors import Finding, HubError
from hub.message import Agency

PREFIX: Final = "/fhir"
JSON: Final = "application/fhir+json"
_BODIES = (JSON, "application/fhir+xml", "application/json", "application/xml", "text/xml")
KINDS: Final = ("Bundle", "Consent", "QuestionnaireResponse", "Task")
"""What can be created: each is a message of a type that the registry recognises."""

_PROBLEM = "urn:brobygger:problem"
_EXTENSION = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-"

ISSUES: Mapping[str, str] = {
    "receive.unauthenticated": "login",
    "receive.scope-missing": "forbidden",
    "receive.agency-unknown": "forbidden",
    "receive.too-large": "too-long",
    "receive.duplicate-id": "duplicate",
    "receive.request-invalid": "invalid",
    "receive.not-found": "not-found",
    "receive.busy": "transient",
    "parse.format-unknown": "not-supported",
    "parse.malformed": "structure",
    "parse.forbidden-construct": "security",
    "parse.invalid": "invalid",
    "hub.internal": "exception",
}
"""FHIR's own word (IssueType) for a code; for what is not here it is `business-rule`."""


def outcome(code: str, findings: tuple[Finding, ...] = (), *, instance: str | None = None) -> dict[str, Any]:
    """The OperationOutcome of a refusal: one issue per finding, each with the code of the hub. It holds
    what a problem document holds, so nothing that the caller may not learn, and no value."""
    told = document(code, findings, instance=instance)
    issue = {
        "severity": "error",
        "code": ISSUES.get(told["code"], "business-rule"),
        "details": {
            **concept(_PROBLEM, told["code"], told["title"]),
            "text": told["title_nb"],
        },
    }
    return {
        "resourceType": "OperationOutcome",
        "id": told["instance"].rpartition(":")[2],
        "issue": [_issue(issue, finding) for finding in told["findings"]] or [issue],
    }


def _issue(issue: Mapping[str, Any], finding: Mapping[str, Any]) -> dict[str, Any]:
    places = [
        {"url": f"{_EXTENSION}{name}", "valueInteger": finding[said]}
        for name, said in (("line", "line"), ("col", "column"))
        if finding[said] is not None
    ]
    return {
        **({"extension": places} if places else {}),
        **issue,
        "diagnostics": ": ".join(filter(None, (finding["rule"], _expected(finding)))),
        "expression": [finding["at"]],
    }


def _expected(finding: Mapping[str, Any]) -> str:
    """In English and in bokmål; once where it is names only."""
    return " / ".join(dict.fromkeys(filter(None, (finding["expected"], finding["expected_nb"]))))


def refused(error: HubError, *, scope: str | None = None, status: int | None = None) -> Response:
    """The answer to an error at this door, with the status and headers it has at any other."""
    plain = answer(error, scope=scope, status=status)
    headers = {
        name: value for name, value in plain.headers.items() if name not in ("content-type", "content-length")
    }
    said = outcome(error.code, error.findings)
    return Response(
        json.dumps(said, ensure_ascii=False).encode(),
        status_code=plain.status_code,
        headers=headers,
        media_type=JSON,
    )


def capabilities() -> dict[str, Any]:
    """The CapabilityStatement: what can be created here, and the two ways in for a Bundle."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-26",
        "kind": "instance",
        "software": {"name": "Brobygger"},
        "implementation": {
            "description": "A hub between agencies. What may go to whom is decided field by field."
        },
        "fhirVersion": "4.0.1",
        "format": ["json", "xml"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "service": [
                        {
                            "coding": [
                                {
                                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                                    "code": "OAuth",
                                }
                            ]
                        }
                    ],
                    "description": f"Access token with the scope {Scope.WRITE.value}",
                },
                "resource": [
                    {
                        "type": kind,
                        "interaction": [{"code": "create"}],
                        "versioning": "no-version",
                        "readHistory": False,
                        "updateCreate": False,
                        "documentation": _SAID[kind],
                    }
                    for kind in KINDS
                ],
                "operation": [
                    {
                        "name": "process-message",
                        "definition": "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message",
                    }
                ],
            }
        ],
    }


_SAID: Final = {
    "Bundle": "A document (epikrise, typed 9602 A03-2 or LOINC 18842-5 or 34105-7), or a message",
    "Consent": "A consent or a refusal, a new version of its series, or the end of what one permitted",
    "QuestionnaireResponse": "BRIK: a mapping of needs and resources",
    "Task": "A receipt: how far a recipient has come",
}


_OUTCOME: Final = {
    "type": "object",
    "required": ["resourceType", "issue"],
    "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {"type": "array", "minItems": 1, "items": {"type": "object"}},
    },
}


class Take(Protocol):
    """How a message is taken, whatever the door. `look` may raise before it is received."""

    async def __call__(
        self, request: Request, sender: Agency, stated: str, look: Callable[[bytes], None] | None = None
    ) -> Accepted: ...


def speaks(path: str) -> bool:
    """Whether an address belongs to this door."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def add(app: FastAPI, take: Take, caller: Callable[[Request], Agency], codes: tuple[str, ...]) -> None:
    """The routes of this door. `codes` is what posting a message can be answered with."""
    taken = {
        **documented(*codes, media_type=JSON, schema=_OUTCOME, example=outcome),
        202: {
            "description": "Stored; `Location` is where to ask how it goes",
            "content": {JSON: {"schema": _OUTCOME}},
            "headers": {"Location": {"description": "Where to ask", "schema": {"type": "string"}}},
        },
    }
    described = openapi.takes(Scope.WRITE, *_BODIES)

    async def created(request: Request, sender: Agency, kind: str) -> Response:
        stated = media_type(request)
        essence = stated.partition(";")[0]
        if essence not in _BODIES:
            expected = "one of " + ", ".join(_BODIES)
            raise HubError("parse.format-unknown", [Finding("media type", "media-type", expected)])

        def look(body: bytes) -> None:
            if kind_of(essence, body) != kind:
                raise HubError("parse.format-unknown", [Finding("body", "resourceType", kind)])

        accepted = await take(request, sender, stated, look)
        ask = f"/v1/messages/{accepted.id}"
        said = {
            "resourceType": "OperationOutcome",
            "issue": [
                {
                    "severity": "information",
                    "code": "duplicate" if accepted.duplicate else "informational",
                    "details": {
                        "text": "Lagret før; ikke noe nytt skjer" if accepted.duplicate else "Lagret"
                    },
                    "diagnostics": f"GET {ask} tells what becomes of it / sier hvordan det går",
                }
            ],
        }
        return Response(
            json.dumps(said, ensure_ascii=False).encode(),
            status_code=202,
            headers={"Location": ask},
            media_type=JSON,
        )

    @app.get(
        f"{PREFIX}/metadata",
        response_class=Response,
        responses={
            200: {"description": "The CapabilityStatement", "content": {JSON: {"schema": {"type": "object"}}}}
        },
        tags=["fhir"],
    )
    async def metadata() -> Response:
        """What this door understands, as FHIR asks for it. No token is needed."""
        return Response(json.dumps(capabilities()).encode(), media_type=JSON)

    def creates(kind: str, path: str, said: str) -> None:
        async def create(request: Request, sender: Annotated[Agency, Depends(caller)]) -> Response:
            return await created(request, sender, kind)

        create.__doc__ = said
        app.post(
            path,
            operation_id=f"fhir_{kind}_{path.rpartition('/')[2].strip('$')}",
            status_code=202,
            response_class=Response,
            responses=taken,
            openapi_extra=described,
            tags=["fhir"],
        )(create)

    for kind in KINDS:
        creates(kind, f"{PREFIX}/{kind}", f"{_SAID[kind]}. The answer is as for `POST /v1/messages`.")
    creates("Bundle", f"{PREFIX}/$process-message", "A Bundle of type message, such as a referral.")
