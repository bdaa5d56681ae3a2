"""Calls to strangers' addresses: where they may lead, and what an answer may cost."""

import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from docgen.backoffice import calling
from docgen.backoffice.calling import Answer, Order, fault_of, is_public, send
from tests.service.receivers import Handler, Receiver, receiver

NOBODY: frozenset[str] = frozenset()


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def call(url: str, *trusted: str) -> Answer:
    return send(Order(url, {"webhook-id": "1"}, b"{}", frozenset(trusted)))


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.1.2.3:8443/x",
        "https://user:secret@hooks.example.org/",
        "https://hooks.example.org/#fragment",
        "https:///path",
        "https://hooks.example.org:99999/",
        "https://hooks.example.org:0/",
        "ftp://hooks.example.org/",
        "https://hooks.example.org/a b",
        "https://hooks.example.org/\r\nX: y",
        "https://[::1",
        "file:///etc/passwd",
    ],
)
def test_an_address_is_refused_before_it_is_kept(url: str) -> None:
    assert fault_of(url, NOBODY)


def test_an_address_of_the_internet_or_of_a_trusted_host_is_kept() -> None:
    assert not fault_of("https://hooks.example.org:8443/docgen?key=1", NOBODY)
    assert not fault_of("http://gestion.lycee.internal/", frozenset({"gestion.lycee.internal"}))
    assert not fault_of("http://10.0.0.4:8080/", frozenset({"10.0.0.4:8080"}))
    assert fault_of("http://10.0.0.4:8081/", frozenset({"10.0.0.4:8080"}))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        *((each, False) for each in ("0.0.0.0", "127.0.0.1", "10.0.0.1", "172.16.0.1")),  # noqa: S104
        *((each, False) for each in ("192.168.1.1", "169.254.1.1", "100.64.0.1", "224.0.0.1")),
        *((each, False) for each in ("240.0.0.1", "255.255.255.255", "198.18.0.1")),
        *((each, False) for each in ("::", "::1", "fe80::1%eth0", "fc00::1", "ff02::1")),
        # An IPv4 address in the clothes of an IPv6 one.
        *((each, False) for each in ("::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::")),
        ("2001:0:7f00:1::", False),
    ],
)
def test_only_the_internet_is_public(address: str, expected: bool) -> None:
    assert is_public(address) is expected


def test_a_name_that_leads_inside_is_not_called(
    there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for inside in (["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::1"]):
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, inside=inside, **__: _found(inside))
        answer = call(f"https://hooks.example.org:{there.port}/")
        assert (answer.status, answer.fault) == (0, "ce nom ne mène pas à Internet")
    assert there.came == []


def test_what_was_looked_at_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, connected = [], []

    def resolve(host: str, *_: object, **__: object) -> list[object]:
        asked.append(host)
        return _found(["93.184.216.34"] if len(asked) == 1 else ["127.0.0.1"])

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    assert call("https://hooks.example.org/").fault == "connexion impossible"
    assert (asked, connected) == (["hooks.example.org"], [("93.184.216.34", 443)])


def _found(addresses: list[str]) -> list[object]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in addresses]


def test_a_redirection_is_not_followed(there: Receiver) -> None:
    there.status = 302
    assert call(there.url, "127.0.0.1").status == 302
    assert len(there.came) == 1


def test_an_answer_in_drips_ends_in_time(there: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    def drip(handler: Handler) -> None:
        for _ in range(100):
            handler.wfile.write(b"H")
            handler.wfile.flush()
            time.sleep(0.02)

    there.behave = drip
    monkeypatch.setattr(calling, "SECONDS", 0.5)
    answer = call(there.url, "127.0.0.1")
    assert answer.fault == "délai dépassé"
    assert 400 < answer.milliseconds < 1500


@pytest.mark.parametrize("content", [b"", b"\0\xff\r\n\r\n", b"HTTP/1.1 200 " + b"x" * 70_000])
def test_an_answer_that_is_none_is_told(there: Receiver, content: bytes) -> None:
    there.behave = lambda handler: handler.wfile.write(content) and None
    answer = call(there.url, "127.0.0.1")
    assert (answer.status, answer.fault) == (0, "réponse illisible")


def test_a_long_answer_is_not_read(there: Receiver) -> None:
    def talk(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(1000):
                handler.wfile.write(b"x" * 2**20)
        except OSError:
            return

    there.behave = talk
    answer = call(there.url, "127.0.0.1")
    assert answer.status == 200
    assert answer.milliseconds < 1000


def test_nobody_there_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert call(f"http://127.0.0.1:{port}/", "127.0.0.1").fault == "connexion impossible"


def test_a_certificate_must_name_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "1", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with receiver(context) as there:
        url = f"https://localhost:{there.port}/"
        assert call(url, "localhost").fault == "certificat refusé"  # of nobody that is trusted
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert call(url, "localhost").status == 204
        assert call(url.replace("localhost", "127.0.0.1"), "127.0.0.1").status == 0
        assert len(there.came) == 1
        assert there.came[0][0]["host"] == f"localhost:{there.port}"
