"""Understands bodies that are too large, too slow, or not what their headers say."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from hub.message import Agency
from tests.hub import fakes

Bearer = Callable[[Agency], dict[str, str]]
LIMIT = 20_000  # as in conftest.py


def memory() -> int:
    """Resident memory of this process, which is also the server's, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def chunks(total: int, sent: list[int]) -> Iterator[bytes]:
    for _ in range(total // 65536):
        sent.append(65536)
        yield b"x" * 65536


def raw(
    url: str, headers: dict[str, str], parts: Iterator[bytes], *, seconds: float = 10
) -> tuple[bytes, int]:
    """What a plain socket reads back, and how much it could send before the door closed."""
    address = urlsplit(url)
    sent = 0
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=seconds) as link:
        link.sendall(f"POST /v1/messages HTTP/1.1\r\nHost: hub\r\n{lines}\r\n".encode())
        try:
            for part in parts:
                link.sendall(part)
                sent += len(part)
        except OSError:
            pass
        answer = b""
        try:
            while not whole(answer) and (part := link.recv(65536)):
                answer += part
        except OSError:
            pass
    return answer, sent


def whole(answer: bytes) -> bool:
    """Whether an answer has come as far as its head says."""
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *([0-9]+)", head)
    return length is not None and len(body) >= int(length.group(1))


def code(answer: bytes) -> str:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    return str(json.loads(body)["code"])


def test_a_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(
    client: httpx.Client, bearer: Bearer
) -> None:
    headers = bearer(fakes.PRISON) | {"Content-Type": "application/json"}
    whole = b'{"id": "a"}'.ljust(LIMIT)

    assert client.post("/v1/messages", headers=headers, content=whole).status_code == 202
    assert client.post("/v1/messages", headers=headers, content=whole + b" ").status_code == 413
    chunked = client.post("/v1/messages", headers=headers, content=iter([whole, b" "]))
    assert chunked.status_code == 413


