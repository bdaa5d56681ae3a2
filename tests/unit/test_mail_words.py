"""What mails say: read as a clerk of the region and the secretary of a school read them."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from fnmatch import fnmatchcase

import pytest

from docgen.attestations import Attestation, Period, Row
from docgen.errors import Problem
from docgen.mailing.letter import Words
from docgen.mailing.phrases import days
from docgen.mailing.words import (
    Attested,
    Late,
    Received,
    ReceivedDocument,
    ReceivedFile,
    file_name,
    of_attestation,
    of_copy,
    of_receipt,
    of_reminder,
)
from docgen.region import Region
from docgen.typography import french

PERIOD = Period(date(2026, 9, 14), date(2026, 10, 2))
SEEN = datetime(2026, 10, 14, 8, 3)  # noqa: DTZ001 - what is written is local time
FULL = "attestation-0130010R-lycee-emile-zola-2026-2027-n1-20260914-20261002-AT-7K3F-92QD"


def row(number: int, audience: str = "pupil", origin: str = "") -> Row:
    facts = (f"SERIAL{number}", f"PERSON{number}", audience, "2DE 1", PERIOD.start, origin)
    return Row(*facts)  # type: ignore[arg-type]


ATTESTATION = Attestation(
    school="0130010R",
    school_year="2026-2027",
    number=1,
    rank=1,
    period=PERIOD,
    issued_date=date(2026, 10, 5),
    rows=(*map(row, range(1200)), row(2000, "teacher")),
)
TOLD = Attested(
    uai="0130010R",
    school="Lycée Émile-Zola",
    city="Aix-en-Provence",
    attestation=ATTESTATION,
    region=Region(),
    reference="AT-7K3F-92QD",
    sides=4,
    sha256="ab" * 32,
    reply_to="ce.0130010R@academie.example",
)
LATE = Late(
    kind="not-returned",
    uai="0130010R",
    school="Lycée Émile-Zola",
    school_year="2026-2027",
    region=Region(),
    number=1,
    period=PERIOD,
    reference="AT-7K3F-92QD",
    since=date(2026, 10, 5),
)
RECEIVED = Received(uai="0130010R", school="Lycée Émile-Zola", received_at=SEEN)
DOCUMENT = ReceivedDocument(title="Attestation de cession", reference="AT-7K3F-92QD")


def plain(text: str) -> str:
    """Give a text with ordinary spaces, to compare it with what is typed here."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def test_the_region_reads_all_it_needs_to_file_an_attestation() -> None:
    said = of_attestation(TOLD)
    assert plain(said.subject) == (
        "[0130010R] Attestation de cession n° 1, 2026-2027, Lycée Émile-Zola "
        "(14 septembre au 2 octobre 2026)"
    )
    assert said.file_name == f"{FULL}.pdf"
    assert (
        plain(said.text)
        == f"""Bonjour,

Veuillez trouver ci-joint l’attestation de cession signée de l’établissement suivant.

Établissement : Lycée Émile-Zola, Aix-en-Provence
UAI : 0130010R
Année scolaire : 2026-2027
Attestation : n° 1, la première de l’année scolaire
Distribution : 14 septembre au 2 octobre 2026
Cessions : 1 201 (1 200 élèves, 1 professeur)
Référence : AT-7K3F-92QD, 4 faces

Pièce jointe : {FULL}.pdf
C’est le document signé numérisé (PDF).
Son empreinte SHA-256, qui permet de vérifier qu’il est intact :
{"ab" * 32}

L’original signé est adressé ensuite à la Région par la poste, avec son bordereau d’envoi.

Votre réponse à ce message ira à l’établissement : ce.0130010R@academie.example.

Message envoyé automatiquement par docgen.
"""
    )


def test_late_entries_withdrawals_and_a_complement_are_told() -> None:
    more = replace(
        ATTESTATION,
        number=2,
        rows=(row(1), row(2, origin="n° 1 de 2026-2027"), row(3, origin="n° 1 de 2026-2027")),
        withdrawn=(row(9),),
    )
    text = plain(of_attestation(replace(TOLD, attestation=more)).text)
    assert "Attestation : n° 2, complémentaire\n" in text
    assert "Cessions : 3 (3 élèves, 0 professeur)\n" in text
    assert "Dont saisies tardives, de périodes déjà attestées : 2\n" in text
    assert "Cessions retirées, annulées ou corrigées depuis : 1\n" in text


def test_a_version_that_replaces_another_says_which() -> None:
    said = of_attestation(replace(TOLD, replaces=date(2026, 10, 3)))
    assert plain(said.subject).startswith(
        "[0130010R] Attestation de cession n° 1, 2026-2027, remplace l’envoi du 3 octobre 2026, "
    )
    assert "Cet envoi remplace celui du 3 octobre 2026 :" in plain(said.text)


