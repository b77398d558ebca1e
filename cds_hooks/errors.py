"""What can go wrong in the host, and who is told.

HostError
├── Refusal                a call that is answered with a FHIR OperationOutcome
│   ├── BadCall            400   not JSON, or a field missing, mistyped or contradicting
│   ├── Unauthorised       401   no token, or one that is not accepted, for whatever reason
│   ├── NotForClient       403   a client that may not call this service
│   ├── UnknownService     404
│   ├── UnknownArtefact    404
│   ├── WrongMethod        405
│   ├── SlowBody           408
│   ├── SlowHead           408
│   ├── NothingToJudge     412   the data belong to someone else, or none could be used
│   ├── TooLarge           413
│   ├── TooMuch            413   a body that came whole, with a part of it larger than there can be use for
│   ├── WrongMedia         415
│   ├── Undecided          422   a question about codes that nobody here can answer
│   ├── Overloaded         429   too many calls
│   ├── HeadTooLarge       431   more headers than there can be use for
│   └── InternalError      500   a bug of ours
├── ClientGone             the client hung up before its call was complete; nobody is left to answer
└── Trouble                one sentence for whoever starts or operates the service, shown without a traceback
    ├── SettingsTrouble    a setting that cannot be used
    ├── PluginTrouble      no plugin, several, or one that does not load
    ├── CodesTrouble       codes of the site, or data, that cannot be used
    ├── SignOffTrouble     a sign-off file that cannot be read or written
    ├── AddressTrouble     an address that cannot be served
    └── CallTrouble        a call of the command line that cannot be sent
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, ClassVar, Self

import msgspec

if TYPE_CHECKING:
    from cds_hooks.terminology.desk import Flaw


class HostError(Exception):
    """Everything that the host itself raises."""


class Refusal(HostError):
    """A call that cannot be answered with cards.

    ``text`` goes to the client and into the audit: it names what was got, what was expected and what to do, and
    never holds a value of the call, because it could be the patient's.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    headers: tuple[tuple[bytes, bytes], ...] = ()
    before_reading: ClassVar[bool] = False
    """Whether nothing of the call was read yet: anybody can have as many of these as there are sockets."""

    client = ""
    """The client that a refused token named; it is not proven that the token is its."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    @property
    def noted(self) -> str:
        """What the audit says about it."""
        return self.text

    def alone(self) -> Self:
        """Itself without the frames that raised it: they hold the body of the call, and one another, so that all of it
        would stay until the garbage collector's next round."""
        self.__context__ = None
        return self.with_traceback(None)


class BadCall(Refusal):
    """The call is not what CDS Hooks describes."""

    status = 400
    code = "invalid"


class Unauthorised(Refusal):
    """No acceptable token. The answer is the same whatever was wrong; the audit gets ``reason``, a word, and ``key``, a
    short hash of the name of the key."""

    status = 401
    before_reading = True
    code = "login"
    headers = ((b"www-authenticate", b"Bearer"),)

    def __init__(self, reason: str = "refused") -> None:
        super().__init__("This service needs a token that it accepts, as Authorization: Bearer <JWT>.")
        self.reason = reason
        self.key = ""

    @property
    def noted(self) -> str:
        return f"Token refused: {self.reason}" + (f", key {self.key}." if self.key else ".")


class NotForClient(Refusal):
    """A known client that may not call this service."""

    status = 403
    before_reading = True
    code = "forbidden"


class UnknownService(Refusal):
    """No service has this id."""

    status = 404
    before_reading = True
    code = "not-found"


class UnknownArtefact(Refusal):
    """No FHIR artefact has this type, id or URL."""

    status = 404
    code = "not-found"


class WrongMethod(Refusal):
    """The path exists, the method does not."""

    status = 405
    before_reading = True
    code = "not-supported"
    headers = ((b"allow", b"POST, OPTIONS"),)


class SlowBody(Refusal):
    """The body did not arrive in time."""

    status = 408
    before_reading = True
    code = "timeout"
    headers = ((b"connection", b"close"),)


class SlowHead(SlowBody):
    """The head of a request did not arrive in time."""


class NothingToJudge(Refusal):
    """The data that came cannot be used, and there is nowhere to fetch others from."""

    status = 412
    code = "incomplete"


class TooLarge(Refusal):
    """The body is larger than the limit."""

    status = 413
    before_reading = True
    code = "too-long"
    headers = ((b"connection", b"close"),)


class TooMuch(Refusal):
    """The body came whole, and a part of it is larger than there can be use for."""

    status = 413
    code = "too-costly"


class WrongMedia(Refusal):
    """The body is not plain JSON."""

    status = 415
    before_reading = True
    code = "not-supported"


class Undecided(Refusal):
    """A value set that holds codes by a hierarchy which is not here."""

    status = 422
    code = "not-supported"


class Overloaded(Refusal):
    """Too many calls. ``kind`` is a word for metrics; ``seconds`` is how long to wait."""

    status = 429
    before_reading = True
    code = "throttled"

    def __init__(self, text: str, seconds: float = 1, kind: str = "busy") -> None:
        super().__init__(text)
        self.kind = kind
        self.headers = ((b"retry-after", b"%d" % max(1, ceil(seconds))),)


class HeadTooLarge(Refusal):
    """More headers than there can be use for."""

    status = 431
    code = "too-long"
    headers = ((b"connection", b"close"),)

    def __init__(self, text: str = "The head of the request is larger than 64 KiB.") -> None:
        super().__init__(text)


class InternalError(Refusal):
    """A bug of ours."""

    status = 500
    code = "exception"


class ClientGone(HostError):
    """The client hung up."""


class Trouble(HostError):
    """A sentence for people; the command line prints it and ends with exit code 1."""


class SettingsTrouble(Trouble):
    """A setting cannot be used."""


class PluginTrouble(Trouble):
    """The plugin cannot be loaded."""


class CodesTrouble(Trouble):
    """The codes of the site, or the data behind them, cannot be used; ``flaws`` are all that is wrong."""

    def __init__(self, text: str, flaws: Sequence[Flaw] = ()) -> None:
        super().__init__(text)
        self.flaws = tuple(flaws)


class SignOffTrouble(Trouble):
    """A sign-off file that cannot be read or written."""


class AddressTrouble(Trouble):
    """The address cannot be served."""


class CallTrouble(Trouble):
    """The command line cannot send this call."""


def outcome(code: str, text: str, severity: str = "error") -> dict[str, Any]:
    """A FHIR OperationOutcome with one issue."""
    issue = {"severity": severity, "code": code, "details": {"text": text}, "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def outcome_json(refusal: Refusal) -> bytes:
    return msgspec.json.encode(outcome(refusal.code, refusal.text))
