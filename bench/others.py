"""What others need for the jobs of `bench/gas.py`: whole transactions, as they published them, or as they were measured
on their contracts elsewhere, not in our runs. In an ERC-20, or the native coin where the job is.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Other:
    gas: int
    en: str
    zh: str


OTHERS: dict[str, tuple[Other, ...]] = {
    "erc20_open_confirm": (
        Other(
            225_721,
            "Coinbase commerce-payments, by pre-approval: authorize + capture",
            "Coinbase commerce-payments，预先授权：authorize + capture",
        ),
        Other(220_472, "Kleros escrow", "Kleros escrow"),
        Other(239_089, "Circle refund-protocol", "Circle refund-protocol"),
        Other(377_821, "Unicrow", "Unicrow"),
        Other(501_406, "OpenBazaar", "OpenBazaar"),
        Other(550_638, "SmartInvoice", "SmartInvoice"),
    ),
    "native_open_confirm": (Other(176_197, "OpenPeer", "OpenPeer"),),
    "eip3009_open_confirm": (
        Other(
            200_419,
            "Coinbase commerce-payments, by EIP-3009: authorize + capture",
            "Coinbase commerce-payments，EIP-3009：authorize + capture",
        ),
    ),
    "open_timeout_refund": (Other(156_566, "the cheapest refund", "最省的一次退款"),),
    "open_deliver_dispute_rule": (
        Other(294_456, "the cheapest dispute + ruling", "最省的一次争议 + 裁决"),
        Other(648_361, "Kleros escrow", "Kleros escrow"),
    ),
    "settle_many_same_seller_each": (Other(38_983, "the cheapest batch, each", "最省的批量，每笔"),),
    "settle_many_distinct_sellers_each": (),
    "deliver_many_each": (),
}