def test_a_part_says_which_it_is_and_how_parts_are_joined() -> None:
    said = of_attestation(replace(TOLD, part=2, parts=3))
    assert plain(said.subject).startswith(
        "[0130010R] Attestation de cession n° 1, 2026-2027, partie 2 sur 3, Lycée"
    )
    assert said.file_name == f"{FULL}-2sur3.pdf"
    text = plain(said.text)
    assert "C’est la partie 2 sur 3 du fichier signé (PDF)." in text
    assert f"fichier entier, qui permet de vérifier qu’il est intact :\n{'ab' * 32}\n" in text
    assert "\n    docgen join attestation-0130010R-*-2026-2027-n1-*sur3.pdf\n" in text


def test_the_command_in_a_part_names_its_parts_and_no_others() -> None:
    text = of_attestation(replace(TOLD, part=1, parts=2)).text
    (pattern,) = (line.split()[-1] for line in text.splitlines() if "docgen join" in line)
    others = replace(ATTESTATION, number=2), replace(ATTESTATION, school_year="2025-2026")
    mine = [file_name(replace(TOLD, part=part, parts=2)) for part in (1, 2)]
    strange = [file_name(replace(TOLD, attestation=each, part=1, parts=2)) for each in others]
    assert [fnmatchcase(name, pattern) for name in (*mine, *strange)] == [True, True, False, False]


def test_a_lightened_file_says_so_and_gives_both_digests() -> None:
    text = plain(of_attestation(replace(TOLD, dpi=150.0, light_sha256="cd" * 32)).text)
    assert f"SHA-256, qui permet de vérifier qu’il est intact :\n{'cd' * 32}\n" in text
    assert f"Empreinte SHA-256 du fichier d’origine, gardé par docgen :\n{'ab' * 32}\n" in text
    assert "ramenées à 150 points par pouce." in text


def test_a_school_without_an_address_is_told_as_such() -> None:
    text = of_attestation(replace(TOLD, reply_to="")).text
    assert "L’établissement n’a pas donné d’adresse électronique à docgen." in text


def test_the_school_reads_what_was_sent_and_what_is_left_to_do() -> None:
    said = of_copy(TOLD, SEEN)
    assert plain(said.subject) == (
        "[0130010R] Original à poster : attestation de cession n° 1, 2026-2027, "
        "envoyée à la Région le 14 octobre 2026"
    )
    text = plain(said.text)
    assert "à la Région le 14 octobre 2026 à 8 h 03, à l’adresse l-ec@maregionsud.fr." in text
    assert "envoyer l’original par la poste, avec son bordereau d’envoi" in text
    assert "\n    27 PLACE JULES GUESDE\n    13481 MARSEILLE CEDEX 20\n" in text
    assert said.file_name == f"{FULL}.pdf"


@pytest.mark.parametrize(
    ("start", "end", "written"),
    [
        ((2026, 9, 14), (2026, 9, 14), "14 septembre 2026"),
        ((2026, 9, 1), (2026, 9, 30), "1er au 30 septembre 2026"),
        ((2026, 9, 14), (2026, 10, 2), "14 septembre au 2 octobre 2026"),
        ((2026, 12, 1), (2027, 1, 8), "1er décembre 2026 au 8 janvier 2027"),
        ((2026, 9, 14), (2027, 9, 14), "14 septembre 2026 au 14 septembre 2027"),
    ],
)
def test_a_period_says_no_month_and_no_year_twice(
    start: tuple[int, int, int], end: tuple[int, int, int], written: str
) -> None:
    assert plain(days(Period(date(*start), date(*end)))) == written


@pytest.mark.parametrize(
    ("school", "named"),
    [
        ("Lycée général & techno. « Saint-Éxupéry »", "lycee-general-techno-saint-exupery"),
        ("../../etc/passwd", "etc-passwd"),
        ("Ὅμηρος", ""),
        ("L" * 200, "l" * 40),
    ],
)  # fmt: skip
def test_a_file_is_named_in_ascii_whatever_the_school(school: str, named: str) -> None:
    name = file_name(replace(TOLD, school=school))
    wanted = "-".join(filter(None, ("attestation-0130010R", named, "2026-2027-n1-20260914")))
    assert name == f"{wanted}-20261002-AT-7K3F-92QD.pdf"
    assert name.isascii()


