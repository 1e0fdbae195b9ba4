"""Understands the console's addresses, who gets in, and what every page is protected by.

Two kinds of visitors: operations, who opened the printed address and see Drift, which changes nothing;
and people at a desk, who log in by name (`users.py`) and act for their agency. Neither is the other.
Mounted into the API's app by `mount`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.console import drift, saker, samtykke, users
from hub.console.door import COOKIE, LASTS, Door
from hub.console.samtykke import Outcome
from hub.console.texts import Language, say, say_count
from hub.console.times import age, moment, number
from hub.console.users import Desks, DeskUser, Role, Users
from hub.errors import HubError
from hub.parts import Parts
from hub.standing import read

HERE = Path(__file__).parent
ROOT = "/console"
LANGUAGE_COOKIE = "bro_language"

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


MAX_FORM_BYTES = 64 * 1024

Form = Mapping[str, list[str]]
"""What was filled in: every field with all its values."""


def mount(app: FastAPI, parts: Parts, key: str, people: Users | None = None) -> None:
    """Put the console under /console of an app. `key` (at least 32 characters) opens
    /console/enter?key=… and nothing else does; `people` may log in to the desks."""
    # Not part of the API: no entry in its description.
    app.router.routes.append(Route(ROOT, _to_drift))
    app.router.routes.append(Mount(ROOT, console_router(parts, key, people), name="console"))


def console_router(parts: Parts, login_key: str, people: Users | None = None) -> Starlette:
    """The console as an ASGI app of its own; it expects to stand under /console."""
    rooms = _Rooms(parts, Door(login_key, parts.clock), Desks(people or Users(), parts.clock))
    return Starlette(
        routes=[
            Mount("/static", StaticFiles(directory=HERE / "static")),
            Route("/enter", rooms.enter),
            Route("/leave", rooms.leave, methods=["POST"]),
            Route("/login", rooms.login),
            Route("/login", rooms.filled_in(rooms.log_in), methods=["POST"]),
            Route("/drift", rooms.drift),
            Route("/saker", rooms.at_desk(Role.READER, rooms.sak_list)),
            Route("/saker/{hold}", rooms.at_desk(Role.READER, rooms.sak), methods=["GET"]),
            Route("/saker/{hold}", rooms.at_desk_form(Role.READER, rooms.sak_answered), methods=["POST"]),
            Route("/samtykke", rooms.at_desk(Role.CASEWORKER, rooms.samtykke)),
            *(
                Route(address, rooms.at_desk_form(Role.CASEWORKER, handle), methods=["POST"])
                for address, handle in (
                    ("/samtykke", rooms.samtykke_of),
                    ("/samtykke/gi", rooms.samtykke_given),
                    ("/samtykke/trekk", rooms.samtykke_withdrawn),
                )
            ),
            Route("/", rooms.front),
            Route("/{anything:path}", rooms.anything_else),
        ],
        middleware=[Middleware(_Guarded)],
        exception_handlers={404: rooms.anything_else, 405: rooms.anything_else},
    )


async def _to_drift(request: Request) -> Response:
    return RedirectResponse(f"{ROOT}/drift", status_code=303)


class _Guarded:
    """Every answer of the console carries the same headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, guarded)


