"""One run: its state, its activities, its questions, and what the store says of it."""
