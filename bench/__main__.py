"""`python -m bench`: measure, and say it."""

import argparse
import sys
from dataclasses import asdict

from bench import attested, report, word
from bench.clock import NotMeasured
from bench.plan import FULL, QUICK
from bench.running import run
from docgen.cli import output


def main() -> int:
    """Read the options, run and report; 1 when nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, fewer documents")
    parser.add_argument("--json", action="store_true", help="everything measured, as JSON")
    options = parser.parse_args()
    try:
        measures = run(QUICK if options.quick else FULL, output.warn)
        documents = word.compare(20, 1) if options.quick else word.compare()
        long_ones = attested.compare()
    except NotMeasured as reason:
        output.warn(str(reason))
        return 1
    if options.json:
        output.say_json(
            report.as_json(measures)
            | {"word": documents.as_json(), "attestations": [asdict(each) for each in long_ones]}
        )
    else:
        report.say(measures)
        word.say(documents)
        attested.say(long_ones)
    return 0


if __name__ == "__main__":
    sys.exit(main())
