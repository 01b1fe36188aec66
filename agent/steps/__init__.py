"""What the executor does beside running tasks: model steps, and read-only steps started early."""
