"""Plans as graphs: what may run next, and one module per rule that repairs what a model planned (seed 004)."""
