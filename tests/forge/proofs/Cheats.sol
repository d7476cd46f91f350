// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev What Halmos offers to a proof, under Foundry's names.
interface Cheats {
    function assume(bool condition) external pure;
    function warp(uint256 timestamp) external;
    function prank(address sender) external;
    function deal(address account, uint256 balance) external;
    function getCode(string calldata path) external view returns (bytes memory);
}

/// @dev What only Halmos offers.
interface SymbolicCheats {
    function enableSymbolicStorage(address account) external;
}

Cheats constant vm = Cheats(address(uint160(uint256(keccak256("hevm cheat code")))));
SymbolicCheats constant svm = SymbolicCheats(address(uint160(uint256(keccak256("svm cheat code")))));
