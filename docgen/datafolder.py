"""The data folder of an installation: its key, and what it keeps from one run to the next."""

import os
import secrets
from pathlib import Path

from docgen.errors import Problem, Unavailable, reason
from docgen.files import write_new
from docgen.pagecode import Key
from docgen.places import data_folder

__all__ = ["data_folder", "page_code_key", "page_code_keys"]

FIRST = 1  # the number of the key that an installation starts with
LAST = 15  # a page code counts keys in four bits


def page_code_key(folder: Path) -> Key:
    """Give the key that prints: the newest of `page_code_keys`."""
    return max(page_code_keys(folder).values(), key=lambda key: key.number)


def page_code_keys(folder: Path) -> dict[int, Key]:
    """Give the keys of page codes by number: the newest prints, the others read older paper.

    The first is DOCGEN_KEY, else page-code.key in the data folder, made on first use. A key is
    renewed by adding page-code-2.key beside it, and so on to 15.

    Raises:
        Unavailable: when a key file cannot be read, or others than its owner can read it.
    """
    if text := os.environ.get("DOCGEN_KEY"):
        keys = {FIRST: Key(FIRST, text.encode())}
    else:
        keys = {FIRST: Key(FIRST, _secret(folder / "page-code.key"))}
    for number in range(FIRST + 1, LAST + 1):
        path = folder / f"page-code-{number}.key"
        if path.exists():
            keys[number] = Key(number, _secret(path))
    return keys


def _secret(path: Path) -> bytes:
    try:
        if not path.exists():
            write_new(path, secrets.token_hex(32).encode(), mode=0o600)
        if path.stat().st_mode & 0o077:
            remedy = f"Retirez les droits des autres : chmod 600 {path.name}."
            raise Unavailable(Problem("d’autres comptes peuvent lire la clé.", path.name, remedy))
        secret = path.read_bytes().strip()
    except OSError as error:
        what = f"la clé des codes de page ne peut pas être lue ({reason(error)})."
        raise Unavailable(
            Problem(what, path.name, "Indiquez DOCGEN_KEY ou DOCGEN_DATA.")
        ) from error
    if not secret:
        remedy = "Rendez-lui sa sauvegarde, ou effacez-la si rien n’a encore été imprimé."
        raise Unavailable(Problem("la clé des codes de page est vide.", path.name, remedy))
    return secret
