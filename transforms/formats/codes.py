"""Codes that notices of either schema share: countries, the procedure's and the buyer's kinds, the older schema's words."""

from __future__ import annotations

from collections.abc import Mapping

# ISO 3166-1: alpha-3 and alpha-2 run together; XKX/1A0 is the EU's code list entry for Kosovo.
_PAIRS = """
AFGAF ALAAX ALBAL DZADZ ASMAS ANDAD AGOAO AIAAI ATAAQ ATGAG ARGAR ARMAM ABWAW AUSAU AUTAT AZEAZ BHSBS BHRBH BGDBD BRBBB BLRBY
BELBE BLZBZ BENBJ BMUBM BTNBT BOLBO BESBQ BIHBA BWABW BVTBV BRABR IOTIO BRNBN BGRBG BFABF BDIBI CPVCV KHMKH CMRCM CANCA CYMKY
CAFCF TCDTD CHLCL CHNCN CXRCX CCKCC COLCO COMKM COGCG CODCD COKCK CRICR CIVCI HRVHR CUBCU CUWCW CYPCY CZECZ DNKDK DJIDJ DMADM
DOMDO ECUEC EGYEG SLVSV GNQGQ ERIER ESTEE SWZSZ ETHET FLKFK FROFO FJIFJ FINFI FRAFR GUFGF PYFPF ATFTF GABGA GMBGM GEOGE DEUDE
GHAGH GIBGI GRCGR GRLGL GRDGD GLPGP GUMGU GTMGT GGYGG GINGN GNBGW GUYGY HTIHT HMDHM VATVA HNDHN HKGHK HUNHU ISLIS INDIN IDNID
IRNIR IRQIQ IRLIE IMNIM ISRIL ITAIT JAMJM JPNJP JEYJE JORJO KAZKZ KENKE KIRKI PRKKP KORKR KWTKW KGZKG LAOLA LVALV LBNLB LSOLS
LBRLR LBYLY LIELI LTULT LUXLU MACMO MDGMG MWIMW MYSMY MDVMV MLIML MLTMT MHLMH MTQMQ MRTMR MUSMU MYTYT MEXMX FSMFM MDAMD MCOMC
MNGMN MNEME MSRMS MARMA MOZMZ MMRMM NAMNA NRUNR NPLNP NLDNL NCLNC NZLNZ NICNI NERNE NGANG NIUNU NFKNF MKDMK MNPMP NORNO OMNOM
PAKPK PLWPW PSEPS PANPA PNGPG PRYPY PERPE PHLPH PCNPN POLPL PRTPT PRIPR QATQA REURE ROURO RUSRU RWARW BLMBL SHNSH KNAKN LCALC
MAFMF SPMPM VCTVC WSMWS SMRSM STPST SAUSA SENSN SRBRS SYCSC SLESL SGPSG SXMSX SVKSK SVNSI SLBSB SOMSO ZAFZA SGSGS SSDSS ESPES
LKALK SDNSD SURSR SJMSJ SWESE CHECH SYRSY TWNTW TJKTJ TZATZ THATH TLSTL TGOTG TKLTK TONTO TTOTT TUNTN TURTR TKMTM TCATC TUVTV
UGAUG UKRUA AREAE GBRGB USAUS UMIUM URYUY UZBUZ VUTVU VENVE VNMVN VGBVG VIRVI WLFWF ESHEH YEMYE ZMBZM ZWEZW XKXXK 1A0XK
"""
ALPHA2: Mapping[str, str] = {pair[:3]: pair[3:] for pair in _PAIRS.split()}

SUBTYPES = frozenset(
    [str(number) for number in range(1, 41)] + ["CEI", "T01", "T02", "X01", "X02"] + [f"E{number}" for number in range(1, 7)]
)
_FORM_OF_RANGE = ((9, "planning"), (24, "competition"), (28, "dir-awa-pre"), (37, "result"), (40, "cont-modif"))
_FORM_OF_LETTERS = {
    "CEI": "competition", "T01": "planning", "T02": "result", "X01": "bri", "X02": "bri", "E1": "consultation",
    "E2": "planning", "E3": "competition", "E4": "result", "E5": "completion", "E6": "cont-modif",
}  # fmt: skip

