"""`docgen deliveries`: what a person is told of what leaves, and what they may decide."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from docgen import cli
from docgen.backoffice import models, post, store
from tests.service import town
from tests.service.mailroom import delivery
from tests.service.test_cli_scan import Answer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.embedded]
Docgen = Callable[..., Answer]
WIDEST = 110  # characters of a table
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide"
SERVER = {
    "DOCGEN_SMTP_URL": "smtps://docgen:secret@smtp.exemple.fr",
    "DOCGEN_MAIL_FROM": "docgen@exemple.fr",
}


@pytest.fixture
def docgen(capsys: pytest.CaptureFixture[str]) -> Docgen:
    """Give the command."""

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        code = cli._run(["deliveries", *map(str, arguments)])
        return Answer(code, *capsys.readouterr())

    return run


@pytest.fixture
def school() -> models.School:
    return town.school()


@pytest.fixture
def by_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have mail leave by a server that nobody has approved."""
    monkeypatch.setattr(settings, "POST", post.read_post(settings.DATA, SERVER))


def test_what_is_on_its_way_is_listed_with_what_stops_it(
    school: models.School, docgen: Docgen
) -> None:
    sent, held = delivery(school), delivery(school, "held")
    refused = delivery(school, "refused", role="copy", recipient="lycee@exemple.fr")
    answer = docgen("list")
    titles, *rows = answer.out.splitlines()
    assert (answer.code, titles.split()[:3]) == (0, ["Envoi", "Établissement", "Attestation"])
    assert [row[:8] for row in rows[:3]] == [str(row.pk)[:8] for row in (refused, held, sent)]
    assert max(map(len, rows[:3])) <= WIDEST
    assert "copie à l’établissement  refusé" in rows[0]
    told = "\n".join(rows[3:])
    assert str(held.pk)[:8] in told
    assert "La case « Signature » est vide." in told
    assert "Le serveur a refusé ce message. Corrigez, puis relancez." in told
    assert str(sent.pk)[:8] not in told
    only = json.loads(docgen("list", "--stage", "held", "--json").out)
    assert [each["id"] for each in only] == [str(held.pk)]
    assert docgen("list", "--school", "0750001U").out.count("\n") == 1
    wrong = docgen("list", "--stage", "lost")
    assert (wrong.code, "cette étape n’existe pas" in wrong.err) == (2, True)


def test_a_delivery_is_shown_with_what_servers_said(
    school: models.School, docgen: Docgen, tmp_path: Path
) -> None:
    row = delivery(school, "refused")
    answer = docgen("show", str(row.pk)[:6])
    assert answer.code == 0
    assert f"Envoi {row.pk}" in answer.out
    assert "Message 1 sur 1, 1\u00a0ko\u00a0: refusé." in answer.out
    assert "  • 05/10/2026 10:00\u00a0: 550 5.1.1 no such user" in answer.out  # Paris time
    told = json.loads(docgen("show", row.pk, "--json").out)
    assert told["messages"][0]["answers"][0]["code"] == 550
    file = tmp_path / "lire" / "document.pdf"
    assert docgen("show", row.pk, "--out", file).code == 0
    assert file.read_bytes() == b"".join(store.blocks(row.sha256))
    unknown = docgen("show", "ffff")
    assert (unknown.code, "aucun envoi n’a ce numéro" in unknown.err) == (2, True)


def test_what_would_go_is_told_in_words_and_written(
    school: models.School, docgen: Docgen, tmp_path: Path, by_server: None
) -> None:
    row = delivery(school, "new")
    delivery(school)
    answer = docgen("preview", "--out", tmp_path / "apercu")
    assert answer.code == 0, answer.err
    assert "Le courrier part par smtp.exemple.fr:465 (TLS), au nom de docgen@exemple.fr." in (
        answer.out
    )
    assert "La boîte de la Région est l-ec@maregionsud.fr." in answer.out
    assert "Ce chemin n’est pas approuvé" in answer.out
    assert "Envois qui attendent\u00a0: 1." in answer.out
    assert f"  • {str(row.pk)[:8]}, {school.pk}, attestation 2026-2027 n°\u00a01" in answer.out
    assert "Bonjour, voici l’attestation." in answer.out
    assert "secret" not in answer.out
    (path,) = (tmp_path / "apercu").iterdir()
    assert path.read_bytes().startswith(b"Subject: ")
    assert re.fullmatch(rf"{school.pk}-[0-9a-f]{{8}}-1\.eml", path.name)


