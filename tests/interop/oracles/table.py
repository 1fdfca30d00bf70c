"""What was compared, counted by format and tool."""

from collections import Counter, defaultdict

import pytest

from tests.interop.oracles.answers import KINDS, Answer
from tests.interop.oracles.material import Sample
from tests.interop.oracles.rules import explanation

LINE_LIMIT = 1000


class Table:
    """The counts of one run, the differences that no rule explains, and the cases in which one did."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.explained: Counter[tuple[str, str, str]] = Counter()
        self.unexplained: list[str] = []
        self.cases: list[tuple[Sample, str, str, Answer, Answer]] = []
        self.unread: list[str] = []
        self.seconds: dict[tuple[str, str], float] = {}

    def compare(self, sample: Sample, tool: str, *, ours: Answer, theirs: Answer) -> str:
        """Counts one file: `agreed`, `explained` or `unexplained`, whichever of its fields is worst."""
        names: set[str] = set()
        verdict = "agreed"
        for field, value in theirs.fields.items():
            if ours.fields.get(field, "") == value:
                continue
            name = explanation(sample, tool, field=field, ours=ours, theirs=theirs)
            if name is None:
                verdict = "unexplained"
                says = ours.fields.get(field) or ours.refused or "none"
                line = f"{sample}: {field}: symsrv {says!r}, {tool} {value or 'none'!r}"
                self.unexplained.append(line if len(line) < LINE_LIMIT else f"{line[:LINE_LIMIT]}...")
            else:
                names.add(name)
                self.cases.append((sample, tool, field, ours, theirs))
        if names and verdict == "agreed":
            verdict = "explained"
        self.explained.update((sample.kind, tool, name) for name in names)
        counts = self.counts[sample.kind, tool]
        counts.update(("compared", verdict))
        if any(theirs.fields.values()):
            counts["with an id"] += 1
        return verdict

    def refuse(self, sample: Sample, tool: str, *, ours: Answer, reason: str) -> None:
        """Counts a file that the tool does not read, alone or like symsrv."""
        alone = any(ours.fields.values())
        self.counts[sample.kind, tool]["not read" if alone else "read by neither"] += 1
        if alone:
            self.unread.append(f"{sample}: {tool}: {reason.splitlines()[0][-160:] if reason else 'no answer'}")

    def markdown(self) -> str:
        """The table, and under it how often each rule was used."""
        columns = ("compared", "with an id", "agreed", "explained", "unexplained", "not read", "read by neither")
        lines = [f"| format | tool | {' | '.join(columns)} |", f"|---|---|{'---:|' * len(columns)}"]
        for kind, tool in sorted(self.counts, key=lambda one: (KINDS.index(one[0]) if one[0] in KINDS else 99, one)):
            counts = self.counts[kind, tool]
            lines.append(f"| {kind} | {tool} | {' | '.join(str(counts[one]) for one in columns)} |")
        lines += ["", "| format | tool | disagreement | files |", "|---|---|---|---:|"]
        lines += (
            f"| {kind} | {tool} | {name} | {count} |" for (kind, tool, name), count in sorted(self.explained.items())
        )
        return "\n".join(lines)

    def times(self) -> str:
        """How long each tool took."""
        return ", ".join(f"{kind}/{tool} {seconds:.1f} s" for (kind, tool), seconds in sorted(self.seconds.items()))


RUN = pytest.StashKey[Table]()
"""Where the table of a run is kept."""
