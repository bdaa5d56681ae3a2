"""The screens of the back office: dashboard, schools, accounts, programs, history."""

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from docgen import backoffice
from docgen.backoffice import accounts, models, outbox, releases, tokens
from docgen.backoffice.api import access
from docgen.backoffice.events import tell
from docgen.backoffice.web import programs, sentences
from tests import helpers
from tests.service import town
from workers.print_jobs import print_volume

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
HOSTILE = '<img src=x onerror="alert(1)">'
FACTS = {
    "name": "Lycée d’Essai",
    "address": "12 avenue des Exemples\n\nBâtiment B ",
    "postal_code": "4000",
    "city": "Digne",
    "head_name": "Odile Essai",
    "head_title": "Proviseure",
}
TELLERS = {"tell", "say", "_tell", "_keep", "sum_up"}
KIND = re.compile("[a-z]+(-[a-z]+)+|purged")


@pytest.fixture(autouse=True)
def shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCGEN_TEMPLATES", str(helpers.SHELF))


@pytest.fixture
def user() -> models.User:
    return models.User.objects.create(username="gestion", role="back_office")


@pytest.fixture
def office(client: Client, user: models.User) -> Client:
    client.force_login(user)
    return client


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def signed_in(role: str, school: models.School | None = None) -> Client:
    made = Client()
    made.force_login(models.User.objects.create(username=f"{role}-x", role=role, school=school))
    return made


def back(school: models.School, number: int, days: int) -> None:
    """Have a document come home so many days ago."""
    models.Return.objects.create(
        number=number.to_bytes(6, "big"),
        school=school,
        reference=f"X{number}",
        sides=1,
        stage="bound",
        bound_at=timezone.now() - timedelta(days=days),
    )


def test_an_empty_dashboard_says_so_and_that_nobody_works(office: Client) -> None:
    page = text(office, "/tableau/")
    assert "Aucun exécutant ne travaille" in page
    assert "Rien ne s’imprime en ce moment" in page
    assert "Rien n’est revenu" in page
    assert "hx-trigger" not in page
    assert "Pour commencer" in page
    assert "/nouvel-etablissement/" in page
    town.school()
    assert "Pour commencer" not in text(office, "/tableau/")
    models.Beat.objects.create(name="worker/x/1")
    assert "1 exécutant au travail" in text(office, "/tableau/")


def test_the_dashboard_follows_jobs_and_counts_what_came_back(office: Client) -> None:
    school = town.school()
    job = town.job(school)
    models.Volume.objects.filter(job=job).update(state="claimed", done=1)
    for number, days in enumerate((0, 0, 7, 400)):
        back(school, number, days)
    page = text(office, "/tableau/")
    assert job.name in page
    assert f'max="{job.documents}" value="1"' in page
    assert 'hx-trigger="every 2s"' in page
    monday = timezone.localdate() - timedelta(days=timezone.localdate().weekday())
    rows = re.findall(r'<th scope="row">([^<]+)</th><td class="number">(\d+)</td>', page)
    counts = [int(count) for _, count in rows]
    assert len(counts) == 12
    assert sum(counts) == 3, "what is older than twelve weeks is not counted"
    assert rows[-1][0].split()[0] == str(monday.day)


def test_a_count_leads_to_what_it_counts(office: Client) -> None:
    job = town.job(town.school())
    models.PrintJob.objects.filter(pk=job.pk).update(stage="reopened")
    page = text(office, "/tableau/")
    place = re.search(
        r'href="([^"]+)"><span class="count">1</span> <span class="label">Lot refusé ', page
    )
    assert place
    assert "1 à vérifier" in page
    assert job.name in text(office, place[1])


