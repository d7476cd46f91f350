// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/**
 * @dev What stands at a deposit address: a contract that takes the native coin from anybody, and calls whatever its
 *      maker tells it to. Anything more would be paid for by every order. Plain reference: `test/PlainVault.sol`.
 *
 *      Taking the native coin costs 22 gas, so that even a sender who grants 2,300 can pay. Before the vault is made
 *      its address has no code, and a plain transfer costs the usual 21,000.
 */
library Vault {
    /**
     * @dev Creates a vault at the address that its maker, `salt` and `creationCode` determine.
     * @return vault zero where it could not: it exists, or the gas ran out.
     */
    function create(address maker, bytes32 salt) internal returns (address vault) {
        bytes memory code = creationCode(maker);
        assembly ("memory-safe") {
            vault := create2(0, add(code, 0x20), mload(code), salt)
        }
    }

    /// @dev Calls `target` as the vault, from its maker. Answers what `target` answered.
    function execute(address vault, address target, uint256 value, bytes memory input)
        internal
        returns (bool success, bytes memory answer)
    {
        return vault.call(bytes.concat(abi.encode(target, value), input));
    }

    /**
     * @dev What creates a vault. Its own code, with the stack after each step, topmost last:
     *
     *        00  CALLER PUSH20 maker XOR PUSH1 3b JUMPI              from anybody else: stop, money stays
     *        1a  PUSH1 40 CALLDATASIZE SUB                           size of the input
     *        1e  DUP1 PUSH1 40 PUSH0 CALLDATACOPY                    size; the input lies at 0
     *        23  PUSH0 PUSH0 SWAP2 PUSH0                             0, 0, size, 0
     *        27  PUSH1 20 CALLDATALOAD PUSH0 CALLDATALOAD GAS CALL   success
     *        2e  RETURNDATASIZE PUSH0 PUSH0 RETURNDATACOPY           success; the answer lies at 0
     *        32  PUSH0 RETURNDATASIZE SWAP2 PUSH1 39 JUMPI           size of the answer, 0
     *        38  REVERT
     *        39  JUMPDEST RETURN
     *        3b  JUMPDEST STOP
     *
     *      What it is called with: the target and the value, a word each, then the input. Before it stands what copies
     *      these 61 bytes to memory and returns them.
     */
    function creationCode(address maker) internal pure returns (bytes memory) {
        return bytes.concat(
            hex"603d8060095f395ff3", // PUSH1 3d DUP1 PUSH1 09 PUSH0 CODECOPY PUSH0 RETURN
            hex"3373",
            bytes20(maker),
            hex"18603b57604036038060405f375f5f915f6020355f355af13d5f5f3e5f3d91603957fd5bf35b00"
        );
    }
}
