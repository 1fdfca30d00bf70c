"""symsrv: one symbol store for every debugger."""

__version__ = "0.1.0"
