"""Who may look: people at this very machine, until there is a sign-in."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

# With one of these the peer is a proxy, and its address says nothing about who is behind it.
_PROXY_HEADERS = ("forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip")
_PROXY_PREFIX = "x-forwarded"


def refusal(request: HTTPConnection) -> str:
    """Return why this request may not see the audit, in a sentence; empty if it may."""
    if not _is_loopback(request.client.host if request.client else ""):
        return "This request comes from another machine."
    if any(name in _PROXY_HEADERS or name.startswith(_PROXY_PREFIX) for name in request.headers):
        return "This request came through a proxy, which hides the machine it comes from."
    # A page on the web can point its own name at 127.0.0.1; the browser then still sends that name.
    if not all(_is_local_name(host) for host in request.headers.getlist("host") or [""]):
        return "This request was made to another name than that of this machine (localhost)."
    # Origins that may call the service from a browser may still not read its audit: only this very address may.
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if any(origin != own for origin in request.headers.getlist("origin")):
        return "This request was made by a page of another site."
    return ""


def _is_local_name(netloc: str) -> bool:
    try:
        name = urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return False
    return name == "localhost" or _is_loopback(name)


def _is_loopback(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback
