"""The one place that wires a source."""

from __future__ import annotations

from schemas.purchase_invoices import CONTRACT as INVOICES
from schemas.purchase_invoices import POSTING_LINE
from transforms.delivery import SnapshotMeasures, Source
from transforms.measures import purchase_invoices as invoice_measures
from transforms.sources import purchase_invoices

SOURCES: dict[str, Source] = {
    "purchase_invoices": Source(
        contract=INVOICES,
        read=purchase_invoices.read,
        clean=purchase_invoices.clean,
        conclude=purchase_invoices.conclude,
        recognise=purchase_invoices.recognise,
        coverage=purchase_invoices.coverage,
        measures=SnapshotMeasures(
            invoice_measures.MEASURES, invoice_measures.PLANS, POSTING_LINE.name, invoice_measures.relations
        ),
    ),
}
