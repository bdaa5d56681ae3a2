"""Templates on the screens: shown, sent, checked as a stranger's, put in service, taken back."""

import io
import shutil
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from docgen import library
from docgen.backoffice import installing, models, templatezip
from docgen.datafolder import data_folder
from docgen.errors import InvalidInput, Problem, TemplateRejected
from docgen.rendering import trying
from docgen.rendering.checking import check_template
from tests import helpers
from tests.service import town

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
(NOTICE,) = helpers.SHELF.glob("*/avis")
MANIFEST = (NOTICE / "manifest.toml").read_text(encoding="utf-8")
STYLE = "style.css"
VERSION = library.load("avis", helpers.SHELF).manifest.version


@pytest.fixture(autouse=True)
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DOCGEN_TEMPLATES", str(helpers.SHELF))
    yield
    shutil.rmtree(data_folder() / library.OWN, ignore_errors=True)


@pytest.fixture
def office(client: Client) -> Client:
    client.force_login(models.User.objects.create(username="office", role="back_office"))
    return client


def edition(version: str = "9.1", **others: bytes) -> dict[str, bytes]:
    """Give the files of a newer version of the notice of the tests."""
    files = {each.name: each.read_bytes() for each in NOTICE.iterdir() if each.is_file()}
    newer = MANIFEST.replace(f'version = "{VERSION}"', f'version = "{version}"')
    assert newer != MANIFEST or version == VERSION
    return files | {"manifest.toml": newer.encode()} | others


def packed(files: dict[str, bytes], *, top: str = "avis/") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(top + name, data)
    return content.getvalue()


def sent(office: Client, content: bytes) -> str:
    """Send an archive by the form; give where it leads."""
    file = SimpleUploadedFile("modele.zip", content, "application/zip")
    answer = office.post("/nouveau-modele/", {"file": file})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def refused(folder: Path, content: bytes) -> tuple[Problem, ...]:
    path = folder / "sent.zip"
    path.write_bytes(content)
    return helpers.refusal(lambda: templatezip.unpack(path), TemplateRejected)


def test_a_newer_version_is_checked_then_serves_then_gives_way_again(office: Client) -> None:
    place = sent(office, packed(edition()))
    assert library.load("avis").manifest.version == VERSION  # a trial serves nobody
    assert "tout tient" in office.get(place).content.decode()
    assert "Mettre cette version en service" in office.get(f"{place}installation/").content.decode()
    done = office.post(f"{place}installation/", {"confirmed": "yes"}, follow=True)
    assert library.load("avis").manifest.version == "9.1"
    assert "Annuler cette action" in done.content.decode()
    assert office.get(place).status_code == 404
    told = models.Event.objects.get(kind="template-served")
    assert (told.subject, told.facts["version"]) == ("avis", "9.1")
    office.post("/modeles/avis/versions/docgen/")
    assert library.load("avis").manifest.version == VERSION
    name = next(each.name for each in installing.installed("avis") if not each.is_ours)
    office.post(f"/modeles/avis/versions/{name}/")
    assert library.load("avis").manifest.version == "9.1"
    assert office.post("/modeles/avis/versions/0123456789abcdef/").status_code == 404


def test_what_does_not_hold_is_told_whole_and_cannot_serve(office: Client) -> None:
    far = b"@import url(http://192.0.2.1/x.css); body { background: url(file:///etc/passwd) }"
    body = (NOTICE / "body.html").read_bytes() + b"{{ field('nothing') }}"
    place = sent(office, packed(edition(VERSION, **{"body.html": body, STYLE: far})))
    text = office.get(place).content.decode()
    assert "champ « nothing » inconnu" in text.replace("\u00a0", " ")
    assert "porte déjà ce numéro" in text
    assert "Mettre en service" not in text
    answer = office.post(f"{place}installation/", {"confirmed": "yes"})
    assert answer.status_code == 422
    assert library.load("avis").manifest.version == VERSION
    assert str(data_folder()) not in text
    office.post(f"{place}abandon/")
    assert office.get(place).status_code == 404


@pytest.mark.parametrize(
    "asked", ["http://192.0.2.1/x.png", "file:///etc/passwd", "../../../secret.png"]
)
def test_a_style_reaches_no_network_and_no_file_of_ours(tmp_path: Path, asked: str) -> None:
    rule = f"body {{ background: url({asked}) }}"
    template = helpers.edited(tmp_path, {STYLE: [("", rule)]}, "avis")
    found = check_template(template)
    assert any("interdite ou absente" in each.what for each in found), found


