// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Fault, Outcome, State} from "../../../contracts/IKamengEscrow.sol";

/// @dev An order in the letters of the lifecycle's table. Shares in bps.
struct Numbers {
    uint256 P; // price
    uint256 N; // units
    uint256 k; // units in dispute; zero before a dispute
    uint256 platformFee;
    uint256 cancelFee;
    uint256 sellerBond;
    uint256 disputeBond;
    uint256 mediationFee;
    uint256 silenceShare;
}

/// @dev How an order ends, and where everything goes that was held for it.
struct Ending {
    Outcome outcome;
    Fault fault;
    uint256 buyer; // to refundTo
    uint256 seller; // to payTo
    uint256 platform; // accrues to the policy
    uint256 bond; // to the seller's bond balance
    uint256 mediator; // to the mediator's credit
}

/// @dev The money of every row, stated anew from the table and by nothing of the contract: checked arithmetic, one
///      function a row. What the contract pays is held against it to the base unit.
library Rows {
    function part(uint256 amount, uint256 bps) internal pure returns (uint256) {
        return amount * bps / 10_000;
    }

    function f(Numbers memory n, uint256 x) internal pure returns (uint256) {
        return part(x, n.platformFee);
    }

    function B(Numbers memory n) internal pure returns (uint256) {
        return part(n.P, n.sellerBond);
    }

    function D(Numbers memory n) internal pure returns (uint256) {
        return n.P - n.P * (n.N - n.k) / n.N;
    }

    function b(Numbers memory n) internal pure returns (uint256) {
        return part(D(n), n.sellerBond);
    }

    function E(Numbers memory n) internal pure returns (uint256) {
        return part(D(n), n.disputeBond);
    }

    function M(Numbers memory n) internal pure returns (uint256) {
        return part(D(n), n.mediationFee);
    }

    /// @dev All that the escrow holds for an order: what an ending has to divide without rest.
    function held(Numbers memory n, State state) internal pure returns (uint256) {
        if (state == State.Opened) return n.P;
        if (state == State.Accepted || state == State.Delivered) return n.P + B(n);
        if (state == State.Disputed) return D(n) + E(n) + b(n);
        return 0;
    }

    /// @dev Rows 4, 5 and 9.
    function unwound(Numbers memory n, State state, Outcome outcome, Fault fault)
        internal
        pure
        returns (Ending memory)
    {
        return Ending(outcome, fault, n.P, 0, 0, state == State.Opened ? 0 : B(n), 0);
    }

    function row7(Numbers memory n) internal pure returns (Ending memory) {
        uint256 C = part(n.P, n.cancelFee);
        return Ending(Outcome.Cancelled, Fault.Buyer, n.P - C, C, 0, B(n), 0);
    }

    /// @dev Rows 8 and 12.
    function withdrawn(Numbers memory n, Outcome outcome) internal pure returns (Ending memory) {
        uint256 half = B(n) / 2;
        return Ending(outcome, Fault.Seller, n.P + B(n) - half, 0, 0, half, 0);
    }

    function row10(Numbers memory n) internal pure returns (Ending memory) {
        return Ending(Outcome.Undelivered, Fault.Seller, n.P + B(n), 0, 0, 0, 0);
    }

    function row11(Numbers memory n, Outcome outcome) internal pure returns (Ending memory) {
        return Ending(outcome, Fault.None, 0, n.P - f(n, n.P), f(n, n.P), B(n), 0);
    }

    function row14(Numbers memory n) internal pure returns (Ending memory) {
        uint256 half = b(n) / 2;
        return Ending(Outcome.Refunded, Fault.Seller, D(n) + E(n) + b(n) - half, 0, 0, half, 0);
    }

    function row15(Numbers memory n) internal pure returns (Ending memory) {
        uint256 sum = D(n);
        return Ending(Outcome.Confirmed, Fault.None, E(n), sum - f(n, sum), f(n, sum), b(n), 0);
    }

    function row16(Numbers memory n, uint256 r, Outcome outcome) internal pure returns (Ending memory ending) {
        uint256 rest = D(n) - r;
        uint256 Q = D(n) + E(n) + b(n) - M(n);
        uint256 S = Q * rest / D(n);
        Fault fault = 2 * r > D(n) ? Fault.Seller : 2 * r < D(n) ? Fault.Buyer : Fault.None;
        return Ending(outcome, fault, Q - S, rest - f(n, rest), f(n, rest), S - rest, M(n));
    }

    function row17(Numbers memory n, bool mediated) internal pure returns (Ending memory) {
        uint256 s = part(D(n), 10_000 - n.silenceShare);
        Fault fault = mediated ? Fault.Mediator : Fault.None;
        return Ending(Outcome.Defaulted, fault, D(n) - s + E(n), s, 0, b(n), 0);
    }

    function row18(Numbers memory n, State state, uint256 x) internal pure returns (Ending memory ending) {
        bool disputed = state == State.Disputed;
        uint256 rest = (disputed ? D(n) : n.P) - x;
        uint256 bond = state == State.Opened ? 0 : disputed ? b(n) : B(n);
        uint256 toBuyer = x + (disputed ? E(n) : 0);
        return Ending(Outcome.Agreed, Fault.None, toBuyer, rest - f(n, rest), f(n, rest), bond, 0);
    }
}
