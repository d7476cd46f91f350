"""How JSON-RPC writes blocks, transactions, receipts and logs."""

from collections.abc import Mapping
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth.abc import SignedTransactionAPI
from eth_utils.address import to_checksum_address

from .evm import CREATE, Block, Included

LEGACY, ACCESS_LIST, DYNAMIC_FEE = 0, 1, 2


def quantity(number: int) -> str:
    """0x-hex without leading zeros."""
    return hex(number)


def hex_of(data: bytes) -> str:
    """0x-hex, two digits a byte."""
    return "0x" + bytes(data).hex()


def block_json(block: Block, *, full: bool) -> dict[str, Any]:
    """As `eth_getBlockByNumber` answers; `full`: with whole transactions, not their hashes."""
    header, included = block.header, block.included
    transactions: list[Any] = []
    if included is not None:
        transactions.append(transaction_json(block, included) if full else hex_of(included.transaction.hash))
    return {
        "number": quantity(block.number),
        "hash": hex_of(header.hash),
        "parentHash": hex_of(header.parent_hash),
        "timestamp": quantity(block.timestamp),
        "nonce": hex_of(header.nonce),
        "sha3Uncles": hex_of(header.uncles_hash),
        "logsBloom": f"0x{header.bloom:0512x}",
        "transactionsRoot": hex_of(header.transaction_root),
        "stateRoot": hex_of(header.state_root),
        "receiptsRoot": hex_of(header.receipt_root),
        "withdrawalsRoot": hex_of(header.withdrawals_root),
        "parentBeaconBlockRoot": hex_of(header.parent_beacon_block_root),
        "miner": to_checksum_address(header.coinbase),
        "difficulty": quantity(header.difficulty),
        "extraData": hex_of(header.extra_data),
        "mixHash": hex_of(header.mix_hash),
        "gasLimit": quantity(header.gas_limit),
        "gasUsed": quantity(header.gas_used),
        "baseFeePerGas": quantity(header.base_fee_per_gas),
        "blobGasUsed": quantity(header.blob_gas_used),
        "excessBlobGas": quantity(header.excess_blob_gas),
        "size": quantity(len(rlp.encode(header)) + (len(included.transaction.encode()) if included else 0)),
        "uncles": [],
        "withdrawals": [],
        "transactions": transactions,
    }


def transaction_json(block: Block, included: Included) -> dict[str, Any]:
    """As `eth_getTransactionByHash` answers."""
    transaction = included.transaction
    answer: dict[str, Any] = {
        "hash": hex_of(transaction.hash),
        "type": quantity(_type_of(transaction)),
        **_place(block),
        "from": to_checksum_address(included.sender),
        "to": None if transaction.to == CREATE else to_checksum_address(transaction.to),
        "nonce": quantity(transaction.nonce),
        "value": quantity(transaction.value),
        "gas": quantity(transaction.gas),
        "gasPrice": quantity(included.gas_price),
        "input": hex_of(transaction.data),
        "r": quantity(transaction.r),
        "s": quantity(transaction.s),
    }
    if _type_of(transaction) == LEGACY:
        return answer | {"v": quantity(transaction.v)}  # type: ignore[attr-defined]
    answer |= {
        "v": quantity(transaction.y_parity),
        "yParity": quantity(transaction.y_parity),
        "chainId": quantity(transaction.chain_id or 0),
        "accessList": [
            {"address": to_checksum_address(address), "storageKeys": [f"0x{slot:064x}" for slot in slots]}
            for address, slots in transaction.access_list
        ],
    }
    if _type_of(transaction) == ACCESS_LIST:
        return answer
    return answer | {
        "maxFeePerGas": quantity(transaction.max_fee_per_gas),
        "maxPriorityFeePerGas": quantity(transaction.max_priority_fee_per_gas),
    }


def receipt_json(block: Block, included: Included) -> dict[str, Any]:
    """As `eth_getTransactionReceipt` answers."""
    transaction = included.transaction
    return {
        "transactionHash": hex_of(transaction.hash),
        "type": quantity(_type_of(transaction)),
        **_place(block),
        "from": to_checksum_address(included.sender),
        "to": None if transaction.to == CREATE else to_checksum_address(transaction.to),
        "contractAddress": None if included.contract is None else to_checksum_address(included.contract),
        "status": quantity(int(included.succeeded)),
        "gasUsed": quantity(included.gas_used),
        "cumulativeGasUsed": quantity(included.gas_used),
        "effectiveGasPrice": quantity(included.gas_price),
        "logsBloom": f"0x{block.header.bloom:0512x}",
        "logs": [log_json(block, included, index) for index in range(len(included.logs))],
    }


def log_json(block: Block, included: Included, index: int) -> dict[str, Any]:
    """As `eth_getLogs` answers; `index` is the log's place in the block, which has one transaction."""
    log = included.logs[index]
    return {
        "address": to_checksum_address(log.address),
        "topics": [f"0x{topic:064x}" for topic in log.topics],
        "data": hex_of(log.data),
        **_place(block),
        "blockTimestamp": quantity(block.timestamp),
        "transactionHash": hex_of(included.transaction.hash),
        "logIndex": quantity(index),
        "removed": False,
    }


def _place(block: Block) -> Mapping[str, str]:
    return {
        "blockHash": hex_of(block.header.hash),
        "blockNumber": quantity(block.number),
        "transactionIndex": quantity(0),
    }


def _type_of(transaction: SignedTransactionAPI) -> int:
    return getattr(transaction, "type_id", None) or LEGACY
