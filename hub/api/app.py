"""Understands the REST door: routes, who may call them, and how answers look.

Every route proves the caller first, then makes one call of the facade. It knows no store, no
formats and no policy.
"""

# No `from __future__ import annotations` here: FastAPI reads the routes' annotations, and those name
# the caller check of the enclosing function.

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, ParamSpec, TypeVar

import uvicorn
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from hub.api import fhir, fiks, openapi
from hub.api.facade import Accepted, Facade
from hub.api.guard import Guard
from hub.api.limits import Bodies, accepted_types, media_type
from hub.api.problem import answer, documented
from hub.api.tokens import IssuerKeys, Scope, Tokens, file_source, url_source
from hub.directory import Directory
from hub.errors import PROBLEMS, Finding, HubError
from hub.message import CONTROL_SECTORS, Agency, Rendered, Step
from hub.settings import Settings
from hub.trail import run

P = ParamSpec("P")
T = TypeVar("T")

_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_PARAMETERS: Final = {
    "after": "the `after` of an earlier answer",
    "limit": "a whole number from 1 to 200",
    "language": "nb or en",
}
EVEN_OUT_SECONDS = 0.05
"""More than nearly every decision takes, less than a reader minds."""
_TOKEN_CODES = ("receive.unauthenticated", "receive.scope-missing", "receive.agency-unknown")
_BODY_CODES = ("receive.too-large", "receive.duplicate-id", "receive.request-invalid", "receive.busy")
_MESSAGE_CODES = (
    "parse.format-unknown",
    "parse.malformed",
    "parse.forbidden-construct",
    "parse.invalid",
    "route.type-not-yours",
    "route.agreement-missing",
    "route.recipient-unknown",
    "route.reference-unknown",
    "route.move-not-allowed",
    "receive.expired",
    "consent.not-evaluable",
    "consent.form-missing",
    "consent.recorder-control",
    "consent.programme-only",
    "consent.unknown",
    "consent.version-old",
)


