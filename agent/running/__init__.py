"""One run: its state, its moments, its questions, and what the store says of it."""