def test_the_way_is_approved_once(school: models.School, docgen: Docgen, by_server: None) -> None:
    answer = docgen("approve")
    assert (answer.code, "Ce chemin est approuvé" in answer.out) == (0, True)
    assert models.Approval.objects.get().by == "cli"
    assert "Il n’y a rien à approuver." in docgen("approve").out


def test_without_a_server_nothing_leaves(docgen: Docgen) -> None:
    assert "courrier\u00a0; rien ne part." in docgen("preview").out
    assert "Il n’y a rien à approuver." in docgen("approve").out


def test_a_trial_says_who_gets_all(docgen: Docgen, monkeypatch: pytest.MonkeyPatch) -> None:
    told = SERVER | {"DOCGEN_MAIL_REDIRECT": "essai@exemple.fr"}
    monkeypatch.setattr(settings, "POST", post.read_post(settings.DATA, told))
    answer = docgen("preview")
    assert "Tout est dirigé vers essai@exemple.fr" in answer.out
    assert "pas approuvé" not in answer.out


def test_somebody_decides(school: models.School, docgen: Docgen) -> None:
    """One after the other: of what has not left, the last version alone goes."""
    held = delivery(school, "held")
    assert "n’est plus retenu." in docgen("release", held.pk).out
    again = docgen("release", held.pk)
    assert (again.code, "cet envoi n’est pas retenu." in again.err) == (2, True)
    refused, copy = delivery(school, "refused"), delivery(school, "refused", role="copy")
    assert docgen("retry", refused.pk, str(copy.pk)[:8]).out == "Envois relancés\u00a0: 2.\n"
    lost = delivery(school, "uncertain")
    assert "envoyé" in docgen("settle", lost.pk, "--sent").out
    gone = delivery(school, "uncertain")
    assert "à envoyer" in docgen("settle", gone.pk, "--not-sent").out
    stages = [models.Delivery.objects.get(pk=row.pk).stage for row in (refused, copy, lost, gone)]
    assert stages == ["new", "new", "sent", "new"]
    events = models.Event.objects.filter(kind__contains="delivery").exclude(kind="delivery-sent")
    assert {event.actor for event in events if event.kind != "delivery-planned"} == {"cli"}


def test_all_that_was_refused_is_tried_again_at_once(school: models.School, docgen: Docgen) -> None:
    for _ in range(3):
        delivery(school, "refused")
    sent = delivery(school)
    assert docgen("retry", "--refused").out == "Envois relancés\u00a0: 3.\n"
    partly = docgen("retry", sent.pk)
    assert (partly.code, partly.out) == (2, "Envois relancés\u00a0: 0.\n")
    assert str(sent.pk)[:8] in partly.err


@pytest.mark.parametrize(
    "arguments", [("retry",), ("retry", "80f5", "--refused"), ("settle", "80f5"), ("show", "")]
)
def test_a_command_that_is_not_clear_does_nothing(
    docgen: Docgen, arguments: tuple[str, ...]
) -> None:
    answer = docgen(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert "Rien n’a été fait." in answer.err


@pytest.mark.parametrize("page", ["envois", "region"])
def test_the_commands_of_the_guide_are_real(capsys: pytest.CaptureFixture[str], page: str) -> None:
    text = (GUIDE / f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    commands = [line.partition("#")[0] for line in "".join(blocks).splitlines()]
    assert len(commands) >= 8
    for command in commands:
        _, *words = command.partition(">")[0].split()
        asked = [word for word in words if re.fullmatch("[a-z]+", word)][:2]
        if asked[0] in ("join", "ledger"):
            del asked[1:]
        capsys.readouterr()
        assert cli._run([*asked, "--help"]) == 0, command
        told = capsys.readouterr().out
        assert f"docgen {' '.join(asked)} " in told, command
        options = re.findall(r"--[a-z-]+", command)
        assert [each for each in options if each not in told] == [], command