class _Rooms:
    """The pages. Not `async`: they read the database, so the framework gives each a thread."""

    def __init__(self, parts: Parts, door: Door, desks: Desks) -> None:
        self._parts = parts
        self._door = door
        self._desks = desks
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "pages"), autoescape=True, undefined=StrictUndefined
        )

    def enter(self, request: Request) -> Response:
        """Key for cookie. The address that is shown afterwards holds no key."""
        if not self._door.opens(request.query_params.get("key", "")):
            return self._closed(request)
        response = RedirectResponse(f"{ROOT}/drift", status_code=303)
        response.set_cookie(
            COOKIE,
            self._door.cookie(),
            max_age=int(LASTS.total_seconds()),
            path=ROOT,
            secure=_over_tls(request),
            httponly=True,
            samesite="strict",
        )
        return response

    def leave(self, request: Request) -> Response:
        response = RedirectResponse(f"{ROOT}/drift", status_code=303)
        for cookie in (COOKIE, users.COOKIE):
            response.delete_cookie(cookie, path=ROOT, httponly=True, samesite="strict")
        return response

    def login(self, request: Request) -> Response:
        """The form of those who have a name at a desk."""
        return self._page(request, "login.html", "login", {"failed": False})

    def log_in(self, request: Request, form: Form) -> Response:
        """Name and key for a cookie. A wrong name and a wrong key get the same answer."""
        cookie = self._desks.enter(_only(form, "name"), _only(form, "key"))
        if cookie is None:
            return self._page(request, "login.html", "login", {"failed": True}, HTTPStatus.UNAUTHORIZED)
        response = RedirectResponse(f"{ROOT}/", status_code=303)
        response.set_cookie(
            users.COOKIE,
            cookie,
            max_age=int(users.LASTS.total_seconds()),
            path=ROOT,
            secure=_over_tls(request),
            httponly=True,
            samesite="strict",
        )
        return response

    def filled_in(self, handle: Callable[[Request, Form], Response]) -> Callable[[Request], Any]:
        """An address that takes a form: read up to a limit, then handled in a thread."""

        async def endpoint(request: Request) -> Response:
            body = b""
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_FORM_BYTES:
                    return await run_in_threadpool(self.refused, request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            form: dict[str, list[str]] = {}
            try:
                pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=1000)
            except ValueError:
                return await run_in_threadpool(self.refused, request, HTTPStatus.BAD_REQUEST)
            for name, value in pairs:
                form.setdefault(name, []).append(value)
            return await run_in_threadpool(handle, request, form)

        return endpoint

    def at_desk(
        self, role: Role, handle: Callable[[Request, DeskUser], Response]
    ) -> Callable[[Request], Any]:
        """A page for people with that role; everybody else learns nothing of it."""

        def endpoint(request: Request) -> Response:
            user = self.user(request)
            if user is None or not user.may(role):
                return self.anything_else(request)
            return handle(request, user)

        return endpoint

    def at_desk_form(
        self, role: Role, handle: Callable[[Request, DeskUser, Form], Response]
    ) -> Callable[[Request], Any]:
        """A form for people with that role, and only if it is one that we gave to this person."""

        def checked(request: Request, form: Form) -> Response:
            user = self.user(request)
            if user is None or not user.may(role):
                return self.anything_else(request)
            token = {"token": _only(form, "token")}
            if not self._desks.comes_from_our_form(request.cookies.get(users.COOKIE), token):
                return self.refused(request, HTTPStatus.FORBIDDEN)
            return handle(request, user, form)

        return self.filled_in(checked)

    def user(self, request: Request) -> DeskUser | None:
        """Who is at the desk, if anybody."""
        return self._desks.knows(request.cookies.get(users.COOKIE))

    def refused(self, request: Request, status: HTTPStatus) -> Response:
        """A form that cannot be taken: too large, broken, or not one of ours."""
        return self._page(request, "refused.html", "refused", {}, status)

    def front(self, request: Request) -> Response:
        user = self.user(request)
        if not self._inside(request) and user is not None and user.may(Role.READER):
            return RedirectResponse(f"{ROOT}/saker", status_code=303)
        if user is not None and user.may(Role.CASEWORKER):
            return RedirectResponse(f"{ROOT}/samtykke", status_code=303)
        if not self._inside(request):
            return self.anything_else(request)
        return RedirectResponse(f"{ROOT}/drift", status_code=303)

    def drift(self, request: Request) -> Response:
        if not self._inside(request):
            return self._closed(request)
        language = _language(request)
        shown = drift.page(read(self._parts), language)
        return self._page(request, "drift.html", "drift", {"page": shown})

    def sak_list(self, request: Request, user: DeskUser, done: str = "") -> Response:
        """What is held for this reader; no content."""
        lines = saker.listed(self._parts, user, _language(request))
        return self._page(request, "saker.html", "saker", {"lines": lines, "done": done})

    def sak(self, request: Request, user: DeskUser, fault: str | None = None) -> Response:
        """One hold before it is opened."""
        return self._sak(request, user, saker.closed, fault)

    def sak_answered(self, request: Request, user: DeskUser, form: Form) -> Response:
        """A hold is opened, or answered. What did not work is said where it was tried."""
        if not _only(form, "do"):
            return Response(status_code=HTTPStatus.NO_CONTENT)  # Enter in a field: the page stays as it is
        if _only(form, "do") == "read":
            return self._sak(request, user, saker.opened)
        language = _language(request)
        try:
            answer = saker.answered(self._parts, request.path_params["hold"], user, form)
        except HubError as error:
            said = saker.fault(error, language)
            show = saker.opened if error.code == "hold.invalid" else saker.closed
            return self._sak(request, user, show, said)
        return self.sak_list(request, user, saker.done(answer, language))

    def _sak(
        self, request: Request, user: DeskUser, show: Callable[..., saker.Page], fault: str | None = None
    ) -> Response:
        language, hold = _language(request), request.path_params["hold"]
        try:
            page = show(self._parts, hold, user, language, fault)
        except HubError as error:
            if error.code != "hold.not-found":
                raise
            return self.anything_else(request)
        words = {"page": page, "strength": lambda s: say(language, f"sak.strength.{s.lower()}")}
        status = HTTPStatus.CONFLICT if fault else HTTPStatus.OK
        return self._page(request, "sak.html", "sak", words, status)

    def samtykke(self, request: Request, user: DeskUser) -> Response:
        return self._samtykke(request, user, {}, Outcome())

    def samtykke_of(self, request: Request, user: DeskUser, form: Form) -> Response:
        return self._samtykke(request, user, form, Outcome())

    def samtykke_given(self, request: Request, user: DeskUser, form: Form) -> Response:
        outcome = samtykke.give(self._parts, user, form, _language(request))
        return self._samtykke(request, user, form, outcome)

    def samtykke_withdrawn(self, request: Request, user: DeskUser, form: Form) -> Response:
        outcome = samtykke.withdraw(self._parts, user, form, _language(request))
        return self._samtykke(request, user, form, outcome)

    def _samtykke(self, request: Request, user: DeskUser, form: Form, outcome: Outcome) -> Response:
        shown = samtykke.page(self._parts, user, _only(form, "number").strip(), _language(request), outcome)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if outcome.faults else HTTPStatus.OK
        return self._page(request, "samtykke.html", "samtykke", {"page": shown}, status)

    def anything_else(self, request: Request, _error: Exception | None = None) -> Response:
        """Who is outside does not learn which pages exist."""
        if not self._inside(request) and self.user(request) is None:
            return self._closed(request)
        return self._page(request, "missing.html", "missing", {}, HTTPStatus.NOT_FOUND)

    def _inside(self, request: Request) -> bool:
        return self._door.knows(request.cookies.get(COOKIE))

    def _closed(self, request: Request) -> Response:
        return self._page(request, "enter.html", "enter", {}, HTTPStatus.UNAUTHORIZED)

    def _page(
        self,
        request: Request,
        template: str,
        title: str,
        values: Mapping[str, Any],
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        language = _language(request)
        body = self._templates.get_template(template).render(
            **values,
            root=ROOT,
            title=say(language, title),
            room=title,
            inside=self._inside(request),
            user=self.user(request),
            token=self._desks.token(request.cookies.get(users.COOKIE)),
            desks_open=bool(self._desks.users),
            language=language.value,
            other=_OTHER[language].value,
            t=lambda key, **put_in: say(language, key, **put_in),
            count=lambda key, n: say_count(language, key, n),
            moment=lambda at: moment(language, at),
            age=lambda span: age(language, span),
            number=lambda n: number(language, n),
        )
        response = HTMLResponse(body, status_code=status)
        if request.query_params.get("lang") in _WORDS:
            response.set_cookie(
                LANGUAGE_COOKIE,
                language.value,
                max_age=365 * 86400,
                path=ROOT,
                secure=_over_tls(request),
                httponly=True,
                samesite="strict",
            )
        return response


_OTHER = {Language.NB: Language.EN, Language.EN: Language.NB}
_WORDS = {language.value: language for language in Language}


def _language(request: Request) -> Language:
    """As asked for now, as asked for before, or bokmål."""
    asked = (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE))
    return next((_WORDS[word] for word in asked if word in _WORDS), Language.NB)


def _only(form: Form, name: str) -> str:
    """The one value of a field; a field that is missing or doubled says nothing."""
    values = form.get(name, [])
    return values[0] if len(values) == 1 else ""


def _over_tls(request: Request) -> bool:
    """TLS ends in the proxy in front, which says so. Whoever lies about it only locks themselves out."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