def test_a_body_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "PROCESSOR", 3)
    loop = b"{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}"
    folder = tmp_path / "notices" / "avis"
    folder.mkdir(parents=True)
    for name, content in edition(**{"body.html": loop}).items():
        (folder / name).write_bytes(content)
    assert trying.problems_of(folder) == [trying.COSTLY]


@pytest.mark.parametrize(
    "name",
    ["../evil.html", "/etc/evil.html", "C:\\evil.html", ".hidden.html", "a/../../b.css", "é.css"],
)
def test_a_path_leaves_no_folder(tmp_path: Path, name: str) -> None:
    (problem,) = refused(tmp_path, packed({**edition(), name: b"x"}, top=""))
    assert "sort du dossier" in problem.what


def test_a_file_that_is_no_template_is_refused_with_every_reason(tmp_path: Path) -> None:
    content = io.BytesIO(packed({**edition(), "run.py": b"", "BODY.html": b""}, top=""))
    with zipfile.ZipFile(content, "a") as archive:
        link = zipfile.ZipInfo("link.css")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    problems = refused(tmp_path, content.getvalue())
    assert {each.where for each in problems} == {"run.py", "BODY.html", "link.css"}
    for junk in (b"", b"not a zip", packed({"body.html": b"x"}), packed({"manifest.toml": b"["})):
        assert refused(tmp_path, junk)
    deep = b"a = " + b"[" * 30_000
    assert refused(tmp_path, packed({"manifest.toml": deep}))
    below = "/".join(["a" * 80] * 60)  # longer than a path can be
    odd = {"ZZZ.css": b"", f"{below}.css": b"", "both.css": b"", "both.css/in.css": b""}
    nameless = packed({**edition(), **odd}, top="").replace(b"ZZZ.css", b"\0ZZ.css")
    assert len(refused(tmp_path, nameless)) == 3


def test_a_bomb_is_stopped_at_its_bound(tmp_path: Path) -> None:
    zeros = bytes(templatezip.MOST_BYTES + 1)
    (problem,) = refused(tmp_path, packed({**edition(), "zeros.svg": zeros}))
    assert "décompressé" in problem.what
    many = {f"a{n}.css": b"" for n in range(templatezip.MOST_FILES)}
    (problem,) = refused(tmp_path, packed(edition() | many))
    assert f"{templatezip.MOST_FILES} au plus" in problem.what


def test_a_number_that_was_printed_says_the_same_for_ever(office: Client) -> None:
    school = town.school()
    town.job(school)
    charter = next(helpers.SHELF.glob("*/petite-charte"))
    files = {each.name: each.read_bytes() for each in charter.iterdir() if each.is_file()}
    files["body.html"] += b"<!-- another -->"
    place = sent(office, packed(files, top="petite-charte/"))
    text = office.get(place).content.decode()
    assert "porte déjà ce numéro" in text
    assert "Mettre en service" not in text


def test_one_check_at_a_time(office: Client) -> None:
    with installing._alone():
        problems = helpers.refusal(lambda: installing.check(library.load("avis")), InvalidInput)
    assert "en cours de contrôle" in problems[0].what


def test_a_template_shows_itself(office: Client) -> None:
    town.job(town.school())
    assert "petite-charte" in office.get("/modeles/").content.decode()
    page = office.get("/modeles/petite-charte/").content.decode()
    manifest = library.load("petite-charte").manifest
    assert all(field.name in page for field in manifest.fields)
    assert "celui d’aujourd’hui" in page
    name = manifest.layouts[0].name
    picture = office.get(f"/modeles/petite-charte/page.png?mise={name}&page=1")
    assert picture.content.startswith(b"\x89PNG")
    for wrong in ("?mise=nothing", "?page=9", "?page=-1", "?page=x"):
        assert office.get(f"/modeles/petite-charte/page.png{wrong}").status_code == 404
    assert office.get("/modeles/nothing/").status_code == 404
    done = office.post("/modeles/avis/controle/", follow=True).content.decode()
    assert "Contrôle fait" in done
    assert "tout tient" in done
