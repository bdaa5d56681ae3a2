"""`python -m bench.post`: mail while everything is killed; count what is lost, or came twice.

PostgreSQL, Redis, Dovecot and the workers are real; the SMTP server fails at every step. What must
have come is read from the mailboxes over IMAP, and compared byte for byte with what was to be sent.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from bench import farm_place
from bench.chaos_evil import Blows, Evil
from bench.farm_place import Place
from bench.farm_workers import working
from bench.post_faults import Draw, House
from bench.post_person import Somebody
from tests.service.mailservers import OURS, REGION, Dovecot
from tests.service.servers import running

if TYPE_CHECKING:
    from bench.post_proof import Findings
    from docgen.backoffice.models import Return

# When servers are struck, in parts of the work done, and for how long mail servers are away.
FEW_STRIKES = ((0.2, "smtp"), (0.4, "postgres"), (0.7, "imap"))
STRIKES = (
    *((0.1, "redis"), (0.2, "smtp"), (0.35, "postgres"), (0.5, "imap"), (0.6, "flushall")),
    *((0.7, "smtp"), (0.8, "postgres")),
)
AWAY = 6.0  # seconds
CALM = 20.0  # seconds between two kills when nothing moves on: workers take some to start
GRACE, RETRY, MOST = 8, 1, 1  # seconds, seconds, megabytes
LONG_AGO = datetime.now(UTC) - timedelta(days=3)  # a log that goes back far enough to say no
AHEAD = 200  # deliveries planned ahead of what is sent


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is mailed, how many processes are killed, and what share of tries goes wrong."""

    attestations: int = 2000
    large: int = 40
    kills: int = 150
    workers: int = 3
    share: float = 0.25
    seconds: float = 3600
    strikes: tuple[tuple[float, str], ...] = STRIKES


FULL = Plan()
QUICK = Plan(30, 2, 4, 2, 0.4, 240, FEW_STRIKES)


