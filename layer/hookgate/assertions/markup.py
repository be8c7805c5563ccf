"""XPath expressions and CSS selectors for a response in HTML or XML.

lxml is in the second layer and is imported with the first expression. It resolves no
entities, loads no DTD, uses no network and keeps libxml2's bounds on depth and size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from hookgate.assertions.queries import Missing, Unreadable
from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.redaction import masked
from hookgate.units import demand


def xpath(value: object) -> Any:
    """Compile an expression of XPath 1.0.

    Raises:
        ValueError: it does not compile, or the second layer is missing.
    """
    what = "an XPath expression such as //h1"
    text = _text(value, what)
    demand("xpath", "lxml")
    from lxml import etree  # noqa: PLC0415 - in the second layer

    try:
        return etree.XPath(text, smart_strings=False)
    except etree.XPathError as error:
        raise _invalid(text, what, error) from None


def css(value: object) -> Any:
    """Compile a CSS selector.

    Raises:
        ValueError: it does not compile, or the second layer is missing.
    """
    what = "a CSS selector such as main h1"
    text = _text(value, what)
    demand("css", "lxml", "cssselect")
    from cssselect import SelectorError  # noqa: PLC0415 - in the second layer
    from lxml.cssselect import CSSSelector  # noqa: PLC0415 - in the second layer

    try:
        return CSSSelector(text, translator="html")
    except SelectorError as error:
        raise _invalid(text, what, error) from None


def _text(value: object, what: str) -> str:
    text = getattr(value, "css", None) or getattr(value, "path", None) or value
    if not isinstance(text, str):
        raise InvalidValue(f"expected {what}, as text", code=Code.ASSERT_QUERY)
    return text


def _invalid(text: str, what: str, error: Exception) -> InvalidValue:
    return InvalidValue(f"{text!r} is not {what}: {error}", code=Code.ASSERT_QUERY)


XPath = Annotated[
    Any,
    BeforeValidator(xpath),
    PlainSerializer(lambda compiled: compiled.path, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["//h1"]}),
]
Css = Annotated[
    Any,
    BeforeValidator(css),
    PlainSerializer(lambda compiled: compiled.css, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["main h1"]}),
]


def read_markup(text: bytes, content_type: str | None) -> Any:
    """Return the root element; ``Unreadable`` if there is none.

    Args:
        text: HTML or XML.
        content_type: its Content-Type, if any.
    """
    from lxml import etree, html  # noqa: PLC0415 - in the second layer

    kind = (content_type or "").partition(";")[0].strip().lower()
    if not text.strip():
        return Unreadable("an empty body, which is neither HTML nor XML")
    if (kind and not kind.endswith(("html", "xml"))) or b"<" not in text:
        return Unreadable(f"a body that is neither HTML nor XML ({kind or 'no tag'})")
    options = {"no_network": True, "huge_tree": False}
    is_xml = kind.endswith("xml") and not kind.endswith("xhtml+xml")
    try:
        if is_xml:
            strict = etree.XMLParser(resolve_entities=False, load_dtd=False, **options)
            return etree.fromstring(text, strict)
        return html.document_fromstring(
            text, html.HTMLParser(encoding=_encoding(text), **options)
        )
    except (etree.LxmlError, ValueError) as error:
        name = "XML" if is_xml else "HTML"
        return Unreadable(f"a body that is not {name} ({masked(str(error))[:200]})")


def chosen(
    root: Any, expression: Callable[[Any], Any], attribute: str | None = None
) -> Any:
    """Return what an expression selects: a list of texts, or XPath's other types.

    An element is its text, with white space as a browser shows it, or its
    ``attribute``; elements without that attribute are left out.
    """
    from lxml import etree  # noqa: PLC0415 - in the second layer

    if isinstance(root, Unreadable):
        return root
    try:
        found = expression(root)
    except etree.XPathError as error:
        return Unreadable(f"a body that cannot be searched ({error})")
    if not isinstance(found, list):
        return found
    texts = [_text_of(each, attribute) for each in found]
    return [each for each in texts if each is not None] or Missing(
        f"the attribute {attribute}" if attribute and found else "the element"
    )


def _text_of(node: Any, attribute: str | None) -> str | None:
    if isinstance(node, str):
        return node
    if attribute is not None:
        value = node.get(attribute)
        return None if value is None else str(value)
    return " ".join("".join(node.itertext()).split())


def _encoding(text: bytes) -> str | None:
    """UTF-8 if the text is; else None, and libxml2 detects it."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "utf-8"
