"""The front end: every client's request in, the file or an honest miss out."""

from symsrv.serve.front import Front, create_app
from symsrv.serve.runner import serve

__all__ = ["Front", "create_app", "serve"]
