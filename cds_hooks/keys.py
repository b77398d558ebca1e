"""The commands ``keys make``, ``keys show`` and ``keys token``: an EHR's side of the check, for trying a connection.

Beside the package that checks tokens, not in it: all commands are loaded with this module, and that package is large.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cds_hooks.errors import CallTrouble

PRIVATE_FILE = 0o600
SECONDS = 300
NEEDED = ("kty", "kid", "alg")
keys = typer.Typer(help="Keys and tokens of an EHR, for trying a connection.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="A private key made by `keys make`.")]
Headers = Callable[[str], Mapping[str, str]]
"""The headers that prove who calls, for the whole address that is called."""


class Algorithm(StrEnum):
    """What a key signs with."""

    ES384 = "ES384"
    RS384 = "RS384"
    ES256 = "ES256"
    RS256 = "RS256"


@keys.command("make")
def make(
    algorithm: Annotated[Algorithm, typer.Option(help="What it signs with.")] = Algorithm.ES384,
    out: Annotated[Path, typer.Option(help="The file to write; an existing one is never overwritten.")] = Path(
        "private.jwk.json"
    ),
) -> None:
    """Make a private key and write it as a JWK that only its owner may read."""
    from cds_hooks.auth.maker import make_key

    made = make_key(algorithm.value)
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "w") as file:
            json.dump(made, file, indent=2)
    except FileExistsError:
        raise CallTrouble(f"The file {out} exists and is not overwritten. Name another with --out.") from None
    except OSError as error:
        raise CallTrouble(f"The file {out} cannot be written: {error.strerror}.") from None
    print(f"Wrote a private key for {algorithm.value} into {out}. Keep it secret; `keys show` prints its public part.")


@keys.command("show")
def show(file: File) -> None:
    """Print the public JWK Set: for jwks_file of a client, or to publish."""
    from cds_hooks.auth.maker import public_set

    print(json.dumps(public_set([read_key(file)]), indent=2))


@keys.command("token")
def token(
    file: File,
    issuer: Annotated[str, typer.Option(help="The iss: the issuer of a registered client.")],
    audience: Annotated[str, typer.Option(help="The aud: the whole address that is called.")],
    tenant: Annotated[str, typer.Option(help="The tenant claim, where the client has one.")] = "",
    seconds: Annotated[int, typer.Option(min=1, help="How long it holds; at most 3600 are accepted.")] = SECONDS,
) -> None:
    """Print a new token for one call."""
    print(signed(read_key(file), issuer, audience, tenant, seconds))


def read_key(file: Path) -> dict[str, Any]:
    """The private JWK in ``file``; raises :class:`CallTrouble`, which repeats nothing of what is in there."""
    try:
        key = json.loads(file.read_bytes())
    except OSError as error:
        raise CallTrouble(f"The file {file} cannot be read: {error.strerror}.") from None
    except ValueError:
        key = None
    if not isinstance(key, dict) or "d" not in key or not all(isinstance(key.get(name), str) for name in NEEDED):
        raise CallTrouble(f"The file {file} holds no private key with kid and alg. `keys make` writes one.")
    return key


def signed(key: Mapping[str, Any], issuer: str, audience: str, tenant: str = "", seconds: int = SECONDS) -> str:
    """A token that holds from now for ``seconds``, for one call of the address ``audience``.

    Raises :class:`CallTrouble` for a key that cannot sign.
    """
    from uuid import uuid4

    from jwt.exceptions import PyJWTError

    from cds_hooks.auth.maker import sign
    from cds_hooks.clock import utc_now

    made = int(utc_now().timestamp())
    claims = {"iss": issuer, "aud": audience, "iat": made, "exp": made + seconds, "jti": str(uuid4())}
    try:
        return sign(key, claims | ({"tenant": tenant} if tenant else {}))
    except (PyJWTError, ValueError, NotImplementedError):
        raise CallTrouble("The key cannot sign: its numbers and its alg do not go together. Make another.") from None


def headers(file: Path | None, issuer: str, tenant: str) -> Headers:
    """What makes the headers of one call: none without a key, else a new token for its address."""
    if file is None:
        return lambda _address: {}
    if not issuer:
        raise CallTrouble("--token-key needs --issuer: the iss of the registered client that the key belongs to.")
    key = read_key(file)
    return lambda address: {"Authorization": f"Bearer {signed(key, issuer, address, tenant)}"}
