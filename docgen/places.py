"""Where an installation keeps what is its own."""

import os
from pathlib import Path


def data_folder() -> Path:
    """Give the data folder: DOCGEN_DATA, else docgen/ among the user's data (XDG)."""
    if chosen := os.environ.get("DOCGEN_DATA"):
        return Path(chosen)
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "docgen"
