"""Access: how a bucket is reached that is not this process's own store, told whole, with nothing in the environment."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Access:
    """Credentials and the way to a bucket. What is None comes from where the vendor's library looks.

    `key` "" asks unsigned, as anybody. `role` is taken on with `key` and `secret`, by STS at `endpoint` if there is
    one. `proxy` None is what the environment says, "" is none; it may have a user and a password in it. `ca_bundle`
    stands in place of the system's certificates. A request that fails is not made again.
    """

    key: str | None = None
    secret: str | None = field(default=None, repr=False)
    role: str | None = None
    region: str | None = None
    endpoint: str | None = None
    service_account: Path | None = None
    ca_bundle: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    proxy: str | None = field(default=None, repr=False)
    connect_seconds: float = 10.0
    read_seconds: float = 60.0

    @property
    def certificate(self) -> tuple[str, str] | str | None:
        """The client's certificate as requests and botocore take it: one file, or it and its key."""
        if self.client_cert is None:
            return None
        return (str(self.client_cert), str(self.client_key)) if self.client_key else str(self.client_cert)
