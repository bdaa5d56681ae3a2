"""Sizes and forms of requests, through a real web server: refused before a body is read."""

import socket
import time

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from docgen.backoffice.api import guard
from tests.service import callers, town
from tests.service.test_api_frame import problem

pytestmark = pytest.mark.django_db(transaction=True)
UAI = "0130010R"
PATH = f"/api/v1/schools/{UAI}/rosters"


def answered(place: tuple[str, int], *headers: str, body: bytes = b"", path: str = PATH) -> bytes:
    """Send the head of a POST and what is given of its body; give the whole answer."""
    head = "\r\n".join((f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers))
    with socket.create_connection(place, timeout=20) as caller:
        caller.sendall(head.encode() + b"\r\n\r\n" + body)
        content = b""
        while block := caller.recv(1 << 16):
            content += block
    return content


def test_what_is_too_large_is_refused_before_it_is_sent(place: tuple[str, int]) -> None:
    since = time.monotonic()
    for kind, most in ((guard.FORM, guard.MOST_FILES), (guard.JSON, guard.MOST_JSON)):
        answer = answered(place, f"Content-Type: {kind}; boundary=x", f"Content-Length: {most + 1}")
        assert answer.startswith(b"HTTP/1.1 413 "), answer[:200]
        assert b'"code": "too-large"' in answer
    assert time.monotonic() - since < 10


def test_what_does_not_say_how_long_it_is_is_refused(place: tuple[str, int]) -> None:
    answer = answered(
        place,
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
        body=b"2\r\n{}\r\n0\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 411 "), answer[:200]
    assert b'"code": "length-required"' in answer


def test_an_address_with_a_null_is_refused() -> None:
    client = Client(headers=callers.token("back_office"))
    problem(client.get("/api/v1/schools/%00"), 400, "malformed-request")
    problem(client.get("/api/v1/schools?cursor=%00"), 400, "malformed-request")


def test_a_large_file_leaves_nothing_behind() -> None:
    client = Client(headers=callers.token("school", town.school(UAI)))
    large = b"Identifiant;Nom\n" + b"E1;CANARI\n" * (settings.FILE_UPLOAD_MAX_MEMORY_SIZE // 8)
    file = SimpleUploadedFile("eleves.csv", large)
    problem(client.post(PATH, {"audience": "pupil", "files": file}), 422, "roster-rejected")
    assert town.uploads() == []
