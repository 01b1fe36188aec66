"""One HTTP client for the plan: bounded in size, time and redirects, and unable to reach private addresses."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aura_core.api import ActionError, service

from .addresses import ForbiddenAddressError, public_socket
from .unpacking import ACCEPTED, Unpacker

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

_REDIRECTS = {301, 302, 303, 307, 308}
_TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_CHUNK = 65_536
_HEADER_BYTES = 65_536
_HEADERS = 500
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_LONGEST_SHOWN = 200


class PageUnavailableError(ActionError):
    """The site does not answer now: try again later. Not raised for a page that does not exist."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a site answered.

    Attributes:
        url: address of the page after redirects.
        status: HTTP status.
        reason: the status in words, never those of the site.
        content_type: media type in small letters, without parameters; empty if the site gave none.
        charset: the encoding the site gave; empty if none.
        body: the bytes, at most the setting `max_bytes`.
        cut: whether there were more, or the connection broke off.
        packed: how the body is packed, if it could not be unpacked.
    """

    url: str
    status: int
    reason: str
    content_type: str
    charset: str
    body: bytes
    cut: bool
    packed: str = ""


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
            headers={
                "User-Agent": self._agent,
                "Accept": "text/html,text/plain,application/json;q=0.9,*/*;q=0.5",
                "Accept-Encoding": ACCEPTED,
            },
            auto_decompress=False,
            max_line_size=_HEADER_BYTES,
            max_field_size=_HEADER_BYTES,
            max_headers=_HEADERS,
            timeout=aiohttp.ClientTimeout(total=None),
            trust_env=False,
        )

    async def close(self) -> None:
        """Closes all connections."""
        if self._session is not None:
            await self._session.close()

    async def get(self, url: str) -> Response:
        """Fetches a page, following redirects; every hop is checked like the first one.

        Cookies live as long as one call: sites that set one and redirect to themselves are not gone round in circles.

        Raises:
            ActionError: the address is none, is not http(s), leads in a circle, lies in a private network, or what
                answers there is no web server.
            PageUnavailableError: no answer in time, no connection, or the site is overloaded.
        """
        import aiohttp

        address = page_address(url)
        visit = _Visit(asyncio.get_running_loop().time() + self._timeout, aiohttp.CookieJar(unsafe=True))
        try:
            for _ in range(self._redirects + 1):
                answer = await self._hop(address, visit)
                if isinstance(answer, Response):
                    return answer
                address = answer
        except TimeoutError:
            raise PageUnavailableError(f"{address.host} did not answer within {self._timeout:g} seconds.") from None
        except UnicodeError as error:
            raise ActionError(f"{str(address.host)[:_LONGEST_SHOWN]} cannot be the name of a site.") from error
        except (aiohttp.ClientError, OSError) as error:
            raise _connection_error(address, error) from error
        raise ActionError(f"{url} redirects more than {self._redirects} times; it may lead in a circle.")

    async def _hop(self, address: URL, visit: _Visit) -> Response | URL:
        """One request: the answer, or the address it redirects to."""
        if self._session is None:
            raise ActionError("The web plan is shut down.")
        async with asyncio.timeout_at(visit.deadline):
            response = await self._session.get(
                address, allow_redirects=False, cookies=visit.cookies.filter_cookies(address)
            )
        async with response:
            target = response.headers.get("Location", "").strip()
            if response.status in _REDIRECTS and target:
                visit.cookies.update_cookies_from_headers(response.headers.getall("Set-Cookie", []), response.url)
                return _redirected(address, target)
            if response.status in _TRY_AGAIN:
                words = _reason(response.status)
                raise PageUnavailableError(f"{address.host} answered {response.status} ({words}); try again later.")
            unpacker = Unpacker(response.headers.get("Content-Encoding", ""))
            body, cut = await self._body(response, unpacker, visit.deadline)
            return Response(
                str(response.url),
                response.status,
                _reason(response.status),
                response.content_type.lower() if "Content-Type" in response.headers else "",
                response.charset or "",
                body,
                cut,
                unpacker.unknown[:_LONGEST_SHOWN],
            )

    async def _body(self, response: aiohttp.ClientResponse, unpacker: Unpacker, deadline: float) -> tuple[bytes, bool]:
        """The body, and whether there was more; what came before a broken end is a page, too, as in a browser."""
        import aiohttp

        body = bytearray()
        arrived = 0
        try:
            async with asyncio.timeout_at(deadline):
                async for chunk in response.content.iter_chunked(_CHUNK):
                    arrived += len(chunk)
                    body += unpacker.feed(chunk, self._max_bytes + 1 - len(body))
                    if max(len(body), arrived) > self._max_bytes:
                        return bytes(body[: self._max_bytes]), True
        except (aiohttp.ClientError, OSError):
            if not body:
                raise
            return bytes(body), True
        return bytes(body), False


@dataclass(frozen=True, slots=True)
class _Visit:
    """One call of `get`: until when it may take (time of the event loop), and the cookies of its redirects."""

    deadline: float
    cookies: aiohttp.CookieJar


def _redirected(address: URL, target: str) -> URL:
    """The address that a redirect means, read as browsers read it.

    Raises:
        ActionError: it means none.
    """
    from yarl import URL

    path, *query = re.split("(?=[?#])", re.sub("[\\t\\r\\n]", "", target), maxsplit=1)
    words = _ESCAPED_BYTE.sub(
        lambda found: f"%{ord(found[0]) - 0xDC00:02X}", "".join([path.replace("\\", "/"), *query])
    )
    with contextlib.suppress(ActionError, ValueError):
        given = URL(words)
        named = given.host if given.scheme or words.startswith("//") else address.host
        joined = address.join(given)
        if named and joined.scheme in {"http", "https"}:
            return page_address(str(joined))
    raise ActionError(
        f"{address} redirects to something that is no address of a web page: only http and https addresses are opened."
    )


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


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _connection_error(address: URL, error: Exception) -> ActionError:
    """What to say about a failed connection; the words of the site are left out."""
    import aiohttp
    from aiohttp.http_exceptions import LineTooLong

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
    if isinstance(error, aiohttp.ClientResponseError):
        long = any(isinstance(each, LineTooLong) for each in _causes(error))
        what = f"a header line of more than {_HEADER_BYTES:,} bytes" if long else "something that is not HTTP"
        return ActionError(f"{address.host} answered with {what}, so its page cannot be read.")
    if isinstance(error, aiohttp.ClientPayloadError):
        how = "broke off before anything of the page had come"
    else:
        how = f"cannot be reached: {error}"
    return PageUnavailableError(f"{address.host} {how}.")
