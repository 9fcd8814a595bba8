"""Which items of a dataset a process converts, where several convert it side by side."""

__all__ = ["OneProcessError", "Portion"]


class OneProcessError(Exception):
    """There is something that several processes cannot convert as one would: all has to be done anew by one."""


class Portion:
    """What a process converts of a dataset: everything."""

    is_divided = False
    """Whether other processes convert other items."""
    position = 0
    """How many items were asked for, where somebody counts them."""

    def takes(self, name: str) -> bool:  # parts look at it
        """Whether an item is one of those that this process converts.

        Every process asks once for each item, by its name, in the order of the dataset.
        """
        return True
