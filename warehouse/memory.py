"""How much memory DuckDB may hold, in MB of 10^6 bytes: what the settings (NYCKELTAL_MEMORY_MB) begin with and may not go below."""

MEMORY_MB = 800
"""What DuckDB may hold beside what preparing left, unless the settings say otherwise; more was no faster on ten million lines (it
spills what is cold)."""
LEAST_MEMORY_MB = 200
"""With less than this a first load of a few hundred deliveries does not get through."""
