"""What a form gives a template: a field for each parameter, text both ways. Pure."""

from collections.abc import Mapping

from waldur_slurm.gateway.apps.parameters import Parameter, Parameters
from waldur_slurm.gateway.errors import WrongAsk


def field_of(name: str) -> str:
    """Return what the field of a parameter is called: nothing else of the form is called so."""
    return f"with.{name}"


def filled_in(parameters: Parameters) -> dict[str, str]:
    """Return what the fields hold before anybody typed."""
    return {
        field_of(each.name): text for each in parameters.values() if (text := _default_text(each))
    }


def parameters_of(parameters: Parameters, form: Mapping[str, str]) -> dict[str, object]:
    """Read what was typed; an empty field gives nothing, so that the default counts."""
    return {
        each.name: value
        for each in parameters.values()
        if (value := _value(each, form.get(field_of(each.name), ""))) is not None
    }


def _default_text(parameter: Parameter) -> str:
    value = parameter.default
    if parameter.kind == "texts" and isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    if parameter.kind == "flag":
        return "on" if value is True else ""
    return "" if value is None else str(value)


def _value(parameter: Parameter, typed: str) -> object:
    """Browsers end lines as letters on the wire do; a script's end in a line feed alone."""
    text = typed.replace("\r\n", "\n")
    if parameter.kind == "flag":
        return text != ""
    if text == "":
        return None
    if parameter.kind == "texts":
        return text.removesuffix("\n").split("\n")
    return _whole(parameter, text) if parameter.kind == "whole" else text


def _whole(parameter: Parameter, text: str) -> int:
    try:
        return int(text.strip())
    except ValueError:
        raise WrongAsk(f"{parameter.name}: expected a whole number") from None
