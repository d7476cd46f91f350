"""A package, so that `tests` is ours: some that we install have one of that name, too."""
