// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// The part of ERC-20 that a loyalty scheme needs: a fixed supply that holders pass on.
contract Token {
    string public constant name = "Harbour Points";
    string public constant symbol = "HBR";
    uint8 public constant decimals = 0;
    uint256 public immutable totalSupply;
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);
    error InsufficientBalance(address holder, uint256 balance, uint256 needed);

    constructor(uint256 supply) {
        totalSupply = supply;
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        uint256 balance = balanceOf[msg.sender];
        if (balance < value) revert InsufficientBalance(msg.sender, balance, value);
        balanceOf[msg.sender] = balance - value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }
}
