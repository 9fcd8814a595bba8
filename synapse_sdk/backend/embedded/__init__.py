"""The backend in this process, on SQLite or PostgreSQL."""
