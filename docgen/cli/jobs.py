"""`docgen jobs`: order print jobs from the service, watch them, hand them over."""

import time
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from docgen.cli import opening, output
from docgen.cli.press import Ordering
from docgen.errors import InvalidInput, Problem, Unavailable

if TYPE_CHECKING:
    from docgen.backoffice.models import PrintJob

app = typer.Typer(help="Les lots d’impression du service.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON.")]
Lot = Annotated[str, typer.Argument(metavar="LOT", help="Numéro du lot, ou son début.")]
LOOK = 0.5  # seconds between two looks at a job that is waited for
SHORT = 8  # characters of a job's number that are shown


@app.command("list")
def list_jobs(
    school: Annotated[str, typer.Option(help="Seulement cet établissement (UAI).")] = "",
    stage: Annotated[str, typer.Option(help="Seulement cette étape\u00a0: ready, failed…")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Combien.")] = 50,
    as_json: Json = False,
) -> None:
    """Liste les lots, les plus récents d’abord."""
    with opening.service():
        from docgen.backoffice import gate, models

        rows = gate.visible(models.PrintJob, gate.SYSTEM).order_by("-created_at", "-id")
        rows = rows.filter(school=school.upper()) if school else rows
        rows = rows.filter(stage=stage) if stage else rows
        told = [_facts(job) for job in rows.defer("profile")[:limit]]
    if as_json:
        output.say_json(told)
        return
    headings = ("Lot", "Nom", "Établissement", "Étape", "Documents", "Faits", "Demandé le")
    lines = [
        (
            *(each["id"][:SHORT], each["name"], each["school"], each["stage_label"]),
            *(str(each["documents"]), str(each["done"]), each["created_at"][:16].replace("T", " ")),
        )
        for each in told
    ]
    output.table(headings, lines)


@app.command("show")
def show(job: Lot, as_json: Json = False) -> None:
    """Montre un lot : où il en est, ses fichiers, ce qui ne va pas."""
    with opening.service():
        told = _facts(opening.job(job))
    if as_json:
        output.say_json(told)
        return
    _say(told)


@app.command("press")
def press(  # noqa: PLR0917 - an option of the command each
    template: Annotated[str, typer.Argument(help="Modèle, par exemple charte-cession-eleve.")],
    layout: Annotated[str, typer.Option(help="Mise en page, par exemple police-10.")],
    school: Annotated[str, typer.Option(help="UAI de l’établissement.")],
    only: Annotated[
        list[str] | None, typer.Option("--class", help="Seulement ces classes.")
    ] = None,
    copies: Annotated[int, typer.Option(min=0, max=9, help="Exemplaires.")] = 0,
    separators: Annotated[bool, typer.Option("--separators", help="Des intercalaires.")] = False,
    volume: Annotated[int, typer.Option(min=1, max=5000, help="Documents par fichier.")] = 500,
    order: Annotated[Ordering, typer.Option(help="Ordre d’impression.")] = Ordering.BY_CLASS,
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%d/%m/%Y", "%Y-%m-%d"], help="Jour de la remise (aujourd’hui)."),
    ] = None,
    wait: Annotated[
        int, typer.Option(min=0, help="Attendre la fin, ce nombre de secondes au plus.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Commande un lot pour les personnes d’un établissement."""
    with opening.service():
        from docgen import library
        from docgen.backoffice import print_jobs, registers
        from docgen.datafolder import data_folder, page_code_key
        from docgen.press import Order, prepare

        model = library.load(template)
        place = opening.school(school)
        request = Order(
            model,
            model.manifest.layout(layout),
            registers.school(place),
            registers.roster(place, model.manifest.audience),
            on.date() if on else date.today(),  # noqa: DTZ011 - the school's own day
            tuple(only or ()),
            copies,
            separators,
            volume,
            order.value,
        )
        data = data_folder()
        made = prepare(request, page_code_key(data), data / "cache")
        row = print_jobs.create(made, opening.BY)
        told = _awaited(row, wait) if wait else _facts(row)
    if as_json:
        output.say_json(told)
    else:
        _say(told)


@app.command("cancel")
def cancel(job: Lot) -> None:
    """Annule un lot ; ses fichiers et ce que disent ses documents sont effacés."""
    with opening.service():
        from docgen.backoffice import print_jobs

        row = opening.job(job)
        print_jobs.cancel(row, opening.BY)
    output.say(f"Le lot {row.name} est annulé.")


@app.command("retry")
def retry(job: Lot) -> None:
    """Relance ce qui a été refusé ou mis de côté."""
    with opening.service():
        from docgen.backoffice import print_jobs

        count = print_jobs.retry(opening.job(job), opening.BY)
    output.say(f"Fichiers relancés\u00a0: {count}.")


@app.command("release")
def release(
    job: Lot,
    shop: Annotated[str, typer.Option(help="Nom de l’imprimeur.")],
) -> None:
    """Remet un lot prêt à un imprimeur."""
    with opening.service():
        from docgen.backoffice import models, releases

        row = opening.job(job)
        found = models.PrintShop.objects.filter(name=shop).first()
        if found is None:
            remedy = "Faites-le connaître\u00a0: docgen accounts shop NOM."
            raise InvalidInput(Problem("cet imprimeur n’est pas connu.", "--shop", remedy))
        releases.release(row, found, opening.BY)
    output.say(f"Le lot {row.name} est remis à l’imprimeur.")


@app.command("download")
def download(
    job: Lot,
    out: Annotated[Path, typer.Option(help="Dossier où ranger le lot.")],
) -> None:
    """Range les fichiers d’un lot dans un dossier, comme docgen press : tous, ou aucun."""
    from docgen import jobfolder

    with opening.service(), jobfolder.staged(out) as folder:
        _save(opening.job(job), folder)
    output.say(f"Le lot est dans {out}\u00a0; commencez par {out / jobfolder.TICKET}.")


def _save(job: "PrintJob", folder: Path) -> None:
    from docgen import jobfolder
    from docgen.backoffice import pressing, releases, store

    ticket, told = releases.ticket(job), releases.index(job)
    names = [(jobfolder.TICKET, ticket)]
    names += [(name, volume.sha256) for name, volume in releases.files(job)]
    for name, sha256 in names:
        try:
            with (folder / name).open("wb") as stream:
                stream.writelines(store.blocks(sha256))
        except FileNotFoundError as error:
            what = "ce fichier n’est plus dans le magasin de fichiers."
            raise Unavailable(Problem(what, name, "Lancez docgen doctor.")) from error
    with (folder / jobfolder.MANIFEST).open("wb") as stream:
        stream.writelines(pressing.manifest(job))
    (folder / jobfolder.INDEX).write_text(output.as_text(told.as_json()), encoding="utf-8")


def _awaited(job: "PrintJob", seconds: int) -> dict[str, Any]:
    end = time.monotonic() + seconds
    with output.progress("Impression", job.documents) as done:
        while True:
            job.refresh_from_db()
            told = _facts(job)
            done(told["done"])
            if job.stage != job.Stage.ACCEPTED or time.monotonic() > end:
                return told
            time.sleep(LOOK)


def _facts(job: "PrintJob") -> dict[str, Any]:
    from docgen.backoffice import print_jobs

    told = print_jobs.progress(job)
    return {
        "id": str(job.pk),
        "name": job.name,
        "school": job.school_id,
        "stage": job.stage,
        "stage_label": job.Stage(job.stage).label,
        "created_at": job.created_at.isoformat(timespec="seconds"),
        "documents": job.documents,
        "done": told.done,
        "sheets": job.sheets,
        "rate": told.rate,
        "seconds_left": told.seconds_left,
        "problems": [dict(zip(("what", "where", "remedy"), p, strict=True)) for p in told.problems],
    }


def _say(told: dict[str, Any]) -> None:
    output.say(f"Lot {told['id']}\n{told['name']}, {told['school']}\u00a0: {told['stage_label']}.")
    output.say(f"{told['done']} documents sur {told['documents']}, {told['sheets']} feuilles.")
    if told["seconds_left"]:
        output.say(f"Encore {told['seconds_left']} s, à {told['rate']} documents/s.")
    for each in told["problems"]:
        output.say(f"  • {Problem(**each)}")
