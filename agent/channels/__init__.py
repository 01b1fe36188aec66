"""Each channel turns its own world into the same few calls of the app."""
