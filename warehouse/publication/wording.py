"""What receipts say in Finnish and Swedish: statuses, rules, and reasons by their code.

A reason is recorded in English. Where its code is known here, the values in it (headers found, counts, limits) are taken out of
the English text and put into the sentence of the other language; where it is not, or the text has changed, the English stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from warehouse.publication import wording_refusals

STATUS: Mapping[str, Mapping[str, str]] = {
    "received": {"fi": "vastaanotettu", "sv": "mottagen", "en": "received"},
    "loaded": {"fi": "ladattu", "sv": "laddad", "en": "loaded"},
    "refused": {"fi": "hylätty", "sv": "avvisad", "en": "refused"},
    "superseded": {"fi": "korvattu uudemmalla", "sv": "ersatt av en nyare", "en": "superseded"},
    "withdrawn": {"fi": "peruutettu", "sv": "återkallad", "en": "withdrawn"},
}
SEVERITY: Mapping[str, Mapping[str, str]] = {
    "fail": {"fi": "rivi karanteenissa", "sv": "raden i karantän", "en": "row in quarantine"},
    "warn": {"fi": "varoitus", "sv": "varning", "en": "warning"},
}

PRODUCED: Mapping[str, Mapping[str, str]] = {
    "manifest_later": {"fi": "Manifesti", "sv": "Manifestet", "en": "The manifest"},
    "file_name_later": {"fi": "Tiedoston nimi", "sv": "Filens namn", "en": "The file's name"},
}
ASIDE: Mapping[str, Mapping[str, str]] = {
    "blank_line": {"fi": "tyhjiä", "sv": "tomma", "en": "blank"},
    "blank_row": {"fi": "tyhjiä", "sv": "tomma", "en": "blank"},
    "grand_total": {"fi": "kokonaissummia", "sv": "totalsummor", "en": "grand totals"},
    "subtotal": {"fi": "välisummia", "sv": "delsummor", "en": "subtotals"},
    "answer_repeated": {
        "fi": "vastauksia, jotka sama vastaaja antoi uudelleen",
        "sv": "svar som samma svarande gav på nytt",
        "en": "answers that the same respondent gave again",
    },
    "question_not_mapped": {"fi": "vastauksia muihin kysymyksiin", "sv": "svar på andra frågor", "en": "answers to other questions"},
}

RULES: Mapping[str, Mapping[str, str]] = wording_refusals.RULES | {
    "amount_missing": {"fi": "summa puuttuu", "sv": "beloppet saknas"},
    "amount_unreadable": {"fi": "summa ei ole luku", "sv": "beloppet är inget tal"},
    "amount_out_of_range": {"fi": "summa on yli kymmenen miljardia euroa", "sv": "beloppet är över tio miljarder euro"},
    "amount_ambiguous": {
        "fi": "summa voidaan lukea kahdella tavalla (1.000); toimita luvut lukuina",
        "sv": "beloppet kan läsas på två sätt (1.000); leverera talen som tal",
    },
    "total_without_sum": {
        "fi": "rivi sanoo olevansa summa, mutta ei ole edeltävien rivien summa",
        "sv": "raden säger sig vara en summa men är inte summan av raderna ovan",
    },
    "euros_lost": {
        "fi": "karanteenissa olevat rivit sisältävät liikaa toimituksen euroista (lukukelvottomat arvioitu muiden keskiarvolla)",
        "sv": "raderna i karantän har för mycket av leveransens euro (oläsliga belopp uppskattade efter de andras medelvärde)",
    },
    "amount_is_formula": {"fi": "summa on kaava; toimita arvoina", "sv": "beloppet är en formel; leverera värden"},
    "date_missing": {"fi": "päivämäärä puuttuu", "sv": "datumet saknas"},
    "date_unreadable": {"fi": "päivämäärä ei ole tiedoston muodossa", "sv": "datumet följer inte filens format"},
    "date_out_of_range": {
        "fi": "päivämäärä on ennen vuotta 2000 tai yli kaksi vuotta toimituksen jälkeen",
        "sv": "datumet är före år 2000 eller mer än två år efter leveransen",
    },
    "organisation_missing": {"fi": "hankkiva organisaatio puuttuu", "sv": "den upphandlande organisationen saknas"},
    "organisation_unmatched": {
        "fi": "valtion tiedostossa on muun sektorin organisaatio, jota rekisteri ei tunne",
        "sv": "statens fil har en organisation från en annan sektor som registret inte känner",
    },
    "row_malformed": {
        "fi": "rivillä on eri määrä soluja kuin otsikossa tai lukukelvottomia merkkejä",
        "sv": "raden har ett annat antal celler än rubriken eller oläsliga tecken",
    },
    "keyless_row": {
        "fi": "rivin kaikki tunnisteet ovat tyhjiä eikä se ole loppusumma",
        "sv": "radens alla nycklar är tomma och den är ingen slutsumma",
    },
    "no_final_newline": {
        "fi": "viimeinen rivi päättyy ilman rivinvaihtoa; loppu voi puuttua",
        "sv": "sista raden slutar utan radbrytning; slutet kan saknas",
    },
    "supplier_id_invalid": {"fi": "y-tunnuksen tarkiste on väärä", "sv": "FO-numrets kontrollsiffra är fel"},
    "id_is_number": {
        "fi": "taulukkolaskenta on muuttanut tunnuksen luvuksi tai päiväksi (2,02501E+11), eikä sitä saa takaisin; toimita tekstinä",
        "sv": "kalkylprogrammet har gjort koden till ett tal eller en dag (2,02501E+11), och den kan inte återställas; leverera som text",
    },
    "answers_contradict": {
        "fi": "sama vastaaja vastaa kysymykseen myöhemmällä rivillä toisin; viimeinen vastaus lasketaan",
        "sv": "samma svarande svarar annorlunda på frågan på en senare rad; det sista svaret räknas",
    },
    "response_id_lost": {
        "fi": "taulukkolaskenta on muuttanut vastaustunnuksen luvuksi; rivi lasketaan omaksi vastaajakseen; toimita tekstinä",
        "sv": "kalkylprogrammet har gjort svarets id till ett tal; raden räknas som en egen svarande; leverera som text",
    },
    "id_zeros_lost": {
        "fi": "tunnuksesta puuttuvat etunollat, joita sarakkeen muilla on; toimita tekstinä",
        "sv": "koden saknar de inledande nollor som andra i kolumnen har; leverera som text",
    },
    "supplier_id_missing": {"fi": "toimittajan y-tunnus puuttuu", "sv": "leverantörens FO-nummer saknas"},
    "personal_id_found": {
        "fi": "solussa oli henkilötunnus; se poistettiin",
        "sv": "en personbeteckning stod i en cell; den togs bort",
    },
    "contact_found": {
        "fi": "solussa oli sähköpostiosoite tai puhelinnumero; se poistettiin",
        "sv": "en e-postadress eller ett telefonnummer stod i en cell; den togs bort",
    },
    "closing_time_missing": {
        "fi": "yhteydenotto on suljettu, mutta sulkemisaikaa ei ole; lisää vientiin ratkaisuajan sarake",
        "sv": "ärendet är avslutat men ingen tid för avslutandet finns; ta med kolumnen för lösningstid i exporten",
    },
    "type_unmapped": {
        "fi": "yhteydenoton tyyppiä ei ole missään koodistossa",
        "sv": "typen av kontakt finns inte i någon kodlista",
    },
    "joint_procurement_unmapped": {
        "fi": "yhteishankinta ei ole tunnus eikä yhteishankintojen koodistossa",
        "sv": "den gemensamma upphandlingen är varken en kod eller finns i kodlistan",
    },
    "answer_unknown": {
        "fi": "vastaus ei ole kysymyksen asteikon arvo eikä sana; lisää se tiedostoon survey_scales.csv",
        "sv": "svaret är varken ett värde eller ett ord på frågans skala; lägg till det i survey_scales.csv",
    },
    "value_implausible": {
        "fi": "arvo on täyte (enintään euro, pelkkiä yhdeksikköjä tai yli kymmenen miljardia); se jätettiin pois",
        "sv": "värdet är en platshållare (högst en euro, bara nior eller över tio miljarder); det utelämnades",
    },
    "value_shared": {
        "fi": "useat osien tulokset nimeävät saman tarjouksen; sen arvoa ei tunneta osittain",
        "sv": "flera delars resultat nämner samma anbud; dess värde per del är inte känt",
    },
    "scale_contradicts": {
        "fi": "kysymyksen vastausvaihtoehdot numeroivat asteikon kumpaankin suuntaan, tai numerot ovat pidempää asteikkoa",
        "sv": "frågans svarsalternativ numrerar skalan i båda riktningarna, eller siffrorna hör till en längre skala",
    },
    "wave_unknown": {
        "fi": "vastauksella ei ole päivää eikä vuotta, joten kyselykierros ei selviä",
        "sv": "svaret har varken datum eller år, så enkätomgången framgår inte",
    },
    "organisation_not_mapped": {
        "fi": "vastaajan organisaatio ei ole y-tunnus eikä rekisterissä; vastaus lasketaan vain koko maahan",
        "sv": "den svarandes organisation är inget FO-nummer och finns inte i registren; svaret räknas bara i hela landet",
    },
    "value_missing": {"fi": "pakollinen tieto puuttuu", "sv": "en obligatorisk uppgift saknas"},
    "value_unreadable": {
        "fi": "solussa ei ole lukua, päivää tai kyllä/ei-vastausta, jota sarake kysyy",
        "sv": "cellen har inget tal, datum eller ja/nej-svar som kolumnen frågar efter",
    },
    "value_out_of_range": {
        "fi": "luku tai päivä on sarakkeen rajojen ulkopuolella",
        "sv": "talet eller datumet ligger utanför kolumnens gränser",
    },
    "value_ambiguous": {
        "fi": "teksti, jossa on piste tai pilkku kolmen numeron edellä (1.000); muut tekstit eivät kerro, onko se desimaalierotin",
        "sv": "en text med punkt eller komma före tre siffror (1.000); inga andra texter visar om det är ett decimaltecken",
    },
    "value_is_formula": {"fi": "solussa on kaava; toimita arvoina", "sv": "cellen har en formel; leverera värden"},
    "code_unknown": {
        "fi": "sana ei ole sarakkeen vaihtoehdoissa millään kielellä",
        "sv": "ordet hör inte till kolumnens alternativ på något språk",
    },
    "organisation_unknown": {
        "fi": "tunnus ei ole oikea y-tunnus eikä organisaatiorekisterin tunnus",
        "sv": "koden är varken ett giltigt FO-nummer eller en kod i organisationsregistret",
    },
    "key_repeated": {"fi": "tiedostossa on jo rivi samalla avaimella", "sv": "filen har redan en rad med samma nyckel"},
    "text_not_a_code": {
        "fi": "solussa on tekstiä, vaikka kysytään tunnusta; tunnuksessa ei ole välilyöntejä ja hankinnan tunnuksessa on numero",
        "sv": "cellen har text där en kod efterfrågas; en kod har inga blanksteg och en upphandlings nummer har en siffra",
    },
    "action_in_two_categories": {
        "fi": "tiedosto sijoittaa toimenpiteen useampaan luokkaan",
        "sv": "filen placerar åtgärden i flera kategorier",
    },
}

_AGAIN = {"fi": "toimita tiedosto uudelleen kokonaisena", "sv": "leverera hela filen på nytt"}
_BIG = {
    "fi": "tiedostossa on {size} tavua, raja on {limit}; toimita osissa",
    "sv": "filen har {size} byte, gränsen är {limit}; leverera i delar",
}
_DAMAGED = {
    "fi": f"tiedosto on vioittunut tai katkennut; {_AGAIN['fi']}",
    "sv": f"filen är skadad eller avbruten; {_AGAIN['sv']}",
}
_NO_TABLE = {
    "fi": "tiedosto ei ole taulukko; toimita CSV, XLSX, JSON lines tai Parquet",
    "sv": "filen är ingen tabell; leverera CSV, XLSX, JSON lines eller Parquet",
}
_GROWING = {
    "fi": "tiedosto muuttui vastaanoton aikana; toimita, kun se on valmis",
    "sv": "filen ändrades under mottagningen; leverera när den är färdig",
}

REASONS: Mapping[str, tuple[str, Mapping[str, str]]] = wording_refusals.REFUSALS | {
    "header_unrecognised": (
        r"found: (?P<found>.*); add the headers",
        {"fi": "ostolaskujen otsikkoriviä ei tunnistettu; löytyi: {found}; lisää otsikot virastonne sarakekarttaan",
         "sv": "ingen rubrikrad för inköpsfakturor kändes igen; hittades: {found}; lägg till rubrikerna i er kolumnkarta"},
    ),
    "amount_column_missing": (
        r"found: (?P<found>.*); deliver one",
        {"fi": "summasaraketta ei tunnistettu; löytyi: {found}; toimita sellainen tai liitä otsikko sarakekarttaan",
         "sv": "ingen beloppskolumn kändes igen; hittades: {found}; leverera en eller lägg till rubriken i kolumnkartan"},
    ),
    "amount_column_ambiguous": (
        r"may be the \w+: (?P<names>.*); deliver one",
        {"fi": "useampi sarake voi olla sama summa: {names}; toimita yksi tai valitse se viraston sarakekartassa",
         "sv": "flera kolumner kan vara samma belopp: {names}; leverera en eller välj den i er kolumnkarta"},
    ),
    "file_cut_off": (
        r": (?P<cells>\d+) cells where the header has (?P<width>\d+)",
        {"fi": "tiedosto katkeaa kesken rivin: {cells} solua, otsikossa {width}; " + _AGAIN["fi"],
         "sv": "filen slutar mitt i en rad: {cells} celler, rubriken har {width}; " + _AGAIN["sv"]},
    ),
    "no_rows": ("", {"fi": "tiedostossa on otsikko mutta ei rivejä; toimita rivit", "sv": "filen har en rubrik men inga rader; leverera raderna"}),
    "file_empty": ("", {"fi": "tiedosto on tyhjä; toimita se uudelleen", "sv": "filen är tom; leverera den på nytt"}),
    "binary_file": ("", _NO_TABLE),
    "wrong_format": ("", _NO_TABLE),
    "file_too_large": (r"has (?P<size>\d+) bytes, the limit is (?P<limit>\d+)", _BIG),
    "line_too_long": (
        r"longer than (?P<limit>\d+) bytes",
        {"fi": "rivi on pidempi kuin {limit} tavua; toimita yksi tietue riviä kohti", "sv": "en rad är längre än {limit} byte; leverera en post per rad"},
    ),
    "totals_unclear": (
        r"hold (?P<some>[-\d.]+) of (?P<all>[-\d.]+) EUR",
        {"fi": "riveillä, jotka sanovat olevansa summia mutta eivät ole edeltävien rivien summia, on {some} eurosta {all}; jätä summarivit pois",
         "sv": "rader som säger sig vara summor men inte är summan av raderna ovan har {some} av {all} euro; utelämna summaraderna"},
    ),
    "euros_lost": (
        r"hold some (?P<lost>\S+) of (?P<all>\S+) EUR; at most (?P<limit>\S+) may",
        {"fi": "karanteenissa olevat rivit sisältävät arviolta {lost} euroa {all} eurosta; enintään {limit} saa jäädä pois. "
               "Korjaa ja toimita uudelleen",
         "sv": "raderna i karantän har uppskattningsvis {lost} av {all} euro; högst {limit} får falla bort. Rätta och leverera på nytt"},
    ),
    "several_sheets": (
        r"\((?P<names>.*)\)(?: under different headers)?; deliver",
        {"fi": "laskurivejä on usealla välilehdellä ({names}); toimita yksi välilehti tiedostoa kohti",
         "sv": "flera blad har fakturarader ({names}); leverera ett blad per fil"},
    ),
    "pages_missing": (
        "",
        {"fi": "tiedostosta puuttuu sivuja; toimita kaikki sivut samassa tiedostossa",
         "sv": "sidor saknas i filen; leverera alla sidor i samma fil"},
    ),
    "responses_missing": (
        r"(?P<found>\d+) responses where the service counted (?P<total>\d+)",
        {"fi": "tiedostossa on {found} vastausta, palvelussa {total}; hae kaikki sivut uudelleen",
         "sv": "filen har {found} svar, tjänsten {total}; hämta alla sidor på nytt"},
    ),
    "several_surveys": (
        "",
        {"fi": "tiedostossa on usean kyselyn vastauksia; toimita yksi tiedosto kyselyä kohti",
         "sv": "filen har svar på flera enkäter; leverera en fil per enkät"},
    ),
    "survey_unclear": (
        "",
        {"fi": "kysymykset sopivat useampaan kyselyyn; nimeä kysely tiedoston nimessä tai sarakkeessa",
         "sv": "frågorna passar flera enkäter; nämn enkäten i filens namn eller i en kolumn"},
    ),
    "question_ambiguous": (
        r"are taken for (?P<item>\w+);",
        {"fi": "kaksi kysymystä luetaan samaksi ({item}); nimeä oikea tunnuksella tai koko tekstillä tiedostossa survey_questions.csv",
         "sv": "två frågor tas för samma ({item}); ange den rätta med id eller hela texten i survey_questions.csv"},
    ),
    "coverage_unknown": (
        "",
        {"fi": "tiedostossa ei ole päivämääriä eikä vuosi selviä nimestä; toimita niin, että vuosi on tiedoston nimessä",
         "sv": "filen har inga datum och året framgår inte; leverera med året i filens namn"},
    ),
    "coverage_ambiguous": (
        "",
        {"fi": "tiedostossa ei ole päivämääriä ja se kattaa useita vuosia; toimita yksi tiedosto vuotta kohti",
         "sv": "filen har inga datum och omfattar flera år; leverera en fil per år"},
    ),
    "held": (
        r"replace (?P<old>\S+) (?:rows|EUR \(absolute\))(?: of \S+)? with (?P<new>[^\s;]+)",
        {"fi": "toimitus korvaisi paljon suuremman ({old} -> {new} riviä tai euroa); vapauta se, jos se on oikein",
         "sv": "leveransen skulle ersätta en mycket större ({old} -> {new} rader eller euro); släpp den om det är rätt"},
    ),
    "workbook_broken": ("", _DAMAGED),
    "parquet_broken": ("", _DAMAGED),
    "zip_broken": ("", _DAMAGED),
    "file_unreadable": (
        "",
        {"fi": f"tiedostoa ei voi lukea: se puuttuu, on vioittunut tai katkennut; {_AGAIN['fi']}",
         "sv": f"filen kan inte läsas: den saknas, är skadad eller avbruten; {_AGAIN['sv']}"},
    ),
    "file_growing": ("", _GROWING),
    "rows_lost": (
        "",
        {"fi": "toimituksen rivit on menetetty levyvian takia eikä alkuperäistä ole; toimita tiedosto uudelleen",
         "sv": "leveransens rader har gått förlorade genom ett diskfel och originalet finns inte; leverera filen på nytt"},
    ),
    "doctype_refused": (
        "",
        {"fi": "tiedostossa on DOCTYPE-määrittely; tallenna työkirja uudelleen taulukkolaskennalla",
         "sv": "filen innehåller DOCTYPE; spara arbetsboken på nytt i ett kalkylprogram"},
    ),
}  # fmt: skip
"""Code -> (where the values stand in the English text, the sentence in the other languages)."""

_ROW_RULE = ("Correct it and deliver again.", "Correct the notice and deliver it again.")
"""How reasons end that only tell the rule that a form's rows broke."""
_ROW_RULE_TEXT = {"fi": "{words}; korjaa ja toimita uudelleen", "sv": "{words}; rätta och leverera på nytt"}
_SHARE = re.compile(
    r"^(?P<failed>\d+) of (?P<rows>\d+) rows in \w+ break the rule (?P<rule>\w+) .*; at most (?P<limit>\S+) may", re.DOTALL
)
_SHARE_TEXT = {
    "fi": "{failed} riviä {rows} rivistä rikkoo sääntöä {rule}{words}; enintään {limit} sallitaan. Korjaa ja toimita uudelleen",
    "sv": "{failed} av {rows} rader bryter mot regeln {rule}{words}; högst {limit} får. Rätta och leverera på nytt",
}


def reason_text(code: str, text: str, language: str) -> str:
    """The reason in the language; the recorded English where no sentence is known for it."""
    share = _SHARE.match(text)
    if share and language in _SHARE_TEXT:
        words = RULES.get(share["rule"], {}).get(language)
        return _SHARE_TEXT[language].format(**share.groupdict(), words=f" ({words})" if words else "")
    rule = RULES.get(code, {}).get(language)
    if rule and text.endswith(_ROW_RULE):
        return _ROW_RULE_TEXT[language].format(words=rule)
    pattern, sentences = REASONS.get(code, ("", {}))
    found = re.search(pattern, text, re.DOTALL)
    if found is None or language not in sentences:
        return wording_refusals.PLAIN.get(code, {}).get(language, text)
    return sentences[language].format(**found.groupdict())


def rule_text(rule: str, language: str) -> str:
    """The rule's name, with what it means in Finnish or Swedish before it."""
    words = RULES.get(rule, {}).get(language)
    return f"{words} [{rule}]" if words else rule


def word(words: Mapping[str, Mapping[str, str]], key: str, language: str) -> str:
    """The word for a status or severity; the key where there is none."""
    return words.get(key, {}).get(language, key)
