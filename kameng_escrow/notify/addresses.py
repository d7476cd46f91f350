"""Where we don't go: whoever may name a URL that a server calls could have it call the server's own neighbours.

A URL is looked at when it is given, and each address again in the moment of connecting (`wire`): names may point
elsewhere by then.
"""

import ipaddress
from typing import Final
from urllib.parse import SplitResult, urlsplit

from .errors import AddressForbidden

LONGEST_URL: Final = 2_048
_LONGEST_NAME, _LONGEST_LABEL = 253, 63

# The only part of IPv6 from which addresses are given out (RFC 4291), so that mapped, translated (NAT64), local and
# multicast ones are outside.
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
# Inside what Python calls global, and not to be called all the same.
_REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # protocols' own, and a metadata service; Python's releases differ about it
        "192.88.99.0/24",  # relays of 6to4
        "168.63.129.16/32",  # Azure's metadata, at an address like any other
        "2002::/16",  # 6to4: an IPv4 address inside
        "2001::/23",  # Teredo and other protocols' own
        "3fff::/20",  # documentation
    )
)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet's."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _GLOBAL_V6:
        return False
    if not ip.is_global or ip.is_multicast or ip.is_reserved or ip.is_unspecified:
        return False
    return not any(ip.version == network.version and ip in network for network in _REFUSED)


def is_loopback(address: str) -> bool:
    """Whether an IP address is this machine's own."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def check_url(url: str, *, loopback: bool = False) -> SplitResult:
    """The parts of a URL that we may call, as far as that can be seen without asking for its host.

    Args:
        loopback: whether this machine's own addresses are allowed, with http too: for a local chain only.

    Raises:
        AddressForbidden: we may not.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("form", "is no URL", "不是 URL") from None
    host = parts.hostname or ""
    if len(url) > LONGEST_URL or not url.isascii() or any(character <= " " for character in url):
        raise _refused("form", "is too long, or has characters that URLs don't have", "太长，或含有 URL 不该有的字符")
    local = loopback and (host == "localhost" or is_loopback(host))
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise _refused("scheme", "must begin with https://", "必须以 https:// 开头")
    if not host or port == 0 or parts.username is not None or parts.password is not None or parts.fragment:
        raise _refused(
            "form", "needs a host, and has no user, password or fragment", "要有主机名，不能带用户名、口令或 # 片段"
        )
    if ":" not in host and not _is_name(host):
        raise _refused(
            "host",
            f"has a host whose parts are empty or longer than {_LONGEST_LABEL} characters, or are too many",
            f"的主机名有空段、有超过 {_LONGEST_LABEL} 字的段，或整体太长",
        )
    if not local and (
        host == "localhost"
        or host.endswith((".localhost", ".local", ".internal"))
        or ("." not in host.strip(".") and ":" not in host)
    ):
        raise _refused("host", "names a host of some private network", "指向内网主机")
    if _is_literal(host) and not (local or is_public(host)):
        raise _refused("address", "leads to an address that is not of the open internet", "指向的不是公网地址")
    return parts


def _is_name(host: str) -> bool:
    """Whether a name's parts are as long as DNS allows (RFC 1035): at others resolvers raise what nobody expects."""
    labels = host.removesuffix(".").split(".")
    return len(host) <= _LONGEST_NAME and all(0 < len(label) <= _LONGEST_LABEL for label in labels)


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _refused(reason: str, words: str, words_zh: str) -> AddressForbidden:
    return AddressForbidden(reason, f"The endpoint's URL {words}.", f"端点的 URL {words_zh}。")
