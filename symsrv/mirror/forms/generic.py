"""The generic form: JSON by POST, signed as Standard Webhooks says, so that its libraries can check it.

https://www.standardwebhooks.com: `webhook-id` is the idempotency key, `webhook-timestamp` seconds since 1970,
`webhook-signature` is `v1,` and the HMAC-SHA256 over `<id>.<timestamp>.<body>` in base64.
"""

import base64
import binascii
import hashlib
import hmac
import time

from symsrv.mirror.forms.base import ARRIVED, REPORT, TEST, Call, News, Send, bearer
from symsrv.mirror.settings import TellOptions
from symsrv.model.errors import UsageError

_PREFIX = "whsec_"


class Generic:
    """One POST to the address; whatever is in the 200s is a good answer."""

    name = "generic"
    kinds = frozenset({ARRIVED, REPORT, TEST})

    def tell(self, news: News, options: TellOptions, send: Send) -> None:
        """Posts the news."""
        body = news.body()
        headers = [("Content-Type", "application/json"), ("Idempotency-Key", news.key), *bearer(options)]
        headers += signed(news.key, body, secret=None if options.secret is None else options.secret.value())
        send(Call("POST", options.url or "", body, tuple(headers))).good(options.name)


def signed(key: str, body: bytes, *, secret: str | None, now: float | None = None) -> list[tuple[str, str]]:
    """The headers that tell what it is, when it was sent, and that it is from us; without a secret, the first two."""
    stamp = str(int(time.time() if now is None else now))
    headers = [("webhook-id", key), ("webhook-timestamp", stamp)]
    if secret is not None:
        digest = hmac.new(_raw(secret), f"{key}.{stamp}.".encode() + body, hashlib.sha256).digest()
        headers.append(("webhook-signature", f"v1,{base64.b64encode(digest).decode()}"))
    return headers


def _raw(secret: str) -> bytes:
    """The bytes of a secret: `whsec_` and base64 as the standard writes it, or any other text as it is."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise UsageError("the secret of a receiver begins with whsec_, and no base64 follows") from error
