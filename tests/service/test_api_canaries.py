"""Twenty made-up names go through the service: none is left where it has no business."""

import io
import logging
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from docgen.backoffice import logs, models, registers
from tests.service.test_api_jobs import JOBS, UAI, caller, office, posted, shelf
from workers.print_jobs import print_volume

__all__ = ["caller", "office", "shelf"]
pytestmark = pytest.mark.django_db(transaction=True)
CANARIES = [f"CANARI{chr(65 + n)}QZX" for n in range(20)]  # letters only, as names are
PLACE = f"/api/v1/schools/{UAI}"
TITLES = "Identifiant;Nom;Prénom;Date de naissance;Classe\n"
BAD = ["31/02/2010", "", "demain", "01/01/1800"]


def row(number: int, name: str, day: str = "01/03/2010", division: str = "2DE 1") -> str:
    return f"E{number};{name};Zoé;{day};{division}\n"


def sent(caller: Client, rows: Iterable[str], name: str = "eleves.csv", **more: str) -> Any:  # noqa: ANN401
    file = SimpleUploadedFile(name, (TITLES + "".join(rows)).encode())
    files = {k: SimpleUploadedFile(f"{k}.csv", v.encode()) for k, v in more.items()}
    return caller.post(f"{PLACE}/rosters", {"audience": "pupil", "files": file, **files})


@pytest.fixture
def said() -> Iterable[io.StringIO]:
    """Give all that the process logs, at every level, as the service writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Line())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def refusals(caller: Client) -> list[bytes]:
    """Provoke refusals of every kind, each with names in what is sent."""
    first, *_ = CANARIES
    answers = [
        sent(caller, [row(n, name, BAD[n % 4]) for n, name in enumerate(CANARIES)]),
        sent(caller, [row(1, name) for name in CANARIES]),
        sent(caller, [row(1, first)], cessions=f"N° de série;Bénéficiaire\nHA1;{first}\n"),
        sent(caller, [row(n, name, division=name * 9) for n, name in enumerate(CANARIES)]),
        caller.put(PLACE, {"name": first, first: 1}, "application/json"),
        caller.put(PLACE, f'{{"{first}": '.encode(), "application/json"),
        caller.get(f"{PLACE}/people/{first}"),
        caller.get(f"/api/v1/{first}"),
        caller.get(f"{PLACE}/people", {"audience": first}),
        caller.get(f"{PLACE}/people", {"cursor": first}),
        caller.post(f"{PLACE}/cessions", {"person": first, "serial": first}, "application/json"),
        caller.get(f"/api/v1/links/{first}"),
        Client(headers={"Authorization": f"Bearer {first}"}).get(PLACE),
        posted(
            caller, JOBS, {"school": UAI, "template": first, "layout": first, "people": [first]}
        ),
    ]
    return [each.content for each in answers if each.status_code >= 400]


def test_no_name_is_left_where_it_has_no_business(
    caller: Client,
    said: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    before = set(Path(tempfile.gettempdir()).iterdir())
    told = refusals(caller)
    assert len(told) >= 12
    made = sent(caller, (row(n, name) for n, name in enumerate(CANARIES)))
    assert made.json()["people"] == 20, made.content
    assert len(caller.get(f"{PLACE}/people").json()["items"]) >= 20
    wanted = {"school": UAI, "template": "petite-charte", "layout": "entier", "copies": 1}
    job = posted(caller, JOBS, wanted).json()
    print_volume("1")
    path = f"{JOBS}/{job['id']}"
    assert caller.get(path).json()["stage"] == "ready"
    files = [caller.get(f"{path}/{name}") for name in ("manifest.csv", "job.json", "ticket.pdf")]
    told += [each.getvalue() for each in files]

    def fail(*_: object) -> None:
        raise RuntimeError(CANARIES[0])

    monkeypatch.setattr(registers, "school", fail)
    told.append(caller.get(PLACE).content)

    places = {
        "answers": b"".join(told).decode("latin-1"),
        "logs": said.getvalue(),
        "what processes wrote": "".join(capfd.readouterr()),
        "events": str(list(models.Event.objects.values())),
        "answers kept": str(list(models.IdempotentAnswer.objects.values())),
        **{str(path): contents(path) for path in (Path(settings.UPLOADS), settings.QUEUE_FOLDER)},
        **{
            str(path): contents(path)
            for path in set(Path(tempfile.gettempdir()).iterdir()) - before
        },
        "working": contents(settings.DATA / "working"),
    }
    found = [
        f"{place}: {name}" for place, text in places.items() for name in CANARIES if name in text
    ]
    assert found == []
    # The names are where they must be: nobody would miss a canary that was never let in.
    assert models.Person.objects.filter(family_name__in=CANARIES).count() == 20


def contents(folder: Path) -> str:
    """Give the names and the bytes of all that is in a folder, or the file itself."""
    if folder.is_file():
        return folder.name + folder.read_bytes().decode("latin-1")
    found = (Path(top, name) for top, _, names in os.walk(folder) for name in names)
    return "".join(f"{path}\n{path.read_bytes().decode('latin-1')}" for path in found)
