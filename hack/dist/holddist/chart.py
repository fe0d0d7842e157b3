# SPDX-License-Identifier: Apache-2.0
"""The packaged chart: charts/holdfast with notes for Artifact Hub, made from the kinds, the examples and the changelog."""

import os
import re
import shutil

import yaml

from holdimage import builder
from holdimage.machine import Error

from .commit import TOP, read, run, same_times, write

EXAMPLES = ("deploy/flux/fleet/edge-inference.yaml", "deploy/flux/fleet/syncpolicy.yaml")


def helm():
    """The Helm that the tests build from Go modules."""
    return run(os.path.join(TOP, "tests/system/helm/build"), cannot=True).decode().strip()


def _kind(name):
    """What Artifact Hub shows of a kind."""
    spec = yaml.safe_load(read("crds", name))["spec"]
    kind, version = spec["names"]["kind"], spec["versions"][0]
    return {"kind": kind, "name": f"{spec['names']['plural']}.{spec['group']}", "version": version["name"], "displayName": kind,
            "description": " ".join(version["schema"]["openAPIV3Schema"]["description"].split())}


def _annotations(commit, registry):
    crds = [_kind(name) for name in sorted(os.listdir(os.path.join(TOP, "crds"))) if name.endswith(".yaml")]
    images = [{"name": name, "image": f"{registry + '/' if registry else ''}{name}:{commit.version}",
               "platforms": ["linux/amd64", "linux/arm64", "linux/arm/v7"]} for name in builder.IMAGES]
    examples = [yaml.safe_load(re.sub(r"\$\{(\w+)\}", lambda word: word[1].lower().replace("_", "-"), read(path))) for path in EXAMPLES]
    changes = [{"kind": kind, "description": text} for kind, text in commit.changes()]
    lists = {"crds": crds, "crdsExamples": examples, "images": images, "changes": changes}
    texts = {name: yaml.safe_dump(items, allow_unicode=True, sort_keys=False) for name, items in lists.items()}
    return {f"artifacthub.io/{name}": text for name, text in
            {"license": "Apache-2.0", "operator": "true", "prerelease": str("-" in commit.version).lower(), **texts}.items()}


def package(commit, work, out, registry):
    """Write holdfast-VERSION.tgz to `out`; a `registry` becomes the default of the chart's images. Its path."""
    folder = os.path.join(work, "chart", "holdfast")
    shutil.copytree(os.path.join(TOP, "charts", "holdfast"), folder)
    about = yaml.safe_dump({"annotations": _annotations(commit, registry)}, allow_unicode=True)
    write(os.path.join(folder, "Chart.yaml"), read("charts/holdfast/Chart.yaml") + about)
    if registry:
        values, count = re.subn(r'(?m)^  registry: ""$', f'  registry: "{registry}"', read("charts/holdfast/values.yaml"))
        if count != 1:
            raise Error("charts/holdfast/values.yaml has no empty image.registry")
        write(os.path.join(folder, "values.yaml"), values)
    same_times(folder, commit.seconds)
    run(helm(), "package", folder, "-d", out)
    return os.path.join(out, f"holdfast-{commit.version}.tgz")
