// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Action, IKamengEscrow, Offer, OrderTerms, Verb} from "../../../contracts/IKamengEscrow.sol";
import {Order} from "./Books.sol";
import {Parties, Try} from "./Parties.sol";
import {vm} from "./Vm.sol";

/// @dev A payment that somebody signed.
struct Payment {
    address payer;
    uint256 amount;
    uint256 until; // its last second, or the first after it, as its standard has it
    uint256 nonce;
    bytes signature;
    bool forged; // signed by somebody else
    bool good;
}

/// @dev Rows 1, 2 and 13 paid by signature: EIP-2612, EIP-3009 and Permit2.
abstract contract Payments is Parties {
    bytes32 private constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    bytes32 private constant RECEIVE_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 private constant TOKEN_PERMISSIONS_TYPEHASH = keccak256("TokenPermissions(address token,uint256 amount)");
    bytes32 private constant PERMIT2_TYPEHASH = keccak256(
        "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,OrderTerms witness)OrderTerms(address buyer,address refundTo,address seller,address payTo,address token,uint128 price,uint16 units,bytes32 policyId,bytes32 listing,uint40 openBy,bytes32 salt)TokenPermissions(address token,uint256 amount)"
    );

    // -------------------------------------------------------------------------------------------------------- handlers

    function openWithPermit(uint256 seed) external turn(seed) {
        Order storage order = _pickDraft(AUTHORIZED);
        (Offer memory offer, bool promised) = _maybeOffer(order);
        Payment memory payment = _permit(order, _anyone(), order.terms.price);
        bytes memory data =
            abi.encodeCall(IKamengEscrow.openWithPermit, (order.terms, offer, payment.until, payment.signature));
        _openSigned(order, offer, promised, payment, payment.payer, data);
        _resetAllowance(_who(payment.payer));
    }

    function openWithAuthorization(uint256 seed) external turn(seed) {
        Order storage order = _pickDraft(AUTHORIZED);
        (Offer memory offer, bool promised) = _maybeOffer(order);
        Payment memory payment = _authorization(order, _anyone(), order.terms.price, order.id);
        bytes memory data = abi.encodeCall(
            IKamengEscrow.openWithAuthorization, (order.terms, offer, payment.payer, payment.until, payment.signature)
        );
        _openSigned(order, offer, promised, payment, _anyone(), data);
    }

    function openWithPermit2(uint256 seed) external turn(seed) {
        Order storage order = _pickDraft(1 + _draw(TOKENS - 1));
        (Offer memory offer, bool promised) = _maybeOffer(order);
        Payment memory payment = _permit2(order, _anyone());
        bytes memory data = abi.encodeCall(
            IKamengEscrow.openWithPermit2,
            (order.terms, offer, payment.payer, payment.nonce, payment.until, payment.signature)
        );
        _openSigned(order, offer, promised, payment, _anyone(), data);
    }

    function disputeWithPermit(uint256 seed) external turn(seed) {
        (Order storage order, Try memory t, Action memory action, bytes memory signature) = _signDispute();
        uint256 bond = _disputeBond(order, t.number);
        Payment memory payment = _permit(order, order.terms.buyer, bond);
        bytes memory data = abi.encodeCall(
            IKamengEscrow.actWithPermit, (order.terms, action, signature, payment.until, payment.signature)
        );
        _disputeSigned(order, t, bond == 0 || payment.good, data);
        if (numberOf[payment.payer] != 0) _resetAllowance(_who(payment.payer));
    }

    function disputeWithAuthorization(uint256 seed) external turn(seed) {
        (Order storage order, Try memory t, Action memory action, bytes memory signature) = _signDispute();
        uint256 bond = _disputeBond(order, t.number);
        bytes32 nonce = keccak256(abi.encode(order.id, Verb.Dispute));
        Payment memory payment = _authorization(order, order.terms.buyer, bond, nonce);
        bytes memory data = abi.encodeCall(
            IKamengEscrow.actWithAuthorization, (order.terms, action, signature, payment.until, payment.signature)
        );
        _disputeSigned(order, t, bond == 0 || payment.good, data);
    }

    // -------------------------------------------------------------------------------------------------------- attempts

    function _openSigned(
        Order storage order,
        Offer memory offer,
        bool promised,
        Payment memory payment,
        address caller,
        bytes memory data
    ) private {
        bool offered = offer.expiry != 0;
        uint256 value = _oneIn(40) ? 1 : 0;
        bool expected = value == 0 && payment.good && _valid(order) && (!offered || (promised && _bonded(order)));
        bool success = _call(caller, value, data);
        require(success == expected, "pulls: an opening by signature that should not be, or was refused");
        if (success) _opened(order, payment.payer, offered);
        _check(order);
    }

    function _disputeSigned(Order storage order, Try memory t, bool paid, bytes memory data) private {
        bool expected = t.verb == Verb.Dispute && !t.voided && paid && _disputable(order, t);
        bool success = _call(t.caller, 0, data);
        require(success == expected, "pulls: a dispute by signature that should not be, or was refused");
        if (success) _apply(order, t);
        _check(order);
    }

    function _maybeOffer(Order storage order) private returns (Offer memory offer, bool promised) {
        if (_oneIn(2)) (offer, promised) = _offer(order);
    }

    function _signDispute()
        private
        returns (Order storage order, Try memory t, Action memory action, bytes memory signature)
    {
        order = _pickFor(Verb.Dispute);
        uint256 token = order.token;
        if (token != TOKENS) touched = token;
        t = _intend(order, _oneIn(24) ? Verb.Revise : Verb.Dispute);
        (action, signature) = _signed(order, t);
        t.caller = _anyone();
    }

    // -------------------------------------------------------------------------------------------------------- payments

    /// @dev What counts is the allowance afterwards, whoever brought the permit.
    function _permit(Order storage order, address payer, uint256 amount) private returns (Payment memory payment) {
        uint256 token = order.token;
        bool brought = _oneIn(4);
        payment = _spoilable(payer, amount);
        if (token != AUTHORIZED || numberOf[payer] == 0) {
            payment.signature = _sign(payer, order.id);
            payment.good = token != NATIVE && token != TOKENS && _gives(token, payer, amount);
            return payment;
        }
        payment.nonce = authorized.nonces(payer);
        bytes32 structHash =
            keccak256(abi.encode(PERMIT_TYPEHASH, payer, escrow, payment.amount, payment.nonce, payment.until));
        payment.signature = _signUnder(payment, authorized.DOMAIN_SEPARATOR(), structHash);
        payment.good = payment.good && _hasKey(payer);
        if (brought && payment.good) {
            (bytes32 r, bytes32 s, uint8 v) = _parts(payment.signature);
            authorized.permit(payer, address(escrow), payment.amount, payment.until, v, r, s);
        }
        payment.good = payment.good || _gives(token, payer, amount);
    }

    function _authorization(Order storage order, address payer, uint256 amount, bytes32 nonce)
        private
        returns (Payment memory payment)
    {
        payment = _spoilable(payer, amount);
        if (_oneIn(24)) {
            nonce = keccak256(abi.encode(nonce));
            payment.good = false;
        }
        payment.until += 1;
        bytes32 structHash =
            keccak256(abi.encode(RECEIVE_TYPEHASH, payer, escrow, payment.amount, 0, payment.until, nonce));
        payment.signature = _signUnder(payment, authorized.DOMAIN_SEPARATOR(), structHash);
        payment.good = payment.good && _hasKey(payer) && order.token == AUTHORIZED;
    }

    function _permit2(Order storage order, address payer) private returns (Payment memory payment) {
        uint256 token = order.token;
        payment = _spoilable(payer, order.terms.price);
        payment.nonce = _draw(1 << 127);
        OrderTerms memory witness = order.terms;
        if (_oneIn(24)) {
            witness.salt = ~witness.salt;
            payment.good = false;
        }
        bytes32 structHash = keccak256(
            abi.encode(
                PERMIT2_TYPEHASH,
                keccak256(abi.encode(TOKEN_PERMISSIONS_TYPEHASH, order.terms.token, payment.amount)),
                escrow,
                payment.nonce,
                payment.until,
                keccak256(abi.encode(TERMS_TYPEHASH, witness))
            )
        );
        payment.signature = _signUnder(payment, _permit2Domain(), structHash);
        bool moves = token == REENTERING || token == AUTHORIZED
            || ((token == BLOCKING || token == MOODY) && _gives(token, payer, payment.amount));
        payment.good = payment.good && moves && _canSign(payer);
    }

    /// @dev A payment as it should be, or with something wrong in it.
    function _spoilable(address payer, uint256 amount) private returns (Payment memory payment) {
        uint256 spoiled = _draw(24);
        payment.payer = payer;
        payment.good = spoiled > 2;
        payment.amount = spoiled == 0 ? amount + 1 : amount;
        payment.until = spoiled == 1 ? time - 1 : time + _draw(1 days);
        payment.forged = spoiled == 2;
    }

    function _signUnder(Payment memory payment, bytes32 domain, bytes32 structHash)
        private
        view
        returns (bytes memory)
    {
        return _sign(payment.forged ? address(0) : payment.payer, _under(domain, structHash));
    }

    function _under(bytes32 domain, bytes32 structHash) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function _permit2Domain() private view returns (bytes32) {
        bytes32 typeHash = keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)");
        return keccak256(abi.encode(typeHash, keccak256("Permit2"), block.chainid, PERMIT2));
    }

    function _parts(bytes memory signature) private pure returns (bytes32 r, bytes32 s, uint8 v) {
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
    }
}
