"""The files of a school, read whole or refused with everything that is to be mended."""

import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from ninja import File, Form, Router, Schema
from ninja.files import UploadedFile

from docgen import rosters
from docgen.backoffice import models, registers
from docgen.backoffice.api.access import Request, one, scope, seen
from docgen.backoffice.api.problems import Refused
from docgen.backoffice.api.reading import Uai
from docgen.errors import Problem, RosterRejected
from docgen.records import Audience

router = Router(tags=["rosters"])
SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}")
MOST_FILES = 16


class Report(Schema):
    """What an import kept, and what it corrected or set aside."""

    audience: str
    school_year: str
    people: int
    people_before: int
    devices: int
    cessions: int
    notices: list[str]


@router.post("/schools/{uai}/rosters", auth=scope("write:rosters"), response=Report)
def keep(  # noqa: PLR0917 - a part of the form each
    request: Request,
    uai: Uai,
    audience: Form[Audience],
    files: File[list[UploadedFile]],
    stock: File[UploadedFile | None] = None,
    cessions: File[UploadedFile | None] = None,
) -> Report:
    """Importe les fichiers d’un établissement : tout, ou rien et tous les problèmes."""
    row = one(seen(models.School, request), pk=uai)
    if len(files) > MOST_FILES:
        problem = Problem(f"{len(files)} fichiers à la fois, {MOST_FILES} au plus.", "files")
        raise Refused("too-large", problem)
    given = [*files, *(each for each in (stock, cessions) if each)]
    with _on_disk(given) as (paths, names), _as_named(names):
        more = iter(paths[len(files) :])
        roster = rosters.read(
            paths[: len(files)],
            school=registers.school(row),
            audience=audience,
            stock=next(more) if stock else None,
            cessions=next(more) if cessions else None,
        )
    counts = registers.keep_roster(row, audience, roster, request.auth.label)
    return Report(
        audience=audience,
        school_year=roster.school_year,
        notices=[_named(notice, names) for notice in roster.notices],
        **counts,
    )


@contextmanager
def _on_disk(files: Iterable[UploadedFile]) -> Iterator[tuple[list[Path], dict[str, str]]]:
    """Write files where their readers find them, under names that say nothing, for a moment."""
    names: dict[str, str] = {}
    paths = []
    with tempfile.TemporaryDirectory(dir=settings.UPLOADS) as folder:
        for number, file in enumerate(files, 1):
            given = file.name or ""
            suffix = Path(given).suffix
            path = Path(folder, f"fichier-{number}{suffix if SUFFIX.fullmatch(suffix) else ''}")
            with path.open("wb") as stream:
                stream.writelines(file.chunks())
            names[path.name] = given
            paths.append(path)
        yield paths, names


@contextmanager
def _as_named(names: dict[str, str]) -> Iterator[None]:
    """Tell problems with the names that the sender knows."""
    try:
        yield
    except RosterRejected as refused:
        raise RosterRejected(
            Problem(*(_named(text, names) for text in (each.what, each.where, each.remedy)))
            for each in refused.problems
        ) from None


def _named(text: str, names: dict[str, str]) -> str:
    for ours, given in names.items():
        # A number is whole: fichier-1 is not the beginning of fichier-12.
        text = re.sub(rf"{re.escape(ours)}(?![0-9])", given.replace("\\", "/"), text)
    return text
