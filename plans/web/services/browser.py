"""One HTTP client for the plan: bounded in size, time and redirects, and unable to reach private addresses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aura_core.api import ActionError, service

from .addresses import ForbiddenAddressError, public_socket

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

_REDIRECTS = {301, 302, 303, 307, 308}
_TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_CHUNK = 65_536


class PageUnavailableError(ActionError):
    """The site does not answer now: try again later. Not raised for a page that does not exist."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a site answered.

    Attributes:
        url: address of the page after redirects.
        status: HTTP status.
        reason: the status in words.
        content_type: media type in small letters, without parameters; empty if the site gave none.
        charset: the encoding the site gave; empty if none.
        body: the bytes, at most the setting `max_bytes`.
        cut: whether there were more.
    """

    url: str
    status: int
    reason: str
    content_type: str
    charset: str
    body: bytes
    cut: bool


@service("browser")
class Browser:
    """Fetches pages.

    Args:
        config: settings of the plan.
    """

    def __init__(self, config: Callable[..., Any]) -> None:
        self._private: bool = config("allow_private")
        self._timeout: float = config("timeout")
        self._redirects: int = config("redirects")
        self._max_bytes: int = config("max_bytes")
        self._agent: str = config("user_agent")
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Opens the connection pool."""
        import aiohttp

        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(socket_factory=None if self._private else public_socket),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._agent, "Accept": "text/html,text/plain,application/json;q=0.9,*/*;q=0.5"},
            timeout=aiohttp.ClientTimeout(total=None),
            trust_env=False,
        )

    async def close(self) -> None:
        """Closes all connections."""
        if self._session is not None:
            await self._session.close()

    async def get(self, url: str) -> Response:
        """Fetches a page, following redirects; every hop is checked like the first one.

        Raises:
            ActionError: the address is none, is not http(s), leads in a circle, or lies in a private network.
            PageUnavailableError: no answer in time, no connection, or the site is overloaded.
        """
        import aiohttp

        address = page_address(url)
        try:
            async with asyncio.timeout(self._timeout):
                for _ in range(self._redirects + 1):
                    answer = await self._hop(address)
                    if isinstance(answer, Response):
                        return answer
                    address = page_address(str(answer))
        except TimeoutError:
            raise PageUnavailableError(f"{address.host} did not answer within {self._timeout:g} seconds.") from None
        except ActionError:
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise _connection_error(address, error) from error
        raise ActionError(f"{url} redirects more than {self._redirects} times; it may lead in a circle.")

    async def _hop(self, address: URL) -> Response | URL:
        """One request: the answer, or the address it redirects to."""
        from yarl import URL

        if self._session is None:
            raise ActionError("The web plan is shut down.")
        async with self._session.get(address, allow_redirects=False) as response:
            target = response.headers.get("Location")
            if response.status in _REDIRECTS and target:
                return address.join(URL(target))
            if response.status in _TRY_AGAIN:
                words = _reason(response.status)
                raise PageUnavailableError(f"{address.host} answered {response.status} ({words}); try again later.")
            body, cut = await self._body(response)
            return Response(
                str(response.url),
                response.status,
                response.reason or _reason(response.status),
                response.content_type.lower() if "Content-Type" in response.headers else "",
                response.charset or "",
                body,
                cut,
            )

    async def _body(self, response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > self._max_bytes:
                return bytes(body[: self._max_bytes]), True
        return bytes(body), False


def page_address(text: str) -> URL:
    """The address that a person typed; `https://` may be left out.

    Raises:
        ActionError: it is not an address of a web page.
    """
    from yarl import URL

    typed = text.strip().strip("<>")
    if "://" not in typed and not typed.lower().startswith(("mailto:", "javascript:", "data:", "file:")):
        typed = f"https://{typed}"
    try:
        address = URL(typed)
        host = address.host
    except ValueError as error:
        raise ActionError(f"{text.strip()[:200]!r} is not a web address: {error}.") from None
    if address.scheme not in {"http", "https"}:
        raise ActionError(f"{text.strip()[:200]!r} is not a web page: only http and https addresses are opened.")
    if not host or any(character.isspace() for character in typed):
        raise ActionError(f"{text.strip()[:200]!r} is not a web address; write it like https://example.org/page.")
    return address.with_user(None) if address.user else address


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "unknown status"


def _connection_error(address: URL, error: Exception) -> ActionError:
    """What to say about a failed connection."""
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, ForbiddenAddressError):
        return ActionError(
            f"{address.host} lies inside a private network or on this machine, so it is not opened. "
            "Whoever runs Aura can allow that with the setting plans.web.allow_private."
        )
    if isinstance(error, aiohttp.InvalidURL):
        return ActionError(f"{str(address)[:200]} is not a web address.")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return ActionError(f"There is no site {address.host}; is the address spelt right?")
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return ActionError(f"The connection to {address.host} is not safe: its certificate was refused.")
    return PageUnavailableError(f"{address.host} cannot be reached: {error}.")
