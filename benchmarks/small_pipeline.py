"""The pipeline file of the benchmarks that make their own data."""

PIPELINE = """
name = "benchmark"
[events]
topic = "asked"
key = ["order"]
id = "id"
time = "at"
fields = { id = "string", order = "string", at = "timestamp", amount = "double", kind = "string", due_at = "timestamp" }
[features]
amount = "amount"
log_amount = "ln(amount + 1.0)"
kind = "upper(kind)"
minutes = "(unix_millis(due_at) - unix_millis(as_of)) / 60000.0"
hour = "hour(as_of)"
[label]
topic = "paid"
key = ["order"]
fields = { order = "string", late = "boolean" }
value = "late"
wait = "due_at"
max_wait = "2h"
max_late = "2m"
[lake]
buckets = "1m"
retention = "30d"
raw_retention = "1d"
[training]
window = "8h"
holdout = "30m"
every = "1m"
[serving]
max_age = "4h"
"""
