"""PlanWatcher: waits for edits in the folders of plans and has them reloaded, until it is told to stop."""
