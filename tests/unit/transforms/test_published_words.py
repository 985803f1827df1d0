"""The words of areas, factors and categories as the central purchasing body prints them, in each language, are known: whole files
with them are taken in full."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from schemas.reference import Reference
from tests.unit.transforms.form_deliveries import broken, cleaned
from tests.unit.transforms.survey_files import answers, taken, text_file
from transforms.sources import impact_assessments, joint_procurements

AREAS = {
    "fi": (
        "Palveluasenne", "Yhteyshenkilöiden toiminta", "Hankintalain tuntemus ja kilpailutusosaaminen",
        "Yhteishankintojen hyödyt ja toimivuus", "Sähköisten palvelujen toimivuus", "Tiedottaminen ja viestintä",
        "Asiakkaiden tarpeiden tuntemus", "Kilpailuttamispalvelun laatu", "Hankintatoimen kehittämispalvelun laatu",
    ),
    "sv": (
        "Serviceinställning", "Kontaktpersonernas arbete", "Kännedom om upphandlingslagen och konkurrensutsättning",
        "Fördelar med gemensamma upphandlingar och deras funktionsduglighet", "De digitala tjänsternas funktionsduglighet",
        "Kommunikation och information", "Kännedom om kundernas behov",
        "Kvaliteten av upphandlingsverksamhetens utvecklingsservice",
    ),
}  # fmt: skip
FACTORS = {
    "fi": ("Kustannussäästöt", "Innovatiivisuus", "Osaamisen kasvattaminen", "Tuotteen tai palvelun laatu", "Vastuullisuus"),
    "sv": ("Kostnadsbesparingar", "Innovation", "Kompetensökning", "Produktens eller tjänstens kvalitet", "Hållbarhet"),
}
CATEGORIES = {
    "fi": (
        "Ajoneuvo- ja logistiikkapalvelut", "Asiantuntijapalvelut", "Elintarvikkeet ja ravintolapalvelut", "Energia",
        "Henkilöstö- ja terveyspalvelut", "IT-laitteet", "Kalusteet ja toimistopalvelut", "Konesalipalvelut ja -laitteet",
        "Matkustus- ja kokouspalvelut", "Ohjelmistot", "Puhtaanapidon palvelut ja tarvikkeet", "Talous- ja rahoituspalvelut",
        "Tietoliikenne", "Turvallisuustekniikka ja -palvelut",
    ),
    "sv": (
        "Fordons- och logistiktjänster", "Experttjänster", "Livsmedel- och restaurangtjänster", "Energi", "HR- och hälsovårdstjänster",
        "IT-utrustning", "Inredning och kontorstjänster", "Datorsalstjänster och utrustning", "Rese- och mötestjänster", "Programvara",
        "Rengöringstjänster och rengöringsmaterial", "Ekonomi- och finanstjänster", "Datakommunikation",
        "Säkerhetsteknik och -tjänster",
    ),
    "en": (
        "Vehicle and logistics services", "Expert services", "Food and restaurant services", "Energy", "HR and health services",
        "IT hardware", "Furniture and office services", "Data centre services and hardware", "Travel and meeting services", "Software",
        "Cleaning services and supplies", "Financial and financing services", "Data communications",
        "Security technology and related services",
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", AREAS)
def test_areas_of_the_customer_survey(tmp_path: Path, language: str) -> None:
    heads = AREAS[language]
    _, part, _ = taken(text_file(tmp_path, "asiakaskysely.csv", ";".join([*heads, "Vuosi"]), ";".join([*["4"] * len(heads), "2023"])))
    read = answers(part)
    assert len({item for _, item, _ in read}) == len(heads) == len(read)


@pytest.mark.parametrize("language", FACTORS)
def test_factors_of_impact(tmp_path: Path, language: str) -> None:
    heads = "Arvioidun hankinnan tunnus;Hankinnan laji;Yhteishankinnan tunnus;Y-tunnus;Mittauspiste;Arviointipäivä"
    row = "YH-1;yhteishankinta;;0101263-6;vaihe 1;1.1.2023;0;1;2;1;0"
    part = cleaned(impact_assessments.FORM, tmp_path / "f.csv", [";".join([heads, *FACTORS[language]]), row])
    assert broken(part) == []
    scores = part.accepted["impact_assessment"].select("cost_savings", "innovation", "competence", "quality", "responsibility")
    assert scores.rows() == [(0, 1, 2, 1, 0)]


@pytest.mark.parametrize("language", CATEGORIES)
def test_categories_of_joint_procurements(tmp_path: Path, language: str) -> None:
    heads = "Yhteishankinnan tunnus;Muoto;Hankintakategoria;Voimassa alkaen;Päättyy"
    rows = [f"YH-{number};puitejärjestely;{word};1.1.2023;31.12.2026" for number, word in enumerate(CATEGORIES[language], start=1)]
    part = cleaned(joint_procurements.FORM, tmp_path / "f.csv", [heads, *rows])
    assert broken(part) == []
    assert part.accepted["agreement"]["category"].n_unique() == 14


def test_no_division_of_the_cpv_bears_the_name_of_another() -> None:
    """Masks for bodies stood where transport equipment belongs."""
    divisions = Reference.load().table("cpv.csv")
    for language in ("name_fi", "name_sv", "name_en"):
        assert divisions[language].n_unique() == divisions.height
    transport = divisions.filter(pl.col("code") == "34000000").row(0, named=True)
    assert transport["name_fi"].startswith("Kuljetusvälineet")
    assert transport["name_sv"].startswith("Transportutrustning")
