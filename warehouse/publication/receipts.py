"""Receipts: what was accepted of a delivery, what was not and why, as text for people and JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from schemas import purchase_invoices
from schemas.plain import plain, plain_line
from warehouse.home import Home, write_together
from warehouse.publication import wording
from warehouse.store import Store

EXAMPLES = 5
"""Rows shown per rule; the rest are counted and listed by `nyckeltal quarantine`."""

NAMES = (
    "delivery_id",
    "source",
    "agency",
    "file_name",
    "sha256",
    "size_bytes",
    "produced_at",
    "produced_from",
    "received_at",
    "receipts_n",
    "status",
    "is_held",
)
NOT_READ = {"unknown_columns": "unused", "hidden_sheets": "hidden_sheets", "passed_over": "passed_over"}
"""What reading notes as not read -> how the receipt calls it."""
LATER = "_later"
"""How `produced_from` ends where a day stood there that was still to come."""
OF_WANTED = "WHERE delivery_id IN (SELECT delivery_id FROM wanted_receipt)"

NEEDS = {purchase_invoices.CONTRACT.source: purchase_invoices.NEEDS}
LABELS = {
    "fi": {
        "title": "Toimituskuitti",
        "file": "Tiedosto",
        "status": "Tila",
        "rows": "Rivejä luettu {rows_read}: hyväksytty {rows_accepted}, sivuun {rows_set_aside}, karanteenissa {rows_quarantined}",
        "reasons": "Syyt",
        "rules": "Säännöt, joita rivit rikkoivat",
        "example": "esim. rivi",
        "held": "Pidätetty, kunnes vapautetaan",
        "unused": "Sarakkeet, joita ei käytetty",
        "hidden_sheets": "Piilotetut välilehdet, joita ei luettu",
        "passed_over": "Tiedostot, taulukot ja välilehdet, joita ei luettu",
        "above": "Otsikkorivin yläpuolella rivejä, joita ei luettu",
        "untyped": "Tiedostomuoto ei kerro, mitkä solut ovat kaavoja tai prosentteja: ne luettiin arvoina. Toimita XLSX, niin ne tarkistetaan",
        "aside": "Sivuun jätetyt rivit",
        "later": "{from} sanoo päivän, joka on vastaanoton jälkeen; vastaanotto ratkaisee",
        "missing": "Puuttuu",
        "without": "luvut ilman niitä",
    },
    "sv": {
        "title": "Leveranskvitto",
        "file": "Fil",
        "status": "Status",
        "rows": "Lästa rader {rows_read}: godkända {rows_accepted}, lagda åt sidan {rows_set_aside}, i karantän {rows_quarantined}",
        "reasons": "Skäl",
        "rules": "Regler som rader bröt mot",
        "example": "t.ex. rad",
        "held": "Hålls inne tills den släpps",
        "unused": "Kolumner som inte användes",
        "hidden_sheets": "Dolda blad som inte lästes",
        "passed_over": "Filer, tabeller och blad som inte lästes",
        "above": "Rader ovanför rubrikraden som inte lästes",
        "untyped": "Filformatet visar inte vilka celler som är formler eller procent: de lästes som värden. Leverera XLSX så kontrolleras de",
        "aside": "Rader som lades åt sidan",
        "later": "{from} anger en dag efter mottagandet; mottagandet gäller",
        "missing": "Saknas",
        "without": "tal utan dem",
    },
    "en": {
        "title": "Delivery receipt",
        "file": "File",
        "status": "Status",
        "rows": "Rows read {rows_read}: accepted {rows_accepted}, set aside {rows_set_aside}, quarantined {rows_quarantined}",
        "reasons": "Reasons",
        "rules": "Rules that rows broke",
        "example": "e.g. row",
        "held": "Held until released",
        "unused": "Columns not used",
        "hidden_sheets": "Hidden sheets not read",
        "passed_over": "Files, tables and sheets not read",
        "above": "Rows above the header, not read",
        "untyped": "The file's format does not tell which cells are formulas or per cent: they were read as values. Deliver XLSX, and they are checked",
        "aside": "Rows set aside",
        "later": "{from} states a day after the receipt; the receipt counts",
        "missing": "Missing",
        "without": "figures without them",
    },
}


def receipts(store: Store, delivery_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Everything that the receipts of some deliveries say, in the order asked for; no personal values (they never reach the ledger)."""
    wanted = pl.DataFrame({"delivery_id": list(delivery_ids)}, schema={"delivery_id": pl.String})
    with store.relation("wanted_receipt", wanted):
        known = {row["delivery_id"]: row for row in store.rows(f"SELECT * FROM ledger.delivery {OF_WANTED}")}
        counts = _by_delivery(store.rows(f"SELECT * FROM ledger.table_count {OF_WANTED} ORDER BY delivery_id, table_name"))
        rules = _by_delivery(
            store.rows(
                "SELECT delivery_id, r.table_name, r.rule, r.severity, r.rows_n, coalesce(e.examples, []) AS examples FROM ledger.rule_count r LEFT JOIN ("
                "SELECT delivery_id, table_name, rule, min_by(struct_pack(source_line, column_name, value), "
                f"coalesce(source_line, {2**63 - 1}), {EXAMPLES}) AS examples FROM ledger.quarantine {OF_WANTED} GROUP BY ALL) e "
                f"USING (delivery_id, table_name, rule) {OF_WANTED} ORDER BY ALL"
            )
        )
        aside = _by_delivery(
            store.rows(
                f"SELECT delivery_id, reason, count(*) AS rows_n FROM ledger.set_aside {OF_WANTED} GROUP BY ALL ORDER BY ALL"
            )
        )
    return [
        {name: known[delivery_id][name] for name in NAMES}
        | {
            "reasons": json.loads(known[delivery_id]["reasons"] or "[]"),
            "tables": counts.get(delivery_id, []),
            "rules": rules.get(delivery_id, []),
            "set_aside": aside.get(delivery_id, []),
            "read_as": json.loads(known[delivery_id]["notes"] or "{}"),
        }
        for delivery_id in delivery_ids
    ]


