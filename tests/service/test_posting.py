"""Handing a message over, to a real server that errs: what is said is what happened."""

import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from docgen.backoffice import reaching, relaying
from docgen.backoffice.post import Post, Server
from docgen.backoffice.posting import Answer, Order, Patience, check, send
from docgen.errors import Unavailable
from tests.service.mailservers import PASSWORD, USER, Fault, SmtpServer, certificate
from tests.service.smtpd import Attempt

pytestmark = pytest.mark.embedded

ID = "<0123abcd@docgen.example>"
SENDER, REGION = "docgen@docgen.example", "attestations@region.example"
BODY = b"Message-ID: %b\r\nSubject: essai\r\n\r\n.\r\n..\r\n.x\r\n \r\nfin\r\n" % ID.encode()
STEPS = ("connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data")
OURS = ("connect", "ehlo", "starttls", "auth")  # what is said there is not about a message
LONG = Patience(20, 20, 60)
WORD = "mot de passé"
LINES = (b"." + b"x" * 900 + b"\r\n") * 1000  # all of them are more than a line takes on its way


@pytest.fixture
def order(tmp_path: Path) -> Order:
    path = tmp_path / "message.eml"
    path.write_bytes(BODY)
    return Order(path, ID, SENDER, REGION)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trusted(pem: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    return pem


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SmtpServer]:
    with SmtpServer(tmp_path / "smtp") as made:
        yield made


@pytest.fixture
def secured(tmp_path: Path, trusted: Path) -> Iterator[SmtpServer]:
    """A server as they are met: STARTTLS, then a password."""
    folder = tmp_path / "smtp"
    with SmtpServer(folder, security="starttls", certificate=trusted, needs_password=True) as made:
        yield made


def post_to(server: SmtpServer, **changes: object) -> Post:
    user, password = (USER, server.password) if server.needs_password else ("", "")
    host = "localhost" if server.security else "127.0.0.1"
    told = Server(host, server.port, server.security, user, password)
    return Post(Path("/nowhere"), replace(told, **changes), SENDER)  # type: ignore[arg-type]


def verdict(answer: Answer) -> tuple[str, int]:
    return answer.verdict, answer.code


def test_a_message_arrives_byte_for_byte_with_its_envelope(
    server: SmtpServer, order: Order
) -> None:
    answer = send(post_to(server), order)
    assert verdict(answer) == ("accepted", 250)
    assert answer.words == "2.0.0 Ok: queued as 00000001"
    assert server.content() == BODY
    [kept] = server.accepted()
    assert (kept.message_id, kept.sender, kept.recipient) == (ID, SENDER, REGION)
    size = str(len(BODY))
    delivery = {"RET": "HDRS", "ENVID": "0123abcd", "NOTIFY": "SUCCESS,FAILURE,DELAY"}
    assert kept.options == {"SIZE": size} | delivery
    verbs = [each.split()[0] for each in server.attempts[0].commands]
    assert verbs == ["ehlo", "mail", "rcpt", "data", "quit"]
    assert server.attempts[0].commands[0] == "ehlo [127.0.0.1]"


def test_the_first_digit_decides_and_a_goodbye_changes_nothing(
    server: SmtpServer, order: Order
) -> None:
    start = time.monotonic()
    for fault in (Fault("quit"), Fault("quit", "500 what"), Fault("quit", None, wait=30)):
        server.faults.append(fault)
        assert send(post_to(server), order).verdict == "accepted"
    assert time.monotonic() - start < 20
    server.faults.append(Fault("dot", "251 2.0.0 forwarded", is_kept=True))
    assert verdict(send(post_to(server), order)) == ("accepted", 251)
    server.faults.append(Fault("rcpt", "251 2.1.5 forwarded"))  # and it forgets whom
    assert verdict(send(post_to(server), order)) == ("refused", 503)


def test_a_server_without_extensions_takes_it_too(tmp_path: Path, order: Order) -> None:
    with SmtpServer(tmp_path / "smtp", has_dsn=False, most=0) as server:
        assert send(post_to(server), order).verdict == "accepted"
        assert server.accepted()[0].options == {}
        assert server.content() == BODY


