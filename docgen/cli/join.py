"""`docgen join`: the numbered parts of a mailed file become the very file again."""

import logging
import re
from pathlib import Path
from typing import Annotated

import typer

from docgen.cli import output

NUMBERED = re.compile(r"-\d+sur\d+$")


def join(
    parts: Annotated[
        list[Path], typer.Argument(metavar="PARTIE…", help="Les parties reçues, dans tout ordre.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Fichier à écrire\u00a0; sans cela, à côté des parties, sous leur nom."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON.")] = False,
) -> None:
    """Réunit les parties d’un envoi : le fichier entier, identique à celui qui a été signé."""
    from docgen.errors import InvalidInput, Problem, Unavailable, reason
    from docgen.mailing import joining

    target = out or _whole(parts[0])
    if target.exists():
        what = "ce fichier existe déjà."
        raise InvalidInput(Problem(what, str(target), "Choisissez un autre nom, avec --out."))
    try:
        # What pypdf says of a damaged file is English, and quotes it.
        logging.getLogger("pypdf").setLevel(logging.CRITICAL)
        sha256 = joining.join(parts, target)
    except OSError as error:
        name = str(error.filename or target)
        what = f"ce fichier ne peut pas être lu ou écrit ({reason(error)})."
        raise Unavailable(Problem(what, name, "Vérifiez son nom et ses droits.")) from error
    if as_json:
        output.say_json({"file": str(target), "sha256": sha256})
    else:
        output.say(f"Fichier entier\u00a0: {target}")
        output.say(f"SHA-256\u00a0: {sha256}")


def _whole(part: Path) -> Path:
    """Name the whole after a part: without its number."""
    stem = NUMBERED.sub("", part.stem)
    return part.with_name(f"{stem if stem != part.stem else f'{stem}-entier'}.pdf")
