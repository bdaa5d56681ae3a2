"""Word conventions: a template's own model, or the one that a school edited and gave back."""

from collections.abc import Sequence
from pathlib import Path

from docgen.errors import Problem, TemplateRejected, reason
from docgen.library import Template
from docgen.manifest import Manifest
from docgen.rendering import wordguard
from docgen.rendering.wordmodel import Filling, Model
from docgen.rendering.wordpackage import MAX_FILE


def fill(
    template: Template,
    fillings: Sequence[Filling],
    folder: Path,
    *,
    given: Path | None = None,
    merged: str = "",
) -> None:
    """Write a .docx for each loan into a folder, or one named `merged` that holds them all.

    A model that was `given` is a stranger's: it is checked, and worked on in a child process.

    Raises:
        TemplateRejected: with every reason to refuse the model.
        ValuesRejected: with every value that cannot be written.
    """
    manifest = template.manifest
    if given:
        try:
            wordguard.fill(read_model(given), manifest, fillings, folder, merged)
        except TemplateRejected as error:
            raise _placed(error, given) from error
        return
    model = Model((template.folder / manifest.body).read_bytes(), manifest)
    wordguard.make(model, fillings, folder, merged)


def check_model(path: Path, manifest: Manifest) -> None:
    """Check a model that a school gives back, in a child process with limits.

    Raises:
        TemplateRejected: with every reason at once.
    """
    try:
        wordguard.check(read_model(path), manifest)
    except TemplateRejected as error:
        raise _placed(error, path) from error


def read_model(path: Path) -> bytes:
    """Read a model's file.

    Raises:
        TemplateRejected: when it is absent or too large.
    """
    try:
        # Opened only then: a pipe or a device would be read for ever.
        if path.exists() and not path.is_file():
            what = "ce n’est pas un fichier."
            raise TemplateRejected(Problem(what, path.name, "Donnez un document .docx."))
        if path.stat().st_size > MAX_FILE:
            what = f"ce modèle dépasse {MAX_FILE // 2**20} Mo."
            raise TemplateRejected(Problem(what, path.name, "Retirez les images lourdes."))
        return path.read_bytes()
    except OSError as error:
        what = f"ce modèle ne se laisse pas lire ({reason(error)})."
        raise TemplateRejected(Problem(what, path.name, "Vérifiez son nom.")) from error


def _placed(error: TemplateRejected, path: Path) -> TemplateRejected:
    """Say which file the problems are of."""
    return TemplateRejected(Problem(p.what, p.where or path.name, p.remedy) for p in error.problems)
