"""Translate a SAM template into plain CloudFormation, as AWS does. Run by the SAM command line's own interpreter.

``python translation.py <template> <bucket> <key>`` writes JSON to stdout. The arguments say where the functions' code
was uploaded; definitions are in the template.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import yaml
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    """A loader of AWS's managed policies. The template uses none, so it has nothing to load."""

    def load(self) -> dict[str, str]:
        return {}


def translation(path: Path, bucket: str, key: str) -> dict[str, Any]:
    template = yaml_parse(path.read_text())
    definitions = {}
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = {"Bucket": bucket, "Key": key}
        if resource["Type"] == "AWS::Serverless::StateMachine":
            definitions[name] = yaml.safe_load((path.parent / properties.pop("DefinitionUri")).read_text())
            properties["Definition"] = {"Comment": "put in below, as one text"}
    template.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    plain: dict[str, Any] = transform(template, {}, NoManagedPolicies())
    for name, definition in definitions.items():
        plain["Resources"][name]["Properties"]["DefinitionString"] = json.dumps(definition)
    return plain


if __name__ == "__main__":
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the translator reads the partition
    print(json.dumps(translation(Path(sys.argv[1]), sys.argv[2], sys.argv[3]), indent=1))