def test_it_is_said_right_before_the_dot_and_never_when_nothing_can_be_accepted(
    server: SmtpServer, order: Order
) -> None:
    came = []

    def say(number: int) -> None:
        end = time.monotonic() + 20
        stuffed = len(b"".join(relaying.stuffed(BytesIO(BODY)))) + 2
        while server.attempts[-1].came < stuffed and time.monotonic() < end:
            time.sleep(0.01)
        came.append((number, server.attempts[-1].came - stuffed, server.accepted()))

    send(post_to(server), order, say)
    assert came == [(1, 0, [])]  # all of the body is there, and nothing is accepted
    order.path.write_bytes(BODY + LINES * 10)
    for step in ("connect", "mail", "rcpt", "data", "body"):
        server.faults.append(Fault(step))
        assert send(post_to(server), order, say).verdict == "later"
    assert len(came) == 1


def test_nothing_is_sent_after_a_caller_who_cannot_note_it(
    server: SmtpServer, order: Order
) -> None:
    def say(_number: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send(post_to(server), order, say)
    assert send(post_to(server), order).verdict == "accepted"
    assert len(server.accepted()) == 1


@pytest.mark.parametrize("step", STEPS)
def test_what_goes_wrong_before_the_dot_is_tried_later_or_refused(
    secured: SmtpServer, order: Order, step: str
) -> None:
    post = post_to(secured)
    refused = ("later", 550) if step in OURS else ("refused", 550)
    for reply, expected in (
        ("421 4.3.2 closing", ("later", 421)),
        ("451-4.3.0 try\r\n451 again", ("later", 451)),
        ("550 5.7.1 no", refused),
        ("530 5.7.0 who are you", ("later", 530)),
        ("250 what" if step == "data" else "354 what", ("later", 250 if step == "data" else 354)),
        ("hello \xff\xfe", ("later", 0)),
        ("", ("later", 0)),
        ("250-half of an ans\\", ("later", 0)),
    ):
        secured.faults.append(Fault(step, reply))
        patience = replace(LONG, step=0.3) if reply.endswith("\\") else LONG
        assert (verdict(send(post, order, patience=patience)), reply) == (expected, reply)
    assert secured.accepted() == []
    assert verdict(send(post, order)) == ("accepted", 250)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("body", "", after=20), ("later", 0)),
        (Fault("body", "552 5.3.4 too big", after=20), ("refused", 552)),
        (Fault("body", "421 4.4.2 too slow", after=20), ("later", 421)),
        (Fault("body", "250 2.0.0 Ok: taken already", after=20), ("later", 250)),
        (Fault("dot", "451 4.3.0 later"), ("later", 451)),
        (Fault("dot", "421 4.3.2 closing"), ("later", 421)),
        (Fault("dot", "554 5.6.0 spam"), ("refused", 554)),
        (Fault("dot", "250-2.0.0 Ok\r\n250 taken", is_kept=True), ("accepted", 250)),
        (Fault("dot", ""), ("uncertain", 0)),
        (Fault("dot", "", is_kept=True), ("uncertain", 0)),
        (Fault("dot", "354 go on"), ("uncertain", 354)),
        (Fault("dot", "hello", is_kept=True), ("uncertain", 0)),
        (Fault("dot", "2500 taken", is_kept=True), ("uncertain", 0)),
        (Fault("dot", "250-2.0.0 half\r\n25\\", is_kept=True), ("uncertain", 0)),
        (Fault("dot", None, wait=3), ("uncertain", 0)),
        (Fault("dot", None, wait=0.1), ("accepted", 250)),
        (Fault("dot", "250-more", wait=0.1, is_endless=True), ("uncertain", 0)),
    ],
    ids=lambda each: f"{each.at}-{each.reply}" if isinstance(each, Fault) else each[0],
)
def test_from_the_body_on_only_a_whole_answer_settles_it(
    server: SmtpServer, order: Order, fault: Fault, expected: tuple[str, int]
) -> None:
    order.path.write_bytes(BODY + LINES * (10 if fault.at == "body" else 0))
    said: list[int] = []
    server.faults.append(fault)
    # An answer that never ends is left; one that does may take its time on a busy machine.
    patience = replace(LONG, dot=0.7) if expected[0] == "uncertain" else LONG
    assert verdict(send(post_to(server), order, said.append, patience)) == expected
    is_kept = fault.at == "dot" and (fault.reply is None or fault.is_kept)
    assert len(server.accepted()) == is_kept
    assert said == ([1] if fault.at == "dot" else [])


