"""Understands pushing to a webhook by what a real receiver on a socket sees, and how it may misbehave."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest

from hub.doors.webhook import Webhook, signed, verify
from hub.errors import HubError
from hub.message import Rendered
from hub.permit import PermitSpent, SendPermit
from tests.hub import fakes

BODY = f"<sak>{fakes.CANARY}</sak>".encode()
Answer = Callable[[socket.socket], None]


class Receiver:
    """A socket that keeps what it got, whole requests only, and answers as told."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/inn?x=1"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                link, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        with suppress(OSError, ValueError), link, link.makefile("rb") as lines:
            while first := lines.readline().decode():
                headers: dict[str, str] = {}
                while line := lines.readline().decode().strip():
                    name, _, value = line.partition(":")
                    headers[name.lower()] = value.strip()
                body = lines.read(int(headers.get("content-length", "0")))
                self.requests.append((first.strip(), headers, body))
                self.answer(link)


def says(text: str) -> Answer:
    return lambda link: link.sendall(text.replace("\n", "\r\n").encode())


OK = "HTTP/1.1 204 No Content\n\n"


@contextmanager
def receiver(answer: Answer) -> Iterator[Receiver]:
    one = Receiver(answer)
    try:
        yield one
    finally:
        one.listener.close()


def permit() -> SendPermit:
    return SendPermit("d_1", fakes.NAV, 1)


RENDERED = Rendered(fakes.NAV, "brik_xml", "application/xml", BODY)


def webhook(url: str, timeout: float = 5.0) -> Webhook:
    return Webhook(fakes.directory(url=url), timeout, clock=fakes.NOW.timestamp)


def code(hook: Webhook) -> str:
    with pytest.raises(HubError) as refused:
        hook.send(permit(), RENDERED)
    assert refused.value.findings == ()
    return refused.value.code


def test_the_receiver_gets_the_bytes_and_can_prove_who_sent_them() -> None:
    with receiver(says(OK)) as nav:
        webhook(nav.url).send(permit(), RENDERED)

    line, headers, body = nav.requests[0]
    assert line == "POST /inn?x=1 HTTP/1.1"
    assert body == BODY
    assert headers["webhook-id"] == "d_1"
    assert headers["content-type"] == "application/xml"
    assert verify(fakes.SECRET, headers, body, fakes.NOW)


def test_a_connection_is_used_again() -> None:
    with receiver(says("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")) as nav:
        hook = webhook(nav.url)
        for _ in range(3):
            hook.send(permit(), RENDERED)

    assert (len(nav.requests), nav.connections) == (3, 1)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (301, "hand-over.refused"),
        (307, "hand-over.refused"),
        (400, "hand-over.refused"),
        (401, "hand-over.refused"),
        (404, "hand-over.refused"),
        (409, "hand-over.refused"),
        (410, "hand-over.refused"),
        (408, "hand-over.unavailable"),
        (425, "hand-over.unavailable"),
        (429, "hand-over.unavailable"),
        (500, "hand-over.unavailable"),
        (503, "hand-over.unavailable"),
    ],
)
def test_the_status_says_whether_to_try_again(status: int, expected: str) -> None:
    with receiver(says(f"HTTP/1.1 {status} X\nContent-Length: 0\n\n")) as nav:
        assert code(webhook(nav.url)) == expected


def test_a_redirect_takes_the_message_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    with receiver(says(OK)) as elsewhere:
        moved = f"HTTP/1.1 307 X\nLocation: {elsewhere.url}\nContent-Length: 0\n\n"
        with receiver(says(moved)) as nav:
            assert code(webhook(nav.url)) == "hand-over.refused"

    assert elsewhere.requests == []


def test_a_proxy_from_the_environment_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver(says(OK)) as proxy, receiver(says(OK)) as nav:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        webhook(nav.url).send(permit(), RENDERED)

    assert (len(proxy.requests), len(nav.requests)) == (0, 1)


def _silent(link: socket.socket) -> None:
    time.sleep(3)


def _drip(link: socket.socket) -> None:
    for letter in b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 1000:
        link.sendall(bytes([letter]))
        time.sleep(0.05)


def _drip_body(link: socket.socket) -> None:
    link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
    for _ in range(900):
        link.sendall(b"y")
        time.sleep(0.05)


@pytest.mark.parametrize("answer", [_silent, _drip, _drip_body])
def test_a_slow_receiver_has_the_whole_attempts_time_and_no_more(answer: Answer) -> None:
    started = time.monotonic()

    with receiver(answer) as nav:
        assert code(webhook(nav.url, timeout=0.5)) == "hand-over.unavailable"

    assert 0.4 < time.monotonic() - started < 1.5