def create_app(
    facade: Facade,
    *,
    settings: Settings,
    directory: Directory,
    clock: Callable[[], datetime],
    ready: Callable[[], bool] = lambda: True,
    registry: CollectorRegistry = REGISTRY,
    even_out: float = EVEN_OUT_SECONDS,
) -> FastAPI:
    """The API over one hub. `ready` says whether store and queue answer; it may block. `even_out`:
    a fetch takes a whole number of these many seconds, a control role's post twice as many; 0 as long as
    it takes."""
    app = FastAPI(
        title="Brobygger",
        version="1",
        description=openapi.DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(Guard)
    app.add_exception_handler(HubError, _refused)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(RequestValidationError, _parameters)
    tokens = Tokens(settings.issuer, settings.audience, _issuer_keys(settings), directory, clock)
    bodies = Bodies(
        limit=settings.max_body_bytes, uploads=settings.max_uploads, seconds=settings.body_seconds
    )
    take, writer = _taking(facade, bodies, even_out=even_out), _caller(tokens, Scope.WRITE)
    _add_messages(app, facade, take, writer)
    fhir.add(app, take, writer, (*_TOKEN_CODES, *_BODY_CODES, *_MESSAGE_CODES, "hub.internal"))
    _add_receipts(app, facade, _caller(tokens, Scope.WRITE))
    _add_preview(app, facade, bodies, _caller(tokens, Scope.PREVIEW))
    _add_inbox(app, facade, _caller(tokens, Scope.READ), even_out=even_out)
    _add_operations(app, ready, registry)
    openapi.install(app)
    return app


def server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """Serves the app: no access log (an address may hold a sender's id), no server header."""
    config = uvicorn.Config(
        app,
        host=settings.listen.host,
        port=settings.listen.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_keep_alive=15,
        timeout_graceful_shutdown=20,
    )
    return uvicorn.Server(config)


def _issuer_keys(settings: Settings) -> IssuerKeys | None:
    if settings.jwks_url is not None:
        return IssuerKeys(url_source(settings.jwks_url), time.monotonic)
    if settings.jwks_file is not None:
        return IssuerKeys(file_source(settings.jwks_file), time.monotonic)
    return None


def _caller(tokens: Tokens, scope: Scope) -> Callable[[Request], Agency]:
    def caller(request: Request) -> Agency:
        request.state.scope_needed = scope.value
        stated = request.headers.getlist("authorization")
        return tokens.agency(stated[0] if len(stated) == 1 else None, scope)

    return caller


def _known_form(identifier: str) -> str:
    """An id that could exist. Anything else gets the answer of an id that does not."""
    if not _ID.fullmatch(identifier):
        raise HubError("receive.not-found")
    return identifier


def _taking(facade: Facade, bodies: Bodies, *, even_out: float) -> fhir.Take:
    """How every door of this API takes a message."""

    async def take(
        request: Request, sender: Agency, stated: str, look: Callable[[bytes], None] | None = None
    ) -> Accepted:
        began = time.monotonic()
        try:
            async with bodies.of(request) as body:
                if look is not None:
                    await run_in_threadpool(look, body)
                return await run_in_threadpool(facade.receive, sender, stated, body)
        finally:
            if even_out and sender.sector in CONTROL_SECTORS:
                # How long it takes depends on what the person lets go, which is not for them to know.
                await asyncio.sleep(_rest_of_step(began, 2 * even_out))

    return take


def _add_messages(app: FastAPI, facade: Facade, take: fhir.Take, caller: Callable[[Request], Agency]) -> None:
    @app.post(
        "/v1/messages",
        status_code=202,
        response_model=openapi.AcceptedDocument,
        responses=_with_receipt(
            documented(*_TOKEN_CODES, *_BODY_CODES, *_MESSAGE_CODES, "hub.internal"), *_MESSAGE_CODES
        ),
        openapi_extra=openapi.takes(Scope.WRITE, "*/*"),
        tags=["messages"],
    )
    async def post_message(
        request: Request, response: Response, sender: Annotated[Agency, Depends(caller)]
    ) -> Any:
        """Post one message in your own format. It is stored when the answer is `202`, and only then.

        With `Accept: application/xml` a KITH message is answered by the AppRec that belongs to its format,
        stored or refused; the status is the same. Where none can be made the answer is the plain one.

        Send it again, unchanged, when you get no answer or `503`: `duplicate` is then true and
        nothing happens twice. The same message id with other content is refused. Who posts a package
        of Fiks and accepts one gets the receipt as a package, with the same status.
        """
        stated, posted = media_type(request), list[bytes]()
        accepted, refused = None, None
        try:
            accepted = await take(request, sender, stated, posted.append)
        except HubError as error:
            refused = error
        receipt: Rendered | None = None
        if posted:
            told = await _if_it_can_be_made(fiks.receipt_for, request, stated, posted[0], refused)
            if told is not None:
                return told
            if _wants_xml(request) and not (accepted and accepted.duplicate):
                receipt = await _if_it_can_be_made(facade.apprec, sender, posted[0], refused)
        # Dying here: a message that was taken in is stored, and its receipt was given to nobody. Posted again
        # it is a duplicate and gets the plain answer. What was refused left nothing, and is refused again.
        if accepted is None:
            assert refused is not None
            if receipt is None:
                raise refused
            return _receipt(receipt, refused.problem.status)
        status_url = f"/v1/messages/{accepted.id}"
        if receipt is not None:
            return _receipt(receipt, 202, status_url)
        response.headers["Location"] = status_url
        return {
            "id": accepted.id,
            "message_id": accepted.message_id,
            "status_url": status_url,
            "duplicate": accepted.duplicate,
        }

    @app.get(
        "/v1/messages/{id}",
        response_model=openapi.StatusDocument,
        responses=documented(*_TOKEN_CODES, "receive.not-found", "hub.internal"),
        openapi_extra=openapi.needs(Scope.WRITE),
        tags=["messages"],
    )
    def message_status(id: str, sender: Annotated[Agency, Depends(caller)]) -> Any:
        """Where your own message stands. Nobody else's exists, as far as this address tells."""
        return facade.of_message(sender, _known_form(id))


async def _if_it_can_be_made(make: Callable[P, T | None], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """A receipt, made off the event loop: it reads the whole body again. None when that fails: what became
    of the message is then told as to whoever asked for none."""
    try:
        return await run_in_threadpool(lambda: run(Step.RECEIPT, make, *args, **kwargs))
    except HubError:
        return None


def _with_receipt(responses: dict[int | str, dict[str, Any]], *codes: str) -> dict[int | str, dict[str, Any]]:
    """The same answers, where a message can be refused also as an AppRec, and `202` as one."""
    receipt = {"application/xml": {"schema": {"type": "string", "format": "binary"}}}
    for status in {PROBLEMS[code].status for code in codes}:
        responses[status]["content"] |= receipt
    return responses | {202: {"description": "The message is stored", "content": receipt}}


def _wants_xml(request: Request) -> bool:
    """Whether XML is what the sender names first of what it accepts."""
    return accepted_types(request)[0] in ("application/xml", "text/xml")


def _receipt(receipt: Rendered, status: int, location: str | None = None) -> Response:
    headers = {"Cache-Control": "no-store", "Content-Type": receipt.media_type}
    return Response(receipt.body, status, headers | ({"Location": location} if location else {}))


def _add_receipts(app: FastAPI, facade: Facade, caller: Callable[[Request], Agency]) -> None:
    @app.get(
        "/v1/consents/{id}/receipt",
        response_model=openapi.ReceiptDocument,
        responses=documented(*_TOKEN_CODES, "receive.not-found", "receive.request-invalid", "hub.internal"),
        openapi_extra=openapi.needs(Scope.WRITE),
        tags=["messages"],
    )
    def consent_receipt(
        id: str,
        recorder: Annotated[Agency, Depends(caller)],
        language: Annotated[str, Query(pattern="^(nb|en)$", description=_PARAMETERS["language"])] = "nb",
    ) -> Any:
        """The receipt of a consent or refusal that you recorded, to hand to the person. The id is the
        one you got when you posted it. Prison, probation, court and prosecution get none here."""
        return facade.receipt(recorder, _known_form(id), language)


def _add_preview(app: FastAPI, facade: Facade, bodies: Bodies, caller: Callable[[Request], Agency]) -> None:
    @app.post(
        "/v1/decisions:preview",
        response_model=openapi.PreviewDocument,
        responses=documented(
            *_TOKEN_CODES,
            "receive.too-large",
            "receive.request-invalid",
            "receive.busy",
            *(code for code in _MESSAGE_CODES if not code.startswith("consent.")),
            "route.version-used",
            "hub.internal",
        ),
        openapi_extra=openapi.takes(Scope.PREVIEW, "*/*"),
        tags=["messages"],
    )
    async def preview_message(
        request: Request, sender: Annotated[Agency, Depends(caller)]
    ) -> Mapping[str, Any]:
        """What would go if you posted this message of yours now. Nothing is sent or kept; that you asked
        is on record. What is decided at the moment of sending is what counts.

        Prison, probation, court and prosecution are told what they would be told after posting, which
        says nothing of what the person allows.

        An answer is held against what you answered before, and refused if the request cannot move so. Where
        "not ours" sends a request is not told, neither here nor after posting.
        """
        stated = media_type(request)
        async with bodies.of(request) as body:
            return await run_in_threadpool(facade.preview, sender, stated, body)


def _even_out(began: float, step: float) -> None:
    """Wait until the time taken is a whole number of steps: how long the decision took depends on what
    the message holds that is not for this reader."""
    if step:
        time.sleep(_rest_of_step(began, step))


def _rest_of_step(began: float, step: float) -> float:
    return step - (time.monotonic() - began) % step


def _add_inbox(app: FastAPI, facade: Facade, caller: Callable[[Request], Agency], *, even_out: float) -> None:
    @app.get(
        "/v1/inbox",
        response_model=openapi.InboxDocument,
        responses=documented(*_TOKEN_CODES, "receive.request-invalid", "hub.internal"),
        openapi_extra=openapi.needs(Scope.READ),
        tags=["inbox"],
    )
    def inbox(
        reader: Annotated[Agency, Depends(caller)],
        after: Annotated[
            str | None, Query(pattern=f"^{_ID.pattern}$", description=_PARAMETERS["after"])
        ] = None,
        limit: Annotated[int, Query(ge=1, le=200, description=_PARAMETERS["limit"])] = 50,
    ) -> dict[str, Any]:
        """What waits for you, oldest first. Keep `after` and give it next time."""
        entries = facade.entries(reader, after, limit)
        last = str(entries[-1]["position"]) if entries else after
        return {"entries": entries, "after": last}

    @app.get(
        "/v1/inbox/{id}",
        response_class=Response,
        responses={
            200: {
                "description": "The message in your own format",
                "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
                "headers": {
                    "Bro-Disclosure-Id": {
                        "description": "The same for every copy: drop what you have already",
                        "schema": {"type": "string"},
                    }
                },
            },
            **documented(*_TOKEN_CODES, "receive.not-found", "hub.internal"),
        },
        openapi_extra=openapi.needs(Scope.READ),
        tags=["inbox"],
    )
    def fetch(id: str, reader: Annotated[Agency, Depends(caller)]) -> Response:
        """Fetch one entry. What you get is decided now; fetch again if the connection broke."""
        began = time.monotonic()
        try:
            rendered = facade.fetch(reader, _known_form(id))
        finally:
            _even_out(began, even_out)
        headers = {"Content-Type": rendered.media_type, "Bro-Disclosure-Id": id}
        return Response(rendered.body, headers=headers)

    @app.post(
        "/v1/inbox/{id}/acknowledgement",
        status_code=204,
        response_class=Response,
        responses=documented(*_TOKEN_CODES, "receive.not-found", "hub.internal"),
        openapi_extra=openapi.needs(Scope.READ),
        tags=["inbox"],
    )
    def acknowledge(id: str, reader: Annotated[Agency, Depends(caller)]) -> Response:
        """Say that you have it safely; it then leaves the inbox. Saying it twice does no harm."""
        facade.acknowledge(reader, _known_form(id))
        return Response(status_code=204)


def _add_operations(app: FastAPI, ready: Callable[[], bool], registry: CollectorRegistry) -> None:
    @app.get("/health/live", response_model=openapi.HealthDocument, tags=["operations"])
    async def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @app.get(
        "/health/ready",
        response_model=openapi.HealthDocument,
        responses=documented("receive.busy"),
        tags=["operations"],
    )
    def is_ready() -> dict[str, str]:
        """The hub can store a message now."""
        if not ready():
            raise HubError("receive.busy")
        return {"status": "ok"}

    @app.get("/metrics", response_class=Response, tags=["operations"])
    def metrics() -> Response:
        """Counters and ages for Prometheus. No label tells of a person or a recipient."""
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _answer(request: Request) -> Callable[..., Response]:
    """How this door says no."""
    return fhir.refused if fhir.speaks(request.url.path) else answer


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HubError)
    return _answer(request)(error, scope=getattr(request.state, "scope_needed", None))


async def _framework(request: Request, error: Exception) -> Response:
    """404, 405 and the like, raised by the framework itself."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _answer(request)(HubError("receive.not-found"))
    status = error.status_code if 400 <= error.status_code < 500 else 400
    response = _answer(request)(HubError("receive.request-invalid"), status=status)
    if "Allow" in (error.headers or {}):
        response.headers["Allow"] = (error.headers or {})["Allow"]
    return response


async def _parameters(request: Request, error: Exception) -> Response:
    """The framework's own description of a wrong parameter repeats it; ours never does."""
    assert isinstance(error, RequestValidationError)
    findings = []
    for fault in error.errors():
        name = str(fault["loc"][-1])
        known = name if name in _PARAMETERS else "parameter"
        findings.append(
            Finding(at=f"query.{known}", rule="parameter", expected=_PARAMETERS.get(name, "a valid value"))
        )
    return _answer(request)(HubError("receive.request-invalid", findings))
