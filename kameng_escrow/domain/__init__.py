"""The rules of an order as pure code: the twin of the contract.

Nothing here does I/O, reads a clock or imports another part of the package. Amounts are integers in base units, shares
are integers in bps (1/10,000), times are integers in Unix seconds of the chain's clock (UTC), every division rounds
down. Addresses are EIP-55 checksummed strings, hashes are lowercase ``0x`` strings of 32 bytes. Names are the
contract's, in Python's spelling: ``refundTo`` is ``refund_to``.
"""
