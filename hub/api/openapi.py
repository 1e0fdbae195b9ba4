"""Understands the description of the API for integration engineers: OpenAPI 3.1 beyond the routes.

It knows what the routes return, not how.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field

from hub.api.problem import ProblemDocument
from hub.api.tokens import Scope

DESCRIPTION = """
Brobygger stands between agencies that must act together around a person. You post a message in your
own format; every agency that an agreement names gets what the person has agreed to, in its own format.

* **Who you are** is the organisation number in your access token (Maskinporten shape). You see only your own.
* **Post**: `202` means that the message is stored. Send it again with the same message id if you get no
  answer: the same message is never handled twice.
* **Get**: read the inbox from where you stopped, fetch each entry, and acknowledge it when you have it
  safely. What you fetch is decided at that moment; an entry may be gone again, as if it never was.
* **Errors** are `application/problem+json` with a stable `code`, who must act, whether waiting helps, and
  every fault at once. They never repeat what you sent.
""".strip()

SECURITY_SCHEME = "maskinporten"


def needs(scope: Scope) -> dict[str, Any]:
    """The OpenAPI extra of a route that needs a token with this scope."""
    return {"security": [{SECURITY_SCHEME: [scope.value]}]}


def takes(scope: Scope, *media_types: str) -> dict[str, Any]:
    """The same for a route that takes a body of one of these media types."""
    content = {one: {"schema": {"type": "string", "format": "binary"}} for one in media_types}
    return {**needs(scope), "requestBody": {"required": True, "content": content}}


class AcceptedDocument(BaseModel):
    """The message is stored."""

    id: str = Field(description="The hub's id of the message", examples=["m_0f3c9a52d1"])
    message_id: str = Field(description="Your own id of it, from the message", examples=["brik-2031-0007"])
    status_url: str = Field(description="Where to ask how it goes", examples=["/v1/messages/m_0f3c9a52d1"])
    duplicate: bool = Field(description="The same message was stored before; nothing new happens")


class EntryDocument(BaseModel):
    """Something that waits for you. It tells nothing of the content."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(description="The disclosure to fetch and to acknowledge", examples=["d_51c02e77ab"])


class InboxDocument(BaseModel):
    """One page of the inbox, oldest first."""

    entries: list[EntryDocument]
    after: str | None = Field(description="Give this as `after` next time", examples=["42"])


class StatusDocument(BaseModel):
    """Where your own message stands."""

    model_config = ConfigDict(extra="allow")


class PreviewedDocument(BaseModel):
    """What one recipient would get."""

    agreement: str = Field(description="Under which agreement", examples=["brik-nav"])
    org: str = Field(description="The recipient", examples=["123456785"])
    name: str = Field(description="Its neutral name")
    state: str = Field(
        description="`whole`, `reduced`, `nothing`; `accepted` where you are not told", examples=["reduced"]
    )
    code: str | None = Field(description="Why not everything goes, if you may know")
    withheld: list[str] | None = Field(description="Fields that would not go, if you may know")


class PreviewDocument(BaseModel):
    """A dry run of your own message."""

    recipients: list[PreviewedDocument]


class ReceiptDocument(BaseModel):
    """The receipt of a recorded consent or refusal, for the person: after Kantara Consent Receipt 1.1 and
    ISO/IEC TS 27560. It names the person by a pseudonym only."""

    receipt_version: str
    jurisdiction: str
    receipt_id: str
    time: datetime
    method: str
    language: str
    person: str
    controllers: list[dict[str, str]]
    version: int
    decision: str = Field(examples=["permit", "refuse"])
    withdrawn_at: datetime | None
    permissions_ended_at: datetime | None = Field(
        description="Of a refusal: when what it permitted by exception was withdrawn. What it refuses stands."
    )
    summary: list[str]
    senders: list[str]
    recipients: list[str]
    purposes: list[str]
    categories: list[str]
    third_parties: str
    sensitive: bool
    termination: str
    how_to_withdraw: str
    text: dict[str, str | None] = Field(description="The words shown: id, language, words, sha256")


class HealthDocument(BaseModel):
    """No details: they are for operations, not for the network."""

    status: str = Field(examples=["ok"])


def install(app: FastAPI) -> None:
    """Complete what FastAPI generates: the problem schema, and how to get a token."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(
                get_openapi(
                    title=app.title,
                    version=app.version,
                    openapi_version="3.1.0",
                    description=app.description,
                    routes=app.routes,
                )
            )
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]  # FastAPI's documented way to extend the schema


def _complete(schema: dict[str, Any]) -> dict[str, Any]:
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["ProblemDocument"] = problem
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for operations in schema["paths"].values():
        for operation in operations.values():
            default = operation["responses"].get("422", {}).get("content", {}).get("application/json")
            if default:  # FastAPI's own validation answer, which this API never gives
                del operation["responses"]["422"]
    components["securitySchemes"] = {
        SECURITY_SCHEME: {
            "type": "oauth2",
            "description": "A JWT from the issuer, by client credentials (JWT grant, RFC 7523).",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": "/token",
                    "scopes": {
                        Scope.WRITE.value: "Post messages and read their status",
                        Scope.READ.value: "Read the inbox",
                        Scope.PREVIEW.value: "Try your own message before you post it",
                    },
                }
            },
        }
    }
    return schema