def test_a_receiver_that_does_not_read_cannot_hold_a_worker() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hook = webhook(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=0.5)
        started = time.monotonic()
        with pytest.raises(HubError):
            hook.send(permit(), Rendered(fakes.NAV, "x", "application/xml", b"x" * 30_000_000))

    assert time.monotonic() - started < 2


def test_an_endless_answer_is_not_read() -> None:
    sent = 0

    def endless(link: socket.socket) -> None:
        nonlocal sent
        link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            sent += link.send(b"y" * 65536)

    with receiver(endless) as nav:
        webhook(nav.url).send(permit(), RENDERED)
        time.sleep(0.1)

    assert sent < 20_000_000


@pytest.mark.parametrize(
    "answer",
    [
        says(""),
        lambda link: link.close(),
        lambda link: link.shutdown(socket.SHUT_RDWR),
        says("SSH-2.0-nothing\n"),
        says("HTTP/1.1 two hundred\n\n"),
    ],
)
def test_an_answer_that_is_none_may_come_better_later(answer: Answer) -> None:
    with receiver(answer) as nav:
        assert code(webhook(nav.url, timeout=0.5)) == "hand-over.unavailable"


def test_nobody_there_and_no_such_name_are_tried_again_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}/inn"
    assert code(webhook(url)) == "hand-over.unavailable"
    assert code(webhook("https://nav.invalid/inn")) == "hand-over.unavailable"


def test_a_plain_server_behind_an_https_address_gets_nothing() -> None:
    with receiver(says(OK)) as nav:
        assert code(webhook(nav.url.replace("http:", "https:"), timeout=1)) == "hand-over.unavailable"

    assert all(fakes.CANARY.encode() not in body for _, _, body in nav.requests)


def test_certificate_checks_cannot_be_handed_away() -> None:
    careless = ssl.create_default_context()
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE

    with pytest.raises(ValueError, match="always checked"):
        Webhook(fakes.directory(), 5, trusted=careless)


def test_a_permit_is_spent_by_the_attempt_whatever_comes_of_it() -> None:
    with receiver(says("HTTP/1.1 500 X\nContent-Length: 0\n\n")) as nav:
        hook, once = webhook(nav.url), permit()
        with pytest.raises(HubError):
            hook.send(once, RENDERED)
        with pytest.raises(PermitSpent):
            hook.send(once, RENDERED)

    assert len(nav.requests) == 1


def test_a_message_for_one_agency_cannot_go_to_another() -> None:
    with receiver(says(OK)) as nav:
        hook = webhook(nav.url)
        for recipient, rendered_for in ((fakes.NAV, fakes.PRISON), (fakes.PRISON, fakes.PRISON)):
            with pytest.raises(HubError) as refused:
                hook.send(SendPermit("d", recipient, 1), Rendered(rendered_for, "x", "a/b", BODY))
            assert refused.value.code == "hub.internal"

    assert nav.requests == []


def test_neither_the_message_nor_the_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret_answer = f"HTTP/1.1 400 {fakes.CANARY}\nX-Y: {fakes.CANARY}\nContent-Length: 20\n\n{fakes.CANARY}"
    with receiver(says(secret_answer)) as nav:
        code(webhook(nav.url))

    assert fakes.CANARY not in repr([record.__dict__ for record in caplog.records])


def test_a_push_is_true_only_whole_fresh_and_signed_with_our_secret() -> None:
    at = int(fakes.NOW.timestamp())
    good = signed(fakes.SECRET, "d_1", at, BODY)
    assert verify(fakes.SECRET, {name.upper(): value for name, value in good.items()}, BODY, fakes.NOW)
    both = good | {"webhook-signature": "v1,AAAA " + good["webhook-signature"]}
    assert verify(fakes.SECRET, both, BODY, fakes.NOW)

    assert not verify(b"another secret of 24 bytes..", good, BODY, fakes.NOW)
    assert not verify(fakes.SECRET, good, BODY + b" ", fakes.NOW)
    assert not verify(fakes.SECRET, good | {"webhook-id": "d_2"}, BODY, fakes.NOW)
    assert not verify(fakes.SECRET, good | {"webhook-timestamp": str(at + 1)}, BODY, fakes.NOW)
    assert not verify(fakes.SECRET, good, BODY, fakes.NOW + timedelta(seconds=301))
    assert not verify(fakes.SECRET, good, BODY, fakes.NOW - timedelta(seconds=301))
    for missing in good:
        assert not verify(fakes.SECRET, {k: v for k, v in good.items() if k != missing}, BODY, fakes.NOW)
    for bad in ("", "v2," + good["webhook-signature"][3:], "æ", good["webhook-signature"][3:]):
        assert not verify(fakes.SECRET, good | {"webhook-signature": bad}, BODY, fakes.NOW)
