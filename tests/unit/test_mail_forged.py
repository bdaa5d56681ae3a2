"""Who a mail is from, told twice over: what a forger can write, and what copiers write."""

from datetime import datetime
from pathlib import Path

import pytest

from docgen.errors import Problem
from docgen.mailing.incoming import House, read
from docgen.mailing.words import Received, ReceivedFile, of_receipt
from tests.hostile import mails
from tests.hostile.mails import PDF, SCHOOL, mail, named, part

GUARDED = House(mails.DOMAIN, frozenset({mails.OURS}), authserv=mails.AUTHSERV)
EVIL = "evil.example"


def trust(folder: Path, said: str) -> str:
    path = folder / "mail"
    headers = [f"Authentication-Results: {mails.AUTHSERV}; {said}"]
    path.write_bytes(mail(part(PDF), headers=headers))
    found = read(path, folder, GUARDED)
    return "fail" if found.verdict == "quarantine" else "pass" if found.is_believed else "none"


@pytest.mark.parametrize(
    "said",
    [
        f'spf=pass smtp.mailfrom="a;dmarc=pass"@{EVIL}',
        f'spf=pass smtp.mailfrom="a\\";dmarc=pass"@{EVIL}',
        f'spf=pass smtp.mailfrom="a header.d=ac.example"@{EVIL}',
        f'spf=pass smtp.mailfrom="a smtp.mailfrom=ac.example"@{EVIL}',
        f'spf=pass smtp.mailfrom="@ac.example"@{EVIL}',
        f"spf=pass smtp.mailfrom=smtp.mailfrom=ac.example@{EVIL}",
        f'dkim=pass header.i="x header.d=ac.example"@{EVIL}',
        f"dkim=pass header.i=@ac.example.{EVIL}",
        f"dkim=pass header.b=header.d=ac.example header.d={EVIL}",
        f"dkim=pass header.d=ac.example header.d={EVIL}",
        f'dkim=pass reason="good header.d=ac.example" header.d={EVIL}',
        f"dkim=pass (a (b) header.d=ac.example) header.d={EVIL}",
        f"spf=pass (helo=x; dmarc=pass header.from=ac.example) smtp.mailfrom={EVIL}",
        f"spf=pass (a ( ; dmarc=pass ) x) smtp.mailfrom={EVIL}",
        f'spf=pass (sender "a) ; dmarc=pass") smtp.mailfrom={EVIL}',
        f'spf=pass (a "x (y" ) ; dmarc=pass ) smtp.mailfrom={EVIL}',
        "spf=pass smtp.helo=ac.example",
        "xdmarc=pass header.from=ac.example",
        "dkim=pass header.d=example",
        "dmarc=passed header.from=ac.example; " + "(" * 3000,
    ],
)
def test_strangers_words_in_our_server_s_are_not_its_own(tmp_path: Path, said: str) -> None:
    """Who sent, and how they greeted, stands in comments and quotes of RFC 8601."""
    assert trust(tmp_path, said) == "none"


def test_what_our_server_says_is_read_as_it_is_written(tmp_path: Path) -> None:
    good = [
        "dmarc=pass (p=none dis=none) header.from=ac.example",
        "DMARC/1 = pass header.from=AC.Example.",
        'dkim=pass (2048-bit key; "x" \\) unprotected) header.d=ac.example header.i=@ac.example',
        "dkim=fail header.d=list.example; dkim=pass header.d=ac.example",
        "dkim=pass header.i=@ac.example header.s=2026",
        'spf=pass (x (y (z))) smtp.mailfrom="ce; x"@ac.example; dmarc=none',
        "spf=pass smtp.mailfrom=ac.example",
    ]
    assert {said: trust(tmp_path, said) for said in good} == dict.fromkeys(good, "pass")
    # It read another sender than we do: a mail made to be read in two ways.
    assert trust(tmp_path, f"dmarc=pass header.from={EVIL}") == "fail"
    assert trust(tmp_path, "dmarc=fail; dkim=pass header.d=ac.example") == "fail"


