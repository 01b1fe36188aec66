"""One run: its state, its turn, its steps, its activities, its end; and what is done with runs from outside."""
