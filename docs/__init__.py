"""Makes this folder a package, so that `python -m docs.generators` finds ours and no other `docs`."""
