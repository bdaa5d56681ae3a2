"""The data folder of an installation: its key, and what it keeps from one run to the next."""

import os
import secrets
from pathlib import Path

from docgen.errors import Problem, Unavailable, reason
from docgen.files import write_new
from docgen.pagecode import Key

KEY_NUMBER = 1


def data_folder() -> Path:
    """Give the data folder: DOCGEN_DATA, else docgen/ among the user's data (XDG)."""
    if chosen := os.environ.get("DOCGEN_DATA"):
        return Path(chosen)
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "docgen"


def page_code_key(folder: Path) -> Key:
    """Give the key of page codes: DOCGEN_KEY, else the data folder's own, made on first use.

    Raises:
        Unavailable: when the key file cannot be read, or others than its owner can read it.
    """
    if text := os.environ.get("DOCGEN_KEY"):
        return Key(KEY_NUMBER, text.encode())
    path = folder / "page-code.key"
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
    return Key(KEY_NUMBER, secret)
