"""Files of scans sent from a page: straight to disk, whatever their size, and told one by one."""

from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import TooManyFilesSent
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http.response import HttpResponseBase
from django.urls import reverse

from docgen.backoffice import scans
from docgen.backoffice.models import ScanBatch, School
from docgen.backoffice.web.frame import Asked, View, page
from docgen.backoffice.web.uploads import TOO_LARGE, bounded
from docgen.errors import Problem, ScanRejected


@dataclass(frozen=True, slots=True)
class Received:
    """A file that was taken in, or had been before."""

    label: str
    address: str
    is_new: bool


def taking_piles(view: View) -> View:
    """Make a view, below `@screen`, that takes piles of scans; too many files at once are told."""
    taking = bounded(lambda: settings.SCAN_MOST)(view)

    @wraps(taking)
    def taken(request: Asked, *args: Any, **values: Any) -> HttpResponseBase:  # noqa: ANN401
        try:
            return taking(request, *args, **values)
        except TooManyFilesSent:
            most = settings.DATA_UPLOAD_MAX_NUMBER_FILES
            what = f"plus de {most} fichiers ont été envoyés à la fois\u00a0: aucun n’est reçu."
            problem = Problem(what, "", f"Envoyez-en {most} au plus, puis les suivants.")
            facts = {"back": request.path}
            return page(request, "web/toolarge.html", facts, problems=[problem], status=TOO_LARGE)

    return taken


def take(request: Asked, school: School | None) -> tuple[list[Received], list[Problem]]:
    """Take in the files of a request: those that were, and all that is wrong with the others."""
    made, problems = list[Received](), list[Problem]()
    files = request.FILES.getlist("files")
    if not files:
        problems.append(Problem("aucun fichier n’est joint.", "", "Choisissez-en un."))
    for file in files:
        if not isinstance(file, TemporaryUploadedFile):
            raise TypeError("scans go straight to disk (see uploads)")
        label = scans.shown(file.name or "")
        path, way = Path(file.temporary_file_path()), ScanBatch.Source.API
        try:
            row, is_new = scans.receive(path, school, label, way, request.who.label)
        except ScanRejected as error:
            problems += [Problem(each.what, label, each.remedy) for each in error.problems]
        else:
            made.append(Received(label, reverse("scan", args=(row.pk,)), is_new))
    return made, problems
