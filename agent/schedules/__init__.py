"""Jobs in the agent: whose they are, what a run of one is, and how people and plans add them."""