TED_PROCEDURES: Mapping[str, str] = {
    "PT_OPEN": "open",
    "PT_RESTRICTED": "restricted",
    "PT_ACCELERATED_RESTRICTED": "restricted",
    "PT_COMPETITIVE_NEGOTIATION": "neg-w-call",
    "PT_NEGOTIATED_WITH_PRIOR_CALL": "neg-w-call",
    "PT_NEGOTIATED_WITH_COMPETITION": "neg-w-call",
    "PT_NEGOTIATED_WITH_PUBLICATION_CONTRACT_NOTICE": "neg-w-call",
    "PT_NEGOTIATED": "neg-w-call",
    "PT_ACCELERATED_NEGOTIATED": "neg-w-call",
    "PT_INVOLVING_NEGOTIATION": "neg-w-call",
    "PT_COMPETITIVE_DIALOGUE": "comp-dial",
    "PT_INNOVATION_PARTNERSHIP": "innovation",
    "PT_AWARD_CONTRACT_WITHOUT_CALL": "neg-wo-call",
    "PT_AWARD_CONTRACT_WITHOUT_PUBLICATION": "neg-wo-call",
    "PT_NEGOTIATED_WITHOUT_PUBLICATION": "neg-wo-call",
    "PT_NEGOTIATED_WITHOUT_COMPETITION": "neg-wo-call",
    "PT_NEGOTIATED_WITHOUT_PUBLICATION_CONTRACT_NOTICE": "neg-wo-call",
    "PT_AWARD_CONTRACT_WITH_PRIOR_PUBLICATION": "oth-mult",
}
"""PT_ elements of R2.0.9 and R2.0.8 to BT-105 codes (TED-XML to eForms mapping of the Publications Office)."""

TED_PROCEDURE_CODES: Mapping[str, str] = {
    "1": "open", "2": "restricted", "3": "restricted", "4": "neg-w-call", "6": "neg-w-call", "B": "neg-w-call",
    "C": "comp-dial", "G": "innovation", "T": "neg-wo-call", "V": "neg-wo-call", "E": "oth-mult",
}  # fmt: skip
"""PR_PROC codes of the coded data section, where the form has no PT_ element."""

TED_LEGAL_TYPES: Mapping[str, str] = {
    "MINISTRY": "cga", "NATIONAL_AGENCY": "cga", "REGIONAL_AUTHORITY": "la", "REGIONAL_AGENCY": "body-pl-la",
    "BODY_PUBLIC": "body-pl", "EU_INSTITUTION": "eu-ins-bod-ag",
}  # fmt: skip
"""CA_TYPE to BT-11. The schema's regional authority is "regional or local": cities and their joint authorities tick it."""
UTILITIES_ENTITY = "utilities-entity"
"""No code of BT-11: the older schema and Hilma's JSON say so of buyers in the utilities sectors, whatever they are in law."""
TED_AUTHORITY_TYPES: Mapping[str, str] = {
    "1": "cga", "3": "la", "4": UTILITIES_ENTITY, "5": "eu-ins-bod-ag", "6": "body-pl", "N": "cga", "R": "body-pl-la",
}  # fmt: skip
"""AA_AUTHORITY_TYPE of the coded data section, where the form has no CA_TYPE; 8 is another, 9 not applicable, Z not told."""

TED_ACTIVITIES: Mapping[str, str] = {
    "GENERAL_PUBLIC_SERVICES": "gen-pub", "DEFENCE": "defence", "PUBLIC_ORDER_AND_SAFETY": "pub-os", "ENVIRONMENT": "env-pro",
    "ECONOMIC_AND_FINANCIAL_AFFAIRS": "econ-aff", "HEALTH": "health", "HOUSING_AND_COMMUNITY_AMENITIES": "hc-am",
    "SOCIAL_PROTECTION": "soc-pro", "RECREATION_CULTURE_AND_RELIGION": "rcr", "EDUCATION": "education",
    "ELECTRICITY": "electricity", "PRODUCTION_TRANSPORT_DISTRIBUTION_GAS_HEAT": "gas-heat", "WATER": "water",
    "POSTAL_SERVICES": "post", "RAILWAY_SERVICES": "rail", "PORT_RELATED_ACTIVITIES": "port",
    "URBAN_RAILWAY_TRAMWAY_TROLLEYBUS_BUS_SERVICES": "urttb", "AIRPORT_RELATED_ACTIVITIES": "airport",
    "EXPLORATION_EXTRACTION_COAL_OTHER_SOLID_FUEL": "solid-fuel", "EXPLORATION_EXTRACTION_GAS_OIL": "gas-oil",
}  # fmt: skip

STATISTICS_SUBTYPES = frozenset(
    [str(number) for number in range(14, 25)] + [str(number) for number in range(29, 38)] + ["E1", "E3", "E4"]
)
"""Subtypes for which Hilma asks its statistics questions (hilma-api, endpoints/hilmastatistics.md)."""


def alpha2(country: str | None) -> str | None:
    """Two-letter country code of a two- or three-letter one; None when it is neither."""
    if not country:
        return None
    code = country.strip().upper()
    if len(code) == 2 and code.isalpha():
        return {"UK": "GB", "EL": "GR"}.get(code, code)
    return ALPHA2.get(code)


def form_of_subtype(subtype: str) -> str | None:
    """Form type (BT-03) that a notice subtype (OPP-070) belongs to; None for an unknown subtype."""
    if subtype.isascii() and subtype.isdigit() and len(subtype) <= 2:
        return next((form for last, form in _FORM_OF_RANGE if 1 <= int(subtype) <= last), None)
    return _FORM_OF_LETTERS.get(subtype)
