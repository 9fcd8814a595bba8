"""The commands about what a backend keeps: collections, projects and storages."""
