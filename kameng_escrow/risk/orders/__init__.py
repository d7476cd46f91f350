"""The risk of the mirror's orders: what was known of each at each stage, its score, its reasons, its warnings."""
