"""`docgen purge`: what was kept long enough goes; a dry run says what would."""

from typing import Annotated

import typer

from docgen.cli import opening, output

NAMES = {
    "volumes": "fichiers des lots",
    "values": "valeurs des documents",
    "documents": "documents des lots",
    "attestations": "fichiers des attestations",
    "deliveries": "fichiers des envois à la Région",
    "messages": "accusés et rappels",
    "conversions": "conventions demandées",
    "papers": "conventions imprimées",
    "scans": "fichiers de scans reçus",
    "arrivals": "fichiers reçus par le dossier surveillé",
    "copies": "copies et images des scans",
    "returns": "documents signés",
    "batches": "envois de scans",
    "bindings": "reliures faites",
    "answers": "réponses à répéter",
    "calls": "appels de programmes",
    "events": "événements",
    "sign-ins": "connexions refusées",
    "sessions": "sessions finies",
    "temporary": "fichiers temporaires",
    "orphans": "fichiers orphelins",
}


def purge(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Dire, sans rien effacer.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON.")] = False,
) -> None:
    """Efface ce qui a été gardé assez longtemps. Les exécutants le font chaque jour."""
    with opening.service():
        from django.conf import settings

        from docgen.backoffice import housekeeping
        from docgen.backoffice.keeping import read_periods

        done = housekeeping.purge(read_periods(settings.DATA), really=not dry_run)
    if as_json:
        facts = ("kind", "rows", "files", "size")
        rows = [{name: getattr(each, name) for name in facts} for each in done]
        output.say_json({"dry_run": dry_run, "purged": rows})
        return
    lines = [
        (NAMES[each.kind], str(each.rows), str(each.files), f"{each.size / 2**20:.1f}")
        for each in done
    ]
    output.table(("Nature", "Lignes", "Fichiers", "Mo"), lines)
    output.say("Rien n’a été effacé\u00a0: essai." if dry_run else "C’est effacé.")
