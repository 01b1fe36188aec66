"""The action `fetch`: a web page as readable text."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from dataclasses import replace
from typing import Any

from aura_core.api import ActionError, action, config, decode_text, parse_json, requires_services

from ..services.browser import Browser, Response

_META_CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"""\s*<\?xml[^>]*encoding\s*=\s*["']([\w.:-]+)""")
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_HTML = ("text/html", "application/xhtml+xml")
_HEAD_BYTES = 4_096


@action("fetch")
@requires_services(browser="browser")
async def fetch(url: str, browser: Browser) -> dict[str, Any]:
    """Fetches a page and makes readable text of it.

    Args:
        url: address of the page; `https://` may be left out.
        browser: the plan's service.

    Returns:
        `{url, status, reason, title, text, words, cut}`, `url` after redirects, `cut` if the text was longer.

    Raises:
        ActionError: no web address, a private one, or something that is not text.
        PageUnavailableError: the site does not answer now.
    """
    response = await browser.get(url)
    title, text = await asyncio.to_thread(readable, response)
    longest: int = config("max_chars", 60_000)
    return {
        "url": response.url,
        "status": response.status,
        "reason": response.reason,
        "title": title,
        "text": text[:longest],
        "words": len(text[:longest].split()),
        "cut": response.cut or len(text) > longest,
    }


def readable(response: Response) -> tuple[str, str]:
    """Title and text of an answer: HTML without menus and advertisements, JSON indented, other text as it is.

    Raises:
        ActionError: it is a picture, a PDF or another thing without text, or packed in an unknown way.
    """
    kind = response.content_type.replace("application/octet-stream", "")
    if kind in _HTML or (not kind and response.body.lstrip()[:1] == b"<"):
        return _from_html(decoded(replace(response, body=_without_zeros(response.body))))
    if kind == "application/json" or kind.endswith("+json"):
        return "", _indented(decoded(response))
    if not kind or kind.startswith("text/") or kind == "application/xml" or kind.endswith("+xml"):
        text = decoded(response)
        if "\0" in text[:_HEAD_BYTES]:
            raise ActionError(f"{response.url} is not text.")
        return "", text.strip()
    raise ActionError(f"{response.url} is not a readable page but {kind}.")


def decoded(response: Response) -> str:
    """The body as text: by byte order mark, by what the site says, by what the page says, as UTF-8, or guessed.

    Raises:
        ActionError: it is no text.
    """
    found = decode_text(response.body, response.charset, _declared(response.body[:_HEAD_BYTES]), cut=response.cut)
    if found is not None:
        return found.text
    if response.packed:
        raise ActionError(f"{response.url} is packed in a way that is not known here ({response.packed}).")
    raise ActionError(f"{response.url} is not text.")


def _without_zeros(body: bytes) -> bytes:
    """A page in letters of one byte has no use for zeros; browsers drop them."""
    return body if b"\0<" in body or b"<\0" in body else body.replace(b"\0", b"")


def _declared(head: bytes) -> str:
    """The encoding that a page names in its first lines; one that could not have been read so far means UTF-8."""
    found = _XML_ENCODING.match(head) or _META_CHARSET.search(_COMMENT.sub(b"", head))
    label = found[1].decode("ascii") if found else ""
    return "utf-8" if label.lower().startswith(("utf-16", "utf-32", "ucs-2")) else label


def _from_html(html: str) -> tuple[str, str]:
    """Title and main text; where no main text is found, all of the text."""
    if not html.strip():
        return "", ""
    import trafilatura
    from trafilatura.settings import Document

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # an empty page is no error of ours
    if "<html" not in html.lower():
        html = f"<html>{html}</html>"
    found = trafilatura.bare_extraction(html, with_metadata=True, include_comments=False, include_tables=True)
    page = found if isinstance(found, Document) else Document()
    text = page.text or trafilatura.html2txt(html)
    title = page.title
    if not title and (match := _TITLE.search(html)):
        title = match[1]
    return " ".join((title or "").split()), text.strip()


def _indented(text: str) -> str:
    try:
        return json.dumps(parse_json(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text.strip()