def test_slow_and_endless_servers_are_left_in_time(secured: SmtpServer, order: Order) -> None:
    faults = [Fault(step, None, wait=30) for step in STEPS]
    faults += [Fault(step, "250-more", wait=0.1, is_endless=True) for step in STEPS]
    faults += [Fault(step, "2\\", wait=0.1, is_endless=True) for step in STEPS]
    secured.faults.extend(faults)
    start = time.monotonic()
    with ThreadPoolExecutor(len(faults)) as pool:
        patience = Patience(step=1, dot=1, whole=2)
        run = [pool.submit(send, post_to(secured), order, None, patience) for _ in faults]
        assert {each.result().verdict for each in run} == {"later"}
    assert time.monotonic() - start < 20  # of 30 each
    assert secured.accepted() == []


@pytest.mark.parametrize("wait", [0.4, 60])
def test_a_server_that_is_slow_at_every_step_is_left_in_time(
    tmp_path: Path, order: Order, wait: float
) -> None:
    def script(step: str, _attempt: Attempt) -> Fault:
        return Fault(step, None, wait=wait)

    start = time.monotonic()
    with SmtpServer(tmp_path / "smtp", script=script) as server:
        answer = send(post_to(server), order, None, Patience(step=20, dot=20, whole=1))
        assert (answer.verdict, answer.words) == ("later", "il n’a pas répondu à temps.")
        assert len(server.attempts[0].commands) < 4
        assert time.monotonic() - start < 15  # of the 20 that one answer may take


def test_an_answer_without_end_takes_no_memory(server: SmtpServer, order: Order) -> None:
    server.faults.extend(Fault("ehlo", end, is_endless=True) for end in ("250-x", "x" * 90 + "\\"))
    for _ in range(2):
        answer = send(post_to(server), order, patience=LONG)
        assert (answer.verdict, answer.words) == ("later", "sa réponse est illisible.")


def test_the_words_of_a_server_are_kept_short_and_clean(secured: SmtpServer, order: Order) -> None:
    secured.faults.append(Fault("rcpt", "550 5.1.1 \x1b[31mno\x00 \xc3\xa9\t such\r\n".rstrip()))
    assert send(post_to(secured), order).words == "5.1.1 [31mno é such"
    secured.faults.append(Fault("rcpt", "550 " + "a" * 2000))
    assert send(post_to(secured), order).words == "a" * 500
    secured.faults.append(Fault("auth", f"535 {PASSWORD} is wrong"))
    assert send(post_to(secured), order).words == "… is wrong"


