"""Every public function says what it takes and returns: parameters, shapes, units, errors."""

import doctest
import inspect
import re
from pathlib import Path

import pytest
from tests.unit.notebook.numpydoc import items_of, sections_of

import riskmark as rm
from riskmark.notebook import Trial
from riskmark.notebook.figures.plots import Plots

UNIT = re.compile(
    r"\b(units?|money|fractions?|ratios?|counts?|codes?|true or false|years?|prices?|shares?"
    r"|places?|correlations?|dates?|days|percent)\b|%|fraction[²⁴]",
    re.IGNORECASE,
)
CALC = [(name, getattr(rm.calc, name)) for name in rm.calc.PUBLIC]
FUNCTIONS = [one for one in CALC if inspect.isfunction(one[1])]
RESULTS = [one for one in CALC if inspect.isclass(one[1])]
METHODS = [
    (f"{kind.__name__}.{name}", method)
    for kind in (rm.Book, rm.Portfolio, Plots)
    for name, method in inspect.getmembers(kind, inspect.isfunction)
    if not name.startswith("_")
]
EVERY = [("open", rm.open), *METHODS, *FUNCTIONS]


def of(pairs):
    return pytest.mark.parametrize("function", [one for _, one in pairs], ids=[n for n, _ in pairs])


def parameters_of(function):
    return [name for name in inspect.signature(function).parameters if name != "self"]


def test_there_is_something_to_document():
    assert len(FUNCTIONS) > 20
    assert len(METHODS) > 20
    assert {"portfolio", "portfolios"} <= {name.partition(".")[2] for name, _ in METHODS}


@of(EVERY)
def test_each_parameter_is_documented_with_its_type(function):
    found = items_of(sections_of(function).get("Parameters", ""))

    assert list(found) == parameters_of(function)
    assert all(item.kind and item.text for item in found.values())


@of(EVERY)
def test_what_is_returned_is_documented_with_its_unit(function):
    sections = sections_of(function)

    assert UNIT.search(sections["Returns"]), sections["Returns"]
    assert sections["Summary"].strip().partition("\n")[0].endswith(".")


@of(FUNCTIONS)
def test_each_array_has_a_shape_and_each_number_a_unit(function):
    sections = sections_of(function)
    stated = items_of(sections["Parameters"])

    for name, annotation in function.__annotations__.items():
        if name != "return":
            item = stated[name]
            assert UNIT.search(item.text), name
            if "ArrayLike" in str(annotation):
                assert re.search(r"shape|float64, any", item.kind), name
    returned = sections["Returns"].strip().partition("\n")[0]
    assert returned in {"float", *(name for name, _ in RESULTS)} or "shape" in returned


@of(FUNCTIONS)
def test_what_nan_means_and_where_it_comes_from_is_said(function):
    sections = sections_of(function)
    text = sections["Parameters"] + sections["Returns"]

    assert "NaN" in text
    assert sections["Raises"].strip()
    assert sections["Notes"].strip()


@of(RESULTS)
def test_each_field_of_a_result_has_a_shape_and_a_unit(function):
    found = items_of(sections_of(function)["Attributes"])

    assert tuple(found) == function._fields
    for name, item in found.items():
        assert re.search(r"shape|^float$", item.kind), name
        assert UNIT.search(item.text), name


@pytest.mark.parametrize("kind", [rm.Book, rm.Portfolio, Plots])
def test_each_property_says_what_it_is(kind):
    properties = inspect.getmembers(kind, lambda member: isinstance(member, property))

    assert all(one.__doc__ for _, one in properties)
    assert inspect.getdoc(kind)


@pytest.mark.parametrize("function", [one for _, one in FUNCTIONS], ids=lambda one: one.__name__)
def test_the_examples_of_a_docstring_are_true(function):
    module = inspect.getmodule(function)
    finder = doctest.DocTestFinder(recurse=False)
    examples = finder.find(function, module=module, globs=vars(module))

    for one in examples:
        assert doctest.DocTestRunner().run(one).failed == 0


def test_each_table_of_a_trial_is_documented_with_its_unit():
    found = items_of(sections_of(Trial)["Attributes"])

    assert list(found) == list(Trial.__dataclass_fields__)
    assert all(UNIT.search(item.text) for item in found.values())


def test_no_public_name_is_that_of_a_module():
    modules = {path.stem for path in Path(rm.calc.__file__).parent.iterdir()}

    assert modules.isdisjoint(rm.calc.PUBLIC)
    assert len(modules) > 30
