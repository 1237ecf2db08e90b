"""Build the ledger, the figures and the report in different surroundings and compare every file's SHA-256."""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from figures import available
from tests.attack.findings import Figure, Findings, Listing, Plan
from tests.attack.repeat.surroundings import ASPECTS, Surroundings, draw, prepare
from theory.claims import MODULES, all_claims, home

PARTS = ("ledger", "figures", "report")
SECONDS = 1500.0
"""How long one command may take, on a machine that is busy with much else."""


def attack(plan: Plan) -> Findings:
    """Everything five times; as a sample, some claims and figures three times."""
    rng = random.Random(plan.seed)
    ids, names = _chosen(rng) if plan.sample else ([], [])
    count = 3 if plan.sample else 5
    with tempfile.TemporaryDirectory() as place:
        root, common = Path(place) / "builds", Path(place) / "common"
        prepare(common)
        surroundings = draw(count, root, rng)
        told = [each.probe(common) for each in surroundings]

        def build(k: int) -> dict[str, str]:
            digests = _build(surroundings[k], common, ids, names)
            plan.say(f"build {k + 1} of {count}: {len(digests)} files")
            return digests

        # two at a time: other work at the same moment is one more thing that must not matter
        with ThreadPoolExecutor(2) as pool:
            builds = list(pool.map(build, range(count)))
    differed = sum(
        len({str(each[aspect]) for each in told}) == count for aspect in ("hash seed", "folder", "time zone")
    )
    differed += sum(len({str(each[aspect]) for each in told}) > 1 for aspect in ("locale", "threads"))
    unequal = differing(builds)
    figures = [
        Figure("builds", count, ">=", count),
        Figure("aspects of the surroundings that differed between them, seen from inside", differed, "=", ASPECTS),
    ]
    for part in PARTS:
        files = [name for name in builds[0] if name.split("/")[0] == part]
        figures.append(Figure(f"files of the {part}", len(files), ">=", 1))
        figures.append(Figure("of these, with more than one SHA-256", sum(n in unequal for n in files), "=", 0))
    return Findings(tuple(figures), (Listing("files that differed", tuple(sorted(unequal))),))


def _chosen(rng: random.Random) -> tuple[list[str], list[str]]:
    """A claim of each of four modules, and two figures."""
    claims = [rng.choice([id_ for id_ in all_claims() if home(id_) == module]) for module in rng.sample(MODULES, 4)]
    return claims, rng.sample(sorted(available()), 2)


def _build(around: Surroundings, common: Path, ids: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """The digests of what the three commands write, by path."""
    jobs = ["--jobs", str(around.jobs)]
    figures = [] if not ids else ["--no-figures"]
    for arguments in (
        ["verify", *ids, *jobs, "--output", "out/ledger"],
        ["figures", *names, "--output", "out/figures"],
        ["report", "--ledger", "out/ledger/ledger.json", *figures, "--output", "out/report"],
    ):
        around.run(["-m", "filterlaw", *arguments], common, SECONDS)
    out = around.folder / "out"
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def differing(builds: Sequence[dict[str, str]]) -> set[str]:
    """The files that are not in every build with the same digest."""
    seen = Counter(item for build in builds for item in set(build.items()))
    return {name for (name, _), times in seen.items() if times < len(builds)}
