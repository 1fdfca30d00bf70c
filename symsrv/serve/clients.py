"""Every client with the lines to paste into it; `{url}` is where this server is reached, without a final slash."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """One client, and what to do there."""

    name: str
    where: str
    lines: tuple[str, ...]

    def lines_for(self, url: str) -> tuple[str, ...]:
        """The lines with a server's URL in them."""
        return tuple(line.replace("{url}", url.rstrip("/")) for line in self.lines)


CLIENTS: tuple[Client, ...] = (
    Client("WinDbg, cdb, kd", "in the command window", (".sympath srv*C:\\symbols*{url}", ".reload /f")),
    Client(
        "Visual Studio",
        "Tools > Options > Debugging > Symbols > +, or the environment of every Windows tool",
        ("{url}", "setx _NT_SYMBOL_PATH srv*C:\\symbols*{url}"),
    ),
    Client("gdb", "in the shell", ("export DEBUGINFOD_URLS={url}", "gdb -iex 'set debuginfod enabled on' ./program")),
    Client("lldb", "in ~/.lldbinit", ("settings set plugin.symbol-locator.debuginfod.server-urls {url}",)),
    Client("perf", "in the shell", ("DEBUGINFOD_URLS={url} perf report",)),
    Client("valgrind, systemtap, delve, binutils, elfutils", "in the shell", ("export DEBUGINFOD_URLS={url}",)),
    Client("dotnet-symbol", "in the shell", ("dotnet-symbol --symbols --modules --server-path {url} crash.dmp",)),
    Client("dotnet-dump, SOS", "in the debugger", ("setsymbolserver {url}",)),
    Client("PerfView, Windows Performance Analyzer", "in the shell", ("set _NT_SYMBOL_PATH=srv*C:\\symbols*{url}",)),
    Client("samply", "in the shell", ("samply record --windows-symbol-server {url} -- ./program",)),
    Client(
        "Sentry, symbolicator",
        "as a custom repository of type HTTP",
        ('{"id": "symsrv", "type": "http", "url": "{url}/", "layout": {"type": "ssqp", "casing": "default"}}',),
    ),
    Client("rust-minidump, Breakpad", "in the shell", ("minidump-stackwalk --symbols-url {url} crash.dmp",)),
    Client("Ghidra", "File > Load PDB File > Advanced > Symbol Server Search Config > +", ("{url}/",)),
    Client("x64dbg", "Options > Preferences > Misc > Symbol Store", ("{url}",)),
    Client("radare2", "in ~/.radare2rc", ("e pdb.server={url}",)),
    Client("curl", "in the shell", ("curl -fO {url}/crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb",)),
)
