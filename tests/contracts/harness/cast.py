"""Who takes part. Every name has one key, always the same."""

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import keccak

NAMES = (
    "buyer",
    "refund_to",  # where the buyer's money goes back
    "seller",
    "pay_to",  # where the seller's money goes
    "payer",  # pays for the buyer
    "platform",
    "mediator",
    "backup",
    "fee_receiver",
    "operator",  # acts for the seller
    "relayer",  # brings signed actions to the chain
    "keeper",  # settles
    "stranger",
)

ACCOUNTS: dict[str, LocalAccount] = {name: Account.from_key(keccak(text=f"cast: {name}")) for name in NAMES}
CAST: dict[str, str] = {name: account.address for name, account in ACCOUNTS.items()}
KEYS: dict[str, LocalAccount] = {account.address: account for account in ACCOUNTS.values()}
