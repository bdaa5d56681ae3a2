"""The gate: every table, every role, one's own rows and somebody else's; and nothing goes round it.

`SEEN` is what the gate should say, told a second time by another hand. A new table without its line
here fails.
"""

import ast
import uuid
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import Model
from hypothesis import given, settings
from hypothesis import strategies as st

from docgen.backoffice import gate, models
from docgen.backoffice.gate import Actor
from docgen.backoffice.models import Role

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 9, 1)
OWN, OTHER = "0930001A", "0940002B"
TABLES = list(apps.get_app_config("backoffice").get_models())
PUPILS, PAPERS = {"school", "region"}, {"school", "region", "shop"}
SEEN: dict[type[Model], set[str]] = {
    models.School: PUPILS,
    models.Person: PUPILS,
    models.Guardian: PUPILS,
    models.Device: PUPILS,
    models.Cession: PUPILS,
    models.Loan: PUPILS,
    models.PrintJob: PAPERS,
    models.Volume: PAPERS,
    models.Document: PUPILS,
    models.Attestation: PUPILS,
    models.AttestedCession: PUPILS,
    models.Conversion: PUPILS,
    models.SchoolModel: PUPILS,
    models.Paper: PUPILS,
    models.ScanBatch: PUPILS,
    models.ScanPart: PUPILS,
    models.ScannedPage: PUPILS,
    models.ReviewStep: PUPILS,
    models.Return: PUPILS,
    models.Binding: PUPILS,
    models.Delivery: PUPILS,
    models.Message: PUPILS,
    models.Mail: PUPILS,
    models.Original: PUPILS,
    models.Reminder: PUPILS,
    models.Event: PUPILS,
    models.Hook: {"program"},
    models.HookCall: {"program"},
    models.Approval: set(),
    models.Beat: set(),
    models.Client: set(),
    models.CompiledForm: set(),
    models.IdempotentAnswer: set(),
    models.PrintShop: set(),
    models.TemplateVersion: set(),
    models.User: set(),
}
pytestmark = pytest.mark.django_db


class Side:
    """One school, one shop and one program, with a row of theirs in every table."""

    def __init__(self, uai: str) -> None:
        self.rows: dict[type[Model], Model] = {}
        self.uai = uai
        self.school = self.add(models.School, uai=uai, name=uai, postal_code="93000", city="X")
        self.shop = self.add(models.PrintShop, name=f"shop {uai}")
        self.add(models.User, username=uai, role=Role.SCHOOL, school=self.school)
        expires_at = datetime(2100, 1, 1, tzinfo=UTC)
        self.client = self.add(
            models.Client, name=uai, digest=uai, expires_at=expires_at, role=Role.REGION
        )
        self.template = self.add(models.TemplateVersion, slug="x", checksum=uai, archive=b"")
        self.people()
        self.papers()
        self.scans()
        self.post()
        self.exchanges()

    def add(self, table: type[Model], **values: object) -> Model:
        self.rows[table] = table._default_manager.create(**values)
        return self.rows[table]

    def people(self) -> None:
        school = {"school": self.school}
        person = self.add(
            models.Person, **school, audience="pupil", internal_id="E1", school_year="2026-2027"
        )
        self.add(models.Guardian, person=person, rank=1, family_name="X")
        self.add(models.Device, **school, serial="S1")
        self.add(models.Cession, **school, person=person, serial="S1")
        self.add(models.Loan, **school, person=person, serial="S2", start_date=DAY, end_date=DAY)
        self.add(models.SchoolModel, **school, slug="x", sha256="0", accepted_by="test")
        self.add(models.Event, school=self.uai, kind="x", subject="x", actor="test")

    def papers(self) -> None:
        school = {"school": self.school, "requested_by": "test"}
        job = self.job("released")
        self.rows[models.PrintJob] = job
        volume = self.add(models.Volume, job=job, number=1, documents=1)
        self.add(models.Document, volume=volume, position=0, person="E1", number=b"", values={})
        self.add(models.CompiledForm, template=self.template, base="x", form=b"")
        self.add(
            models.Conversion,
            **school,
            template=self.template,
            format="docx",
            on=DAY,
            letterhead={},
        )
        attestation = self.add(
            models.Attestation,
            **school,
            rank=1,
            number=1,
            school_year="2026-2027",
            start_date=DAY,
            end_date=DAY,
            record={},
            region={},
            letterhead={},
        )
        self.add(
            models.AttestedCession,
            attestation=attestation,
            school=self.school,
            serial="S1",
            person="E1",
        )

    def scans(self) -> None:
        school = {"school": self.school}
        number = self.uai[-6:].encode()
        self.add(models.Paper, **school, number=number, sides=1, width=595, height=842)
        batch = self.add(models.ScanBatch, **school, sha256=self.uai, size=1)
        part = self.add(models.ScanPart, batch=batch, first=0)
        page = self.add(
            models.ScannedPage, batch=batch, part=part, index=0, outcome="blank", reading={}
        )
        self.add(models.ReviewStep, page=page, action="discard", before={}, after={})
        self.add(models.Return, **school, number=number, sides=1)
        self.add(models.Binding, **school)

    def post(self) -> None:
        facts = {"school": self.school, "attestation": self.rows[models.Attestation]}
        delivery = self.add(models.Delivery, **facts, role="region", recipient="x", version=1)
        mail = {"message_id": self.uai, "key": self.uai, "delivery": delivery}
        self.add(models.Message, school=self.school, kind="delivery", recipient="x", **mail)
        self.add(models.Mail, school=self.school, box=self.uai, size=1)
        self.add(models.Original, **facts)
        self.add(models.Reminder, **facts, kind="not-returned", subject="x", due_date=DAY)
        self.add(models.Approval, way=self.uai, by="test")

    def job(self, stage: str) -> models.PrintJob:
        return models.PrintJob.objects.create(
            school=self.school,
            shop=self.shop,
            stage=stage,
            on=DAY,
            template=self.template,
            layout="x",
            key_number=1,
            constants={},
            letterhead={},
            documents=1,
            sides=1,
            sheets=1,
            requested_by="test",
        )

    def exchanges(self) -> None:
        self.add(models.Beat, name=self.uai)
        self.add(models.IdempotentAnswer, actor=str(self.client), key="x", request="x")
        hook = self.add(models.Hook, client=self.client, url="https://x.example")
        self.add(models.HookCall, hook=hook, kind="x", body={})


