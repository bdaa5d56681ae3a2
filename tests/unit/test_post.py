"""How mail leaves and comes, as the environment tells it."""

from pathlib import Path

import pytest

from docgen.backoffice.post import Post, Server, address_fault, read_post
from docgen.errors import InvalidInput

DATA = Path("/data")
FROM = {"DOCGEN_MAIL_FROM": "docgen@region.example"}


def problems(environment: dict[str, str]) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read_post(DATA, environment)
    return [each.where for each in caught.value.problems]


def test_without_anything_mails_are_files() -> None:
    assert read_post(DATA, {}) == Post(DATA / "courrier")
    assert read_post(DATA, {"DOCGEN_SMTP_URL": "  "}) == Post(DATA / "courrier")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtps://relais.example", Server("relais.example", 465, "tls")),
        ("smtp+starttls://relais.example", Server("relais.example", 587, "starttls")),
        ("smtp://127.0.0.1", Server("127.0.0.1", 25, "")),
        ("smtp://localhost:2525", Server("localhost", 2525, "")),
        ("smtp://[::1]:2525", Server("::1", 2525, "")),
        (
            "smtps://moi%40region.example:a%3Ab%2Fc@relais.example:4465",
            Server("relais.example", 4465, "tls", "moi@region.example", "a:b/c"),
        ),
    ],
)
def test_an_address_of_a_server_is_read(url: str, expected: Server) -> None:
    assert read_post(DATA, {"DOCGEN_SMTP_URL": url, **FROM}).smtp == expected


@pytest.mark.parametrize(
    "url",
    [
        "relais.example",
        "http://relais.example",
        "smtp://",
        "smtp://relais.example",  # in clear, over a network
        "smtp://192.168.1.1",
        "smtps://relais.example:0x19",
        "smtps://relais.example:99999",
        "smtps://relais.example/?x=1",
        "smtps://relais.example/#x",
        "smtps://relais.example/path",
        f"smtps://relais.{'x' * 64}.example",
        "smtps://re lais.example",
        "smtps://relais.example\r\nQUIT",
        "smtps://:password@relais.example",
        "smtps://moi@relais.example",
        "imaps://relais.example",
    ],
)
def test_an_address_that_is_none_is_refused_and_not_repeated(url: str) -> None:
    environment = {"DOCGEN_SMTP_URL": url.replace("relais", "s3cret"), **FROM}
    with pytest.raises(InvalidInput) as caught:
        read_post(DATA, environment)
    assert [each.where for each in caught.value.problems] == ["DOCGEN_SMTP_URL"]
    assert "s3cret" not in str(caught.value)


def test_a_password_may_be_apart() -> None:
    told = {
        "DOCGEN_SMTP_URL": "smtps://moi@a.example",
        "DOCGEN_SMTP_PASSWORD": "à part",
        "DOCGEN_IMAP_URL": "imaps://toi@a.example",
        "DOCGEN_IMAP_PASSWORD": "aussi",
        "DOCGEN_MAIL_PROOF": "imaps://region@a.example/INBOX",
        "DOCGEN_MAIL_PROOF_PASSWORD": "encore",
        **FROM,
    }
    post = read_post(DATA, told)
    assert post.smtp == Server("a.example", 465, "tls", "moi", "à part")
    assert post.imap == Server("a.example", 993, "tls", "toi", "aussi")
    assert post.proof == Server("a.example", 993, "tls", "region", "encore", "INBOX")


def test_the_proof_is_a_box_or_a_log() -> None:
    box = read_post(DATA, {"DOCGEN_MAIL_PROOF": "imap+starttls://r:p@mail.example/Re%C3%A7us/A"})
    assert box.proof == Server("mail.example", 143, "starttls", "r", "p", "Reçus/A")
    assert read_post(DATA, {"DOCGEN_MAIL_PROOF": "/var/log/mail.log"}).proof == Path(
        "/var/log/mail.log"
    )
    assert problems({"DOCGEN_MAIL_PROOF": "mail.log"}) == ["DOCGEN_MAIL_PROOF"]
    assert problems({"DOCGEN_MAIL_PROOF": "imaps://mail.example"}) == ["DOCGEN_MAIL_PROOF"]


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = {
        "DOCGEN_SMTP_URL": "smtp://far.example",
        "DOCGEN_IMAP_URL": "imap://far.example",
        "DOCGEN_MAIL_FROM": "nobody",
        "DOCGEN_MAIL_REDIRECT": "a@b\r\nBcc: c@d",
        "DOCGEN_MAIL_MOST": "0",
        "DOCGEN_MAIL_OVER": "burn",
        "DOCGEN_MAIL_PROOF": "nothing",
        "DOCGEN_MAIL_GRACE": "-1",
        "DOCGEN_MAIL_RETRY": "²",
        "DOCGEN_MAIL_GIVE_UP": "31",
        "DOCGEN_IMAP_SENDERS": "a@b.example, pas une adresse",
    }
    assert set(problems(wrong)) == set(wrong)


def test_who_sends_is_needed_with_a_server_only() -> None:
    assert problems({"DOCGEN_SMTP_URL": "smtps://a.example"}) == ["DOCGEN_MAIL_FROM"]
    assert read_post(DATA, {}).sender == "docgen@localhost"


def test_senders_are_addresses_and_domains() -> None:
    post = read_post(
        DATA, {"DOCGEN_IMAP_SENDERS": "Copieur@Lycee.example, @ac-aix.example,,b.example"}
    )
    assert post.senders == {"copieur@lycee.example", "ac-aix.example", "b.example"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a@",
        "@b",
        "a b@c",
        "a@b c",
        "é@b.example",
        "a@b..c",
        "<a@b>",
        "a" * 65 + "@b",
        "a@b\n",
    ],
)
def test_what_is_no_address_is_told(text: str) -> None:
    assert address_fault(text)


def test_an_address_has_254_characters_at_most() -> None:
    domain = ".".join(["d" * 60] * 4)
    assert address_fault(f"{'a' * 12}@{domain}") != ""
    assert address_fault(f"{'a' * 10}@{domain}") == ""


def test_a_server_does_not_tell_its_password() -> None:
    assert repr(Server("a.example", 25, "", "moi", "secret")) == "Server(a.example:25, plain)"
    assert "secret" not in repr(
        read_post(DATA, {"DOCGEN_SMTP_URL": "smtps://moi:secret@a.b", **FROM})
    )


def test_another_way_is_another_thing_to_approve() -> None:
    server = Server("a.example", 465, "tls")
    post = Post(DATA, server, "a@b.example")
    ways = {
        post.way("r@region.example"),
        post.way("s@region.example"),
        Post(DATA, server, "c@b.example").way("r@region.example"),
        Post(DATA, Server("b.example", 465, "tls"), "a@b.example").way("r@region.example"),
        Post(DATA).way("r@region.example"),
    }
    assert len(ways) == 5
    assert post.way("r@region.example") == Post(DATA, server, "a@b.example").way("r@region.example")
