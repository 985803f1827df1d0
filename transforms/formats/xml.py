"""Hardened XML parsing: no DOCTYPE, no entities, no network, bounded size and depth.

libxml2 already stops entity amplification and nesting beyond 256; a notice needs neither a DOCTYPE nor a depth of 100, so
both are refused outright (OWASP XML External Entity Prevention).
"""

from __future__ import annotations

from lxml import etree

from schemas.errors import DeliveryRefused, Reason

DOCTYPES = (b"<!DOCTYPE", "<!DOCTYPE".encode("utf-16-le"), "<!DOCTYPE".encode("utf-16-be"))
MARKUP_MAX = 2_000_000
"""Tags and attributes of a document, some 100 bytes of memory each; the largest real notices have some 100,000."""


class XmlRefused(DeliveryRefused):
    """The bytes are not XML that we take; one reason with code `xml_refused`."""

    def __init__(self, text: str) -> None:
        super().__init__(Reason("xml_refused", text))


def new_parser() -> etree.XMLParser:
    """A parser that expands nothing, fetches nothing and drops comments and processing instructions."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,
    )


def depth_test(depth: int) -> etree.XPath:
    """A compiled test that is true for documents nested deeper than `depth` elements (libxml2 stops at the first hit)."""
    return etree.XPath("boolean(" + "/*" * (depth + 1) + ")")


def has_doctype(root: etree._Element) -> bool:
    """Whether the parsed document had a DOCTYPE, in whatever encoding it was written."""
    return bool(root.getroottree().docinfo.doctype)  # type: ignore[attr-defined] # missing in the stubs


class Parser:
    """Parses many documents with one parser; not to be shared between threads."""

    def __init__(self, limit_bytes: int, depth: int) -> None:
        self._parser = new_parser()
        self._limit_bytes = limit_bytes
        self._too_deep = depth_test(depth)
        self._depth = depth

    def parse(self, data: bytes) -> etree._Element:
        """The root element. Raises XmlRefused: empty, too large, a DOCTYPE, not well-formed, too deep."""
        if not data.strip():
            raise XmlRefused("the file is empty; deliver it again")
        if len(data) > self._limit_bytes:
            raise XmlRefused(f"the document is larger than {self._limit_bytes} bytes; deliver it in parts")
        if any(doctype in data for doctype in DOCTYPES):
            raise XmlRefused("the document has a DOCTYPE; deliver it without one")
        if data.count(b"<") + data.count(b'="') > MARKUP_MAX:
            raise XmlRefused("the document holds more elements and attributes than any notice; deliver ordinary notices, each by itself")
        try:
            root = etree.fromstring(data, self._parser)
        except etree.XMLSyntaxError as error:
            place = f" (line {error.lineno})" if error.lineno else ""
            raise XmlRefused(f"not well-formed XML{place}; deliver the whole document again") from error
        except (ValueError, LookupError) as error:
            raise XmlRefused("the document's encoding cannot be read; deliver it in UTF-8") from error
        if root is None:
            raise XmlRefused("the document has no content; deliver it again")
        if has_doctype(root):
            raise XmlRefused("the document has a DOCTYPE; deliver it without one")
        if self._too_deep(root):
            raise XmlRefused(f"elements are nested deeper than {self._depth}; deliver an ordinary notice")
        return root
