"""Procurement categories that are known by their name: what registers and code lists call them."""

from __future__ import annotations

from schemas.reference import Reference

TABLES = ("category_models.csv", "codelists/agreement_categories.csv")


def known_categories(reference: Reference) -> list[str]:
    """Names in lower case, blanks as one, in order."""
    names = [name for table in TABLES for name in reference.table(table)["delivered"].drop_nulls().to_list()]
    return sorted({" ".join(name.split()).lower() for name in names})
