"""Finnish and Swedish for what is refused at the door and for files that no reader takes; `wording` looks here too.

Codes as in `wording.REASONS`: where the values stand in the English text, and the sentences. Rules as in `wording.RULES`.
"""

from __future__ import annotations

from collections.abc import Mapping

_NOTICES = {
    "fi": "tiedosto ei ole luettavaa XML:ää, siinä on DOCTYPE tai se ylittää rajat; toimita ilmoitus uudelleen kokonaisena",
    "sv": "filen är ingen läsbar XML, innehåller DOCTYPE eller överskrider gränserna; leverera hela annonsen på nytt",
}

REFUSALS: dict[str, tuple[str, Mapping[str, str]]] = {
    "source_unknown": (
        r"say --source, one of (?P<known>.*)$",
        {"fi": "aineistoa ei tunneta; anna --source tai vie tiedosto kansioon inbox/VIRASTO/AINEISTO (jokin näistä: {known})",
         "sv": "källan är okänd; ange --source eller lägg filen i inbox/MYNDIGHET/KÄLLA (någon av {known})"},
    ),
    "agency_unknown": (
        r"^agency (?P<agency>.*) is not in agencies\.csv",
        {"fi": "virastoa {agency} ei ole luettelossa agencies.csv; anna --agency tai lisää sille rivi",
         "sv": "myndigheten {agency} finns inte i agencies.csv; ange --agency eller lägg till en rad för den"},
    ),
    "agency_unrecognised": (
        "",
        {"fi": "virastoa ei tunnistettu; anna --agency tai vie tiedosto kansioon inbox/VIRASTO/AINEISTO",
         "sv": "myndigheten kändes inte igen; ange --agency eller lägg filen i inbox/MYNDIGHET/KÄLLA"},
    ),
    "source_not_agreed": (
        r"^agency (?P<agency>.*) does not deliver (?P<source>\S+) by",
        {"fi": "luettelon agencies.csv mukaan {agency} ei toimita aineistoa {source}; korjaa rivi tai paikka",
         "sv": "enligt agencies.csv levererar {agency} inte {source}; rätta raden eller platsen"},
    ),
    "agency_invalid": (
        "",
        {"fi": "viraston tunnuksessa saa olla vain pieniä kirjaimia, numeroita ja viivoja; korjaa tunnus",
         "sv": "myndighetens kod får bara ha små bokstäver, siffror och streck; rätta koden"},
    ),
    "source_invalid": (
        "",
        {"fi": "aineiston tunnuksessa saa olla vain pieniä kirjaimia, numeroita ja viivoja; korjaa tunnus",
         "sv": "källans kod får bara ha små bokstäver, siffror och streck; rätta koden"},
    ),
    "manifest_invalid": (
        "",
        {"fi": "tiedoston vieressä olevaa saatetta (.manifest.json) ei voi lukea; korjaa se ja toimita molemmat uudelleen",
         "sv": "följesedeln bredvid filen (.manifest.json) kan inte läsas; rätta den och leverera båda på nytt"},
    ),
    "not_a_file": (
        "",
        {"fi": "kyseessä on linkki, putki, laite tai kansio; toimita tavallinen tiedosto",
         "sv": "det är en länk, ett rör, en enhet eller en mapp; leverera en vanlig fil"},
    ),
    "file_not_permitted": (
        "",
        {"fi": "nyckeltalin käyttäjällä ei ole oikeutta lukea tiedostoa; anna oikeus, niin tiedosto otetaan vastaan",
         "sv": "nyckeltals användare har inte rätt att läsa filen; ge rätten, så tas filen emot"},
    ),
    "file_not_taken": (
        r"\((?P<kind>\w+)\)",
        {"fi": "tiedostoa ei voitu ottaa vastaan ({kind}); se jää paikalleen ja sitä yritetään seuraavalla ajolla uudelleen",
         "sv": "filen kunde inte tas emot ({kind}); den ligger kvar och prövas igen vid nästa körning"},
    ),
    "sheet_too_large": (
        "",
        {"fi": "työkirjan solut vievät purettuina liian paljon tilaa; poista kaukana olevat solut, toimita osissa tai CSV:nä",
         "sv": "arbetsbokens celler tar uppackade för mycket plats; ta bort celler långt bort, leverera i delar eller som CSV"},
    ),
    "parquet_refused": (
        "",
        {"fi": "Parquet-tiedosto on purettuna liian suuri, toistaa sarakkeen nimen tai sisältää sisäkkäisiä sarakkeita; "
               "kirjoita tavallisin sarakkein tai toimita osissa",
         "sv": "Parquet-filen är uppackad för stor, upprepar ett kolumnnamn eller har nästlade kolumner; "
               "skriv den med vanliga kolumner eller leverera i delar"},
    ),
    "encoding_unknown": (
        "",
        {"fi": "luettelon agencies.csv merkistöä ei tunneta; korjaa viraston rivi",
         "sv": "teckenkodningen i agencies.csv är okänd; rätta myndighetens rad"},
    ),
    "json_too_large": (
        "",
        {"fi": "JSONissa on enemmän arvoja kuin kerralla voi lukea; toimita se osissa tai CSV:nä",
         "sv": "JSON-filen har fler värden än som kan läsas på en gång; leverera den i delar eller som CSV"},
    ),
    "reader_died": (
        r"^(?P<what>.*); save it anew",
        {"fi": "tiedoston lukeminen keskeytyi ({what}); tallenna se uudelleen ohjelmalla, jolla se on tehty, tai toimita se osissa tai CSV:nä",
         "sv": "läsningen av filen avbröts ({what}); spara den på nytt med programmet som gjorde den eller leverera den i delar eller "
               "som CSV"},
    ),
    "rows_broken": (
        r"^(?P<broken>\d+) of the first (?P<read>\d+) rows",
        {"fi": "ensimmäisistä {read} rivistä {broken} on virheellisiä, eikä loppua luettu; korjaa ne ja toimita tiedosto uudelleen",
         "sv": "av de första {read} raderna är {broken} felaktiga och resten lästes inte; rätta dem och leverera filen på nytt"},
    ),
    "rows_blank": (
        r"^(?P<aside>\d+) of the first (?P<read>\d+) rows",
        {"fi": "ensimmäisistä {read} rivistä {aside} on tyhjiä tai summia, eikä loppua luettu; poista ne ja toimita tiedosto uudelleen",
         "sv": "av de första {read} raderna är {aside} tomma eller summor och resten lästes inte; ta bort dem och leverera filen på nytt"},
    ),
    "json_broken": (
        "",
        {"fi": "tiedosto ei ole JSONia UTF-8-merkistössä, on katkennut tai liian syvä; toimita se uudelleen kokonaisena",
         "sv": "filen är ingen JSON i UTF-8, är avbruten eller för djup; leverera hela filen på nytt"},
    ),
    "json_key_repeated": (
        "",
        {"fi": "objektissa on sama avain kahdesti, joten oikea arvo ei selviä; toimita kukin avain kerran",
         "sv": "ett objekt har samma nyckel två gånger, så rätt värde framgår inte; leverera varje nyckel en gång"},
    ),
    "json_shape": (
        "",
        {"fi": "tiedosto ei ole luettelo objekteja; toimita yksi objekti riviä kohti",
         "sv": "filen är ingen lista av objekt; leverera ett objekt per rad"},
    ),
    "json_without_notices": (
        "",
        {"fi": "JSONissa ei ole yhtään hankintailmoitusta; toimita lukurajapinnan vastaus sellaisenaan",
         "sv": "JSON-filen har ingen upphandlingsannons; leverera läsgränssnittets svar som det är"},
    ),
    "no_notice": (
        "",
        {"fi": "tiedostossa ei ole yhtään ilmoitusta; toimita se sisältöineen",
         "sv": "filen har ingen annons; leverera den med innehåll"},
    ),
    "xml_refused": ("", _NOTICES),
    "notice_unknown": (
        "",
        {"fi": "tiedosto ei ole eForms-ilmoitus eikä TED-ilmoitus (R2.0.8, R2.0.9); toimita hankintailmoituksia",
         "sv": "filen är varken en eForms-annons eller en TED-annons (R2.0.8, R2.0.9); leverera upphandlingsannonser"},
    ),
    "workbook_encrypted": (
        "",
        {"fi": "työkirjassa on salasana; tallenna se ilman salasanaa ja toimita uudelleen",
         "sv": "arbetsboken har ett lösenord; spara den utan lösenord och leverera på nytt"},
    ),
    "packing_unknown": (
        "",
        {"fi": "tiedosto on pakattu tavalla, jota ei lueta; pura se tai pakkaa se zip- tai gz-tiedostoksi",
         "sv": "filen är packad på ett sätt som inte läses; packa upp den eller packa den som zip eller gz"},
    ),
    "zip_too_many_members": (
        r"(?P<found>\d+) members, at most (?P<limit>\d+)",
        {"fi": "pakatussa tiedostossa on {found} tiedostoa, enintään {limit} sallitaan; toimita osissa",
         "sv": "arkivet har {found} filer, högst {limit} får; leverera i delar"},
    ),
    "zip_empty": (
        "",
        {"fi": "pakatussa tiedostossa ei ole tiedostoja; toimita se sisältöineen",
         "sv": "arkivet har inga filer; leverera det med innehåll"},
    ),
    "zip_duplicate_name": (
        "",
        {"fi": "pakatussa tiedostossa on kaksi samannimistä tiedostoa; pakkaa kukin kerran",
         "sv": "arkivet har två filer med samma namn; packa varje fil en gång"},
    ),
    "zip_unsafe_name": (
        "",
        {"fi": "pakatun tiedoston jokin nimi osoittaa paketin ulkopuolelle; pakkaa tiedostot tavallisin nimin",
         "sv": "ett namn i arkivet pekar utanför det; packa filerna med vanliga namn"},
    ),
    "zip_encrypted": (
        "",
        {"fi": "pakattu tiedosto on salattu; toimita se ilman salasanaa",
         "sv": "arkivet är krypterat; leverera det utan lösenord"},
    ),
    "zip_nested": (
        "",
        {"fi": "pakatun tiedoston sisällä on toinen pakattu tiedosto; pakkaa tiedostot suoraan",
         "sv": "ett arkiv ligger inuti arkivet; packa filerna direkt"},
    ),
    "zip_not_a_file": (
        "",
        {"fi": "pakatussa tiedostossa on linkki tai laite; pakkaa vain tavallisia tiedostoja",
         "sv": "arkivet har en länk eller en enhet; packa bara vanliga filer"},
    ),
    "zip_method": (
        "",
        {"fi": "tiedosto on pakattu tavalla, jota ei tueta; käytä tavallista zip-pakkausta",
         "sv": "en fil är packad på ett sätt som inte stöds; använd vanlig zip"},
    ),
    "zip_too_large": (
        r"unpacked (?P<size>\d+) bytes, at most (?P<limit>\d+)",
        {"fi": "paketissa on purettuna {size} tavua, enintään {limit} sallitaan; toimita osissa",
         "sv": "arkivet har uppackat {size} byte, högst {limit} får; leverera i delar"},
    ),
    "zip_ratio": (
        r"more than (?P<ratio>\d+) times",
        {"fi": "tiedosto purkautuu yli {ratio}-kertaiseksi; toimita se pakkaamattomana",
         "sv": "filen blir uppackad över {ratio} gånger så stor; leverera den opackad"},
    ),
    "zip_overlap": (
        "",
        {"fi": "paketin tiedostot menevät päällekkäin; pakkaa ne uudelleen tavallisella zipillä",
         "sv": "arkivets filer överlappar varandra; packa dem på nytt med vanlig zip"},
    ),
}  # fmt: skip

