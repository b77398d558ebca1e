"""What we receive: one hook call, decoded once and forgivingly.

The whole call goes through one typed msgspec decode. Only where that meets an element of a wrong type is the call read
again piece by piece, so that one bad element costs its resource and not the call. What the call must hold to be one
(``hook``, ``hookInstance``, ``context``, ``context.patientId``) is said to the client by name and JSON type, never by
value. ``fhirAuthorization`` stays unread bytes until something is fetched: a token that is never read cannot leak.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from cds_hooks.bounds import check_bytes, check_drafts, check_numbers, cut_short
from cds_hooks.duplicates import has_duplicate_keys, may_repeat, repeated
from cds_hooks.errors import BadCall
from cds_hooks.halves import halves
from cds_hooks.loose import MISFIT, LooseReader, json_text
from cds_hooks.service import Options, Service
from cds_hooks.shapes import Value, WrongShape, kind_of

LONGEST_TEXT = 255
PUBLISHED_HOOKS = frozenset(
    {
        "patient-view",
        "order-select",
        "order-sign",
        "order-dispatch",
        "encounter-start",
        "encounter-discharge",
        "medication-refill",
        "allergyintolerance-create",
        "problem-list-item-create",
        "medication-verify",
    }
)
"""The hooks that CDS Hooks publishes: no other name that a client sent is ever repeated to anyone."""
ONCE = ("context", "prefetch")
"""Members of a call that say whose data it is about: with two of them it would be a matter of taste."""
CONFIGURATION = "pddi-configuration-items"
NOTHING = msgspec.Raw()


class Envelope(msgspec.Struct, gc=False):
    """The outer part of a call; :func:`make_decoder` derives the struct that also types ``prefetch``."""

    hook: str = ""
    hookInstance: str = ""
    fhirServer: str | None = None
    fhirAuthorization: msgspec.Raw = NOTHING
    context: msgspec.Raw = NOTHING
    extension: msgspec.Raw = NOTHING


class Context(msgspec.Struct, gc=False):
    """What every hook's context has; Bundles are added for the services that need them."""

    patientId: str = ""
    userId: str | None = None
    encounterId: str | None = None
    selections: list[str] | None = None


class Call(msgspec.Struct, gc=False):
    """One decoded call. ``prefetch`` is :class:`WrongShape` where the client sent something other than an object.

    ``context`` is the JSON of the context as it came, ``authorization`` that of ``fhirAuthorization``: it holds an
    access token and must never be shown. ``extensions`` are the names of the members of ``extension``.
    """

    hook_instance: str
    fhir_server: str
    patient_id: str
    user_id: str
    encounter_id: str
    selections: tuple[str, ...]
    bundles: Mapping[str, Value]
    prefetch: Mapping[str, Value] | WrongShape
    options: Options
    context: bytes
    authorization: msgspec.Raw = NOTHING
    extensions: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Call(hook_instance={self.hook_instance!r})"


def make_decoder(resource_type: type) -> Decoder:
    """Returns the decoder for calls whose resources are read into ``resource_type`` (see ``ResourceLike``)."""
    return Decoder(resource_type)


