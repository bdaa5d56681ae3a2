"""`docgen worker`: one worker of the farm, for the lines that it is given."""

import os
import sys
from typing import Annotated

import typer

from docgen.cli import opening
from docgen.errors import InvalidInput, Problem

PRESS, WORD = "press", "word"
LINES = (PRESS, WORD)


def worker(
    lines: Annotated[str, typer.Option(help="Files servies\u00a0: press, word.")] = "press,word",
    concurrency: Annotated[
        int, typer.Option(min=1, max=64, help="Travaux à la fois (un par processeur).")
    ] = 1,
) -> None:
    """Travaille pour le service : imprime, convertit, atteste. S’arrête proprement (SIGTERM)."""
    wanted = [line.strip() for line in lines.split(",")]
    if unknown := [line for line in wanted if line not in LINES]:
        what = f"file inconnue\u00a0: {', '.join(unknown)}."
        raise InvalidInput(Problem(what, "--lines", f"Files connues\u00a0: {', '.join(LINES)}."))
    with opening.service():
        pass
    os.environ["DOCGEN_LOG_LEVEL"] = os.environ.get("DOCGEN_WORKER_LOG", "INFO")
    os.execv(sys.executable, command(wanted, concurrency))  # noqa: S606 - ourselves


def command(lines: list[str], concurrency: int) -> list[str]:
    """Give the command of a Celery worker."""
    name = f"{'-'.join(lines)}-{os.getpid()}@%h"
    return [
        *(sys.executable, "-m", "celery", "--quiet", "-A", "workers.app", "worker"),
        *("-Q", ",".join(lines), "-c", str(concurrency), "-n", name, "-l", "WARNING"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]
