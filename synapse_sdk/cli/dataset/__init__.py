"""`synapse dataset`, for datasets in folders: convert, describe, check, divide, join, compare and look at them."""
