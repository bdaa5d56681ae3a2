"""The command line: `docgen press`, `docgen templates`."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType

import typer

from docgen.cli import press, templates
from docgen.cli.output import fail
from docgen.errors import DocgenError

app = typer.Typer(
    help="Remplit, imprime et retrouve les documents qui suivent les tablettes des lycées.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would show the values of variables: names of people
    rich_markup_mode=None,
)
app.command("press")(press.press)
app.add_typer(templates.app, name="templates")

LISTS = ("--roster", "--class")


def main() -> None:
    """Run a command; every error on purpose becomes sentences and an exit code."""
    signal.signal(signal.SIGTERM, _interrupted)
    arguments = spread(sys.argv[1:])
    try:
        app(arguments, prog_name="docgen", standalone_mode=True)
    except DocgenError as error:
        sys.exit(fail(error, as_json="--json" in arguments))
    except KeyboardInterrupt:
        print("Interrompu : rien n’a été écrit.", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    except Exception as error:
        if os.environ.get("DOCGEN_DEBUG"):
            raise
        sys.exit(fail(_unforeseen(error), as_json="--json" in arguments))


def spread(arguments: list[str]) -> list[str]:
    """Let an option that takes several values take them in a row: `--roster A B --class C D`."""
    spread_out: list[str] = []
    option, taken = "", False
    for argument in arguments:
        if argument.startswith("-"):
            option, taken = (argument if argument in LISTS else ""), False
        elif option and taken:
            spread_out.append(option)
        else:
            taken = True
        spread_out.append(argument)
    return spread_out


def _interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _unforeseen(error: Exception) -> DocgenError:
    """Tell where an unforeseen error arose, without its text: it could hold a person's name."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = ""
    if trace:
        place = f", {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    return DocgenError(
        f"Erreur imprévue ({type(error).__name__}{place}). "
        "Signalez-la avec cette ligne ; DOCGEN_DEBUG=1 montre le détail."
    )
