"""Documents that are hashed: JSON of one form only, so that equal documents are equal bytes everywhere.

The form is the JSON Canonicalization Scheme (RFC 8785): members sorted, no spaces, UTF-8. Values are text, whole
numbers up to 2^53 − 1, lists and objects; amounts are decimal strings. The hash is keccak256, lowercase ``0x`` hex.
"""

from collections.abc import Mapping
from typing import Any

from eth_utils.crypto import keccak


def canonical(document: Mapping[str, Any]) -> bytes:
    """The one spelling of a document. Raises ``ValueError`` for what JSON can't say exactly."""
    import rfc8785  # only who hashes a document needs it

    return bytes(rfc8785.dumps(document))


def document_hash(document: Mapping[str, Any]) -> str:
    """keccak256 of the document's one spelling."""
    return "0x" + keccak(canonical(document)).hex()
