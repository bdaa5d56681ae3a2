"""What is done to the farm while it works: processes killed, servers killed, memory lost."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from bench.farm_place import Place
from bench.farm_workers import Workers, kill

DOWN = 1.5  # seconds for which a server that was killed stays away
LONGEST = 2.5  # seconds between two kills when nothing moves on, or for one to find its prey
SHORTEST = 0.03
# When servers are struck, in parts of the work done.
STRIKES = ((0.15, "redis"), (0.3, "flushall"), (0.45, "postgres"), (0.6, "redis"))
NONE: Mapping[str, Callable[[], None]] = MappingProxyType({})


@dataclass
class Blows:
    """What was done, and when."""

    kills: Counter[str] = field(default_factory=Counter)
    strikes: list[str] = field(default_factory=list)


class Evil:
    """Strikes as the work moves on, so that all blows fall while there is work.

    `longest`: seconds between two kills when nothing moves on. `others` are strikes that a trial
    has of its own, by their names.
    """

    def __init__(
        self,
        place: Place,
        workers: Workers,
        kills: int,
        done: Callable[[], float],
        seed: int,
        *,
        longest: float = LONGEST,
        strikes: Sequence[tuple[float, str]] = STRIKES,
        others: Mapping[str, Callable[[], None]] = NONE,
    ) -> None:
        self.place, self.workers, self.wanted, self.done = place, workers, kills, done
        self.longest, self.strikes, self.others = longest, strikes, others
        self.chance = random.Random(seed)  # noqa: S311 - a draw that can be drawn again
        self.blows = Blows()
        self.began = time.monotonic()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=each) for each in (self._kill_on, self._strike_on)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Leave the farm alone, its servers running."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _kill_on(self) -> None:
        """Kill as often as the work done calls for, and now and then when it stands still."""
        last = time.monotonic()
        while self.blows.kills.total() < self.wanted and not self._over.wait(SHORTEST):
            owed = self.done() * self.wanted / 0.9
            is_late = time.monotonic() - last > self.longest
            if (owed > self.blows.kills.total() or is_late) and self._kill_one():
                last = time.monotonic()

    def _kill_one(self) -> bool:
        """Draw a kind, wait until a worker that is not just starting has one, and kill it."""
        kind = self.chance.choice(("main", "pool", "child"))
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            ready = [family for family in self.workers.families() if family["pool"]]
            found = [pid for family in ready for pid in family[kind]]
            if found and kill(self.chance.choice(found)):
                self.blows.kills[kind] += 1
                return True
            time.sleep(SHORTEST / 3)
        return False

    def _strike_on(self) -> None:
        for part, what in self.strikes:
            while self.done() < part:
                if self._over.wait(SHORTEST):
                    return
            self._strike(what)

    def _strike(self, what: str) -> None:
        place = self.place
        self.blows.strikes.append(f"{what} at {time.monotonic() - self.began:.0f} s")
        if what == "flushall":
            place.redis.say("FLUSHALL")
            return
        if what in self.others:
            self.others[what]()
            return
        server = place.redis if what == "redis" else place.postgres
        server.stop(signal.SIGKILL if what == "redis" else place.postgres.IMMEDIATE)
        time.sleep(DOWN)
        server.start()
