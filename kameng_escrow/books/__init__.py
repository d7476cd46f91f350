"""What can be proved of the past: reputation, statements and their verification against any node."""
