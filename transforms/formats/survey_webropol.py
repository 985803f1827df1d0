"""Webropol's REST answers, both generations, whole: one page, or all pages of a survey as a list or one page a line.

Old: RespondentAnswers[] with Question, Label and Answer (always text). New: QuestionTitle and QuestionAnswers[] with RowText and
OptionAnswer. A ResponseId that comes again is the same respondent, whose last answer counts; it
may be all zeros, and RespondentEmail is never looked at, so responses are numbered as they stand.
Keys: github.com/rantalainen/webropol-api-client.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from transforms.delivery import Limits
from transforms.formats.archive import first_bytes, is_zip, read_limited
from transforms.formats.detect import detect_encoding, refusal
from transforms.formats.survey import Answer, Asked, Collected

ANSWERS = "SurveyAnswers"
HEAD = 64 * 1024
ZEROS = "00000000-0000-0000-0000-000000000000"


def looks_like(path: Path) -> bool:
    """Whether a file is JSON that speaks of survey answers, by its first bytes."""
    head = first_bytes(path, HEAD)
    return not is_zip(head) and head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") and f'"{ANSWERS}"'.encode() in head


def read_webropol(path: Path, file_name: str, limits: Limits) -> Collected:
    """A survey's answers. Raises DeliveryRefused where pages or responses are missing, or pages are of several surveys."""
    data = read_limited(path, limits.other_bytes)
    encoding, skip = detect_encoding(data, file_name)
    pages = _pages(data[skip:].decode(encoding, "replace"), file_name)
    surveys = {_text(page.get("SurveyId")).strip().lower() for page in pages}
    if len(surveys) > 1:
        raise refusal("several_surveys", "the file holds answers to several surveys; deliver one file per survey", file_name)
    responses = [item for page in pages for item in _list(page.get(ANSWERS))]
    _check_whole(pages, len(responses), file_name)
    found = Collected("webropol", survey_id=surveys.pop())
    numbers: dict[str, int] = {}
    for number, response in enumerate(responses, start=1):
        if not isinstance(response, Mapping):
            found.malformed.append((number, "not one JSON object"))
            continue
        identity = _text(response.get("ResponseId")).strip().lower()
        respondent = number if identity in ("", ZEROS) else numbers.setdefault(identity, number)
        found.lines.setdefault(respondent, number)
        found.tell(respondent, {"responded_on": _text(response.get("ResponseDate"))})
        found.answers += _answers(number, respondent, _list(response.get("RespondentAnswers")))
    return found


def _pages(text: str, file_name: str) -> list[Mapping[str, object]]:
    try:
        loaded = _loads(text, file_name)
    except (ValueError, RecursionError):
        try:
            loaded = [_loads(line, file_name) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError) as error:
            raise refusal("json_broken", "the file is no JSON; it may be cut off; deliver it again", file_name) from error
    every: list[object] = loaded if isinstance(loaded, list) else [loaded]
    pages = [page for page in every if isinstance(page, Mapping) and isinstance(page.get(ANSWERS), list)]
    if not pages or len(pages) < len(every):
        text = f"the file is no list of pages with {ANSWERS}; deliver the answers of the REST service as they come"
        raise refusal("json_shape", text, file_name)
    return pages


def _check_whole(pages: Sequence[Mapping[str, object]], responses: int, file_name: str) -> None:
    """A delivery replaces the wave, so a part of its pages would lose the others."""
    paging = [page["Paging"] for page in pages if isinstance(page.get("Paging"), Mapping)]
    if not paging:
        return
    numbers = [_number(item, "CurrentPage") for item in paging]  # type: ignore[arg-type]
    pages_n, total = _number(paging[0], "TotalPages"), _number(paging[0], "TotalCount")  # type: ignore[arg-type]
    if pages_n is not None and sorted(number or 0 for number in numbers) != list(range(1, pages_n + 1)):
        text = f"pages {', '.join(str(number) for number in numbers)} of {pages_n}; deliver every page once, all in one file"
        raise refusal("pages_missing", text, file_name)
    if total is not None and total != responses:
        text = f"{responses} responses where the service counted {total}; fetch all pages again"
        raise refusal("responses_missing", text, file_name)


def _number(paging: Mapping[str, object], key: str) -> int | None:
    text = _text(paging.get(key))
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _answers(line: int, respondent: int, given: Sequence[object]) -> Iterator[Answer]:
    for item in given:
        if not isinstance(item, Mapping):
            continue
        question_id = _text(item.get("QuestionId")).strip().lower()
        text = _text(item.get("QuestionTitle")) or _text(item.get("Question"))
        label = _text(item.get("Label")).strip()
        options = item.get("QuestionAnswers")
        if isinstance(options, list):
            pairs = [
                (_text(one.get("RowText")).strip() or label, _text(one.get("OptionAnswer")))
                for one in options
                if isinstance(one, Mapping)
            ]
        else:
            pairs = [(label, _text(item.get("Answer")))]
        for row, answer in pairs:
            if answer.strip():
                yield Answer(line, respondent, Asked(question_id, text.strip(), row), answer.strip())


def _loads(text: str, file_name: str) -> object:
    def whole(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise refusal("json_key_repeated", "an object has one key twice; which value counts is not known", file_name)
        return found

    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=whole)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    """A scalar as text; a lone surrogate is no text."""
    if value is None or isinstance(value, dict | list):
        return ""
    return str(value).encode("utf-8", "replace").decode()
