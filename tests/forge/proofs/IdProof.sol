// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {OrderId, OrderTerms} from "../../../contracts/IKamengEscrow.sol";
import {TypedData} from "../../../contracts/libraries/TypedData.sol";

/**
 * @notice An order's id is the hash of its terms and nothing else, and no two terms share one.
 * @dev    Bounds: none; terms as the ABI decodes them. Halmos takes keccak256 for what it is taken for: without
 *         collisions.
 */
contract IdProof {
    bytes32 private constant DOMAIN = keccak256("any domain");

    function toId(OrderTerms calldata terms) external pure returns (OrderId) {
        return TypedData.toId(terms, DOMAIN);
    }

    function plainHash(OrderTerms calldata terms) external pure returns (bytes32) {
        bytes32 hash = keccak256(abi.encode(TypedData.ORDER_TERMS_TYPEHASH, terms));
        return keccak256(abi.encodePacked(hex"1901", DOMAIN, hash));
    }

    /// The assembly that hashes terms as they stand in calldata gives what plain encoding and hashing give.
    function check_id_is_the_plain_hash(OrderTerms calldata terms) external view {
        assert(OrderId.unwrap(this.toId(terms)) == this.plainHash(terms));
    }

    function check_id_is_injective(OrderTerms calldata one, OrderTerms calldata two) external view {
        if (OrderId.unwrap(this.toId(one)) != OrderId.unwrap(this.toId(two))) return;
        assert(one.buyer == two.buyer && one.refundTo == two.refundTo);
        assert(one.seller == two.seller && one.payTo == two.payTo);
        assert(one.token == two.token && one.price == two.price && one.units == two.units);
        assert(keccak256(abi.encode(one.policyId)) == keccak256(abi.encode(two.policyId)));
        assert(one.listing == two.listing && one.openBy == two.openBy && one.salt == two.salt);
    }

    function check_id_binds_its_domain(OrderTerms calldata terms, bytes32 one, bytes32 two) external pure {
        if (one == two) return;
        assert(OrderId.unwrap(TypedData.toId(terms, one)) != OrderId.unwrap(TypedData.toId(terms, two)));
    }
}
