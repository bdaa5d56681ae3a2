"""`docgen templates`: list, check, and make blank forms."""

from pathlib import Path
from typing import Annotated

import typer

from docgen.cli import output

app = typer.Typer(help="Les modèles de documents.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON.")]


@app.command("list")
def list_templates(as_json: Json = False) -> None:
    """Liste les modèles, leurs mises en page et ce qu’elles promettent."""
    from docgen import library

    manifests = [template.manifest for template in library.load_all()]
    if as_json:
        import msgspec

        output.say_json([msgspec.to_builtins(manifest) for manifest in manifests])
        return
    rows = [
        (
            manifest.slug,
            manifest.version,
            layout.name,
            str(layout.pages),
            str(layout.sides),
            str(layout.sheets),
            manifest.title,
        )
        for manifest in manifests
        for layout in manifest.layouts
    ]
    headings = ("Modèle", "Version", "Mise en page", "Pages", "Faces", "Feuilles", "Titre")
    output.table(headings, rows)


@app.command()
def check(
    slugs: Annotated[list[str] | None, typer.Argument(help="Modèles (tous par défaut).")] = None,
    as_json: Json = False,
) -> None:
    """Éprouve les modèles : champs, polices, pages promises, place des codes, valeurs longues."""
    from docgen import library
    from docgen.errors import PromiseBroken
    from docgen.rendering.checking import check_template

    names = slugs or library.slugs()
    problems = []
    with output.progress("Contrôle", len(names), quiet=as_json) as done:
        for index, slug in enumerate(names):
            problems += check_template(library.load(slug))
            done(index + 1)
    if problems:
        raise PromiseBroken(problems)
    if as_json:
        output.say_json({"checked": names, "problems": []})
    else:
        output.say(f"{len(names)} modèles contrôlés : tout est tenu.")


@app.command()
def schema(slug: Annotated[str, typer.Argument(help="Modèle.")]) -> None:
    """Donne le schéma JSON des valeurs d’un modèle, que « docgen fill » attend."""
    from docgen import library
    from docgen.schema import values_schema

    output.say_json(values_schema(library.load(slug)))


@app.command()
def blank(
    slug: Annotated[str, typer.Argument(help="Modèle.")],
    out: Annotated[Path, typer.Option(help="Fichier PDF à écrire.")],
    layout: Annotated[str, typer.Option(help="Mise en page (la première par défaut).")] = "",
    variant: Annotated[str, typer.Option(help="Variante (la première par défaut).")] = "",
) -> None:
    """Fait le formulaire vierge : PDF accessible (PDF/UA), à remplir à l’écran ou à la main."""
    from docgen import library
    from docgen.errors import InvalidInput, Problem, Unavailable, reason
    from docgen.files import write_whole
    from docgen.rendering import flow

    template = library.load(slug)
    manifest = template.manifest
    if manifest.engine == "word":
        what = "ce modèle est un document Word."
        raise InvalidInput(Problem(what, slug, "Demandez-le sans registre : docgen word."))
    chosen = manifest.layout(layout or manifest.layouts[0].name)
    variants = {each.name: each for each in manifest.variants}
    if variant and variant not in variants:
        remedy = f"Choisissez : {', '.join(variants)}."
        raise InvalidInput(Problem(f"la variante « {variant} » n’existe pas.", slug, remedy))
    reading = variants[variant] if variant else manifest.variants[0]
    form = flow.blank(template, chosen, reading)
    try:
        write_whole(out, form)
    except OSError as error:
        what = f"ce fichier ne peut pas être écrit ({reason(error)})."
        raise Unavailable(Problem(what, str(out), "Choisissez un autre dossier.")) from error
    output.say(f"Formulaire vierge : {out}")
