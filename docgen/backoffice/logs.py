"""Logs: one JSON object a line, on the error stream, without personal data.

What our own modules say is theirs to answer for: identifiers and counts. Of what libraries say,
numbers are kept and words are not; of an error, its type and its place, never its text: either
could hold a name.
"""

import logging
import sys
import threading
import traceback
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

OURS = ("docgen", "workers")
HIDDEN = "…"
request_id: ContextVar[str] = ContextVar("request_id", default="")


def settings(level: str) -> dict[str, Any]:
    """Give the settings of `logging` for the web, the workers and Celery alike."""
    quiet = {"level": "WARNING", "handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "docgen.backoffice.logs.Line"}},
        "handlers": {
            "stderr": {"class": "docgen.backoffice.logs.ErrorStream", "formatter": "line"}
        },
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {
            **{name: {"level": level} for name in OURS},
            "django": quiet,
            "django.request": {**quiet, "level": "ERROR"},  # the middleware tells every request
            "celery": quiet,
            "kombu": quiet,
            "axes": quiet,
            "py.warnings": {**quiet, "level": "ERROR"},
            "gunicorn.error": {**quiet, "level": level},
        },
    }


class ErrorStream(logging.StreamHandler[TextIO]):
    """The error stream, whichever it is by now."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override] # as logging's own last resort does
        """The stream that lines go to."""
        return sys.stderr

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say that a line was lost; Python would print it, and the error that it tells, in full."""
        with suppress(OSError, ValueError):
            sys.stderr.write('{"level": "ERROR", "message": "a line of log was lost"}\n')


class Line(JsonFormatter):
    """Writes a record as a line of JSON."""

    def __init__(self) -> None:
        super().__init__(
            ("levelname", "name", "process", "message"),
            rename_fields={"levelname": "level", "name": "logger", "process": "pid"},
            timestamp="at",
            json_ensure_ascii=False,
        )

    def format(self, record: logging.LogRecord) -> str:
        """Write what of a record may be written."""
        return super().format(_cleaned(record))


def _cleaned(record: logging.LogRecord) -> logging.LogRecord:
    is_ours = record.name.split(".")[0] in OURS
    kept = {
        name: value
        for name, value in vars(record).items()
        if is_ours or name in RESERVED_ATTRS or name == "taskName"
    }
    if not is_ours:
        kept |= {"msg": _without_words(record), "args": ()}
    if record.exc_info and record.exc_info[1]:
        kept |= told(record.exc_info[1])
    if request := request_id.get():
        kept["request"] = request
    kept |= {"exc_info": None, "exc_text": None, "stack_info": None}
    return logging.makeLogRecord(kept)


def _without_words(record: logging.LogRecord) -> str:
    if not isinstance(record.msg, str):
        return type(record.msg).__name__
    given = record.args
    if isinstance(given, dict):
        return _formatted(record.msg, {key: _number(value) for key, value in given.items()})
    return _formatted(record.msg, tuple(_number(value) for value in given or ()))


def _formatted(message: str, given: Any) -> str:  # noqa: ANN401
    if not given:
        return message
    try:
        return str(message % given)
    except (TypeError, ValueError, KeyError):  # a width or a kind that a hidden word does not have
        return message


def _number(value: object) -> object:
    return value if isinstance(value, (int, float)) else HIDDEN


def told(error: BaseException) -> dict[str, str]:
    """Give what may be told of an error: its type, and where in our program it arose."""
    frames = traceback.extract_tb(error.__traceback__)
    house = Path(__file__).parents[2]
    inside = [each for each in frames if Path(each.filename).is_relative_to(house)]
    ours = [each for each in inside if "site-packages" not in each.filename]
    places = [f"{Path(each.filename).name}:{each.lineno}" for each in (*ours[-1:], *frames[-1:])]
    return {"error": type(error).__name__, "place": ", ".join(dict.fromkeys(places))}


def guard() -> None:
    """Have errors that nobody caught told like all others: Python would print their text."""
    logger = logging.getLogger("docgen.uncaught")

    def main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        logger.critical("uncaught", exc_info=(kind, error, trace))

    def thread(given: threading.ExceptHookArgs) -> None:
        if given.exc_value is not None:
            logger.error("uncaught", exc_info=given.exc_value)

    def unraisable(given: "sys.UnraisableHookArgs") -> None:
        if given.exc_value is not None:
            logger.error("unraisable", exc_info=given.exc_value)

    sys.excepthook, threading.excepthook, sys.unraisablehook = main, thread, unraisable
