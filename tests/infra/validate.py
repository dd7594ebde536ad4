"""Validates templates with AWS's own rules, offline, and prints what is an error."""

import sys

from cloudformation_validate import RegoEngine

engine = RegoEngine()
errors = 0
for path in sys.argv[1:]:
    for found in engine.validate_template(path).diagnostics:
        if found.severity.name in ("FATAL", "ERROR"):
            print(f"{path}: {found.rule_id}: {found.message}")
            errors += 1
sys.exit(errors > 0)
