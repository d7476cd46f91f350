"""Alembic's migrations of the store. `Store.migrate` runs them; every revision is one step that was once released."""
