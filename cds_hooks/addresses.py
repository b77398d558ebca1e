"""Which machines may be connected to: a name is looked up once, and every address that it has is checked.

A public name that leads into a private network is how a stranger reaches what only we can reach. What is connected to
is the address that was checked, never the name again, so that an answer that changes in between changes nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from time import monotonic

KEPT_SECONDS = 30.0
"""How long checked addresses are used before the name is looked up again."""

LOCALHOST = "localhost"
NAT64 = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class ForbiddenAddress(Exception):
    """A name that leads to an address that nobody allowed."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of a name, as the system knows them. Raises :class:`OSError` for a name that is not known."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


class Guard:
    """The checked addresses of one host.

    Allowed are public addresses, those in ``networks`` (CIDR), and loopback where the operator wrote a loopback
    address or ``localhost`` as the host. A single other address forbids the host.
    """

    def __init__(
        self,
        host: str,
        port: int,
        networks: Sequence[str] = (),
        *,
        resolve: Resolve = resolve,
        now: Callable[[], float] = monotonic,
    ) -> None:
        """Raises :class:`ValueError` for a network that is none."""
        self._host, self._port = host.strip("[]"), port
        self._networks = tuple(ip_network(one, strict=False) for one in networks)
        self._resolve, self._now = resolve, now
        self._own_loopback = self._host == LOCALHOST or _is_loopback(self._host)
        self._kept: tuple[str, ...] = ()
        self._until = 0.0
        self._lookup: asyncio.Task[tuple[str, ...]] | None = None

    async def addresses(self) -> tuple[str, ...]:
        """The addresses to connect to, at least one. Raises :class:`ForbiddenAddress` or :class:`OSError`."""
        if self._kept and self._now() < self._until:
            return self._kept
        # All keys of a call ask at once: one look-up serves them, and outlives the one that is cancelled first.
        if self._lookup is None or self._lookup.done():
            self._lookup = asyncio.create_task(self._checked())
            self._lookup.add_done_callback(_heard)
        return await asyncio.shield(self._lookup)

    async def _checked(self) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(await self._resolve(self._host, self._port)))
        if not found:
            raise OSError("the name has no address")
        if not all(self.allows(one) for one in found):
            raise ForbiddenAddress("an address that is not public, nor in a network that the operator listed")
        self._kept, self._until = found, self._now() + KEPT_SECONDS
        return found

    def allows(self, text: str) -> bool:
        """Whether an address, as the system writes it, may be connected to."""
        try:
            address = ip_address(text)
        except ValueError:
            return False
        inner = _inner(address)
        if any(one in network for one in (address, inner) for network in self._networks):
            return True
        if inner.is_loopback:
            return self._own_loopback
        is_local = isinstance(inner, IPv6Address) and inner.is_site_local
        return inner.is_global and not (inner.is_multicast or inner.is_reserved or inner.is_unspecified or is_local)


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64 or not int(address) >> 32:
        low = int(address) & 0xFFFFFFFF
        # ::1 and :: are addresses of their own, not IPv4-compatible ones.
        return address if low <= 1 and address not in NAT64 else IPv4Address(low)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None) or address


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _heard(task: asyncio.Task[tuple[str, ...]]) -> None:
    """Takes note of a failure that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
