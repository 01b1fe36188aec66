"""TokenCount: a meter that keeps apart what was read and what was written."""

from __future__ import annotations

from agent.contracts import Profile
from agent.llm.messages import Completion
from agent.llm.meter import Ledger, Meter


class TokenCount(Meter):
    """Counts as `Meter` does, and holds the two kinds of tokens, which differ in what they cost and take.

    Attributes:
        read: tokens of all prompts so far, a repair included.
        written: tokens of all answers so far.
    """

    def __init__(self, profile: Profile, ledger: Ledger) -> None:
        super().__init__(profile, ledger)
        self.read = 0
        self.written = 0

    def charge(self, completion: Completion) -> None:
        """Counts one answer."""
        self.read += completion.tokens_read
        self.written += completion.tokens_written
        super().charge(completion)
