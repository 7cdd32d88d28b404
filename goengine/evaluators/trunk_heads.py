"""Exported nets with another end: their trunk alone, or with a head that divides the board on it.

Knows graphs of OpenVINO as `goengine.nets.export` makes them; no torch, no files and no Go.
"""

from typing import Final

from goengine.core.openvino_import import ov
from goengine.evaluators.base import EvaluatorError

TRUNK: Final = "trunk"  # the name of the trunk's answer [B,C,N,N]
_READER: Final = "net.value.points.conv/"  # in the name of the layer that reads ownership out of the trunk


def trunk_output(model: ov.Model) -> ov.Output:
    """The trunk's answer inside a net. Raises EvaluatorError if the net has no head for owners."""
    readers = [
        op for op in model.get_ordered_ops() if op.get_type_name() == "Convolution" and _READER in op.get_friendly_name()
    ]
    if len(readers) != 1:
        raise EvaluatorError("the net's trunk cannot be found: it has no pooled value head, or was exported by another program")
    found: ov.Output = readers[0].input_value(0)
    return found


def trunk_alone(model: ov.Model) -> ov.Model:
    """The net without its heads: planes and globals in, TRUNK out."""
    output = trunk_output(model)
    result = ov.opset1.result(output)
    result.output(0).set_names({TRUNK})
    return ov.Model([result], model.get_parameters())


def with_head(model: ov.Model, head: ov.Model) -> ov.Model:
    """The net and a head on its trunk: the net's outputs, ownership of which is the head's, and the head's others.

    Both models are used up. Raises EvaluatorError if the head was made for another trunk.
    """
    output, wanted = trunk_output(model), head.inputs[0]
    if not output.get_partial_shape()[1].compatible(wanted.get_partial_shape()[1]):
        have, want = output.get_partial_shape()[1], wanted.get_partial_shape()[1]
        raise EvaluatorError(f"the head reads {want} channels, the net's trunk has {have}; train a head on this net")
    wanted.replace(output)
    kept = [result for result in model.get_results() if "ownership" not in result.input_value(0).get_names()]
    return ov.Model([*kept, *head.get_results()], model.get_parameters())
