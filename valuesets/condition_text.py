"""Finding the few conditions that have no code in the words of a record: whole words that nobody denies."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cached_property
from typing import Final

import msgspec

from valuesets.store import CodeSystem

READ_AT_MOST: Final = 1536  # characters, as in drug texts
_NEAR_BEFORE: Final = 5  # words
_NEAR_AFTER: Final = 4  # words
_REACH: Final = 120  # characters, so that the time for a long text stays bounded
_HEAD: Final = 6  # letters; a stem has as many at least
_WORD: Final = re.compile(r"[^\W_]+")
# A full stop after a short word is an abbreviation ("hx. of"), not the end of a sentence.
_END: Final = r"[;\n]|(?<=\w{4})\.(?=\s|$)|(?<=\w)\?(?=\s)"
_NONE: Final[frozenset[str]] = frozenset()
_Around = tuple[re.Pattern[str], ...]


class Phrase(msgspec.Struct, frozen=True):
    """A word or words with a meaning; the last word may be a stem ("dyston*"), capitals count ("EPS").

    ``kind`` is "concept", "concept-in-reaction" (in the record of a reaction only), "name" (the name of a condition
    that has codes) or "name-ever" (of one that counts as past, too), "site" (a place of a lesion), "lesion", "nothing"
    (looks like a concept and is none), "drug" or "drug-denied" (says that a drug is the cause, or is not),
    "denied-before", "denied-after", "uncertain-before", "uncertain-after", "suspected-before", "suspected-after",
    "probable-before", "aside-before", "aside-after" (directly beside a condition that is feared, watched for or a
    relative's), "past-before", "past-after", "relative" or "break" (ends what a denial reaches).
    """

    kind: str
    phrase: str
    concepts: frozenset[str] = _NONE

    @property
    def flags(self) -> re.RegexFlag:
        """How to look for the pattern: in any case, unless the phrase has capitals."""
        return re.RegexFlag.IGNORECASE if self.phrase == self.phrase.lower() else re.RegexFlag.NOFLAG

    @property
    def pattern(self) -> str:
        """The regular expression of the whole words."""
        stem = self.phrase.endswith("*")
        words = r"[\W_]+".join(map(re.escape, self.phrase.rstrip("*").split()))
        before = r"\b" if self.phrase[0].isalnum() else ""
        after = r"\w*" if stem else r"\b" if self.phrase[-1].isalnum() else ""
        return before + words + after


class ConditionWords:
    """All phrases; one search over a text finds those that stand in it."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        kinds: dict[str, list[Phrase]] = {}
        for phrase in phrases:
            kinds.setdefault(phrase.kind, []).append(phrase)
        self.keys = _NONE.union(*(one.concepts for group in kinds.values() for one in group))
        """Every condition that words can name; some of them have no codes at all."""
        named = [*kinds.get("concept", ()), *kinds.get("nothing", ())]
        self._anywhere = _Finder(named)
        self._in_reaction = _Finder([*named, *kinds.get("concept-in-reaction", ())])
        nothing = kinds.get("nothing", ())
        self._now = _Finder([*kinds.get("name", ()), *nothing])
        self._ever = _Finder([*kinds.get("name-ever", ()), *nothing])
        self._lesion = _any(kinds.get("lesion", ()))
        self._unsure = tuple(_any(kinds.get(f"uncertain-{place}", ())) for place in ("before", "after"))
        suspected, behind = (kinds.get(f"suspected-{place}", ()) for place in ("before", "after"))
        # What stands further behind suspects something else: "dystonia, haloperidol suspected".
        directly_behind = re.compile(rf"\W*(?:{_any(behind).pattern})\W*$")
        self._suspected = (_any(suspected), directly_behind)
        self._doubted = (_any([*suspected, *kinds.get("probable-before", ())]), directly_behind)
        self._past = tuple(_any(kinds.get(f"past-{place}", ())) for place in ("before", "after"))
        self._sites = _Finder(kinds.get("site", ()))
        self._drug, self._no_drug = _any(kinds.get("drug", ())), _any(kinds.get("drug-denied", ()))
        self._before, self._after = _any(kinds.get("denied-before", ())), _any(kinds.get("denied-after", ()))
        self._no_case = (
            re.compile(rf"(?:{_any(kinds.get('aside-before', ())).pattern})(?:\W+\w+)?\W*$"),
            re.compile(rf"[\s:-]*(?:{_any(kinds.get('aside-after', ())).pattern})"),
        )
        self._only_denied = re.compile(rf"\W*(?:{self._after.pattern})\W*$")
        self._relative = _any(kinds.get("relative", ()))
        self._break = re.compile(f"{_END}|{_any(kinds.get('break', ())).pattern}")
        self._stop = re.compile(f",|{self._break.pattern}")

    def find(
        self, text: str, *, reaction: bool = False, relatives: bool = False, suspected: bool = True
    ) -> frozenset[str]:
        """The condition keys ("dystonia", "akathisia", ...) that a text names in whole words and does not deny.

        ``reaction`` adds the words that mean a condition only where the text is the reaction to a drug ("EPS");
        ``relatives`` counts what is said of the family as well; without ``suspected``, what the text only suspects is
        left out. The first 1,536 characters are read.
        """
        finder = self._in_reaction if reaction else self._anywhere
        doubts = () if suspected else (self._suspected,)
        return self._find(finder, text, relatives, (), doubts if reaction or relatives else (*doubts, self._no_case))

    def names(self, text: str, *, suspected: bool = False) -> frozenset[str]:
        """The condition keys that a text names in full ("multiple sclerosis") as the patient's own.

        For records in words alone: what is feared or screened for, or over where only a present condition counts, is
        not told, and what is suspected only with ``suspected``. A lesion with its place in the brain is one of the
        basal ganglia or thalamus.
        """
        doubts = () if suspected else (self._doubted,)
        ever = self._find(self._ever, text, False, (self._unsure,), doubts)
        found = ever | self._find(self._now, text, False, (self._unsure, self._past), doubts)
        lesion = "stroke" in found or self.says(self._lesion, text)
        return found | self._find(self._sites, text, False, (self._unsure,), doubts) if lesion else found

    def site(self, text: str) -> frozenset[str]:
        """The conditions that a place named in a text makes of a lesion."""
        return self._find(self._sites, text, False)

    def blames_drug(self, text: str) -> bool:
        """True when a text says that a drug or a treatment is the cause."""
        lower = _plain(text[:READ_AT_MOST]).lower()
        return self._drug.search(lower) is not None and self._no_drug.search(lower) is None

    def says(self, pattern: re.Pattern[str], text: str) -> bool:
        """Whether a text, in lower case, says anywhere what the pattern means, of the patient and undenied."""
        lower = _plain(text[:READ_AT_MOST]).lower()
        return any(self._stands(lower, match.start(), match.end(), False) for match in pattern.finditer(lower))

    def _find(
        self,
        finder: "_Finder",
        text: str,
        relatives: bool,
        but: tuple[_Around, ...] = (),
        doubts: tuple[_Around, ...] = (),
    ) -> frozenset[str]:
        """``but`` are patterns near a name that take it away, before and after; ``doubts`` those directly beside it."""
        text = _plain(text[:READ_AT_MOST])
        lower = text.lower()
        found = _NONE
        for start, end, concepts in finder.find(text if len(lower) == len(text) else lower):
            if not concepts <= found and self._stands(lower, start, end, relatives, but, doubts):
                found |= concepts
        return found

    def _stands(
        self,
        text: str,
        start: int,
        end: int,
        relatives: bool,
        but: tuple[_Around, ...] = (),
        doubts: tuple[_Around, ...] = (),
    ) -> bool:
        """Whether what stands from ``start`` to ``end`` is said of the patient and not denied."""
        near = text[max(0, start - _REACH) : start]
        before = " ".join(self._break.split(near)[-1].split()[-_NEAR_BEFORE:])
        if self._before.search(before) or (not relatives and self._relative.search(before)):
            return False
        stop = self._stop.search(text, end, end + _REACH)
        rest = text[end : stop.start() if stop else end + _REACH].split()
        if but and self._is_taken_away(text, before, end, but):
            return False
        if (doubts and self._is_doubted(text, before, end, doubts)) or self._only_denied.match(text, end):
            return False
        return text[end : end + 1] != "?" and self._after.search(" ".join(rest[:_NEAR_AFTER])) is None

    def _is_doubted(self, text: str, before: str, end: int, doubts: tuple[_Around, ...]) -> bool:
        """Whether words before a name, on its side of a comma, or directly behind it make it something else."""
        before = before.rpartition(",")[2]
        behind = self._break.split(text[end : end + _REACH])[0]
        return any(one[0].search(before) or one[1].match(behind) for one in doubts)

    def _is_taken_away(self, text: str, before: str, end: int, but: tuple[_Around, ...]) -> bool:
        """Whether words near a name make it doubtful or past, behind a comma too ("dependence, in remission")."""
        behind = self._break.split(text[end : end + _REACH])[0].replace(",", " ").split()
        after = " ".join(behind[:_NEAR_AFTER])
        return any(one[0].search(before) or one[1].search(after) for one in but)


def read_words(system: CodeSystem) -> ConditionWords:
    """The phrases of the data."""
    return ConditionWords(
        Phrase(
            next(one.text for one in concept.properties if one.code == "kind"),
            next(one.text for one in concept.properties if one.code == "phrase"),
            frozenset(one.text for one in concept.properties if one.code == "concept"),
        )
        for concept in system.concept
    )


class _Sought:
    """A phrase that is compiled when a text first begins like it: all at once would hold up the first call."""

    def __init__(self, phrase: Phrase) -> None:
        self._phrase = phrase
        self.concepts = phrase.concepts

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self._phrase.pattern, self._phrase.flags)


class _Finder:
    """Several phrases by the start of their first word; the longest of those that begin alike counts."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        heads: dict[str, list[Phrase]] = {}
        for one in sorted(phrases, key=lambda one: (-len(one.phrase), one.phrase)):
            heads.setdefault(one.phrase.rstrip("*").split()[0].lower()[:_HEAD], []).append(one)
        self._by_head = {head: [_Sought(one) for one in group] for head, group in heads.items()}

    def find(self, text: str) -> Iterable[tuple[int, int, frozenset[str]]]:
        """Start, end and concepts of each phrase in the text; one that overlaps the phrase before it is left out."""
        stop = 0
        for word in _WORD.finditer(text):
            start = word.start()
            for one in self._by_head.get(word[0][:_HEAD].lower(), ()) if start >= stop else ():
                match = one.pattern.match(text, start)
                if match is not None:
                    stop = match.end()
                    yield start, stop, one.concepts
                    break


def _any(phrases: Iterable[Phrase]) -> re.Pattern[str]:
    return re.compile("|".join(one.pattern for one in phrases) or r"(?!)")


def _plain(text: str) -> str:
    """Without accents and compatibility forms, but with its capitals."""
    if text.isascii():
        return text
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
