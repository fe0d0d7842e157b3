#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The modules of deploy/terraform and deploy/pulumi, by OpenTofu and by Pulumi's mocks; both against the files of deploy/k3s/render.

    tests/system/iac/run.py
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
sys.path.insert(0, os.path.join(TOP, "tests", "support"))
import suite  # noqa: E402  pylint: disable=wrong-import-position


def call(argv, folder):
    done = subprocess.run(argv, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False, timeout=600)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)}: exit code {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def copy(work, module):
    """The module beside the files that it reads, as a user's clone has them, without what an earlier run left."""
    for folder in ("cloud-init", "k3s", module):
        shutil.copytree(os.path.join(TOP, "deploy", folder), os.path.join(work, folder), dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("node_modules", ".terraform*", "*.js"))
    return os.path.join(work, module)


def tofu():
    if shutil.which("go") is None:
        raise suite.Skip("Go, which builds OpenTofu, is not installed")
    program = subprocess.run([os.path.join(TOP, "tests/system/iac/tofu/build")], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    with tempfile.TemporaryDirectory() as work:
        module = copy(work, "terraform")
        call([program, "fmt", "-check", "-diff", "-recursive"], module)
        call([program, "init", "-no-color"], module)
        call([program, "validate", "-no-color"], module)
        said = call([program, "test", "-no-color"], module)
        if not re.search(r"Success! [1-9]\d* passed, 0 failed", said):
            raise AssertionError(said)


def pulumi():
    if shutil.which("npm") is None:
        raise suite.Skip("npm is not installed")
    with tempfile.TemporaryDirectory() as work:
        module = copy(work, "pulumi")
        call(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], module)
        said = call(["npm", "test"], module)
        if not re.search(r"^# pass [1-9]", said, re.M):
            raise AssertionError(said[-4000:])


if __name__ == "__main__":
    sys.exit(suite.run([("deploy/terraform: OpenTofu's fmt, validate and test", tofu), ("deploy/pulumi: tsc, and tests with Pulumi's mocks", pulumi)]))
