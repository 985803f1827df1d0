"""A city that stands in the state's file and delivers itself too is counted once, by its own delivery."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.support import ledger, nightly, published

STATE = (
    "lasku_id;tili;tiliointisumma;tositepvm;toimittaja_y_tunnus;toimittaja_nimi;hankintayksikko_tunnus;hankintayksikko;sektori\n"
)
CITY = "Kirjauspäivämäärä;Tilin numero;Tilin nimi;Toimittajan nimi;Toimittajan Y-tunnus;Summa ALV0 euroina\n"


def drop(home: Path, agency: str, name: str, text: str) -> None:
    folder = home / "inbox" / agency / "purchase_invoices"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, "utf-8")


def test_helsinki_in_the_states_file_and_its_own_delivery_is_one_copy(tmp_path: Path) -> None:
    helsinki = "".join(
        f"{n};43000000 Palvelut;1000.00;2024-0{n}-05;0988084-1;Hansel Oy;999;Helsingin kaupunki;Kunta\n" for n in range(1, 10)
    )
    office = "9;43000000 Palvelut;7.00;2024-03-01;0988084-1;Hansel Oy;151;Rikosseuraamuslaitos;Valtio\n"
    unknown = "10;43000000 Palvelut;30.00;2024-03-01;0988084-1;Hansel Oy;998;Tuntemattoman kunta;Kunta\n"
    drop(tmp_path, "state", "th_data_2024.csv", STATE + helsinki + office + unknown)
    drop(
        tmp_path,
        "helsinki",
        "ostot_2024.csv",
        CITY + "".join(f"05.0{n}.2024;4300;Palvelut;Hansel Oy;0988084-1;1000,00\n" for n in range(1, 10)),
    )
    nightly(tmp_path)
    figure = "SELECT value::INTEGER AS value FROM mart.key_figure WHERE figure_id = 'spend_total' AND period_kind = 'year' AND "
    assert published(tmp_path, figure + "level = 'national' AND breakdown_kind = '' AND panel = 'all'")["value"].to_list() == [
        9037
    ]
    city = published(tmp_path, figure + "level_id = '0201256-6' AND breakdown_kind = '' AND panel = 'all'")
    assert city["value"].to_list() == [9000]
    warned = ledger(
        tmp_path,
        "SELECT agency, rule, rows_n FROM ledger.rule_count JOIN ledger.delivery USING (delivery_id) WHERE rule LIKE 'org%'",
    )
    assert warned.rows() == [("state", "organisation_unmatched", 1)]
    [receipt] = (tmp_path / "receipts" / "state").rglob("*.txt")
    assert "Tuntemattoman kunta" in receipt.read_text("utf-8")
