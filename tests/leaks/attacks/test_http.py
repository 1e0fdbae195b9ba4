"""What the protocol itself tells: attacks 25 and 33."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.leaks import messages as m
from tests.leaks.attacking import accepted, agree, bare_brik, places, post_brik, withdraw
from tests.leaks.lab import Call, Lab

MARK = "kanarihttp"
_ALLOWED = frozenset(
    {
        *("content-type", "content-length", "cache-control", "content-security-policy"),
        *("cross-origin-resource-policy", "referrer-policy", "x-content-type-options", "x-frame-options"),
        *("location", "www-authenticate", "retry-after", "allow", "connection", "bro-disclosure-id"),
    }
)


def _routes(lab: Lab) -> Iterator[tuple[str, str]]:
    described: dict[str, Any] = lab.call("", "GET", "/openapi.json").said
    for path, methods in described["paths"].items():
        for method in methods:
            yield method.upper(), path


def test_no_header_of_any_answer_is_made_of_content(lab: Lab) -> None:
    """Attack 25: every route, as everybody, with markers in path, query, headers and cookies. No ETag, no
    date of change, no redirect, no permission for another origin; nothing is to be kept on the way."""
    agree(lab, "nav", "gp")
    message = accepted(post_brik(lab, bare_brik()))
    lab.work_off()
    [entry] = lab.call("nav", "GET", "/v1/inbox").said["entries"]
    headers = {
        "Origin": f"http://{MARK}.example",
        "Referer": f"http://{MARK}.example/{MARK}",
        "X-Request-Id": MARK,
        "traceparent": f"00-{MARK}",
        "baggage": f"rus={MARK}",
        "Cookie": f"{MARK}={MARK}",
        "User-Agent": MARK,
        "If-None-Match": f'"{MARK}"',
        "If-Modified-Since": "Wed, 21 Oct 2026 07:28:00 GMT",
        "Range": "bytes=0-5",
        "X-Forwarded-Host": MARK,
        "X-HTTP-Method-Override": "DELETE",
    }
    routes = list(_routes(lab))
    assert len(routes) >= 8
    for method, path in routes:
        for name in (message, entry["id"], MARK, f"{MARK}%2f..%2f{MARK}"):
            for who in ("", "nav", "prison"):
                where = re.sub(r"\{[^}]*\}", name, path)
                for verb in (method, "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"):
                    call = lab.call(who, verb, f"{where}?q={MARK}&{MARK}=1", headers=headers, content=b"")
                    told = dict(call.headers)
                    assert set(told) <= _ALLOWED, (method, path, set(told) - _ALLOWED)
                    assert told["cache-control"] == "no-store"
                    assert told["referrer-policy"] == "no-referrer"
                    assert not 300 <= call.status < 400
    assert places(lab, MARK) == set()


def test_no_address_of_ours_holds_more_than_an_opaque_id(lab: Lab) -> None:
    """Attack 25: what stands in addresses stands in other people's logs."""
    for _, path in _routes(lab):
        assert set(re.findall(r"\{([^}]*)\}", path)) <= {"id"}


def _same(call: Call) -> tuple[Any, ...]:
    body = re.sub(rb"urn:brobygger:request:[0-9a-f]{32}", b"instance", call.body)
    return call.status, call.headers, body


@pytest.mark.parametrize("when", ["never fetched", "fetched", "listed"])
def test_what_was_taken_back_answers_like_what_never_was(lab: Lab, when: str) -> None:
    """Attack 33: by every method, with every trick of a cache or a range."""
    agree(lab, "nav")
    accepted(post_brik(lab, bare_brik()))
    lab.work_off()
    [entry] = lab.call("nav", "GET", "/v1/inbox").said["entries"]
    address = f"/v1/inbox/{entry['id']}"
    if when == "fetched":
        assert lab.call("nav", "GET", address).status == 200
    withdraw(lab, m.to_nav())
    if when == "listed":
        assert lab.call("nav", "GET", "/v1/inbox").said["entries"] == []
    unknown = f"/v1/inbox/{'b' * 26}"
    for method, end in (("GET", ""), ("HEAD", ""), ("GET", "?again=1"), ("DELETE", ""), ("POST", "")):
        for headers in (
            {},
            {"Range": "bytes=0-"},
            {"If-None-Match": "*"},
            {"Cache-Control": "only-if-cached"},
        ):
            answers = [
                _same(lab.call("nav", method, f"{where}{end}", headers=headers))
                for where in (address, unknown)
            ]
            assert answers[0] == answers[1]
            assert answers[0][0] in (404, 405)


def test_a_link_is_good_for_its_agency_and_with_its_token_only(lab: Lab) -> None:
    """Attack 33: no address works by itself, or for somebody else."""
    agree(lab, "nav")
    accepted(post_brik(lab, bare_brik()))
    lab.work_off()
    [entry] = lab.call("nav", "GET", "/v1/inbox").said["entries"]
    address = f"/v1/inbox/{entry['id']}"
    assert lab.call("", "GET", address).status == 401
    assert lab.call("", "GET", f"{address}?access_token=x&token=x").status == 401
    assert {lab.call(who, "GET", address).status for who in ("school", "gp", "prison", "tsb")} == {404}
    assert lab.call("nav", "GET", address).status == 200
