"""Encrypted card delivery: codes go from the seller to the buyer, and nobody between can read them.

`pack` and `prepare` make a `Delivery` of codes; `open_delivery` opens and checks it; `Parcel.disclose` and
`check_disclosure` show a mediator one unit without the others. A `DeliverySecret` has the buyer's keys. The formats are
told in `commitments`, `parcels`, `keys` and `fingerprints`, to the byte.
"""

from .backup import make_backup, new_key, open_backup
from .codes import read_codes
from .commitments import Disclosure, check_disclosure, commitment_of, payload_hash
from .errors import (
    CodesSoldBefore,
    CodesUnusable,
    DeliveryError,
    DeliveryFalse,
    DeliveryKeyUnusable,
    DisclosureFalse,
    PayloadTooLarge,
    PayloadUnreadable,
    SignatureUnsuitable,
)
from .keys import DeliverySecret, delivery_message, new_nonce, recipient_of, secret_of_account
from .parcels import Parcel, pack
from .sealing import LARGEST_PAYLOAD, Delivery, decrypt, open_delivery, prepare, seal

__all__ = [
    "LARGEST_PAYLOAD",
    "CodesSoldBefore",
    "CodesUnusable",
    "Delivery",
    "DeliveryError",
    "DeliveryFalse",
    "DeliveryKeyUnusable",
    "DeliverySecret",
    "Disclosure",
    "DisclosureFalse",
    "Parcel",
    "PayloadTooLarge",
    "PayloadUnreadable",
    "SignatureUnsuitable",
    "check_disclosure",
    "commitment_of",
    "decrypt",
    "delivery_message",
    "make_backup",
    "new_key",
    "new_nonce",
    "open_backup",
    "open_delivery",
    "pack",
    "payload_hash",
    "prepare",
    "read_codes",
    "recipient_of",
    "seal",
    "secret_of_account",
]