def _by_delivery(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.pop("delivery_id"), []).append(row)
    return found


def as_text(content: dict[str, Any], language: str) -> str:
    """The receipt in the agency's language (fi, sv, en)."""
    language = language if language in LABELS else "en"
    words = LABELS[language]
    status = wording.word(wording.STATUS, content["status"], language)
    known = ", ".join(name for name in (content["source"], content["agency"]) if name)  # at the door not all is
    lines = [
        f"{words['title']} {content['delivery_id']}".rstrip(),
        f"{words['file']}: {plain_line(content['file_name'])}" + (f" ({known})" if known else ""),
        f"{words['status']}: {status}" + (f" - {words['held']}" if content["is_held"] else ""),
    ]
    lines += [f"{table['table_name']}: " + words["rows"].format(**table) for table in content["tables"]]
    if str(content.get("produced_from")).endswith(LATER):
        lines.append(words["later"].replace("{from}", wording.word(wording.PRODUCED, content["produced_from"], language)))
    if content.get("set_aside"):
        reasons = (f"{wording.word(wording.ASIDE, row['reason'], language)} {row['rows_n']}" for row in content["set_aside"])
        lines.append(f"{words['aside']}: {', '.join(reasons)}")
    lines += _columns(content, language)
    if content["reasons"]:
        lines.append(f"{words['reasons']}:")
        lines += [
            f"  - {wording.reason_text(reason['code'], reason['text'], language)} [{reason['code']}]"
            for reason in content["reasons"]
        ]
    if content["rules"]:
        lines.append(f"{words['rules']}:")
    for rule in content["rules"]:
        severity = wording.word(wording.SEVERITY, rule["severity"], language)
        example = rule["examples"][0]
        where = ", ".join(str(example[name]) for name in ("source_line", "column_name", "value") if example[name] is not None)
        lines.append(
            f"  - {wording.rule_text(rule['rule'], language)} ({severity}): {rule['rows_n']}, {words['example']} {where}"
        )
    return plain("\n".join(lines)) + "\n"


def _columns(content: dict[str, Any], language: str) -> list[str]:
    """What of the file was not read, what figures need and the file lacks."""
    words, read_as = LABELS[language], content["read_as"]
    used = set((read_as.get("columns") or {}).values())
    lines = []
    for kind, label in NOT_READ.items():
        unread = [" ".join(str(name).split()) for name in read_as.get(kind) or []]
        if unread:
            lines.append(f"{words[label]}: {', '.join(unread)}")
    if read_as.get("cells_untyped"):
        lines.append(words["untyped"])
    if above := read_as.get("rows_above_header"):
        lines.append(f"{words['above']}: {above}")
    missing = [need for need in NEEDS.get(content["source"], ()) if used and not used & set(need.columns)]
    if missing:
        names, figures = (
            ", ".join(need.name[language] for need in missing),
            "; ".join(need.figures[language] for need in missing),
        )
        lines.append(f"{words['missing']}: {names} -> {words['without']}: {figures}")
    return lines


def write(home: Home, contents: Sequence[dict[str, Any]], languages: Mapping[str, str]) -> None:
    """Write `receipts/<agency>/<source>/<delivery>.json` and `.txt`; `languages` of agencies, English of others."""
    files = []
    for content in contents:
        directory = home.receipts / content["agency"] / content["source"]
        directory.mkdir(parents=True, exist_ok=True)
        as_json = json.dumps(content, ensure_ascii=False, indent=2, default=str)
        text = as_text(content, languages.get(content["agency"], "en"))
        for ending, written in (("json", as_json), ("txt", text)):
            files.append((directory / f"{content['delivery_id']}.{ending}", written.encode("utf-8", "backslashreplace")))
    write_together(files, 0o640)
