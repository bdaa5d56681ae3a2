"""`docgen scan`: signed paper comes home; what came, what is missing, what is to be looked at."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from docgen.cli import opening, output
from docgen.errors import InvalidInput, Problem, reason

if TYPE_CHECKING:
    from docgen.backoffice.models import Return, ScanBatch, School
    from docgen.backoffice.scans import Progress

LOOK = 0.5  # seconds between two looks at files that are being read
SHOWN = 20  # sides to look at that are told one by one
TO_DO, REFUSED = 1, 2  # exit codes: something awaits somebody; a file is no scan
NBSP = "\u00a0"


def scan(
    files: Annotated[
        list[Path], typer.Argument(metavar="FICHIER…", help="PDF, TIFF, JPEG, PNG ou HEIC.")
    ],
    school: Annotated[
        str, typer.Option(help="UAI de l’établissement ; sans lui, une pile de plusieurs.")
    ] = "",
    wait: Annotated[
        int, typer.Option(min=0, help="Attendre la fin, ce nombre de secondes au plus.")
    ] = 600,
    as_json: Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON.")] = False,
) -> None:
    """Reçoit des numérisations, attend leur lecture, et dit ce qui est revenu et ce qui manque.

    Code de sortie : 0, tout est reconnu ou blanc ; 1, il reste à regarder, ou à lire ; 2, un
    fichier est refusé.
    """
    with opening.service():
        from docgen.backoffice import beats

        place = opening.school(school) if school else None
        sent, refused = _received(files, place)
        is_alive = bool(beats.workers())
        if wait and is_alive:
            _await([batch for _, batch, _ in sent], wait)
        told = [_facts(name, batch, is_new=is_new) for name, batch, is_new in sent]
    if as_json:
        output.say_json({"files": told, "refused": refused, "workers": is_alive})
    else:
        for each in told:
            _say(each)
        _warn(told, refused, is_alive=is_alive)
    if refused or any(each["stage"] == "refused" for each in told):
        raise typer.Exit(REFUSED)
    is_done = all(
        each["is_final"] and not (each["to_review"] or each["is_stopped"]) for each in told
    )
    raise typer.Exit(0 if is_done else TO_DO)


def _received(
    files: Sequence[Path], place: "School | None"
) -> tuple[list[tuple[str, "ScanBatch", bool]], list[dict[str, Any]]]:
    """Receive files one by one; what is refused keeps nothing else from being received."""
    from docgen.backoffice import scans
    from docgen.backoffice.models import ScanBatch

    sent, refused = [], []
    for path in files:
        try:
            if not path.is_file():
                path.open("rb").close()  # to be told why
                raise InvalidInput(Problem("ce n’est pas un fichier.", "", "Donnez un fichier."))
            way = ScanBatch.Source.COMMAND
            batch, is_new = scans.receive(path, place, path.name, way, opening.BY)
            sent.append((path.name, batch, is_new))
        except OSError as error:
            what = f"ce fichier ne peut pas être lu ({reason(error)})."
            refused.append({"file": path.name, "problems": [_problem(Problem(what))]})
        except InvalidInput as error:
            refused.append({"file": path.name, "problems": list(map(_problem, error.problems))})
    return sent, refused


def _await(batches: Sequence["ScanBatch"], seconds: int) -> None:
    """Wait until sides are read and documents bound, as long as there is something to wait for."""
    end = time.monotonic() + seconds
    found = list(map(_progress, batches))
    while time.monotonic() < end and any(each.sides is None and _moves(each) for each in found):
        time.sleep(LOOK)
        found = list(map(_progress, batches))
    with output.progress("Lecture", sum(each.sides or 0 for each in found)) as done:
        while time.monotonic() < end:
            found = list(map(_progress, batches))
            done(sum(each.done for each in found))
            if not any(map(_moves, found)) and not any(map(_is_binding, batches)):
                return
            time.sleep(LOOK)


def _progress(batch: "ScanBatch") -> "Progress":
    from docgen.backoffice import scans

    batch.refresh_from_db()
    return scans.progress(batch)


def _moves(found: "Progress") -> bool:
    return found.stage == "received" and not found.is_stopped


def _is_binding(batch: "ScanBatch") -> bool:
    from docgen.backoffice import gate, reviews

    return reviews.is_binding(reviews.documents_of(batch, gate.SYSTEM))


def _facts(name: str, batch: "ScanBatch", *, is_new: bool) -> dict[str, Any]:
    """Give what came of a file, as data."""
    from docgen.backoffice import reviews, scans
    from docgen.backoffice.models import ScannedPage

    batch.refresh_from_db()
    found = scans.report(batch)
    labels = dict(ScannedPage.Outcome.choices)
    settled = {*reviews.SETTLED, ScannedPage.Outcome.DUPLICATE}
    return {
        "file": name,
        "id": str(batch.pk),
        "is_new": is_new,
        "stage": batch.stage,
        "is_final": batch.stage != "received" and not _is_binding(batch),
        "sides": batch.sides,
        "read": found.progress.done,
        "is_stopped": found.progress.is_stopped,
        "outcomes": found.progress.outcomes,
        "problems": [_problem(Problem(*each)) for each in batch.problems],
        "to_review": [
            {
                "number": side.number,
                "outcome": side.outcome,
                "label": labels[side.outcome],
                "why": side.words,
            }
            for side in found.sides
            if side.outcome not in settled
        ],
        "documents": [_document(row) for row in found.documents],
    }


def _document(row: "Return") -> dict[str, Any]:
    return {
        "reference": row.reference,
        "person": row.person,
        "division": row.division,
        "stage": row.stage,
        "missing": row.missing,
        "unsigned": row.unsigned,
        "problems": [_problem(Problem(*each)) for each in row.problems],
    }


def _problem(problem: Problem) -> dict[str, str]:
    return {"what": problem.what, "where": problem.where, "remedy": problem.remedy}


def _say(told: dict[str, Any]) -> None:
    sides = _count(told["sides"]) if told["sides"] else "pas encore ouvert"
    if told["stage"] == "refused":
        sides = "refusé"
    again = "" if told["is_new"] else ", déjà reçu"
    output.say(f"{told['file']}{NBSP}: {sides}{again} (envoi {told['id']}).")
    for each in told["problems"]:
        output.say(f"  • {Problem(**each)}")
    if told["outcomes"]:
        from docgen.backoffice.models import ScannedPage

        labels = dict(ScannedPage.Outcome.choices)
        rows = [(labels[name], str(count)) for name, count in told["outcomes"].items()]
        output.table(("Issue", "Faces"), rows)
    _say_documents(told["documents"])
    _say_sides(told["to_review"])
    output.say()


def _count(sides: int) -> str:
    return f"{sides} face{'s' if sides > 1 else ''}"


def _say_documents(documents: Sequence[dict[str, Any]]) -> None:
    if not documents:
        return
    complete = sum(not each["missing"] for each in documents)
    output.say(f"Documents complets{NBSP}: {complete} sur {len(documents)}.")
    for each in documents:
        for line in _lines(each):
            output.say(f"  • {each['reference']}{NBSP}: {line}")


def _lines(document: dict[str, Any]) -> Iterator[str]:
    """Say what a document still wants."""
    if missing := document["missing"]:
        faces = ", ".join(map(str, missing))
        yield f"il manque {'les faces' if len(missing) > 1 else 'la face'}{NBSP}{faces}."
    for zone in document["unsigned"]:
        yield f"case de signature vide, face{NBSP}{zone['side']} ({zone['zone']})."
    yield from (str(Problem(**each)) for each in document["problems"])


def _say_sides(sides: Sequence[dict[str, Any]]) -> None:
    if not sides:
        return
    output.say(f"À regarder{NBSP}: {_count(len(sides))}.")
    for side in sides[:SHOWN]:
        output.say(f"  • face{NBSP}{side['number']}, {side['label']}. {side['why']}".rstrip())
    if len(sides) > SHOWN:
        output.say(f"  … et {len(sides) - SHOWN} autres.")


def _warn(told: Sequence[dict[str, Any]], refused: Sequence[Any], *, is_alive: bool) -> None:
    """Say what was refused, and what is not read yet."""
    for each in refused:
        for problem in each["problems"]:
            output.warn(f"Refusé{NBSP}: {each['file']}. {Problem(**problem)}")
    for each in told:
        if each["is_stopped"]:
            output.warn(
                f"{each['file']}{NBSP}: une partie est mise de côté. Relancez-la par l’API{NBSP}: "
                f"POST /scans/{each['id']}/retry."
            )
    if all(each["is_final"] for each in told):
        return
    if is_alive:
        output.warn("La lecture n’est pas finie\u00a0: les fichiers sont gardés, elle continue.")
    else:
        output.warn(
            "Aucun exécutant ne travaille\u00a0: les fichiers sont gardés, et seront lus dès qu’il "
            "y en aura un (docgen serve, ou docgen worker)."
        )