def actors(side: Side) -> dict[str, Actor]:
    """Give who belongs to a side, by the words of `SEEN`."""
    return {
        "school": Actor("user:1", Role.SCHOOL, uai=side.uai),
        "shop": Actor("user:2", Role.PRINT_SHOP, shop=side.shop.pk),
        "program": Actor("client:1", Role.PRINT_SHOP, client=side.client.pk),
    }


@pytest.fixture
def sides() -> tuple[Side, Side]:
    """Give two schools' worlds."""
    return Side(OWN), Side(OTHER)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_each_role_sees_its_own_rows_of_a_table_and_no_other(
    table: type[Model], sides: tuple[Side, Side]
) -> None:
    own, other = (side.rows[table] for side in sides)
    for side, theirs, not_theirs in ((sides[0], own, other), (sides[1], other, own)):
        for name, actor in actors(side).items():
            seen = gate.visible(table, actor)
            assert set(seen) == ({theirs} if name in SEEN[table] else set()), name
            assert not seen.filter(pk=not_theirs.pk).exists(), name
            with pytest.raises(table.DoesNotExist):
                seen.get(pk=not_theirs.pk)
    everything = {own, other}
    assert set(gate.visible(table, gate.SYSTEM)) == everything
    region = gate.visible(table, Actor("user:3", Role.REGION))
    assert set(region) == (everything if "region" in SEEN[table] else set())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
@pytest.mark.parametrize(
    "nobody",
    [
        Actor("user:1", Role.SCHOOL),
        Actor("user:1", Role.SCHOOL, uai="0999999Z"),
        Actor("user:1", Role.SCHOOL, shop=1),
        Actor("user:1", Role.PRINT_SHOP),
        Actor("user:1", Role.PRINT_SHOP, shop=10**9),
        Actor("user:1", Role.PRINT_SHOP, uai=OWN),
        Actor("user:1", ""),
        Actor("user:1", "superuser", uai=OWN, shop=1),
    ],
    ids=repr,
)
def test_who_has_no_bounds_sees_nothing(
    table: type[Model], nobody: Actor, sides: tuple[Side, Side]
) -> None:
    assert not gate.visible(table, nobody).exists()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_a_table_has_its_wall(table: type[Model]) -> None:
    assert table in gate.WALLS
    wall = gate.WALLS[table]
    told = {"school": wall.school, "region": wall.school, "shop": wall.shop, "program": wall.client}
    assert {name for name, path in told.items() if path} == SEEN[table]


def test_a_table_without_a_wall_is_the_back_offices_alone() -> None:
    """Django's own tables have none: accounts' sessions, locks."""
    table = apps.get_model("sessions", "Session")
    table.objects.create(session_key="x", session_data="x", expire_date=datetime.now(UTC))
    assert gate.visible(table, gate.SYSTEM).exists()
    for role in set(Role) - {Role.BACK_OFFICE}:
        assert not gate.visible(table, Actor("user:1", role, OWN, 1, client=1)).exists()


@pytest.mark.parametrize("role", [Role.REGION, Role.SCHOOL])
def test_an_event_of_no_school_is_the_back_offices_own(role: Role) -> None:
    models.Event.objects.create(kind="signed-in", subject="user:1", actor="user:1")
    assert not gate.visible(models.Event, Actor("user:3", role)).exists()


