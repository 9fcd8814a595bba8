"""The backend: storages, collections of data units, and the work on them."""
