"""Exports boxes whose labels are checked, with a report of what they are like."""
