"""Where requests never go, however that is written."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.notify.addresses import check_url, is_public
from kameng_escrow.notify.errors import AddressForbidden

PRIVATE = [
    *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1"),
    *("192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "240.0.0.1"),
    *("255.255.255.255", "100.100.100.200", "168.63.129.16"),
    *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808"),
    *("64:ff9b:1::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "100::1"),
    *("2001:db8::1", "2001::1", "2002:7f00:1::", "2002:808:808::", "3fff::1", "5f00::1"),
    *("", "localhost", "8.8.8", "8.8.8.8.8", "0x8.8.8.8"),
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "203.0.114.1", "2606:4700::1111", "2a00:1450:4001::200e"]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_of_the_open_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_that_are(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses())
def test_no_private_address_in_any_wrapping(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if not address.is_global:
        assert not is_public(str(address))
    if isinstance(address, ipaddress.IPv4Address):
        number = int(address)
        for wrapped in (number, 0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80):
            assert not is_public(str(ipaddress.IPv6Address(wrapped)))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/hook", "scheme"),
        ("ftp://example.com", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://example.com", "scheme"),
        ("example.com", "scheme"),
        ("", "scheme"),
        ("https://", "form"),
        ("https:///path", "form"),
        ("https://user@example.com", "form"),
        ("https://user:word@example.com", "form"),
        ("https://example.com@10.0.0.1/", "form"),
        ("https://example.com#fragment", "form"),
        ("https://example.com:0/", "form"),
        ("https://example.com:99999/", "form"),
        ("https://[::1", "form"),
        ("https://exa mple.com/", "form"),
        ("https://example.com/\r\nHost: other", "form"),
        ("https://例子.com/", "form"),
        ("https://example.com/" + "a" * 2_048, "form"),
        ("https://a..b.com/", "host"),
        ("https://.example.com/", "host"),
        ("https://example.com../", "host"),
        (f"https://{'a' * 64}.com/", "host"),
        (f"https://{'a.' * 126}com/", "host"),
        ("https://localhost/", "host"),
        ("https://printer/", "host"),
        ("https://redis.internal/", "host"),
        ("https://nas.local/", "host"),
        ("https://a.localhost/", "host"),
        ("https://127.0.0.1/", "address"),
        ("https://[::1]/", "address"),
        ("https://[::ffff:127.0.0.1]/", "address"),
        ("https://[64:ff9b::7f00:1]/", "address"),
        ("https://169.254.169.254/latest/meta-data/", "address"),
        ("https://192.168.1.1:8443/hook", "address"),
    ],
)
def test_urls_that_are_refused_when_they_are_given(url: str, reason: str) -> None:
    with pytest.raises(AddressForbidden) as refused:
        check_url(url)
    assert refused.value.reason == reason
    assert refused.value.field == "url"


@pytest.mark.parametrize(
    "url",
    [
        *("https://example.com.", f"https://{'a' * 63}.com/"),
        *("https://example.com", "https://example.com:8443/a?b=c", "https://8.8.8.8/x", "https://xn--fsqu00a.com/"),
    ],
)
def test_urls_that_are_taken(url: str) -> None:
    assert check_url(url).scheme == "https"


def test_this_machine_only_where_it_is_said() -> None:
    for url in ("http://127.0.0.1:8000/hook", "http://localhost:8000/hook", "http://[::1]:8000/", "https://127.0.0.1/"):
        check_url(url, loopback=True)
        with pytest.raises(AddressForbidden):
            check_url(url)
    for url in ("http://example.com/", "http://10.0.0.1/", "https://10.0.0.1/", "http://169.254.169.254/"):
        with pytest.raises(AddressForbidden):
            check_url(url, loopback=True)