def test_a_subject_has_room_in_its_column_whatever_the_school() -> None:
    long = Period(date(2026, 9, 14), date(2027, 9, 14))
    told = replace(TOLD, school="L" * 200, replaces=date(2026, 9, 14), part=10, parts=10)
    said = of_attestation(replace(told, attestation=replace(ATTESTATION, period=long)))
    assert len(said.subject) + len("[ESSAI] ") <= 300


def test_scans_that_were_all_recognised_take_a_few_lines() -> None:
    file = ReceivedFile(label="pile.pdf", sides=4, known=4)
    said = of_receipt(replace(RECEIVED, files=(file,), documents=(DOCUMENT,)))
    assert plain(said.subject) == (
        "[0130010R] Numérisations reçues : rien à faire (14 octobre 2026 à 8 h 03)"
    )
    assert (
        plain(said.text)
        == """Bonjour,

Votre message du 14 octobre 2026 à 8 h 03 est arrivé.

pile.pdf : 4 faces, toutes reconnues.

Documents complets : 1 sur 1.

Tout est reconnu. Vous n’avez rien à faire.

Message envoyé automatiquement par docgen.
"""
    )


def test_what_was_not_recognised_is_told_with_what_to_do() -> None:
    pile = ReceivedFile(
        label="pile.pdf",
        sides=14,
        known=9,
        blank=2,
        duplicates=1,
        to_review=((7, "elle n’a aucun code lisible."), (8, "")),
    )
    refused = ReceivedFile(label="x.jpg", problems=(Problem("ce n’est pas une image."),))
    wanting = replace(
        DOCUMENT,
        missing=(2, 3),
        unsigned=((4, "Le chef d’établissement"),),
        unseen=((5, "La Région"),),
        problems=(Problem("il est trop lourd.", "", "Numérisez-le en gris."),),
    )
    said = of_receipt(
        replace(
            RECEIVED,
            files=(pile, refused),
            documents=(wanting, DOCUMENT),
            refused=(Problem("ce type de fichier n’est pas lu.", "a.zip", "Envoyez un PDF."),),
        )
    )
    wants = (
        "il manque les faces 2 et 3. Numérisez-les, et envoyez-les de même.",
        "la case de signature « Le chef d’établissement », face 4, est vide. Faites signer, puis "
        "renvoyez cette face.",
        "la case de signature « La Région », face 5, n’a pas pu être examinée. Regardez-la dans "
        "docgen.",
        "il est trop lourd. Numérisez-le en gris.",
    )
    listed = "\n".join(f"  • Attestation de cession, AT-7K3F-92QD : {line}" for line in wants)
    assert " : 5 points à traiter (" in plain(said.subject)
    assert (
        plain(said.text)
        == f"""Bonjour,

Votre message du 14 octobre 2026 à 8 h 03 est arrivé.

pile.pdf : 14 faces, dont 9 reconnues, 1 en double, 2 blanches, 2 à regarder.
  • face 7 : elle n’a aucun code lisible.
  • face 8 : elle n’est pas reconnue.

x.jpg : refusé. Ce n’est pas une image.

a.zip : refusé. Ce type de fichier n’est pas lu. Envoyez un PDF.

Documents complets : 1 sur 2.

À compléter :
{listed}

Les faces à regarder attendent dans docgen que quelqu’un les identifie.

Message envoyé automatiquement par docgen.
"""
    )


def test_a_file_that_is_not_read_yet_is_neither_well_nor_ill() -> None:
    said = of_receipt(replace(RECEIVED, files=(ReceivedFile(label="pile.pdf", is_read=False),)))
    assert " : lecture en cours (" in plain(said.subject)
    assert "pile.pdf : bien reçu, lecture en cours." in plain(said.text)
    assert "rien à faire" not in said.text


def test_a_mail_without_a_file_is_told_to_be_so() -> None:
    said = of_receipt(RECEIVED)
    assert " : aucun fichier (" in plain(said.subject)
    assert "Il ne contient aucun fichier. Joignez vos numérisations, en PDF." in said.text
    assert "Tout est reconnu" not in said.text


def test_a_side_set_aside_needs_no_word() -> None:
    said = of_receipt(replace(RECEIVED, files=(ReceivedFile(label="pile.pdf", sides=1),)))
    assert "pile.pdf : 1 face.\n" in plain(said.text)


@pytest.mark.parametrize(
    ("sides", "told"), [(1, "1 face, déjà reçue."), (3, "toutes déjà reçues.")]
)
def test_sides_that_had_all_come_are_told_so(sides: int, told: str) -> None:
    files = (ReceivedFile(label="pile.pdf", sides=sides, duplicates=sides),)
    text = plain(of_receipt(replace(RECEIVED, files=files, documents=())).text)
    assert f"pile.pdf : {'' if sides == 1 else '3 faces, '}{told}" in text
    assert "double" not in text


