"""JSON whose values would fill the memory: known from its text, before it is parsed."""

from __future__ import annotations

from schemas.errors import DeliveryRefused, Reason
from transforms.delivery import Limits

VALUE_BYTES = 80
"""What a value, a key or a container takes of memory at least, once it is parsed: 56 to 64 bytes and the place that names it."""
STARTS = ("{", "[", ",", ":")
"""Before each value stands one of them (inside texts they count too: the limit leaves room for that)."""


def require_bounded(text: str, file_name: str, limits: Limits) -> None:
    """Raises DeliveryRefused (`json_too_large`) for a text that holds more values than a reader may keep."""
    values_n = sum(text.count(start) for start in STARTS)
    if values_n * VALUE_BYTES > limits.reader_bytes_of(len(text)):
        told = f"the JSON holds some {values_n} values, more than can be read at once; deliver it in parts or as CSV"
        raise DeliveryRefused(Reason("json_too_large", told, file=file_name or None))
