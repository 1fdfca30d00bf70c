"""The table of the run: filled by the tests of this folder, printed in the summary."""

import pytest

from tests.interop.oracles.table import RUN, Table


@pytest.fixture(scope="session")
def table(request: pytest.FixtureRequest) -> Table:
    """One table for the run."""
    return request.config.stash.setdefault(RUN, Table())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints the table as it goes into docs/formats.md."""
    table = config.stash.get(RUN, None)
    if table is not None and table.counts:
        terminalreporter.section("independent oracles")
        terminalreporter.write_line(table.markdown())
        terminalreporter.write_line("")
        terminalreporter.write_line(table.times())
        if config.option.verbose > 0:
            terminalreporter.write_line("\n".join(["", "files that symsrv reads and a tool does not:", *table.unread]))
