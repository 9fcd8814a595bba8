"""Every example in a docstring runs, and prints what it says."""

import doctest
import pkgutil
from importlib import import_module

import pytest

import synapse_sdk

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(synapse_sdk.__path__, "synapse_sdk.")
    if not module.name.endswith(".__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module_run(name: str) -> None:
    """What a docstring shows is what happens."""
    module = import_module(name)

    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for docstring in doctest.DocTestFinder().find(module):
        if docstring.examples:  # each run looks at all source files that were ever read: too dear for nothing
            runner.run(docstring)

    assert runner.failures == 0
