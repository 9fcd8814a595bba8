"""Converting one dataset by several processes, so that it comes out as one process would write it.

Each of them goes through the whole dataset, but reads and writes only its portion of the items, into the same folder.
Each has a log of its own. The others send back what is to be written about each item, and in the end what they counted;
the first process writes that in the order of the items. Items whose files could get the same name go to the same
process, in their order.
"""

from synapse_sdk.formats.processes.sharing import SharedFlow

__all__ = ["SharedFlow"]
