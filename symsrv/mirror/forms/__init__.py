"""The ways in which receivers are told; a new one is a file and a line in `FORMS`."""

from symsrv.mirror.forms.base import Call, Form, News, NotTold, Reply, Send
from symsrv.mirror.forms.generic import Generic
from symsrv.mirror.forms.sentry import Sentry
from symsrv.mirror.forms.socorro import Socorro
from symsrv.model.errors import UsageError

FORMS: tuple[Form, ...] = (
    Generic(),
    Sentry(),
    Socorro(),
)
"""Every form."""

__all__ = ["FORMS", "Call", "Form", "News", "NotTold", "Reply", "Send", "form_named"]


def form_named(name: str) -> Form:
    """The form of that name; raises UsageError."""
    for one in FORMS:
        if one.name == name:
            return one
    raise UsageError(f"there is no form {name!r} of telling; there are {', '.join(one.name for one in FORMS)}")
