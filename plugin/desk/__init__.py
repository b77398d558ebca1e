"""The terminology for people and for the resolver: what a code means and why, what is wrong, what is not mapped."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from plugin.vocabulary import terminology

if TYPE_CHECKING:
    from plugin.desk.explain import Explanation
    from plugin.desk.inbox import Guess
    from plugin.desk.learned import Found, Learned
    from plugin.desk.loading import Loaded
    from plugin.desk.problems import Problem
    from plugin.desk.release import Difference

Progress = Callable[[str, int, int], None]


class Unmapped(Protocol):
    """A code or text that nothing resolved: ``position`` is "drug", "lab" or "problem"; never data of a patient."""

    @property
    def position(self) -> str: ...
    @property
    def system(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def text(self) -> str: ...


class TerminologyDesk:
    """Fills the host's ``Desk`` with the codes of dystonia; ``folder`` is the site's map, ``snapshot`` the drug data.

    What each method returns and raises is documented at ``cds_hooks.terminology.desk``. The work is done in modules
    that are imported when they are asked for, so that answering calls does not pay for them.
    """

    def __init__(self, folder: Path | None = None, snapshot: Path | None = None) -> None:
        self.folder = folder
        self.snapshot = snapshot

    def load(self) -> Loaded:
        """The codes of this site, checked, and everything that is wrong with them."""
        from plugin.desk.loading import load_codes

        return load_codes(self.folder, self.snapshot)

    def check(self) -> Sequence[Problem]:
        """Everything that is wrong with the site's codes and with the data, errors and warnings."""
        from plugin.desk.loading import check_codes

        return check_codes(self.folder, self.snapshot)

    def explain(self, text: str) -> Explanation:
        """What a code, a ``system|code`` or a text resolves to, and why."""
        from plugin.desk.explain import explain

        return explain(text, terminology())

    def stats(self) -> Sequence[tuple[str, str]]:
        """Counts, versions and hashes of the codes in force."""
        from plugin.desk.stats import stats

        return stats(terminology(), self.snapshot)

    def knows(self, unmapped: Unmapped) -> bool:
        """Whether something that was unmapped is resolved by now."""
        from plugin.desk import inbox

        return inbox.knows(unmapped)

    def likely(self, unmapped: Unmapped, limit: int) -> Sequence[Guess]:
        """Known names that something unmapped may mean, the likeliest first."""
        from plugin.desk import inbox

        return inbox.likely(unmapped, limit)

    def accept(self, unmapped: Unmapped, target: str, by: str) -> str:
        """Adds a mapping to the site's folder; what was written, in a sentence. Raises ValueError with the reason."""
        from plugin.desk import accepting

        return accepting.accept(self.folder, self.snapshot, unmapped, target, by)

    def lookup(self, unmapped: Unmapped, source: str) -> Generator[str, bytes | None, Learned | None]:
        """The conversation with a resolver about one code."""
        from plugin.desk import lookup

        return lookup.lookup(unmapped, source)

    def learn(self, found: Iterable[Found]) -> None:
        """Puts what a resolver found out into force."""
        from plugin.desk import lookup

        lookup.learn(found)

    def build(self, release: Path, out: Path, version: str, progress: Progress) -> Sequence[tuple[str, str]]:
        """Makes a snapshot from an official RxNorm release."""
        from plugin.desk import release as releases

        return releases.build(release, out, version, progress)

    def diff(self, old: Path | None, new: Path | None) -> Sequence[Difference]:
        """What two snapshots treat differently; None is the one that ships."""
        from plugin.desk import release as releases

        return releases.diff(old, new)
