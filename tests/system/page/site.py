#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documentation as a site: hack/site builds it, with every link checked and nothing loaded from elsewhere, and site.mjs opens some of its pages.

    tests/system/page/site.py
"""
import importlib.machinery
import importlib.util
import os
import subprocess
import sys

sys.dont_write_bytecode = True
import run  # noqa: E402

LIMIT_S = 400


def load(path):
    loader = importlib.machinery.SourceFileLoader("hack_site", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("hack_site", loader))
    loader.exec_module(module)
    return module


def main():
    why, browser = run.missing()
    if why:
        return run.skip(why)
    site = load(os.path.join(run.TOP, "hack", "site"))
    try:
        site.environment()
    except (subprocess.CalledProcessError, OSError) as problem:
        return run.skip(f"no mkdocs-material: {problem}")
    run.modules()
    if site.main() != 0:
        print("  FAIL  hack/site\n0 passed, 1 failed, 0 skipped")
        return 1
    env = dict(os.environ, PAGE_BROWSER=browser, PAGE_MODULES=os.path.join(run.MODULES, "node_modules"), SITE=os.path.join(site.SITE, "html"))
    return subprocess.run(["node", os.path.join(run.HERE, "site.mjs")], env=env, check=False, timeout=LIMIT_S, preexec_fn=run.die_with_parent).returncode


if __name__ == "__main__":
    sys.exit(main())