def test_the_dashboard_asks_no_more_when_there_is_more(office: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            text(office, "/tableau/")
        return len(queries)

    school = town.school()
    town.job(school)
    before = asked()
    for uai in ("0130010R", "0130011S"):
        other = town.school(uai)
        town.job(other)
        back(other, int(uai[:7]), 1)
    assert asked() == before


def test_a_school_is_added_listed_and_mended(office: Client) -> None:
    answer = office.post("/nouvel-etablissement/", {"uai": "013 0010r", **FACTS})
    assert answer.status_code == 302
    row = models.School.objects.get(pk="0130010R")
    assert (row.postal_code, row.address) == ("04000", ["12 avenue des Exemples", "Bâtiment B"])
    wrong = office.post("/nouvel-etablissement/", {"uai": "0130010R", **FACTS, "city": ""})
    assert wrong.status_code == 422
    said = wrong.content.decode()
    assert "porte déjà cet UAI" in said
    assert "2 points à corriger" in said
    assert 'value="Lycée d’Essai"' in said
    page = text(office, "/etablissements/?q=digne&situation=sans-compte")
    assert "Lycée d’Essai" in page
    assert "Rien ne correspond" in text(office, "/etablissements/?q=digne&situation=a-attester")
    for login in ("ferme-1", "ferme-2"):
        accounts.close(accounts.open_account(login, "school", "test", uai="0130010R"), "test")
    assert "1 à 1 sur 1" in text(office, "/etablissements/?situation=sans-compte")
    accounts.open_account("ouvert", "school", "test", uai="0130010R")
    assert "Rien ne correspond" in text(office, "/etablissements/?situation=sans-compte")
    assert "Lycée d’Essai" in text(office, "/etablissements/?tri=-personnes")


def test_a_school_mends_its_own_record_and_nobody_elses(office: Client) -> None:
    school, other = town.school(), town.school("0130011S")
    own = signed_in("school", school)
    changed = {**FACTS, "name": HOSTILE}
    assert own.post(f"/etablissements/{school.pk}/fiche/", changed).status_code == 302
    assert own.post(f"/etablissements/{other.pk}/fiche/", changed).status_code == 404
    assert HOSTILE not in text(office, "/etablissements/")
    assert "&lt;img src=x" in text(office, "/etablissements/")
    long = own.post(f"/etablissements/{school.pk}/fiche/", {**FACTS, "address": "a\n" * 7})
    assert "6 lignes au plus" in long.content.decode()
    assert own.get("/etablissements/").status_code == 403


def test_an_account_is_opened_with_a_link_that_is_shown_once(office: Client) -> None:
    town.school("0130010R")
    facts = {"login": "secretariat", "role": "school", "uai": "0130010r"}
    answer = office.post("/comptes/nouveau/", facts)
    link = re.search(r'value="([^"]*/compte/invitation/[^"]+)"', answer.content.decode())
    assert link
    made = models.User.objects.get(username="secretariat")
    assert (made.role, made.school_id, made.has_usable_password()) == ("school", "0130010R", False)
    assert "invitation" not in text(office, f"/comptes/{made.pk}/")
    assert "secretariat" in text(office, "/comptes/?q=0130010R&role=school&etat=attente")
    assert "secretariat" not in text(office, "/comptes/?etat=ferme")
    assert Client().get(link[1].removeprefix("http://127.0.0.1:8000")).status_code == 302
    wrong = office.post("/comptes/nouveau/", {**facts, "uai": "0139999X"})
    assert wrong.status_code == 422
    assert "2 points à corriger" in wrong.content.decode()
    again = office.post(f"/comptes/{made.pk}/lien/").content.decode()
    assert "/compte/invitation/" in again


def test_an_account_is_closed_once_asked_and_opened_again(
    office: Client, user: models.User
) -> None:
    other = accounts.open_account("autre", "region", "test")
    where = f"/comptes/{other.pk}/fermeture/"
    assert "Ses sessions s’arrêtent" in text(office, where)
    assert office.post(where).status_code == 400
    assert models.User.objects.get(pk=other.pk).is_active
    done = office.post(where, {"confirmed": "yes"}, follow=True).content.decode()
    assert not models.User.objects.get(pk=other.pk).is_active
    assert f'action="/comptes/{other.pk}/reouverture/"' in done
    assert "autre" not in re.findall(r'role="status">.*?</div>', done, re.S)[0]
    assert office.post(f"/comptes/{other.pk}/lien/").status_code == 422
    office.post(f"/comptes/{other.pk}/reouverture/")
    assert models.User.objects.get(pk=other.pk).is_active
    own = office.post(f"/comptes/{user.pk}/fermeture/", {"confirmed": "yes"})
    assert own.status_code == 422
    assert models.User.objects.get(pk=user.pk).is_active


def test_a_program_gets_a_token_with_the_rights_of_its_role(office: Client) -> None:
    facts = {"name": HOSTILE, "role": "region", "scopes": ["read:schools"], "days": "30"}
    answer = office.post("/comptes/programmes/nouveau/", facts).content.decode()
    token = re.search(r'value="(docgen_[^"]+)"', answer)
    assert token
    client = tokens.find(token[1])
    assert client is not None
    assert client.scopes == ["read:schools"]
    page = text(office, "/comptes/programmes/")
    assert token[1] not in page
    assert HOSTILE not in page
    assert "Lire les fiches des établissements" in page
    wrong = office.post(
        "/comptes/programmes/nouveau/", {**facts, "scopes": ["write:schools"], "role": "school"}
    )
    assert "UAI d’un établissement" in wrong.content.decode()
    refused = office.post("/comptes/programmes/nouveau/", {**facts, "scopes": ["write:schools"]})
    assert "ce rôle ne le permet pas" in refused.content.decode()
    office.post(f"/comptes/programmes/{client.pk}/revocation/", {"confirmed": "yes"})
    assert tokens.find(token[1]) is None
    assert {programs.words(scope) for scope in access.SCOPES}.isdisjoint(access.SCOPES)


def test_a_print_shop_is_made_known_once(office: Client) -> None:
    facts = {"name": "Imprimerie"}
    assert office.post("/comptes/imprimeurs/", facts).status_code == 302
    assert office.post("/comptes/imprimeurs/", facts).status_code == 422
    shop = models.PrintShop.objects.get()
    form = text(office, f"/comptes/nouveau/?role=print_shop&imprimeur={shop.pk}")
    assert re.search(r'<option value="Imprimerie" selected', form)


def test_the_history_of_a_document_holds_its_job(office: Client) -> None:
    school, other = town.school(), town.school("0130011S")
    job = town.job(school)
    print_volume("1")
    job.refresh_from_db()
    releases.release(job, models.PrintShop.objects.create(name="Imprimerie"), "user:1")
    reference = models.Document.objects.filter(volume__job=job).values_list("reference").first()[0]
    tell("cession-added", "HA209999", school=other.pk, actor="user:1")
    page = text(office, f"/historique/?sujet={reference.lower()}")
    assert all(said in page for said in ("Lot remis à l’imprimeur.", "Fichier du lot prêt."))
    assert "Tablette cédée" not in page
    assert "Tablette cédée" in text(office, f"/historique/?sujet={other.pk}")
    assert "Tablette cédée" in text(office, "/historique/?sujet=ha209999&famille=tablettes")
    assert "Rien ne s’est passé" in text(office, "/historique/?sujet=HA209999&famille=lots")
    assert HOSTILE not in text(office, f"/historique/?sujet={HOSTILE}")
    own, region = signed_in("school", other), signed_in("region")
    assert "Rien ne s’est passé" in text(own, f"/historique/?sujet={reference}")
    assert "Rien ne s’est passé" in text(own, f"/historique/?sujet={job.pk}")
    assert "Lot remis" in text(region, f"/historique/?sujet={reference}")
    tell("signed-in", "user:1", actor="user:1")
    assert "Connexion." not in text(region, "/historique/?sujet=user:1")


def test_who_acted_is_named_to_the_office_alone(office: Client, user: models.User) -> None:
    school = town.school()
    other = accounts.open_account("secretaire.nom", "school", "test", uai=school.pk)
    tell("cession-added", "HA200009", school=school.pk, actor=str(other))
    tell("cession-added", "HA200010", school=school.pk, actor=str(user))
    tell("never-heard-of", "x", school=school.pk)
    page = text(office, f"/historique/?sujet={school.pk}")
    assert "par secretaire.nom" in page
    assert "par vous" in page
    assert "never-heard-of" in page
    assert "secretaire.nom" not in text(signed_in("region"), "/historique/")


def told() -> Iterator[str]:
    """Give the kinds of events that the services tell, from their own text."""
    for path in Path(backoffice.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts: list[ast.AST] = []
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                parts = list(node.args) if name in TELLERS else []
            elif isinstance(node, ast.Assign):
                names = {getattr(each, "id", "") for top in node.targets for each in ast.walk(top)}
                parts = [node.value] if names & {"kind", "TOLD"} else []
            for part in parts:
                yield from (
                    each.value
                    for each in ast.walk(part)
                    if isinstance(each, ast.Constant)
                    and isinstance(each.value, str)
                    and KIND.fullmatch(each.value)
                )


def test_every_kind_of_event_has_its_sentence_and_its_family() -> None:
    kinds = {*told(), *outbox.KINDS}
    assert len(kinds) > 60
    assert sorted(kinds - sentences.SENTENCES.keys()) == []
    families = [kind for name, _, _ in sentences.FAMILIES for kind in sentences.kinds_of(name)]
    assert sorted(families) == sorted(sentences.SENTENCES)
