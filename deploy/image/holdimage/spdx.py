# SPDX-License-Identifier: Apache-2.0
"""The bill of materials of an image: SPDX 2.3 as JSON. Each file of the image is listed once, below the package it is from."""

import hashlib
import re

from .oci import pretty

NONE = "NOASSERTION"
LICENCE = "Apache-2.0"                     # of what is ours
HOME = "https://edge.codcompass.io/spdx"   # the start of a document's name; nothing is fetched from there


def document(image_name, version, machine, created, digest, entries, packages, own):
    """The bytes of the document.

    `digest` is that of the image's configuration, `entries` are the files of the image, `packages` is the debian.Packages they
    come from. `own`: name of the package that all files without a Debian package are from.
    """
    title = f"{image_name}-{version}-{machine.name}"
    files = [entry for entry in entries if entry.data is not None]
    names = sorted({entry.package for entry in files if entry.package})
    holders = [_image(title, image_name, version, machine),
               _package(own, version, "APPLICATION", [f for f in files if not f.package], licenseDeclared=LICENCE)]
    holders += [_debian(packages.named(name, machine.debian), packages, [f for f in files if f.package == name]) for name in names]
    relations = [_relation("SPDXRef-DOCUMENT", "DESCRIBES", holders[0]["SPDXID"])]
    relations += [_relation(holders[0]["SPDXID"], "CONTAINS", holder["SPDXID"]) for holder in holders[1:]]
    relations += [_relation(_package_id(entry.package or own), "CONTAINS", _file_id(entry)) for entry in files]
    return pretty({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": title,
        "documentNamespace": f"{HOME}/{title}-{digest}",
        "creationInfo": {"created": created, "creators": [f"Tool: holdfast-image-{version}"]},
        "packages": holders, "files": [_file(entry) for entry in files], "relationships": relations,
    }) + b"\n"


def _relation(one, kind, other):
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _word(text):
    return re.sub(r"[^A-Za-z0-9.-]", "-", text)


def _package_id(name):
    return "SPDXRef-Package-" + _word(name)


def _file_id(entry):
    return f"SPDXRef-File-{hashlib.sha256(entry.path.encode()).hexdigest()[:16]}"


def _sha1(data):
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()   # SPDX 2.3 demands it of each file


def _verification(files):
    """SPDX's one number for a set of files."""
    return {"packageVerificationCodeValue": _sha1("".join(sorted(_sha1(f.data) for f in files)).encode())}


def _file(entry):
    return {"SPDXID": _file_id(entry), "fileName": "./" + entry.path, "copyrightText": NONE, "licenseConcluded": NONE,
            "checksums": [{"algorithm": "SHA1", "checksumValue": _sha1(entry.data)},
                          {"algorithm": "SHA256", "checksumValue": hashlib.sha256(entry.data).hexdigest()}]}


def _package(name, version, purpose, files, **more):
    return {"SPDXID": _package_id(name), "name": name, "versionInfo": version, "primaryPackagePurpose": purpose,
            "downloadLocation": NONE, "copyrightText": NONE, "licenseConcluded": NONE, "licenseDeclared": NONE,
            **({"filesAnalyzed": True, "packageVerificationCode": _verification(files)} if files else {"filesAnalyzed": False}), **more}


def _image(title, name, version, machine):
    holder = _package(name, version, "CONTAINER", [], comment=f"Container image for {machine.name}.")
    holder["SPDXID"] = "SPDXRef-Image-" + _word(title)
    return holder


def _debian(package, packages, files):
    text = packages.copyright(package.name)
    more = {
        "supplier": "Organization: Debian", "sourceInfo": f"built from: {package.source} {package.source_version}",
        "comment": "Only the files that the image holds.",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": _purl(package)}],
    }
    if package.homepage:
        more["homepage"] = package.homepage
    if package.licence:
        more["licenseDeclared"] = package.licence
    if text:
        more["licenseComments"] = f"Debian's record of all licences is /{text} of the image."
    return _package(package.name, package.version, "LIBRARY" if package.name.startswith("lib") else "FILE", files, **more)


def _purl(package):
    version = package.version.replace("+", "%2B").replace(":", "%3A").replace("~", "~")
    return f"pkg:deb/debian/{package.name.replace('+', '%2B')}@{version}?arch={package.architecture}"
