"""`docgen fill`: values in JSON become one document."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from docgen.cli import output

MOST_BYTES = 16 * 1024 * 1024  # more than any document's values


def fill(  # noqa: PLR0917 - an option of the command each
    template: Annotated[str, typer.Argument(help="Modèle, par exemple recu-retour-pret.")],
    values: Annotated[str, typer.Option(help="Fichier JSON des valeurs ; - pour les lire.")],
    out: Annotated[Path, typer.Option(help="Fichier PDF à écrire.")],
    layout: Annotated[str, typer.Option(help="Mise en page (la première par défaut).")] = "",
    variant: Annotated[str, typer.Option(help="Variante, quand le modèle en a plusieurs.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON.")] = False,
) -> None:
    """Remplit un document : des valeurs en JSON, un PDF avec ses codes et sa référence."""
    from docgen import library, single
    from docgen.datafolder import data_folder, page_code_key
    from docgen.errors import Problem, Unavailable, reason
    from docgen.files import write_whole

    model = library.load(template)
    given = single.parse_values(_content(values))
    data = data_folder()
    key, cache = page_code_key(data), data / "cache"
    filled = single.fill(model, given, key, cache, layout=layout, variant=variant)
    if out.exists() and not (out.is_file() or out.is_dir()):
        what = "ce n’est pas un fichier ordinaire."  # a device would be replaced
        raise Unavailable(Problem(what, str(out), "Choisissez un autre nom."))
    try:
        write_whole(out, filled.content)
    except OSError as error:
        what = f"ce fichier ne peut pas être écrit ({reason(error)})."
        raise Unavailable(Problem(what, str(out), "Choisissez un autre dossier.")) from error
    if as_json:
        output.say_json({"file": str(out), "reference": filled.reference})
    else:
        output.say(f"Document {filled.reference} : {out}")


def _content(values: str) -> bytes:
    from docgen.errors import InvalidInput, Problem, reason

    try:
        if values == "-":
            content = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(values).open("rb") as stream:
                content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        what = f"ce fichier ne peut pas être lu ({reason(error)})."
        raise InvalidInput(Problem(what, Path(values).name)) from error
    if len(content) > MOST_BYTES:
        raise InvalidInput(Problem("ce fichier est trop gros (16 Mo au plus).", "--values"))
    return content
