"""The task framework: YAML tasks, their engine and what runs them. Knows nothing of models, chats or agents."""
