"""The chain, seen from Python: artifacts, compiler, codec, nodes, transactions, signatures."""
