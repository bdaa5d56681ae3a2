"""Hooks, called."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from docgen.backoffice import calling, hooks
from docgen.backoffice.models import HookCall
from docgen.backoffice.queue import CALL, app
from workers.children import Limits, Say
from workers.working import Make, work_on

LIMITS = Limits(memory=200 * 2**20, processor=10, wall=60, file=2**20)


@app.task(name=f"docgen.{CALL}")
def call_hook(identifier: str) -> None:
    """Make the calls that wait; the identifier only says that there are some."""
    work_on(HookCall, _begin, _finish, hooks.fail, LIMITS)


def _begin(call: HookCall) -> Make:
    order = hooks.order(call)

    def make(say: Say, folder: Path) -> dict[str, Any]:
        return asdict(calling.send(order))

    return make


def _finish(call: HookCall, answer: dict[str, Any], folder: Path) -> bool:
    return hooks.settle(call, calling.Answer(**answer))
