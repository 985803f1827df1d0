"""`python -m samples OUT --size demo --seed 1`: writes sample deliveries, registers and true figures under OUT."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from samples.generate import generate


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m samples", description=__doc__)
    parser.add_argument("out", type=Path, help="folder to write to; made when missing")
    parser.add_argument("--size", choices=("tiny", "demo", "large"), default="demo")
    parser.add_argument("--seed", type=int, default=1, help="equal seeds give equal bytes")
    parser.add_argument(
        "--rows", type=int, default=None, help="about how many posting lines a large sample holds (default 1 000 000)"
    )
    options = parser.parse_args(arguments)
    sample = generate(options.out, options.size, options.seed, options.rows)
    sys.stdout.write(f"{len(sample.outcomes)} deliveries with {len(sample.postings)} posting lines in {options.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
