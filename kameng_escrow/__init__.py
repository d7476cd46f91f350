"""Escrow for game-card orders: the contract's Python side."""

__version__ = "0.1.0"
