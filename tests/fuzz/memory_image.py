"""``python -m tests.fuzz.memory_image --calls 500``: what a service still holds in its memory once calls are answered.

Calls with tokens, names and record numbers of their own go to the real service, which then rests. Its memory is read as
a core image would hold it, and what of the calls is found in it is told: how many of each kind, of how many. Python
does not wipe memory that it frees, so a few stay until it is used again; a number that grows with the calls is a leak,
and the command fails. Linux alone, as the user of the service.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from cds_hooks.clock import utc_now
from tests.support.fhir import call, order, patient, prefetch
from tests.support.server import Service, running
from tests.support.tokens import BASE, Ehr, public_set

EHR = Ehr()
PATH = "/cds-services/dystonia-order-sign"
PIECE = 16 * 2**20
MOST_LEFT = 20
"""Of each kind, whatever the number of calls: what lies in memory that was freed and not yet used again."""

OPEN = ("-c", "from cds_hooks import cli, core_images; core_images.forbid = lambda: None; cli.main()")
"""The command line with a memory that its own user may read, which a served process refuses otherwise."""

KINDS = ("token", "claim", "access", "name", "number")
CANARY = re.compile(rb"zq(claim|access|name|number)(\d{6})qz")
SIGNATURE = re.compile(rb"\.([A-Za-z0-9_-]{128})(?![A-Za-z0-9_-])")


def body(number: int) -> bytes:
    """A call with canaries in the access token, the name and the record number."""
    person = patient() | {
        "name": [{"family": f"zqname{number:06}qz", "given": ["Invented"]}],
        "identifier": [{"system": "urn:example:mrn", "value": f"zqnumber{number:06}qz"}],
    }
    access = {"access_token": f"zqaccess{number:06}qz", "token_type": "Bearer", "scope": "patient/*.read"}
    whole = call([order("haloperidol")], prefetch(patient=person))
    told = {"hookInstance": f"00000000-0000-4000-8000-{number:012}", "fhirServer": "https://ehr.example/fhir"}
    return json.dumps(whole | told | {"fhirAuthorization": access}).encode()


def settings(folder: Path) -> dict[str, str]:
    """One registered EHR whose keys lie in a file."""
    (folder / "north.jwks.json").write_text(json.dumps(public_set([EHR.key])), "utf-8")
    file = folder / "site.toml"
    client = f'[[clients]]\nname = "north"\nissuer = "{EHR.issuer}"\njwks_file = "north.jwks.json"\n'
    file.write_text(f'auth = "required"\npublic_url = "{BASE}"\nbudget_ms = 5000\n{client}', "utf-8")
    return {"DYSTONIA_CDS_CONFIG": str(file)}


def send(service: Service, number: int) -> bytes:
    """A call whose token has a canary in a claim too; the signature of the token."""
    token = EHR.token(BASE + PATH, utc_now(), sub=f"zqclaim{number:06}qz")
    answer = service.ask(PATH, body(number), Authorization=f"Bearer {token}")
    assert answer.status == 200, answer.body
    return token.rpartition(".")[2].encode()


def image(process: int) -> Iterator[bytes]:
    """All memory that the process may write, in pieces that overlap by more than a canary."""
    maps = Path(f"/proc/{process}/maps").read_text("utf-8").splitlines()
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
        for line in maps:
            span, rights, *_ = line.split()
            start, end = (int(one, 16) for one in span.split("-"))
            if not rights.startswith("rw"):
                continue
            for place in range(start, end, PIECE):
                try:
                    memory.seek(place)
                    yield memory.read(min(PIECE + 256, end - place))
                except (OSError, ValueError):  # what the kernel keeps for itself
                    continue


def left(process: int, signatures: Collection[bytes]) -> Mapping[str, set[bytes]]:
    """The canaries in the memory of a process, by kind; tokens are known by their ``signatures``."""
    found: dict[str, set[bytes]] = {kind: set() for kind in KINDS}
    for piece in image(process):
        for canary in CANARY.finditer(piece):
            found[canary[1].decode()].add(canary[2])
        found["token"].update(one for one in SIGNATURE.findall(piece) if one in signatures)
    return found


def rest(service: Service) -> None:
    """Other work, which uses freed memory again, and a pause in which answers that were kept a minute are wiped."""
    for _ in range(20):
        service.ask("/readyz")
        service.ask("/metrics")
    time.sleep(1)


def measured(calls: int) -> Counter[str]:
    """How many canaries of each kind a new service holds after so many calls."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with running(place, command=OPEN, **settings(place)) as service:
            signatures = {send(service, number) for number in range(calls)}
            rest(service)
            return Counter({kind: len(found) for kind, found in left(service.process, signatures).items()})


def main() -> int:
    """The command of the long run; 1 if what is left grows with the calls."""
    parser = argparse.ArgumentParser(prog="memory_image", description=__doc__)
    parser.add_argument("--calls", type=int, default=500)
    chosen = parser.parse_args()
    counts = measured(chosen.calls)
    for kind in KINDS:
        print(f"{kind}: {counts[kind]} of {chosen.calls} still in memory")
    return 1 if max(counts.values()) > MOST_LEFT else 0


if __name__ == "__main__":
    sys.exit(main())
