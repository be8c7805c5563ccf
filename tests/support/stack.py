"""What CloudFormation makes of template.yaml with given parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from support.template import sub, template

#: Stands for ``AWS::NoValue``: what holds it is left out.
_NOTHING = object()
_PSEUDO = {
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
_REFERENCE = re.compile(r"<(\w+)")


@dataclass(frozen=True)
class Stack:
    """The template with its functions resolved; a resource stands as ``<Name>``."""

    parameters: dict[str, Any]

    @classmethod
    def of(cls, **given: str) -> Stack:
        """A stack with the template's defaults, less what is given."""
        declared = template()["Parameters"]
        unknown = given.keys() - declared.keys()
        assert set() == unknown, unknown
        defaults = {name: each.get("Default") for name, each in declared.items()}
        values: dict[str, Any] = {**defaults, **given}
        for name, each in declared.items():
            if each["Type"] == "CommaDelimitedList":
                values[name] = values[name].split(",")
        return cls(values)

    @property
    def resources(self) -> dict[str, Any]:
        """The properties of what is made, the globals of functions among them."""
        made = {}
        for name, each in template()["Resources"].items():
            properties = each["Properties"]
            if each["Type"] == "AWS::Serverless::Function":
                properties = {**template()["Globals"]["Function"], **properties}
            if self.has(each):
                made[name] = self.resolve(properties)
        return made

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs that there are."""
        every = template()["Outputs"]
        return {n: self.resolve(o["Value"]) for n, o in every.items() if self.has(o)}

    def has(self, part: dict[str, Any]) -> bool:
        """Whether the condition of a resource or an output holds, if it has one."""
        return "Condition" not in part or self.holds(part["Condition"])

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template holds."""
        return bool(self.resolve(template()["Conditions"][condition]))

    def resolve(self, value: Any) -> Any:
        """``value`` with CloudFormation's functions resolved."""
        if isinstance(value, list):
            return [r for each in value if (r := self.resolve(each)) is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in {"Ref", "Condition"} or name.startswith("Fn::"):
                if name == "Condition" and not isinstance(argument, str):
                    return {name: self.resolve(argument)}  # IAM's, not CloudFormation's
                return self._call(name, argument)
        resolved = {name: self.resolve(each) for name, each in value.items()}
        return {name: each for name, each in resolved.items() if each is not _NOTHING}

    def _call(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._ref(argument)
            case "Condition":
                return self.holds(argument)
            case "Fn::GetAtt":
                return f"<{argument}>"
            case "Fn::Sub":
                names = re.findall(r"\$\{([\w:.]+)\}", argument)
                return sub(argument, **{each: self._ref(each) for each in names})
            case "Fn::If":
                condition, yes, no = argument
                return self.resolve(yes if self.holds(condition) else no)
        arguments = self.resolve(argument)
        match name:
            case "Fn::Equals":
                return arguments[0] == arguments[1]
            case "Fn::Not":
                return not arguments[0]
            case "Fn::And":
                return all(arguments)
            case "Fn::Join":
                return arguments[0].join(arguments[1])
        raise NotImplementedError(name)

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NOTHING
        if name in self.parameters:
            return self.parameters[name]
        return _PSEUDO.get(name, f"<{name}>")


def references(value: Any) -> set[str]:
    """The resources that a resolved value refers to."""
    return set(_REFERENCE.findall(str(value)))