def test_a_name_in_no_charset_costs_its_name_alone(tmp_path: Path) -> None:
    path = tmp_path / "mail"
    path.write_bytes(mail(named(PDF, 'filename="=?utéf-8?q?scan.pdf?="')))
    (only,) = read(path, tmp_path, GUARDED).attachments
    assert (only.file, only.label) == ("1", "")


def sender(folder: Path, said: str) -> tuple[str, str]:
    path = folder / "mail"
    path.write_bytes(mail(part(PDF), sender=f"From: {said}"))
    found = read(path, folder, House(mails.DOMAIN))
    return found.sender, found.reason


@pytest.mark.parametrize(
    "said",
    [
        f"Dupont, Jean <{SCHOOL}>",
        f"Lycée, Proviseur, {{}} <{SCHOOL.upper()}>",
        f"Dupont, Jean (copieur, 2e étage) <{SCHOOL}>",
        f"Copieur [2e étage]; RDC <{SCHOOL}> ",
        f"Dupont, =?utf-8?b?SsOpcsO0bWU=?=\r\n <{SCHOOL}>",
        f'"Dupont, Jean" <{SCHOOL}>',
    ],
)
def test_words_before_the_one_address_are_words(tmp_path: Path, said: str) -> None:
    """Many copiers write names with an unquoted comma."""
    assert sender(tmp_path, said) == (SCHOOL, "")


@pytest.mark.parametrize(
    "said",
    [
        f"evil@evil.example, Jean <{SCHOOL}>",
        f"Jean <evil@evil.example>, Paul <{SCHOOL}>",
        f"<{SCHOOL}>, Jean",
        f"Jean, Paul@lycee <{SCHOOL}>",
        f"<@evil.example:{SCHOOL}>",
        f"<@evil.example,@x.example:{SCHOOL}>",
        f'"Jean, <{SCHOOL}>',
        f'"Jean, \\" <evil@evil.example" <{SCHOOL}>, x',
        f"(Jean, <{SCHOOL}>",
        f"<<{SCHOOL}>>",
        f"Jean, <{SCHOOL}\0>",
        f"Jean, <{SCHOOL}> x",
        'a <{1}" <x@y.example>',
    ],
)
def test_no_second_address_hides_behind_a_comma(tmp_path: Path, said: str) -> None:
    found, reason = sender(tmp_path, said)
    assert (found, reason) in (("", "many-senders"), ("", "strange-sender"))


def receipt(files: tuple[ReceivedFile, ...], refused: tuple[Problem, ...]) -> str:
    at = datetime(2026, 10, 14, 8, 3)  # noqa: DTZ001 - what is written is local time
    told = Received(uai="0130010R", school="Lycée", received_at=at, files=files, refused=refused)
    return of_receipt(told).text


def test_a_receipt_is_no_larger_for_a_thousand_files() -> None:
    """Anybody can write to us in a school's name: what it is answered stays small."""
    files = (ReceivedFile(label="x.pdf", sides=1),) * 1000
    text = receipt(files, (Problem("c’est une archive.", "a.zip", "Envoyez un PDF."),) * 1000)
    assert "… et 1\u202f960\u00a0autres fichiers." in text
    assert len(text) < 3000


@pytest.mark.parametrize(
    "label", ["https://evil.example/x.pdf", "WWW.evil.example.pdf", "écrivez à a@evil.example", ""]
)
def test_a_receipt_repeats_no_name_that_leads_elsewhere(label: str) -> None:
    files = (ReceivedFile(label=label, sides=1), ReceivedFile(label="Votre compte " * 9, sides=1))
    text = receipt(files, (Problem("c’est une archive.", label, "Envoyez un PDF."),))
    assert "evil" not in text
    assert text.count("Un fichier sans nom\u00a0: ") == 2
    assert max(map(len, text.split("\n"))) < 100
