// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// What a first contract on a new chain looks like, with each way in which a contract can refuse.
contract Token {
    error Insufficient(uint256 balance, uint256 wanted);
    event Transfer(address indexed from, address indexed to, uint256 value);

    mapping(address => uint256) public balanceOf;
    uint256 public totalSupply;
    string public constant name = "Test";

    constructor(uint256 supply) {
        require(supply > 0, "no supply");
        totalSupply = supply;
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        uint256 balance = balanceOf[msg.sender];
        if (balance < value) revert Insufficient(balance, value);
        require(to != address(0), "to nobody");
        unchecked { balanceOf[msg.sender] = balance - value; }
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }

    function divide(uint256 by) external pure returns (uint256) { return 1 / by; }
}
