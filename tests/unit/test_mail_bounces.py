"""Notices of delivery: which mail of ours came back, and what was said of it."""

from email.parser import BytesParser
from email.policy import compat32

import pytest

from docgen.mailing.bounces import LONGEST, Bounce, clean, read_bounce
from tests.hostile.mails import DOMAIN, KEY, SCHOOL, bounce, mail, plain

DAEMON = "mailer-daemon@mx.example"


def found(content: bytes, address: str = DAEMON) -> list[Bounce]:
    return read_bounce(BytesParser(policy=compat32).parsebytes(content), address, DOMAIN)


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers"])
@pytest.mark.parametrize("action", ["failed", "delayed", "delivered", "relayed", "expanded"])
def test_a_notice_names_our_mail_and_what_became_of_it(returned: str, action: str) -> None:
    (only,) = found(bounce(action=action.title(), returned=returned))
    assert only == Bounce(KEY, action, "5.1.1", "550 5.1.1 unknown user")


def test_what_an_envelope_names_is_ours_too() -> None:
    named = f"Reporting-MTA: dns; mx.example\r\nOriginal-Envelope-Id: {KEY.strip('<>')}"
    content = bounce("<1@other.example>").replace(b"Reporting-MTA: dns; mx.example", named.encode())
    assert [each.message_id for each in found(content)] == [KEY]


def test_each_recipient_is_told() -> None:
    second = b"Action: delayed\r\nStatus: 4.4.1\r\n\r\nAction: failed"
    told = found(bounce().replace(b"Action: failed", second, 1))
    assert [(each.action, each.status) for each in told] == [
        ("delayed", "4.4.1"),
        ("failed", "5.1.1"),
    ]


@pytest.mark.parametrize(
    "message_id",
    [
        "<1@other.example>",
        KEY.replace("region", "other"),
        KEY.replace("ab", "zz", 1),
        KEY.replace("ab", "", 1),
        KEY.replace(">", ".evil.example>"),
        KEY.replace("<", "<x"),
        "",
    ],
)
def test_a_notice_that_names_no_mail_of_ours_says_nothing(message_id: str) -> None:
    assert found(bounce(message_id)) == []


def test_a_mail_that_quotes_several_of_ours_says_nothing() -> None:
    other = KEY.replace("ab", "cd")
    body = f"550 5.1.1 no such user\r\n{KEY} {other}"
    assert found(plain(body, sender=f"From: {DAEMON}")) == []


QMAIL = f"""Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.

<x@y.example>:
192.0.2.1 does not like recipient.
Remote host said: 550 5.1.1 No such user here
Giving up on 192.0.2.1.

--- Below this line is a copy of the message.

Message-ID: {KEY}
"""
EXCHANGE = f"""Échec de la remise pour ces destinataires
x@y.example
#550 5.7.1 refused ##
En-têtes d'origine du message :
Message-ID: {KEY}
"""
POSTFIX = f"""THIS IS A WARNING ONLY. Your message will be retried for 5 days.
host mx.example said: 451 4.7.1 greylisted
Message-ID: {KEY}
"""
OLD = {
    QMAIL: ("failed", "5.1.1"),
    EXCHANGE: ("failed", "5.7.1"),
    POSTFIX: ("delayed", "4.7.1"),
    f"Mailbox full\n\nMessage-ID: {KEY}\n": ("failed", ""),
}


@pytest.mark.parametrize("body", OLD)
def test_notices_in_words_are_understood(body: str) -> None:
    content = plain(body, "Return-Path: <>", sender=f"From: {DAEMON}")
    (only,) = found(content)
    assert (only.message_id, only.action, only.status) == (KEY, *OLD[body])
    assert only.words
    assert found(plain(body), SCHOOL) == []  # whoever is no server may quote what they like


def test_what_is_no_notice_says_nothing() -> None:
    assert found(mail(b"Content-Type: text/plain\r\n\r\nx"), SCHOOL) == []
    assert found(plain("x", "Content-Type: multipart/report"), SCHOOL) == []
    other = bounce().replace(b"message/delivery-status", b"text/x-other")
    assert found(other.replace(b"Return-Path: <>", b"X: x"), SCHOOL) == []


def test_words_are_kept_short_on_one_line() -> None:
    assert clean("a\r\nb\0\u202ec\ud800") == "a b c"
    assert len(clean("x" * 5000)) == LONGEST
    (only,) = found(bounce(words="smtp; " + "x" * 5000))
    assert len(only.words) == LONGEST