def test_a_large_pile_is_told_shortly() -> None:
    review = tuple((n, "elle n’a aucun code lisible.") for n in range(1, 61))
    file = ReceivedFile(label="pile.pdf", sides=60, to_review=review)
    documents = (replace(DOCUMENT, missing=(1,)),) * 50
    text = plain(of_receipt(replace(RECEIVED, files=(file,), documents=documents)).text)
    assert "  • … et 40 autres faces.\n" in text
    assert "  • … et 30 autres documents à compléter.\n" in text
    assert text.count("\n") < 70


def reminder(**facts: object) -> tuple[str, str]:
    said = of_reminder(replace(LATE, **facts))  # type: ignore[arg-type]
    return plain(said.subject), plain(said.text)


def test_an_attestation_that_did_not_come_back_is_reminded() -> None:
    subject, text = reminder()
    assert subject == (
        "[0130010R] Rappel : attestation de cession n° 1, 2026-2027, à renvoyer signée"
    )
    assert "(14 septembre au 2 octobre 2026) a été éditée le 5 octobre 2026." in text
    assert "(référence AT-7K3F-92QD), puis déposez la numérisation dans docgen. Elle" in text
    assert "par courriel à scans@region.example." in reminder(scans_to="scans@region.example")[1]


def test_cessions_on_no_attestation_are_reminded() -> None:
    subject, text = reminder(kind="not-attested", pupils=3, teachers=1, since=date(2026, 10, 1))
    assert subject.endswith("Rappel : 4 cessions (3 élèves, 1 professeur) à attester, 2026-2027")
    told = "4 cessions de tablettes (3 élèves, 1 professeur) ne sont sur aucune attestation."
    assert f"{told} La plus ancienne date du 1er octobre 2026." in text
    alone = reminder(kind="not-attested", pupils=1, since=None)[1]
    assert "1 cession de tablette (1 élève) n’est sur aucune attestation.\n" in alone


def test_the_end_of_the_school_year_is_reminded() -> None:
    subject, text = reminder(kind="year-ends", teachers=2, last_day=date(2027, 7, 5))
    assert subject.endswith("Rappel : attestation complémentaire à établir, 2026-2027")
    assert "se termine le 5 juillet 2027. 2 cessions de tablettes (2 professeurs) ne sont" in text
    assert "avant la fin de l’année scolaire, une attestation complémentaire" in text


def test_an_original_that_did_not_arrive_is_reminded() -> None:
    subject, text = reminder(kind="not-received")
    assert subject.endswith("attestation de cession n° 1, 2026-2027, original non reçu")
    assert "Sa copie numérisée est partie le 5 octobre 2026." in text
    assert "S’il est parti, indiquez dans docgen quel jour. Sinon, envoyez-le" in text
    assert "\n    13481 MARSEILLE CEDEX 20\n" in text
    posted = reminder(kind="not-received", posted_date=date(2026, 10, 20))[1]
    assert "Vous l’avez indiqué posté le 20 octobre 2026." in posted
    assert "S’il est parti" not in posted


def everything() -> Iterator[Words]:
    """Give a text of each kind, in many states."""
    for part, dpi, replaces in itertools.product((1, 2), (0.0, 120.0), (None, PERIOD.end)):
        told = replace(TOLD, part=part, parts=part, dpi=dpi, replaces=replaces)
        yield of_attestation(told)
        yield of_copy(told, SEEN)
    wanting = replace(DOCUMENT, missing=(1,), unsigned=((2, "Le chef d’établissement"),))
    file = ReceivedFile(label="pile.pdf", sides=2, known=1, to_review=((2, "elle est floue."),))
    yield of_receipt(RECEIVED)
    yield of_receipt(replace(RECEIVED, files=(file,), documents=(wanting, DOCUMENT)))
    for kind in ("not-returned", "not-attested", "year-ends", "not-received"):
        yield of_reminder(replace(LATE, kind=kind, pupils=1234))  # type: ignore[arg-type]


@pytest.mark.parametrize("said", list(everything()), ids=lambda said: plain(said.subject)[11:50])
def test_texts_are_set_as_french_typography_wants_them(said: Words) -> None:
    assert french(said.subject) == said.subject
    assert french(said.text) == said.text


@pytest.mark.parametrize("said", list(everything()), ids=lambda said: plain(said.subject)[11:50])
def test_no_text_says_who_received_which_tablet(said: Words) -> None:
    told = f"{said.subject} {said.text} {said.file_name}"
    assert "PERSON" not in told
    assert "SERIAL" not in told