def test_a_job_is_seen_by_its_shop_from_its_release_on(sides: tuple[Side, Side]) -> None:
    own, other = sides
    stages = models.PrintJob.Stage.values
    for stage in stages:
        own.job(stage), other.job(stage)
    seen = gate.visible(models.PrintJob, actors(own)["shop"])
    assert {job.stage for job in seen} == {"released", "printed", "reopened"}
    assert {job.shop for job in seen} == {own.shop}


def test_any_actor_sees_of_any_jobs_what_is_its_own(sides: tuple[Side, Side]) -> None:
    """Whatever the bounds of an actor and the stage of the jobs."""
    jobs = [side.job(stage) for side in sides for stage in models.PrintJob.Stage.values]
    jobs += [side.rows[models.PrintJob] for side in sides]
    own, other = sides

    @settings(max_examples=100)
    @given(
        role=st.sampled_from([*Role.values, ""]),
        uai=st.sampled_from([OWN, OTHER, "", "0999999Z"]),
        shop=st.sampled_from([own.shop.pk, other.shop.pk, 0, 10**9]),
        pk=st.sampled_from([*(job.pk for job in jobs), uuid.uuid4()]),
    )
    def check(role: str, uai: str, shop: int, pk: uuid.UUID) -> None:
        actor = Actor("user:1", role, uai, shop)
        mine = {
            job.pk
            for job in jobs
            if role in ("back_office", "region")
            or (role == "school" and job.school_id == uai)
            or (role == "print_shop" and job.shop_id == shop and job.stage in gate.RELEASED)
        }
        seen = gate.visible(models.PrintJob, actor)
        assert set(seen.values_list("pk", flat=True)) == mine
        assert seen.filter(pk=pk).exists() == (pk in mine)

    check()


def test_an_account_and_a_program_become_the_actor_that_they_are(
    sides: tuple[Side, Side],
) -> None:
    own = sides[0]
    user, client = own.rows[models.User], own.rows[models.Client]
    assert gate.actor(user) == Actor(f"user:{user.pk}", "school", OWN, 0, frozenset({"*"}))
    assert gate.actor(client) == Actor(f"client:{client.pk}", "region", client=client.pk)


# What answers requests asks the gate for rows; a manager or raw SQL would go round it.
ANSWERING = ("api", "views")
ALONE = ("accounts_urls.py", "oidc.py", "pages.py", "sign_in.py", "urls.py")
GUARDED = {table.__name__ for table, wall in gate.WALLS.items() if wall != gate.BACK_OFFICE_ONLY}
MANAGERS = {"objects", "_default_manager", "_base_manager"}
SHORTCUTS = {"get_object_or_404", "get_list_or_404", "aget_object_or_404", "aget_list_or_404"}


def rounds(source: str) -> list[str]:
    """Find where a module goes round the gate."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in MANAGERS and named(node.value):
            found.append(f"{named(node.value)}.{node.attr}")
        elif isinstance(node, ast.Call) and named(node.func, SHORTCUTS) and node.args:
            found += [named(node.func, SHORTCUTS)] if named(node.args[0]) else []
        elif isinstance(node, ast.ImportFrom):
            found += [
                f"{a.name} as {a.asname}"
                for a in node.names
                if a.name in GUARDED & {a.name} and a.asname
            ]
            found += [
                a.name for a in node.names if (node.module, a.name) == ("django.db", "connection")
            ]
    return found


def named(node: ast.expr, names: set[str] = GUARDED) -> str:
    """Give the name of `Model` or `models.Model` when it is one of these."""
    name = getattr(node, "attr", getattr(node, "id", ""))
    return name if name in names else ""


@pytest.mark.parametrize(
    "source",
    [
        "PrintJob.objects.all()",
        "models.Person.objects.filter(pk=1)",
        "School._default_manager.get()",
        "get_object_or_404(models.Volume, pk=1)",
        "shortcuts.get_object_or_404(Volume, pk=1)",
        "from docgen.backoffice.models import Person as P",
        "from django.db import connection",
    ],
)
def test_a_way_round_the_gate_is_found(source: str) -> None:
    assert rounds(source)


def test_what_answers_requests_asks_the_gate() -> None:
    place = ROOT / "docgen" / "backoffice"
    modules = [path for name in ANSWERING for path in place.glob(f"{name}*/**/*.py")]
    modules += [path for name in ANSWERING for path in place.glob(f"{name}*.py")]
    modules += [place / name for name in ALONE if (place / name).exists()]
    assert len(modules) > 1
    assert {str(p.relative_to(place)): rounds(p.read_text("utf-8")) for p in modules} == {
        str(path.relative_to(place)): [] for path in modules
    }
