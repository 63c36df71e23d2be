"""Says whether lists of packages are what their specification asks for: sbom-judge cyclonedx|spdx FILE...

The judges are the libraries of the two projects. One line for each file: `ok`, or what is wrong with it; ends with 1 if
something is. dev/install.sh puts this into an environment that has them.
"""

import sys


def cyclonedx(path):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    with open(path, encoding="utf-8") as file:
        wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(file.read())
    return wrong and str(wrong)


def spdx(path):
    from spdx_tools.spdx.parser.error import SPDXParsingError
    from spdx_tools.spdx.parser.json.json_parser import parse_from_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    try:
        document = parse_from_file(path)
    except SPDXParsingError as error:
        return "; ".join(error.get_messages())
    return "; ".join(wrong.validation_message for wrong in validate_full_spdx_document(document, "SPDX-2.3"))


def main(kind, *paths):
    judge = {"cyclonedx": cyclonedx, "spdx": spdx}[kind]
    told = []
    for path in paths:
        try:
            told.append(judge(path))
        except Exception as error:  # What is no JSON, or lacks what the library takes for granted, is wrong too.
            told.append(f"{type(error).__name__}: {error}")
    for path, wrong in zip(paths, told):
        print(f"{path}: {' '.join(wrong.split())[:2000] if wrong else 'ok'}")
    sys.exit(any(told))


main(*sys.argv[1:])