def main() -> int:
    """Read the options, do it, print the table; 1 when anything is wrong, or a control is not."""
    parser = argparse.ArgumentParser(prog="python -m bench.post", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer attestations and fewer kills")
    parser.add_argument("--calm", action="store_true", help="no kill and no fault: how fast it is")
    parser.add_argument("--blind", action="store_true", help="a control: look nothing up")
    parser.add_argument("--relay-log", action="store_true", help="proof by the relay's log")
    parser.add_argument("--log", type=Path, help="where what workers say is kept")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn")
    for name in ("attestations", "large", "kills"):
        parser.add_argument(f"--{name}", type=int, help="another number than usual")
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    told = {name: getattr(options, name) for name in ("attestations", "large", "kills")}
    plan = replace(plan, **{name: n for name, n in told.items() if n is not None})
    if options.calm:
        plan = replace(plan, kills=0, share=0, strikes=())
    app = "bench.post_blind" if options.blind else "workers.app"
    draw = Draw(plan.share, options.seed)
    is_logged = options.relay_log
    with mail_house(draw, is_logged=is_logged) as (house, dovecot), farm_place.opened() as place:
        trial = Trial(place, house, dovecot, plan)
        log = options.log or place.data / "workers.log"
        findings, blows = trial.run(options.seed, log, app)
    _print(plan, draw, findings, blows)
    return 0 if (findings.duplicated if options.blind else findings.is_sound) else 1


@contextmanager
def mail_house(draw: Draw, *, is_logged: bool = False) -> Iterator[tuple[House, Dovecot]]:
    """Run the mail servers, and tell the settings about them.

    `is_logged`: mails are looked up in the server's log, which tells of all of them, and not in
    the region's mailbox.
    """
    with running(Dovecot) as servers, TemporaryDirectory() as folder:
        dovecot = cast(Dovecot, servers[0])
        with House(Path(folder), draw, dovecot) as house:
            os.environ["DOCGEN_SMTP_URL"] = f"smtp://127.0.0.1:{house.port}"
            os.environ["DOCGEN_MAIL_FROM"] = OURS
            house.log.write_text(
                LONG_AGO.strftime("%b %e %H:%M:%S relay postfix/master[1]: start\n")
            )
            os.environ["DOCGEN_MAIL_PROOF"] = str(house.log) if is_logged else dovecot.url(REGION)
            for name, value in (("GRACE", GRACE), ("RETRY", RETRY), ("MOST", MOST)):
                os.environ[f"DOCGEN_MAIL_{name}"] = str(value)
            yield house, dovecot


class Trial:
    """The whole of it, on one place."""

    def __init__(self, place: Place, house: House, dovecot: Dovecot, plan: Plan) -> None:
        from bench import post_town

        self.place, self.house, self.dovecot, self.plan = place, house, dovecot, plan
        self.backs = post_town.come_home(plan.attestations, plan.large)
        self.people = sorted({row.school.email for row in self.backs})

    def run(self, seed: int, log: Path, app: str) -> "tuple[Findings, Blows]":
        """Plan everything while it is sent and all is killed, wait for the end, and judge."""
        from docgen.backoffice import deliveries

        deliveries.approve("bench")
        strikes = self.plan.strikes
        others = {"smtp": self._lose_smtp, "imap": self._lose_imap}
        began = time.monotonic()
        end = began + self.plan.seconds
        farm = working(self.plan.workers, log, ahead=1, line="word", app=app)
        with farm as workers, Somebody(self.dovecot) as person:
            kills = (self.plan.kills, self.done, seed)
            evil = Evil(self.place, workers, *kills, longest=CALM, strikes=strikes, others=others)
            try:
                self._plan_all(end)
                while self._part(self._over) < 1 and time.monotonic() < end:
                    time.sleep(0.2)
            finally:
                evil.stop()
        seconds = time.monotonic() - began
        found = self._judged()
        found.seconds = seconds
        found.spared = self.plan.kills - evil.blows.kills.total()
        found.spared += len(strikes) - len(evil.blows.strikes)
        found.facts.append(f"{workers.starts} starts of workers")
        found.facts.append(f"{person.settled} copies that somebody settled, who asked the school")
        return found, evil.blows

    def done(self) -> float:
        """Tell which part of the work is done: composing and sending, when the database tells."""
        return self._part(self._composed) * 0.5 + self._part(self._ended) * 0.5

    def _composed(self) -> int:
        from docgen.backoffice.models import Delivery

        return Delivery.objects.filter(state="done").count() + self._spared()

    def _ended(self) -> int:
        from docgen.backoffice.models import Delivery

        return Delivery.objects.filter(stage__in=("sent", "refused")).count() + self._spared()

    def _over(self) -> int:
        """Count what ended, less its mails that wait: a refused part leaves the others to send."""
        from docgen.backoffice.models import Message

        ended = self._ended()
        return ended - Message.objects.exclude(stage__in=("sent", "refused", "replaced")).count()

    def _spared(self) -> int:
        """Count the schools that get no copy, for the region refused theirs."""
        from docgen.backoffice.models import Delivery

        return Delivery.objects.filter(role="region", stage="refused").count()

    def _part(self, count: Callable[[], int]) -> float:
        from django.db import Error, connection

        try:
            return count() / (2 * len(self.backs))
        except Error:
            connection.close()
            return 0.0

    def _plan_all(self, end: float) -> None:
        """Plan deliveries as bindings do, some ahead of what is sent."""
        for place, back in enumerate(self.backs):
            while place - self._part(self._ended) * len(self.backs) > AHEAD:
                if time.monotonic() > end:
                    return
                time.sleep(0.1)
            while not self._planned(back) and time.monotonic() < end:
                time.sleep(0.2)

    def _planned(self, back: "Return") -> bool:
        from django.db import Error, connection, transaction

        from docgen.backoffice import deliveries

        try:
            with transaction.atomic():
                deliveries.plan(back)
        except Error:
            connection.close()
            return False
        return True

    def _lose_smtp(self) -> None:
        self.house.__exit__()
        time.sleep(AWAY)
        self.house.__enter__()

    def _lose_imap(self) -> None:
        self.dovecot.stop()
        time.sleep(AWAY)
        self.dovecot.start()

    def _judged(self) -> "Findings":
        from bench import post_proof

        names = (REGION, *self.people)
        boxes = {name: post_proof.fetched(self.dovecot.url(name)) for name in names}
        return post_proof.judged(self.backs, boxes, self.house.weather.refusals)


def _print(plan: Plan, draw: Draw, found: "Findings", blows: Blows) -> None:
    kills = ", ".join(f"{count} of {kind}" for kind, count in sorted(blows.kills.items()))
    lines = [
        ("attestations", f"{plan.attestations:,}, {plan.large} of them too large for one mail"),
        ("workers", f"{plan.workers}, one of them two hours ahead"),
        ("kill -9", f"{blows.kills.total()}: {kills}"),
        ("servers", "; ".join(blows.strikes)),
        *(("faults" if not n else "", f"{count:5} {name}") for n, (name, count) in _sorted(draw)),
        ("time", f"{found.seconds:.0f} s"),
        *(("", fact) for fact in found.facts),
        ("lost", f"{found.lost} mails"),
        ("duplicated", f"{found.duplicated} mails"),
        ("altered", f"{found.altered} mails are not the one that is kept"),
        ("stray", f"{found.stray} mails that nothing knows of"),
        ("unfinished", f"{found.unfinished} mails or deliveries neither sent nor refused"),
        ("unshown", f"{found.unshown} refusals without the server's words"),
        ("unjoined", f"{found.unjoined} deliveries that are not the signed file again"),
    ]
    if found.spared:
        lines.append(("spared", f"{found.spared} blows did not fall: the work was over"))
    for name, text in lines:
        print(f"{name:<16} {text}")


def _sorted(draw: Draw) -> "enumerate[tuple[str, int]]":
    return enumerate(sorted(draw.met.items()))


if __name__ == "__main__":
    sys.exit(main())
