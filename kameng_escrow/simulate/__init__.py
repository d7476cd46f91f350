"""A market of agents: what the rules do to people, before people meet the rules."""
