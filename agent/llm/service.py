"""PlanModelService: the `llm` service that actions get, paid by the budget of the run behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.errors import ModelIncompleteError
from agent.llm.client import Message, ModelClient
from agent.llm.meter import Meter
from agent.prompts import render
from aura_core.api import IncompleteTextError, RunInfo


class PlanModelService:
    """Implements `aura_core.services.LanguageModelService` on the one model client.

    Args:
        client: the model client.
        meters: the meters of the steps in flight, by idempotency key; nobody counts a call of any other step.
    """

    def __init__(self, client: ModelClient, meters: Mapping[str, Meter]) -> None:
        self._client = client
        self._meters = meters

    async def write(
        self,
        instruction: str,
        *,
        data: str = "",
        schema: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        run: RunInfo | None = None,
    ) -> Any:
        """One model call; see the protocol."""
        messages: list[Message] = [
            {"role": "system", "content": render("service_system", structured=schema is not None)},
            {"role": "user", "content": render("service_request", instruction=instruction, data=data)},
        ]
        meter = self._meters.get(run.idempotency_key) if run else None
        try:
            completion = await self._client.complete(
                messages, purpose="service", schema=schema, max_tokens=max_tokens, meter=meter
            )
        except ModelIncompleteError as error:
            raise IncompleteTextError(str(error), error.text) from error
        return completion.value if schema is not None else completion.text.strip()
