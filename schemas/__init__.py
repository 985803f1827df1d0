"""What data are: contracts, key-figure definitions, code lists and reference data. No I/O beyond package data."""
