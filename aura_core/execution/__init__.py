"""What the ExecutionManager is made of: pools, slots, clocks and the job around one task."""