def refused(link: socket.socket, bearer: Bearer, announced: int) -> None:
    """Announce a body that is refused on its headers, and leave the hub the time to do so."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in bearer(fakes.PRISON).items())
    head = f"POST /v1/messages HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n{lines}"
    link.sendall(f"{head}Content-Length: {announced}\r\n\r\n".encode())
    time.sleep(0.05)


def test_the_answer_reaches_a_caller_who_is_still_sending(url: str, bearer: Bearer) -> None:
    """Closing on bytes that still come in resets the connection, and takes the answer with it."""
    address = urlsplit(url)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10) as link:
        refused(link, bearer, 2 * LIMIT)
        for _ in range(10):
            link.sendall(b"x" * (LIMIT // 5))
            time.sleep(0.005)
        answer = b""
        while part := link.recv(65536):
            answer += part
    assert code(answer) == "receive.too-large"


def test_who_goes_on_sending_after_a_refusal_is_cut_off(url: str, bearer: Bearer) -> None:
    address, started = urlsplit(url), time.monotonic()
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10) as link:
        refused(link, bearer, 10**9)
        cut_off = False
        while not cut_off and time.monotonic() - started < 8:
            try:
                link.sendall(b"x")
            except (ConnectionResetError, BrokenPipeError):
                cut_off = True
            time.sleep(0.05)
    assert cut_off


def test_a_body_of_50_megabytes_is_refused_on_its_headers_and_never_held(
    client: httpx.Client, hub: fakes.FakeHub, bearer: Bearer
) -> None:
    sent: list[int] = []
    total = 50 * 1024 * 1024
    headers = bearer(fakes.PRISON) | {"Content-Type": "application/json", "Content-Length": str(total)}
    before, started = memory(), time.monotonic()

    answer = client.post("/v1/messages", headers=headers, content=chunks(total, sent))

    assert answer.status_code == 413
    assert answer.json()["code"] == "receive.too-large"
    assert time.monotonic() - started < 2
    assert memory() - before < 10 * 1024 * 1024
    assert sum(sent) < total // 4
    assert hub.bodies == []


def test_an_announced_size_beyond_the_limit_is_refused_before_a_byte_of_it_comes(
    url: str, bearer: Bearer
) -> None:
    started = time.monotonic()

    headers = bearer(fakes.PRISON) | {"Content-Type": "application/json", "Content-Length": str(LIMIT + 1)}
    answer, _ = raw(url, headers, iter([]))

    assert code(answer) == "receive.too-large"
    assert time.monotonic() - started < 1


def test_a_chunked_body_without_end_is_cut_at_the_limit(url: str, hub: fakes.FakeHub, bearer: Bearer) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"1000\r\n" + b"x" * 4096 + b"\r\n"

    headers = bearer(fakes.PRISON) | {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    before, started = memory(), time.monotonic()

    answer, sent = raw(url, headers, endless())

    assert code(answer) == "receive.too-large"
    assert b"connection: close" in answer.lower()
    assert time.monotonic() - started < 5
    assert sent < 20 * 1024 * 1024
    assert memory() - before < 10 * 1024 * 1024
    assert hub.bodies == []


def test_a_caller_without_a_token_cannot_make_the_hub_read_a_body(url: str) -> None:
    started = time.monotonic()

    answer, _ = raw(url, {"Content-Type": "application/json", "Content-Length": "9000"}, iter([b"{"]))

    assert code(answer) == "receive.unauthenticated"
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("length", ["-1", "1e3", "12, 13", "x"])
def test_a_content_length_that_is_no_number_is_refused(url: str, bearer: Bearer, length: str) -> None:
    headers = bearer(fakes.PRISON) | {"Content-Type": "application/json", "Content-Length": length}

    answer, _ = raw(url, headers, iter([b"{}"]))

    assert answer.startswith(b"HTTP/1.1 400")


def test_more_than_the_announced_length_is_not_part_of_the_message(
    url: str, hub: fakes.FakeHub, bearer: Bearer
) -> None:
    headers = bearer(fakes.PRISON) | {"Content-Type": "application/json", "Content-Length": "11"}

    answer, _ = raw(url, headers | {"Connection": "close"}, iter([b'{"id": "a"}', b"y" * 50_000]))

    assert answer.startswith((b"HTTP/1.1 202", b"HTTP/1.1 400"))
    assert hub.bodies in ([], [b'{"id": "a"}'])


def test_a_body_that_stops_coming_is_given_up_on(url: str, hub: fakes.FakeHub, bearer: Bearer) -> None:
    started = time.monotonic()
    headers = bearer(fakes.PRISON) | {"Content-Type": "application/json", "Content-Length": "100"}
    answer, _ = raw(url, headers, iter([b"{"]), seconds=20)

    assert code(answer) == "receive.request-invalid"
    assert 1.5 < time.monotonic() - started < 6
    assert hub.bodies == []


def test_a_body_that_is_cut_off_is_no_message(url: str, hub: fakes.FakeHub, bearer: Bearer) -> None:
    address = urlsplit(url)
    lines = "".join(f"{name}: {value}\r\n" for name, value in bearer(fakes.PRISON).items())
    with socket.create_connection((str(address.hostname), int(address.port or 0))) as link:
        head = f"POST /v1/messages HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n{lines}"
        link.sendall(f'{head}Content-Length: 30\r\n\r\n{{"id": "a"}}'.encode())

    time.sleep(0.3)

    assert hub.bodies == []


def test_the_door_says_nothing_of_what_it_is_made_of(client: httpx.Client) -> None:
    answer = client.get("/health/live")

    assert "server" not in answer.headers
    assert "x-powered-by" not in answer.headers


def test_many_senders_at_once_all_get_through(
    client: httpx.Client, url: str, hub: fakes.FakeHub, bearer: Bearer
) -> None:
    headers = bearer(fakes.PRISON) | {"Content-Type": "application/json"}
    statuses: list[int] = []

    def send(number: int) -> None:
        body = json.dumps({"id": f"m-{number}"})
        statuses.append(
            httpx.post(f"{url}/v1/messages", headers=headers, content=body, trust_env=False).status_code
        )

    threads = [threading.Thread(target=send, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [202] * 40
    assert len(hub.messages) == 40
