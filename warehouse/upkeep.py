"""What a writer does with the warehouse before its work and after: bring an older home forward, let tables follow the contracts they
are made from, keep the journal."""

from __future__ import annotations

from warehouse import figure_tables, journal, ledger, migrations
from warehouse.store import Store


def begin(store: Store) -> None:
    """The warehouse as this release needs it, with the journal of every publication that is out."""
    bring_forward(store)
    journal.catch_up(store)


def bring_forward(store: Store) -> None:
    """Numbered migrations, then what is made from contracts. Raises ConfigurationError for a home of a newer release."""
    migrations.bring_forward(store)
    with store.transaction():
        if figure_tables.follow_contracts(store):
            ledger.set_state(store, ledger.COMPUTED_WITH, "")


def end(store: Store) -> None:
    """Keep what the run changed in the ledger."""
    journal.keep_ledger(store)
