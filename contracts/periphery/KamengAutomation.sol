// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IKamengEscrow, OrderTerms} from "../IKamengEscrow.sol";
import {AutomationCompatibleInterface, ILogAutomation, Log} from "./AutomationInterfaces.sol";

/**
 * @title  Lets automation networks settle
 * @notice Optional: anyone may settle a due order without it, and the project's own keeper does. Where a network such
 *         as Chainlink Automation or Gelato is to do so as well, this answers its questions. It enumerates nothing and
 *         keeps nothing: whoever registers an upkeep names the orders by their terms, and names others when those are
 *         through. 14 of them fit Chainlink's 5,000 bytes of check data.
 * @dev    An order is worth an attempt if an attempt succeeds, so the checks try: networks simulate them and throw the
 *         simulation away. Called in a transaction they settle as well as `settle` does, which is harmless. What is not
 *         due, closed, unknown, or takes more than `SETTLE_GAS` is passed over and holds up nobody; the last, a token
 *         or receiver that burns gas, is left to whoever settles it directly. Doing anything twice is harmless.
 *
 *         A log trigger is asked once, soon after its log, and never again about the same one, while an order's clock
 *         runs for minutes to days: a log can't announce that its own order is due, and nothing on chain happens at a
 *         deadline. So `checkLog` takes the log as a pulse only, and looks at the orders that the check data names.
 *         That fits an escrow with much traffic (trigger: any event of it); everybody else registers custom logic,
 *         which is asked every block.
 */
contract KamengAutomation is AutomationCompatibleInterface, ILogAutomation {
    /// @notice What one order may take: enough for a receiver that its token blocks, and who is credited instead.
    uint256 public constant SETTLE_GAS = 600_000;

    /// @notice The most orders that a check proposes at once: their terms fit 2,000 bytes of perform data, the least
    ///         that Chainlink's registries allow. The next check proposes the next.
    uint256 public constant MAX_BATCH = 5;

    /// @dev What EIP-150 holds back from a call with all of SETTLE_GAS, and what is left to do after it.
    uint256 private constant RESERVE = SETTLE_GAS / 63 + 20_000;

    /// @notice The escrow whose orders are settled.
    IKamengEscrow public immutable escrow;

    constructor(IKamengEscrow escrow_) {
        escrow = escrow_;
    }

    // ---------------------------------------------------------------------------------------------------- Chainlink

    /// @notice Custom logic: which of the orders are due.
    /// @param  checkData abi.encode(OrderTerms[]).
    /// @return upkeepNeeded whether any is.
    /// @return performData  for `performUpkeep`.
    function checkUpkeep(bytes calldata checkData) external returns (bool upkeepNeeded, bytes memory performData) {
        return _check(abi.decode(checkData, (OrderTerms[])));
    }

    /// @notice Log trigger: likewise, whatever the log.
    function checkLog(Log calldata, bytes memory checkData)
        external
        returns (bool upkeepNeeded, bytes memory performData)
    {
        return _check(abi.decode(checkData, (OrderTerms[])));
    }

    /// @notice Settles the orders. Anyone may call it. Reverts InsufficientGas.
    /// @param  performData abi.encode(OrderTerms[]).
    function performUpkeep(bytes calldata performData)
        external
        override(AutomationCompatibleInterface, ILogAutomation)
    {
        _settle(abi.decode(performData, (OrderTerms[])));
    }

    // ------------------------------------------------------------------------------------------------------- Gelato

    /// @notice A task's resolver: which of the orders are due.
    /// @return canExec     whether any is.
    /// @return execPayload a call of `settleDue` on this contract.
    function checker(OrderTerms[] calldata terms) external returns (bool canExec, bytes memory execPayload) {
        OrderTerms[] memory due = _due(terms);
        if (due.length == 0) return (false, "");
        return (true, abi.encodeCall(this.settleDue, (due)));
    }

    /// @notice Settles every order of the list that is due, one by one, and passes over the others, for as long as the
    ///         gas lasts. Anyone may call it. Reverts InsufficientGas where it does not last for one.
    /// @return settled how many were settled.
    function settleDue(OrderTerms[] calldata terms) external returns (uint256 settled) {
        return _settle(terms);
    }

    // ------------------------------------------------------------------------------------------------------ private

    function _check(OrderTerms[] memory terms) private returns (bool needed, bytes memory performData) {
        OrderTerms[] memory due = _due(terms);
        if (due.length == 0) return (false, "");
        return (true, abi.encode(due));
    }

    function _due(OrderTerms[] memory terms) private returns (OrderTerms[] memory due) {
        due = new OrderTerms[](MAX_BATCH);
        uint256 count;
        for (uint256 i; i < terms.length && count < MAX_BATCH && gasleft() >= SETTLE_GAS + RESERVE; ++i) {
            if (_try(terms[i])) due[count++] = terms[i];
        }
        assembly ("memory-safe") {
            mstore(due, count) // as long as it is filled
        }
    }

    function _settle(OrderTerms[] memory terms) private returns (uint256 settled) {
        for (uint256 i; i < terms.length; ++i) {
            uint256 available = gasleft();
            if (available < SETTLE_GAS + RESERVE) {
                if (i == 0) revert IKamengEscrow.InsufficientGas(available, SETTLE_GAS + RESERVE);
                return settled;
            }
            if (_try(terms[i])) ++settled;
        }
    }

    function _try(OrderTerms memory terms) private returns (bool) {
        try escrow.settle{gas: SETTLE_GAS}(terms) {
            return true;
        } catch {
            return false;
        }
    }
}