PLAIN: Mapping[str, Mapping[str, str]] = {
    "file_too_large": {
        "fi": "tiedosto on suurempi kuin raja sallii; toimita osissa",
        "sv": "filen är större än gränsen tillåter; leverera i delar",
    },
    "line_too_long": {
        "fi": "tiedoston rivi on liian pitkä; toimita yksi tietue riviä kohti",
        "sv": "en rad i filen är för lång; leverera en post per rad",
    },
}
"""For codes whose English text has several forms: the sentence without values."""

RULES: dict[str, Mapping[str, str]] = {
    "buyer_missing": {
        "fi": "ostaja puuttuu tai ei ole ilmoituksen organisaatioiden joukossa",
        "sv": "köparen saknas eller finns inte bland annonsens organisationer",
    },
    "category_unmapped": {
        "fi": "kategoriaa ei ole tiedostossa agreement_categories.csv; lisää rivi",
        "sv": "kategorin finns inte i agreement_categories.csv; lägg till raden",
    },
    "currency_not_eur": {"fi": "summa on muuna valuuttana kuin euroina", "sv": "beloppet är i annan valuta än euro"},
    "date_is_dummy": {
        "fi": "päivä on pelkkä täyte (2000-01-01, 1970-01-01) ja jätettiin pois",
        "sv": "datumet är en platshållare (2000-01-01, 1970-01-01) och utelämnades",
    },
    "form_type_unknown": {"fi": "lomaketyyppiä (BT-03) ei tunneta", "sv": "formulärtypen (BT-03) är okänd"},
    "hilma_ted_unknown": {
        "fi": "määrä, koko tai päivä, jonka Hilma on kirjoittanut TED-XML:ään (12/2019-2023) myös kertomatta; se jätettiin pois",
        "sv": "antal, storlek eller dag som Hilma skrev i TED-XML (12/2019-2023) också utan uppgift; det utelämnades",
    },
    "identifier_duplicate": {
        "fi": "kahdella organisaatiolla, osalla tai osan tuloksella on sama tunnus",
        "sv": "två organisationer, delar eller delresultat har samma identifierare",
    },
    "identifier_missing": {
        "fi": "organisaatiolta, osalta, tulokselta, tarjoukselta tai sopimukselta puuttuu tunnus",
        "sv": "en organisation, del, ett resultat, anbud eller avtal saknar identifierare",
    },
    "lift_negative": {
        "fi": "kevennetyn kilpailutuksen tulos jää alle yhteishankinnan tuloksen; tarkista molemmat",
        "sv": "resultatet av den förnyade konkurrensutsättningen ligger under den gemensamma upphandlingens; kontrollera båda",
    },
    "lot_missing": {
        "fi": "hankinta- tai jälki-ilmoituksessa ei ole yhtään osaa",
        "sv": "annonsen om upphandling eller resultat saknar delar",
    },
    "more_bids_than_invited": {
        "fi": "tarjouksia on enemmän kuin kutsuttuja toimittajia; tarkista luvut",
        "sv": "anbuden är fler än de inbjudna leverantörerna; kontrollera talen",
    },
    "nobody_named": {
        "fi": "rivi ei nimeä organisaatiota eikä sektoria",
        "sv": "raden anger varken organisation eller sektor",
    },
    "notice_contradictory": {
        "fi": "ilmoitus on ristiriidassa itsensä kanssa; arvoa ei tunneta",
        "sv": "annonsen motsäger sig själv; värdet är okänt",
    },
    "notice_date_missing": {
        "fi": "ilmoituksella ei ole oikeaa julkaisu- eikä lähetyspäivää",
        "sv": "annonsen har varken ett riktigt publicerings- eller avsändningsdatum",
    },
    "notice_id_missing": {"fi": "ilmoituksen tunnus (BT-701) puuttuu", "sv": "annonsens id (BT-701) saknas"},
    "notice_repeated": {
        "fi": "toimituksessa on sama ilmoitus ja versio toistamiseen; viimeksi lähetetty jää voimaan",
        "sv": "leveransen har samma annons och version igen; den senast avsända gäller",
    },
    "notice_unknown": {"fi": "ilmoituksen muotoa ei tunneta", "sv": "annonsens format är okänt"},
    "notice_version_invalid": {
        "fi": "ilmoituksen versio (BT-757) ei ole luku",
        "sv": "annonsens version (BT-757) är inget tal",
    },
    "purchase_unplaced": {
        "fi": "rivi ei nimeä yhteishankintaa eikä kategoriaa",
        "sv": "raden anger varken gemensam upphandling eller kategori",
    },
    "reference_broken": {
        "fi": "tunnus ei viittaa mihinkään ilmoituksessa; liitos jätettiin pois",
        "sv": "en identifierare pekar inte på något i annonsen; kopplingen utelämnades",
    },
    "result_missing": {
        "fi": "jälki-ilmoituksessa ei ole yhdenkään osan tulosta",
        "sv": "resultatannonsen saknar resultat för delarna",
    },
    "result_repeated": {
        "fi": "osaa nimeämättömät kohdat toistavat samat luvut; ne ovat yksi tulos",
        "sv": "avsnitt utan delnummer upprepar samma tal; de är ett resultat",
    },
    "stage_of_other_kind": {
        "fi": "mittauspiste ei kuulu tälle hankinnan lajille",
        "sv": "mätpunkten hör inte till detta slag av upphandling",
    },
    "subtype_unknown": {
        "fi": "ilmoituksen alatyyppi (OPP-070) puuttuu tai on tuntematon; lomakkeen laji kertoo, mistä on kyse",
        "sv": "annonsens undertyp (OPP-070) saknas eller är okänd; blankettypen säger vad den är",
    },
    "supplier_unknown": {
        "fi": "tunnus ei ole oikea y-tunnus eikä ulkomaisen rekisterin tunnus",
        "sv": "koden är varken ett giltigt FO-nummer eller ett utländskt registers kod",
    },
    "xml_refused": {
        "fi": "ei luettavaa XML:ää, DOCTYPE tai yli koon ja syvyyden rajojen",
        "sv": "ingen läsbar XML, DOCTYPE eller över gränserna för storlek och djup",
    },
}
