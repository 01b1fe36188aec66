"""Scheduler: starts work by itself: by cron, at an interval, at one moment, or when something happens.

It knows jobs, moments and events; what a job's run is, the embedder's `start` decides.
"""