class Decoder:
    """Turns the body of a hook call into a :class:`Call`."""

    def __init__(self, resource_type: type) -> None:
        self.resource_type = resource_type
        values = dict[str, resource_type | str | list | int | float | bool | None]  # type: ignore[valid-type,type-arg]
        fields = [("prefetch", values | None, None)]
        struct = msgspec.defstruct("TypedEnvelope", fields, bases=(Envelope,), gc=False)
        self._envelope: msgspec.json.Decoder[Any] = msgspec.json.Decoder(struct, float_hook=Decimal)
        self._head = msgspec.json.Decoder(Envelope, float_hook=Decimal)
        self._data: msgspec.json.Decoder[Any] = msgspec.json.Decoder(values | None, float_hook=Decimal)
        self._contexts: dict[tuple[str, ...], msgspec.json.Decoder[Any]] = {}
        self._loose = LooseReader(resource_type)

    def decode(self, body: bytes, service: Service) -> Call:
        """Reads one call for ``service``; raises :class:`BadCall` if it is none, :class:`TooMuch` beyond its bounds."""
        check_bytes(body)
        try:
            if not body.isascii():
                body.decode()
            return self._read(body, service)
        except UnicodeDecodeError as error:
            raise BadCall(f"The body is not UTF-8: invalid byte at position {error.start}.") from None
        except RecursionError:
            raise BadCall("The body is nested too deeply.") from None
        except MISFIT:
            raise BadCall("The body holds a number that is out of range.") from None
        except msgspec.DecodeError as error:
            raise BadCall(f"The body is not JSON: {error}.") from None

    def _read(self, body: bytes, service: Service) -> Call:
        usual = None
        prefetch: Mapping[str, Value] | WrongShape
        try:
            usual = self._read_halves(body)
            envelope, prefetch = usual or self._read_whole(body)
        except MISFIT:
            envelope, prefetch = self._read_loosely(body)
        if not envelope.hook or not envelope.hookInstance or not envelope.context:
            envelope, prefetch = self._read_loosely(body)
        if usual is None and (twice := repeated(body, ONCE)):
            raise BadCall(f"{twice}: this member stands twice in the body; expected it once.")
        _check_texts(envelope)
        _check_hook(envelope.hook, service)
        return self._assemble(envelope, prefetch, service)

    def _read_halves(self, body: bytes) -> tuple[Envelope, Mapping[str, Value]] | None:
        """The usual call, whose data stand last; None for any other, which is read as a whole."""
        parts = halves(body)
        if parts is None or may_repeat(parts[0], ONCE):
            return None
        try:
            return self._head.decode(parts[0]), self._data.decode(parts[1]) or {}
        except MISFIT:
            raise  # it will not fit as a whole either
        except msgspec.DecodeError:
            return None

    def _read_whole(self, body: bytes) -> tuple[Envelope, Mapping[str, Value]]:
        envelope = self._envelope.decode(body)
        return envelope, envelope.prefetch or {}

    def _read_loosely(self, body: bytes) -> tuple[Envelope, Mapping[str, Value] | WrongShape]:
        fields = self._loose.fields(body, "the body")
        envelope = Envelope(
            hook=required_text(fields, "hook", "hook"),
            hookInstance=required_text(fields, "hookInstance", "hookInstance"),
            fhirServer=optional_text(fields, "fhirServer"),
            fhirAuthorization=fields.get("fhirAuthorization", NOTHING),
            context=msgspec.Raw(required_object(fields, "context")),
            extension=fields.get("extension", NOTHING),
        )
        raw = bytes(fields.get("prefetch", b"null"))
        if kind_of(raw) not in {"object", "null"}:
            return envelope, WrongShape(kind_of(raw))
        values = self._loose.fields(raw, "prefetch") if kind_of(raw) == "object" else {}
        return envelope, {key: self._loose.value(value) for key, value in values.items()}

    def _assemble(self, envelope: Envelope, prefetch: Mapping[str, Any] | WrongShape, service: Service) -> Call:
        raw = bytes(envelope.context)
        context, bundles = self._read_context(raw, service)
        check_numbers(bytes(envelope.extension), "extension")
        check_numbers(bytes(envelope.fhirAuthorization), "fhirAuthorization")
        for name, bundle in bundles.items():
            check_drafts(name, bundle)
        return Call(
            hook_instance=envelope.hookInstance,
            fhir_server=envelope.fhirServer or "",
            patient_id=_patient_id(context.patientId),
            user_id=context.userId or "",
            encounter_id=(context.encounterId or "").removeprefix("Encounter/"),
            selections=tuple(context.selections or ()),
            bundles=bundles,
            prefetch=prefetch if isinstance(prefetch, WrongShape) else cut_short(prefetch),
            options=read_options(envelope.extension),
            context=raw,
            authorization=envelope.fhirAuthorization,
            extensions=extension_names(envelope.extension),
        )

    def _read_context(self, raw: bytes, service: Service) -> tuple[Context, Mapping[str, Value]]:
        if has_duplicate_keys(raw):
            raise BadCall("context: the same key stands twice in one object; expected every key once.")
        names = service.context_bundles
        check_numbers(raw, "context", names)
        try:
            context = self._context_decoder(names).decode(raw)
        except MISFIT:
            return self._read_context_loosely(raw, names)
        bundles: dict[str, Value] = {name: getattr(context, name) for name in names}
        if all(getattr(value, "resourceType", "") == "Bundle" for value in bundles.values()):
            return context, bundles
        return self._read_context_loosely(raw, names)

    def _context_decoder(self, names: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
        if names not in self._contexts:
            fields = [(name, self.resource_type | None, None) for name in names]
            struct = msgspec.defstruct("TypedContext", fields, bases=(Context,), gc=False)
            self._contexts[names] = msgspec.json.Decoder(struct, float_hook=Decimal)
        return self._contexts[names]

    def _read_context_loosely(self, raw: bytes, names: tuple[str, ...]) -> tuple[Context, Mapping[str, Value]]:
        fields = self._loose.fields(raw, "context")
        context = Context(
            patientId=required_text(fields, "patientId", "context.patientId"),
            userId=optional_text(fields, "userId"),
            encounterId=optional_text(fields, "encounterId"),
            selections=self._loose.texts(fields.get("selections", b"null")),
        )
        return context, {name: self._bundle(fields, name) for name in names}

    def _bundle(self, fields: Mapping[str, Any], name: str) -> Value:
        raw = bytes(fields.get(name, b""))
        if kind_of(raw) != "object":
            raise BadCall(f"context.{name}: expected a Bundle, got {kind_of(raw)}.")
        value = self._loose.value(raw)
        if isinstance(value, WrongShape) or getattr(value, "resourceType", "") != "Bundle":
            raise BadCall(f"context.{name}: expected a Bundle, got another object.")
        return value


def required_text(fields: Mapping[str, Any], key: str, path: str) -> str:
    """A non-empty string, or a refusal that names the field and the JSON type that came instead."""
    raw = bytes(fields.get(key, b""))
    text = json_text(raw)
    if not text:
        got = "an empty string" if kind_of(raw) == "string" else kind_of(raw)
        raise BadCall(f"{path}: expected a non-empty string, got {got}.")
    return text


def optional_text(fields: Mapping[str, Any], key: str) -> str | None:
    return json_text(bytes(fields.get(key, b""))) or None


def required_object(fields: Mapping[str, Any], key: str) -> bytes:
    raw = bytes(fields.get(key, b""))
    if kind_of(raw) != "object":
        raise BadCall(f"{key}: expected an object, got {kind_of(raw)}.")
    return raw


def _check_texts(envelope: Envelope) -> None:
    text = envelope.hookInstance
    if len(text) > LONGEST_TEXT or "\0" in text:
        raise BadCall(f"hookInstance: expected at most {LONGEST_TEXT} characters without NUL.")


def _check_hook(hook: str, service: Service) -> None:
    if hook != service.hook:
        got = f"'{hook}'" if hook in PUBLISHED_HOOKS else "another hook"
        raise BadCall(f"hook: the service '{service.id}' answers the hook '{service.hook}', got {got}.")


def _patient_id(text: str) -> str:
    patient_id = text.strip().removeprefix("Patient/")
    if not patient_id:
        got = "a string without an id" if text else "nothing"
        raise BadCall(f"context.patientId: expected a non-empty string, got {got}.")
    if len(patient_id) > LONGEST_TEXT or "\0" in patient_id:
        raise BadCall(f"context.patientId: expected at most {LONGEST_TEXT} characters without NUL.")
    return patient_id


_NO_OPTIONS = Options()
_ANYTHING = msgspec.json.Decoder(float_hook=Decimal)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OPTION_NAMES = {name.replace("_", "-"): name for name in Options.__slots__}


def read_options(extension: msgspec.Raw) -> Options:
    """The options of HL7's PDDI-CDS guide; whatever is not a boolean under a known name is ignored."""
    raw = bytes(extension)
    if CONFIGURATION.encode() not in raw:
        return _NO_OPTIONS
    try:
        given = _ANYTHING.decode(raw)[CONFIGURATION]
        items = {_OPTION_NAMES[key]: on for key, on in given.items() if key in _OPTION_NAMES and isinstance(on, bool)}
    except (*MISFIT, AttributeError, KeyError, TypeError):
        return _NO_OPTIONS
    return Options(**items)


def extension_names(extension: msgspec.Raw) -> tuple[str, ...]:
    """The names of the members of the request's extension; none where it is no object."""
    raw = bytes(extension)
    try:
        return tuple(_MEMBERS.decode(raw)) if raw else ()
    except MISFIT:
        return ()