def test_nothing_tells_an_address_or_a_password(order: Order) -> None:
    answer = Answer("refused", 550, f"no {REGION}")
    told = repr((order, answer, Server("h", 1, "", "somebody", PASSWORD)))
    assert [word for word in (SENDER, REGION, "somebody", PASSWORD) if word in told] == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_is_checked(
    tmp_path: Path, pem: Path, order: Order, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    with SmtpServer(
        tmp_path / "smtp", security=security, certificate=pem, needs_password=True
    ) as server:
        post = post_to(server)
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        answer = send(post, order)
        assert answer.verdict == "later"
        assert answer.words == "son certificat est refusé\u00a0: il n’est signé que par lui-même."
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        assert "autre serveur" in send(post_to(server, host="127.0.0.1"), order).words
        assert not [each for one in server.attempts for each in one.commands if "auth" in each]
        assert send(post, order).verdict == "accepted"
        assert (server.attempts[-1].is_tls, server.attempts[-1].user) == (True, USER)


def test_each_fault_of_a_certificate_has_its_words() -> None:
    for code, words in ((10, "il a expiré."), (20, "de cette machine."), (999, "code 999.")):
        error = ssl.SSLCertVerificationError()
        error.verify_code = code
        assert reaching.why(error).endswith(words)


def test_nothing_is_told_in_clear_to_a_server_that_should_encrypt(
    server: SmtpServer, order: Order
) -> None:
    post = post_to(server, security="starttls", user=USER, password=PASSWORD)
    assert send(post, order).words == "il ne propose pas STARTTLS."
    assert server.attempts[0].commands == ["ehlo [127.0.0.1]"]


def test_what_was_said_before_tls_is_not_believed_after(secured: SmtpServer, order: Order) -> None:
    secured.faults.append(Fault("starttls", "220 ready\r\n250 AUTH PLAIN"))
    answer = send(post_to(secured), order)
    assert (answer.verdict, answer.words) == ("later", relaying.ASTRAY)
    assert [each.split()[0] for each in secured.attempts[0].commands] == ["ehlo", "starttls"]


@pytest.mark.parametrize("unknown", [(), ("PLAIN",), ("PLAIN", "LOGIN")])
def test_a_password_is_told_by_either_mechanism(
    tmp_path: Path, trusted: Path, order: Order, unknown: tuple[str, ...]
) -> None:
    with SmtpServer(
        tmp_path / "smtp",
        security="tls",
        certificate=trusted,
        needs_password=True,
        password=WORD,
        unknown=unknown,
    ) as server:
        expected = "later" if len(unknown) == 2 else "accepted"
        assert send(post_to(server), order).verdict == expected
        # Nobody's message is to blame for a wrong password: it can be mended, and then all leave.
        wrong = send(post_to(server, password=WORD[1:]), order)
        assert verdict(wrong) == ("later", 0 if len(unknown) == 2 else 535)


def test_a_server_that_is_not_there_or_has_no_name_is_tried_later(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        post = Post(Path("/nowhere"), Server("127.0.0.1", line.getsockname()[1], ""), SENDER)
        assert send(post, order).words == "il refuse la connexion."
    nameless = replace(post, smtp=Server("smtp.invalid", 25, "tls"))

    def nobody_knows(*_: object, **__: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", nobody_knows)
    assert send(nameless, order).words == "son nom est introuvable."
    monkeypatch.setattr(reaching, "NAME", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(30))
    start = time.monotonic()
    assert send(nameless, order).words == "il n’a pas répondu à temps."
    assert time.monotonic() - start < 10


def test_a_message_that_is_too_large_is_refused_before_it_travels(
    tmp_path: Path, order: Order
) -> None:
    with SmtpServer(tmp_path / "smtp", most=20) as server:
        answer = send(post_to(server), order)
        assert verdict(answer) == ("refused", 552)
        assert server.attempts[0].came == 0


def test_a_file_that_is_lost_is_our_own_fault(server: SmtpServer, order: Order) -> None:
    order.path.unlink()
    with pytest.raises(FileNotFoundError):
        send(post_to(server), order)
    assert server.attempts == []


def test_doctor_tries_the_way_and_sends_nothing(secured: SmtpServer, tmp_path: Path) -> None:
    post = post_to(secured)
    assert check(post) == f"localhost:{secured.port}, en TLS, identifié"
    with pytest.raises(Unavailable, match="credentials invalid"):
        check(post_to(secured, password=WORD))
    assert [each.sender for each in secured.attempts] == ["", ""]
    assert check(Post(tmp_path / "courrier")) == f"des fichiers dans {tmp_path / 'courrier'}"
    assert list((tmp_path / "courrier").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="ne peut pas être écrit"):
        check(Post(tmp_path / "file"))
