"""What `docgen doctor` says of the post."""

from pathlib import Path

import pytest

from docgen.cli.doctor import CHECKS
from docgen.errors import DocgenError
from tests.service.mailservers import PASSWORD, mail_house

pytestmark = pytest.mark.embedded


def doctor(data: Path, told: dict[str, str]) -> list[str]:
    """Give what is said of the post under an environment."""
    said = []
    with pytest.MonkeyPatch.context() as patch:
        for name, text in {**told, "DOCGEN_DATA": str(data)}.items():
            patch.setenv(name, text)
        for name in ("courrier", "boîte aux lettres"):
            try:
                said.append(dict(CHECKS)[name]())
            except DocgenError as error:
                said.append(str(error))
    assert PASSWORD not in str(said)
    return said


def test_doctor_reaches_the_server_and_the_boxes(tmp_path: Path) -> None:
    with mail_house() as house:
        told = house.environment()
        smtp, box = (f"127.0.0.1:{each.port}" for each in (house.smtp, house.dovecot))
        assert doctor(tmp_path, told) == [f"{smtp}, sans TLS", f"{box}, INBOX, {box}, INBOX"]
        tested = told | {"DOCGEN_MAIL_REDIRECT": "essai@region.example"}
        assert doctor(tmp_path, tested)[0] == f"{smtp}, sans TLS, tout va à l’adresse d’essai"
        assert house.smtp.accepted() == []
    gone = "il refuse la connexion. Vérifiez DOCGEN_"
    assert doctor(tmp_path, told | {"DOCGEN_MAIL_PROOF": ""}) == [
        f"{smtp}\u00a0: {gone}SMTP_URL.",
        f"{box}\u00a0: {gone}IMAP_URL.",
    ]


def test_doctor_writes_into_the_folder_and_says_which_variable_is_wrong(tmp_path: Path) -> None:
    place = tmp_path / "courrier"
    assert doctor(tmp_path, {}) == [f"des fichiers dans {place}", "aucune n’est réglée"]
    assert list(place.iterdir()) == []
    [what, _] = doctor(tmp_path, {"DOCGEN_MAIL_MOST": "0"})
    assert what == "DOCGEN_MAIL_MOST : un nombre de 1 à 100 est attendu."
