"""The files of a school, read whole or refused with everything that is to be mended."""

import tempfile
from pathlib import Path

from django.conf import settings
from ninja import File, Form, Router, Schema
from ninja.files import UploadedFile

from docgen.backoffice import imports, models, registers
from docgen.backoffice.api.access import Request, one, scope, seen
from docgen.backoffice.api.problems import Refused
from docgen.backoffice.api.reading import Uai
from docgen.errors import Problem
from docgen.records import Audience

router = Router(tags=["rosters"])


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
    if len(files) > imports.MOST_FILES:
        problem = Problem(
            f"{len(files)} fichiers à la fois, {imports.MOST_FILES} au plus.", "files"
        )
        raise Refused("too-large", problem)
    with tempfile.TemporaryDirectory(dir=settings.UPLOADS) as folder:
        given = imports.write(Path(folder), audience, files, stock, cessions)
        roster = imports.read(row, given)
    counts = registers.keep_roster(row, audience, roster, request.auth.label)
    return Report(
        audience=audience,
        school_year=roster.school_year,
        notices=list(roster.notices),
        **counts,
    )
