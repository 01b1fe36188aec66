"""AgentDojo's suites, run apart from the project's own environment: see run.sh."""
