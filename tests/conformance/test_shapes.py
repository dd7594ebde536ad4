"""What the sandbox knows of the APIs behind steps is what their model says."""

import pathlib

import shapes

TABLE = pathlib.Path(__file__).parents[1] / "sandbox/src/services/sagemaker/arguments/shapes.json"


def test_the_table_of_shapes_is_that_of_the_service_model():
    assert TABLE.read_text() == shapes.text(), shapes.__doc__
