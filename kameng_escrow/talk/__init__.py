"""Talk about an order: its room, the files in it, divisions to agree on, and the papers of a dispute."""
