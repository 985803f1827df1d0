"""Codes of Hilma's own JSON notices (public source: hilma-migration, enums; hilma-api, NoticeType) and what they are here."""

from __future__ import annotations

from collections.abc import Mapping

from transforms.formats.codes import UTILITIES_ENTITY

CHURCH = "church"
"""No code of BT-11: Hilma tells parishes apart."""
FORMS: Mapping[int, tuple[str, str]] = {
    100: ("planning", "4"), 101: ("planning", "7"), 200: ("competition", "16"), 300: ("result", "29"), 301: ("result", "29"),
    400: ("planning", "5"), 401: ("planning", "8"), 500: ("competition", "17"), 600: ("result", "30"),
    700: ("competition", "15"), 1200: ("competition", "23"), 1300: ("result", "36"), 1500: ("dir-awa-pre", "25"),
    1600: ("planning", "6"), 1700: ("competition", "18"), 1800: ("result", "31"), 1900: ("competition", "22"),
    2000: ("cont-modif", "38"), 2100: ("competition", "20"), 2101: ("planning", "2101"), 2102: ("result", "33"),
    2200: ("competition", "21"), 2201: ("planning", "2201"), 2202: ("result", "34"), 2203: ("competition", "2203"),
    2300: ("competition", "14"), 2301: ("result", "35"), 2400: ("competition", "19"), 2500: ("result", "32"),
    9901: ("planning", "9901"), 9902: ("competition", "9902"), 9903: ("competition", "9903"), 9904: ("planning", "9904"),
    9905: ("dir-awa-pre", "9905"), 9906: ("competition", "9906"), 9910: ("planning", "9910"), 9911: ("competition", "9911"),
    9912: ("competition", "9912"), 9913: ("competition", "9913"),
}  # fmt: skip
"""`type` to form type (BT-03) and subtype (OPP-070); where eForms has none, the type itself."""
BY_CATEGORY: Mapping[int, Mapping[int, str]] = {
    301: {4: "30"}, 1200: {4: "24"}, 1300: {4: "37"}, 1500: {4: "26", 2: "27", 8: "28"}, 2000: {4: "39", 8: "40"},
}  # fmt: skip
"""Types whose subtype depends on project.procurementCategory."""
OWN_SUBTYPES: Mapping[str, str] = {subtype: form for form, subtype in FORMS.values() if len(subtype) == 4}
"""Subtypes that only this shape has, with their form type."""
SMALL_VALUE = ("9912", "9913")
OUTSIDE_POPULATION = ("9903", "9904")
"""Farms' purchases, whose buyer is often no public body; notices of transparency, which announce no procurement."""
FIRST_NATIONAL = 9900
NOT_ASKED = frozenset({1500, 2000, 9903})
"""Besides planning notices: types for which Hilma asks no statistics questions."""
FIRST_ASKED = "2020-05-01"

PROCEDURES: Mapping[int, str] = {
    1: "open", 2: "restricted", 3: "neg-w-call", 4: "comp-dial", 5: "innovation", 7: "neg-w-call", 9: "neg-wo-call",
    11: "neg-w-call", 12: "oth-mult", 13: "neg-w-call", 14: "oth-mult", 15: "neg-wo-call", 16: "neg-wo-call",
    17: "neg-wo-call", 18: "neg-wo-call", 19: "neg-wo-call",
}  # fmt: skip
NATURES: Mapping[int, str] = {1: "supplies", 2: "services", 4: "works", 8: "services", 16: "services"}
CRITERIA: Mapping[int, str] = {
    1: "quality", 2: "cost", 3: "cost,quality", 4: "price", 5: "price,quality", 16: "price",
}  # fmt: skip
LEGAL_TYPES: Mapping[int, str] = {
    1: "cga", 2: "cga", 4: "la", 8: "body-pl-la", 16: "body-pl", 32: "eu-ins-bod-ag", 128: CHURCH, 512: UTILITIES_ENTITY,
    1024: UTILITIES_ENTITY,
}  # fmt: skip
CONTRACTING_ENTITY = 2
"""contractingType: an entity of the utilities sectors."""
ACTIVITIES: Mapping[int, str] = {
    1: "gen-pub", 2: "defence", 4: "pub-os", 8: "env-pro", 16: "econ-aff", 32: "health", 64: "hc-am", 128: "soc-pro",
    256: "rcr", 512: "education",
}  # fmt: skip
UTILITIES: Mapping[int, str] = {
    1: "gas-heat", 2: "electricity", 4: "gas-oil", 8: "solid-fuel", 16: "water", 32: "post", 64: "rail", 128: "urttb",
    256: "port", 512: "airport",
}  # fmt: skip
LANGUAGES: Mapping[str, str] = {"FI": "FIN", "SV": "SWE", "EN": "ENG"}
