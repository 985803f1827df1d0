"""Writes planted posting lines as delivered files, with their manifests, and says what must become of each file."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from random import Random

from samples import cellforms, layouts_xlsx
from samples.agencies import STATE, Plan, Size, guest_codes
from samples.cellforms import Layout
from samples.facts import Canary, Holding, Outcome, Posting
from samples.ids import personal_id
from samples.purchases import LAST_MONTH_2025, Shape, plant
from samples.registry import World
from samples.xlsx import Cell, Formula, write_workbook

SOURCE = "purchase_invoices"
UNREAD = ("amount", "row_malformed")
"""Defects that leave a row without a readable amount."""
CODE_COLUMNS = frozenset({
    "lasku_id", "tili", "hankintakategoria", "tositteen numero", "tositenumero", "tosite numero", "tulosyksikön id",
    "tulosyksikön nimi", "kustannuspaikka", "kustannuspaikan nimi", "vastuualue", "tulosyksikkö", "tilin nimi", "palveluluokka",
    "hilma-tunnus",
})  # fmt: skip
"""Headers of columns, other than the supplier's, that may hold a planted personal identity code."""
CODE_FORMS = ("{0}{1}{2}", "Potilas {0}{1}{2} hoito", "{0} {1} {2}", "Potilas{0}{1}{2}")


@dataclass
class Written:
    """What has been planted and written so far."""

    out: Path
    postings: list[Posting] = field(default_factory=list)
    holdings: dict[tuple[str, str], Holding] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    canaries: list[Canary] = field(default_factory=list)

    def place(self, agency: str, name: str, source: str = SOURCE) -> Path:
        folder = self.out / "inbox" / agency / source
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name


def deliver_all(rng: Random, world: World, plans: Sequence[Plan], size: Size, written: Written) -> None:
    """Plants and writes every agency's years; the state's files also hold a city and a county (see `_guests`)."""
    case = 29_000_000
    city: dict[int, list[Posting]] = {}
    for plan in sorted(plans, key=lambda plan: plan.agency == STATE):
        for year in plan.years:
            postings = plant(rng, world, plan.shape(year), year, case, (plan.years[0], plan.years[-1]))
            case += len(postings) + 1_000
            if plan.key == "tampere":
                city[year] = [replace(posting) for posting in postings]
            if plan.agency == STATE and size != "tiny":
                postings += _guests(rng, world, city, year, case)
                case += len(postings)
            if plan.gross:
                postings = [replace(posting, counted=False) for posting in postings]
            _deliver_year(rng, plan, year, postings, size, written)
            written.postings += postings
            for organisation in {posting.organisation for posting in postings if posting.accepted}:
                written.holdings[plan.agency, organisation.organisation_id] = (plan.agency, organisation, plan.years)


