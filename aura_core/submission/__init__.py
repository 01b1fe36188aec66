"""A tasklet from its submission to its result: its job, all jobs, calls given up, the plans that it sees."""
