"""What a task and a plan hold: the plan's persistent data, and its files."""