def _guests(rng: Random, world: World, city: Mapping[int, list[Posting]], year: int, case: int) -> list[Posting]:
    """What the state's file holds of others: a copy of a city's 2022 (the city's own delivery counts), and a county's 2023
    (which delivers itself only from 2024 on, so the state's rows count)."""
    if year == 2022:
        copies = [posting for posting in city[2022] if not posting.defect]
        return [replace(posting, counted=False) for posting in copies[: len(copies) // 4]]
    if year == 2023:
        county = world.organisations["county"]
        return plant(rng, world, Shape((county,), 400, 55_000, masks=True, defects=0), 2023, case, (2023, 2023))
    return []


def _deliver_year(rng: Random, plan: Plan, year: int, postings: list[Posting], size: Size, written: Written) -> None:
    layout = plan.layout(year)
    for posting in postings:
        posting.category = layout.category(posting.account)
    if year in plan.monthly:
        for month in range(1, LAST_MONTH_2025 + 1):
            rows = [posting for posting in postings if _file_month(posting) == month]
            name = plan.file_name.format(year=f"{year}-{month:02d}")
            _write(plan, layout, name, rows, year, written, coverage=(date(year, month, 1), _month_end(year, month)))
        return
    parts = sorted({posting.part for posting in postings})
    for part in parts:
        rows = [posting for posting in postings if posting.part == part]
        name = plan.file_name.format(year=year, part=part)
        if plan.agency == STATE and year == 2024 and size != "tiny":
            early = _first_version(rng, rows)
            outcome = _write(plan, layout, name, early, year, written, produced="2025-01-20T06:00:00Z", part=part)
            outcome.reason = "superseded"
            _write(
                plan,
                layout,
                name.replace(".csv", "_korjattu.csv"),
                rows,
                year,
                written,
                produced="2025-06-10T06:00:00Z",
                part=part,
            )
        else:
            _write(plan, layout, name, rows, year, written, part=part)


def _file_month(posting: Posting) -> int:
    return 1 if posting.day.year < posting.file_year else posting.day.month


def _first_version(rng: Random, rows: list[Posting]) -> list[Posting]:
    """The same year before its correction: some lines missing, some amounts wrong."""
    early = [replace(row) for row in rows if rng.random() > 0.02]
    for row in rng.sample(early, k=len(early) // 50):
        row.cents += 1_000
    return early


def _write(
    plan: Plan,
    layout: Layout,
    name: str,
    rows: list[Posting],
    year: int,
    written: Written,
    *,
    coverage: tuple[date, date] | None = None,
    produced: str = "",
    part: str = "",
) -> Outcome:
    path = written.place(plan.agency, name)
    cells = [list(layout.cells(row)) for row in rows]
    planted = _plant_codes(layout, rows, cells, year)
    outcome = _outcome(str(path.relative_to(written.out)), plan, rows)
    if year in plan.grand_totals:
        cells.append(_grand_total(layout, rows))
        outcome.rows_set_aside = 1
        outcome.cents_set_aside = outcome.cents_accepted + outcome.cents_quarantined
    if layout.kind == "xlsx":
        write_workbook(path, [*_titles(plan, year), layout.header, *cells])
    else:
        outcome.blank_lines = 2 if plan.blank_lines else 0
        outcome.rows_set_aside += outcome.blank_lines
        _write_text(path, layout, cells, blank=plan.blank_lines)
    if year == 2025 and coverage is None:
        coverage = (date(2025, 1, 1), _month_end(2025, LAST_MONTH_2025))
    if plan.with_manifest or produced or coverage:
        _manifest(path, plan, coverage or (date(year, 1, 1), date(year, 12, 31)), produced or f"{year + 1}-02-15T10:00:00Z", part)
    _note_canaries(rows, outcome.file, written)
    written.canaries += [Canary(text, "personal_id", outcome.file, header) for header, text in planted]
    written.outcomes.append(outcome)
    return outcome


def _plant_codes(layout: Layout, rows: Sequence[Posting], cells: list[list[Cell]], year: int) -> list[tuple[str, str]]:
    """Personal identity codes in cells of cases, units, accounts and categories: (header, text). Only rows whose account is no
    procurement take them: no figure rests on their invoice or category."""
    places = [position for position, header in enumerate(layout.header) if " ".join(header.split()).lower() in CODE_COLUMNS]
    lonely = [
        number
        for number, row in enumerate(rows)
        if row.accepted and row.account.known and not row.account.is_procurement(row.day)
    ]
    planted = []
    for index, number in enumerate(lonely[: 2 * len(places)]):
        place = places[index % len(places)]
        code = personal_id(year * 11 + number * 17 + index)
        text = CODE_FORMS[(index + index // len(places)) % len(CODE_FORMS)].format(code[:6], code[6:10], code[10])
        account = layout.header[place] == "tili" and rows[number].account.code  # 'code name' in one cell
        cells[number][place] = f"{account} {text}" if account else text
        planted.append((layout.header[place], text))
    return planted


def _outcome(file: str, plan: Plan, rows: Sequence[Posting]) -> Outcome:
    def cents(row: Posting) -> int:
        return row.cents + row.vat_cents if plan.gross else row.cents

    bad = [row for row in rows if row.defect]
    return Outcome(
        file,
        plan.agency,
        SOURCE,
        "loaded",
        rows_accepted=len(rows) - len(bad),
        rows_quarantined=len(bad),
        cents_accepted=sum(cents(row) for row in rows if not row.defect),
        cents_quarantined=sum(cents(row) for row in bad if not row.defect.startswith(UNREAD)),
        amounts_unreadable=sum(row.defect.startswith(UNREAD) for row in bad),
        rules=dict(sorted(Counter(row.defect for row in bad).items())),
    )


def _grand_total(layout: Layout, rows: Sequence[Posting]) -> list[Cell]:
    """A last row with every key blank whose amount is the sum of the others."""
    total = sum(row.cents for row in rows if not row.defect.startswith("amount"))
    cells: list[Cell] = [""] * len(layout.header)
    if layout.kind == "xlsx":
        cells = [None] * len(layout.header)
        cells[layout.amount_index] = cellforms.number(total)
    else:
        cells[layout.amount_index] = cellforms.comma_thousands(total) if layout.name == "kaarina" else cellforms.comma(total)
    return cells


def _titles(plan: Plan, year: int) -> list[list[Cell]]:
    """Lines above the header: a title and an empty row, as some agencies' sheets have."""
    title: list[Cell] = [f"Ostolaskut {year}"]
    return [title, []][: plan.title_lines]


def _write_text(path: Path, layout: Layout, cells: Sequence[Sequence[Cell]], *, blank: bool) -> None:
    if layout.quoted:
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, delimiter=layout.delimiter, lineterminator="\r\n")
        writer.writerow(layout.header)
        writer.writerows(cells)
        text = buffer.getvalue()
    else:
        lines = [layout.header, *cells]
        text = "".join(layout.delimiter.join(str(cell) for cell in line) + "\n" for line in lines)
    path.write_bytes((text + ("\r\n\r\n" if blank else "")).encode(layout.encoding))


def _manifest(path: Path, plan: Plan, coverage: tuple[date, date], produced: str, part: str) -> None:
    content: dict[str, object] = {
        "agency": plan.agency,
        "source": SOURCE,
        "produced_at": produced,
        "coverage_from": coverage[0].isoformat(),
        "coverage_to": coverage[1].isoformat(),
        "openly_published": True,
    }
    if part:
        content["part"] = part
    path.with_name(f"{path.name}.manifest.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def _note_canaries(rows: Sequence[Posting], file: str, written: Written) -> None:
    for row in rows:
        if row.name_text.startswith("Kanarialintu"):
            code = row.supplier.id_texts[0]
            where = "supplier_business_id" if row.id_text else "supplier_name"
            written.canaries += [
                Canary(code, "personal_id", file, where),
                Canary(row.supplier.name, "person_name", file, "supplier_name"),
            ]
            beside = row.name_text.removeprefix(row.supplier.name).strip()
            if beside and beside != code:
                kind = "email" if "@" in beside else "phone"
                written.canaries.append(Canary(beside, kind, file, "supplier_name"))


def _month_end(year: int, month: int) -> date:
    following = date(year + month // 12, month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)


def refused(written: Written) -> None:
    """Deliveries that must be refused whole: a table without amounts, and a sheet whose amounts are formulas."""
    path = written.place("sample-koela", "koela_ostolaskut_luonnos_2024.csv")
    path.write_bytes("Kunnan nimi;Tositenumero;Toimittajan  nimi\r\nKoelan kaupunki;1;Esimerkki Oy\r\n".encode("latin-1"))
    name = str(path.relative_to(written.out))
    written.outcomes.append(Outcome(name, "sample-koela", SOURCE, "refused", "no amount column"))
    path = written.place("sample-naytela", "ostolaskudata_2024_kaavat.xlsx")
    row: list[Cell] = [
        83,
        "Näytelän kaupunki",
        "",
        "1",
        "Esimerkki Oy",
        "",
        "FI",
        Formula("1+1"),
        "240105",
        "43920000",
        "Palvelut",
    ]
    write_workbook(path, [layouts_xlsx.OULU.header, row])
    written.outcomes.append(Outcome(str(path.relative_to(written.out)), "sample-naytela", SOURCE, "refused", "amount_is_formula"))


def state_aliases(world: World) -> dict[str, str]:
    """Delivered code -> organisation id in the state's files."""
    own = {unit.code: unit.organisation_id for unit in world.state_units}
    return own | {code: organisation_id for organisation_id, code in guest_codes(world).items()}
