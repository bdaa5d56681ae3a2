"""The command line: `docgen press`, `docgen fill`, `docgen templates`."""

import errno
import os
import signal
import sys
from pathlib import Path
from types import FrameType

import typer
from typer.exceptions import TyperException

from docgen.cli import (
    accounts,
    attest,
    attestations,
    deliveries,
    doctor,
    fill,
    import_,
    jobs,
    join,
    ledger,
    mails,
    opening,
    originals,
    press,
    purge,
    scan,
    serve,
    templates,
    word,
    worker,
)
from docgen.cli.output import fail, say, warn
from docgen.errors import DocgenError, InvalidInput, Problem, Unavailable, reason

app = typer.Typer(
    help="Remplit, imprime et retrouve les documents qui suivent les tablettes des lycées.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would show the values of variables: names of people
    rich_markup_mode=None,
)
app.command("press")(press.press)
app.command("fill")(fill.fill)
app.command("attest")(attest.attest)
app.command("word")(word.word)
app.add_typer(templates.app, name="templates")
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("import")(import_.import_files)
app.command("scan")(scan.scan)
app.command("join")(join.join)
app.add_typer(jobs.app, name="jobs")
app.add_typer(attestations.app, name="attestations")
app.command("ledger")(ledger.ledger)
app.add_typer(originals.app, name="originals")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(mails.app, name="mails")
app.add_typer(accounts.app, name="accounts")
app.command("doctor")(doctor.doctor)
app.command("migrate")(opening.migrate)
app.command("purge")(purge.purge)

INTERRUPTED = 130  # as shells say it: 128 + SIGINT; typer gives it too
STOPS = (signal.SIGINT, signal.SIGTERM)
UNREAD = 141  # 128 + SIGPIPE
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LISTS = ("--roster", "--class", "--teachers", "--previous", "--scope")


def main() -> None:
    """Run a command; every error becomes sentences and an exit code."""
    for number in STOPS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as in `nohup docgen …`
            signal.signal(number, _interrupted)
    try:
        code = _run(spread(sys.argv[1:]))
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # typer exits so, when a pipe is broken
        _hush()
        code = UNREAD
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    try:
        code: int = app(arguments, prog_name="docgen", standalone_mode=False) or 0
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except Exception as error:
        if os.environ.get("DOCGEN_DEBUG") and not isinstance(error, (DocgenError, TyperException)):
            raise
        code = _answer(error, as_json="--json" in arguments)
    if code == INTERRUPTED:
        warn("Interrompu : rien n’a été écrit.")
    return code


def _hush() -> None:
    """Say no more: whoever read the answer has gone (`docgen … | head`)."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


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
    """Stop, once: what is half made is being taken away when somebody asks again."""
    for each in STOPS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _answer(error: Exception, *, as_json: bool) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        say(str(error))
        return 2
    return fail(_told(error), as_json=as_json)


def _told(error: Exception) -> DocgenError:
    """Give an error as sentences, whatever it is."""
    if isinstance(error, DocgenError):
        return error
    if isinstance(error, OSError) and error.errno in FULL:
        remedy = "Libérez-en, aussi dans le dossier temporaire (TMPDIR)."
        return Unavailable(Problem(f"la place manque ({reason(error)}).", "disque", remedy))
    return _usage(error) if isinstance(error, TyperException) else _unforeseen(error)


def _usage(error: TyperException) -> DocgenError:
    """Tell a faulty command in French; typer's own words are English."""
    parameter = getattr(error, "param", None)
    named = (parameter.metavar or parameter.opts[0]) if parameter else ""
    if parameter and parameter.opts[0].startswith("-"):
        named = parameter.opts[0]
    option = getattr(error, "option_name", "") or named
    option = option if option.startswith("-") else option.upper()
    sentences = {
        "MissingParameter": f"il manque {option}.",
        "NoSuchOption": f"l’option {option} n’existe pas.",
        "BadParameter": f"la valeur donnée à {option} n’est pas acceptée.",
        "BadOptionUsage": f"l’option {option} attend une valeur.",
    }
    what = sentences.get(type(error).__name__, "cette commande n’existe pas, ou est mal écrite.")
    return InvalidInput(Problem(what, "commande", "L’option --help montre ce qui est attendu."))


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
